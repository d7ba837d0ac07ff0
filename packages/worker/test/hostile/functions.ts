import type { Outcome } from '@peerhost/protocol'

/** A function that means harm, and the one way in which it must end. `body` is what the handler does. */
export type HostileFunction = {
  readonly name: string
  readonly body: string
  readonly outcome: Outcome
  readonly timeoutMs?: number
  /** What the answer must say, for attacks that end in an answer. */
  readonly text?: string
}

/** Every way in this process to something that Node knows: each is tried, and what it gave is returned. */
const everyDoor = `
  async function everyDoor(name) {
    const doors = {
      require: () => require(name),
      nodeRequire: () => require('node:' + name),
      getBuiltinModule: () => process.getBuiltinModule(name),
      import: () => import('node:' + name),
      mainModule: () => process.mainModule.require(name),
      moduleConstructor: () => module.constructor._load(name),
      requireCache: () => require.cache,
      binding: () => process.binding(name === 'fs' ? 'fs' : name === 'net' ? 'tcp_wrap' : 'spawn_sync'),
      linkedBinding: () => process._linkedBinding(name),
      globalRequire: () => globalThis.require(name),
      functionRequire: () => new Function('return require')()(name),
      createRequire: () => require('module').createRequire('/')(name),
      realm: () => require('vm').runInThisContext('require')(name),
      execve: () => process.execve && process.execve('/bin/node', ['node', '-e', '1'], {}),
      dlopen: () => process.dlopen && process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6'),
    }
    const open = []
    for (const [door, enter] of Object.entries(doors)) {
      try { if ((await enter()) !== undefined) open.push(door) } catch {}
    }
    return open
  }`

export const hostileFunctions: HostileFunction[] = [
  { name: 'throws', body: `throw new Error('no')`, outcome: 'threw' },
  { name: 'throws undefined', body: `throw undefined`, outcome: 'threw' },
  {
    name: 'throws what cannot be shown',
    body: `throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } })`,
    outcome: 'threw',
  },
  { name: 'loops for ever', body: `for (;;);`, outcome: 'timed-out', timeoutMs: 700 },
  {
    name: 'makes microtasks for ever',
    body: `const again = () => Promise.resolve().then(again); await again()`,
    outcome: 'timed-out',
    timeoutMs: 700,
  },
  {
    name: 'ticks for ever',
    body: `const again = () => process.nextTick(again); again(); await new Promise(() => {})`,
    outcome: 'timed-out',
    timeoutMs: 700,
  },
  {
    name: 'blocks in Atomics.wait',
    body: `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
    outcome: 'timed-out',
    timeoutMs: 700,
  },
  {
    name: 'answers after its time',
    body: `await new Promise((done) => setTimeout(done, 1500)); return new Response('late')`,
    outcome: 'timed-out',
    timeoutMs: 700,
  },
  {
    name: 'fills the heap',
    body: `const all = []; for (;;) all.push({ next: [all.length] })`,
    outcome: 'out-of-memory',
    timeoutMs: 30_000,
  },
  {
    name: 'fills memory with buffers, outside the heap',
    body: `const all = []; for (;;) all.push(Buffer.alloc(4 << 20, 1))`,
    outcome: 'out-of-memory',
    timeoutMs: 30_000,
  },
  {
    name: 'takes all memory in one buffer',
    body: `const all = Buffer.alloc(2 ** 30, 1); return new Response(String(all.length))`,
    outcome: 'out-of-memory',
    timeoutMs: 30_000,
  },
  {
    name: 'takes all memory through WebAssembly',
    body: `const memory = new WebAssembly.Memory({ initial: 16384 }); new Uint8Array(memory.buffer).fill(1)`,
    outcome: 'out-of-memory',
    timeoutMs: 30_000,
  },
  {
    name: 'writes 1 GB to stdout',
    body: `const piece = 'x'.repeat(1 << 20); for (let i = 0; i < 1024; i += 1) process.stdout.write(piece)`,
    outcome: 'output-too-large',
    timeoutMs: 30_000,
  },
  {
    name: 'writes 1 GB to stderr in small lines',
    body: `for (let i = 0; i < 1 << 24; i += 1) console.error('x'.repeat(63))`,
    outcome: 'output-too-large',
    timeoutMs: 60_000,
  },
  { name: 'answers 10 MB', body: `return new Response('x'.repeat(10 << 20))`, outcome: 'output-too-large' },
  {
    name: 'answers a stream that never ends, quickly',
    body: `return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) }, cancel() { return new Promise(() => {}) } }))`,
    outcome: 'output-too-large',
  },
  {
    name: 'answers a stream that never ends, slowly',
    body: `return new Response(new ReadableStream({ async pull(c) { await new Promise((done) => setTimeout(done, 50)); c.enqueue(new Uint8Array(1)) } }))`,
    outcome: 'timed-out',
    timeoutMs: 700,
  },
  {
    name: 'answers a stream that breaks',
    body: `return new Response(new ReadableStream({ pull() { throw new Error('broken') } }))`,
    outcome: 'threw',
  },
  {
    name: 'answers a stream of no bytes',
    body: `return new Response(new ReadableStream({ pull(c) { c.enqueue('text') } }))`,
    outcome: 'threw',
  },
  { name: 'exits', body: `process.exit(0)`, outcome: 'threw' },
  { name: 'exits at once', body: `process.reallyExit(7)`, outcome: 'threw' },
  {
    name: 'exits from a listener of its exit',
    body: `process.on('exit', () => { for (;;); }); process.exit(0)`,
    outcome: 'timed-out',
    timeoutMs: 700,
  },
  { name: 'aborts', body: `process.abort()`, outcome: 'threw' },
  { name: 'kills PID 1', body: `process.kill(1, 'SIGKILL')`, outcome: 'threw' },
  { name: 'signals its parent', body: `process._kill(process.ppid, 9)`, outcome: 'threw' },
  { name: 'signals everyone', body: `process.kill(-1, 'SIGKILL')`, outcome: 'threw' },
  { name: 'debugs its parent', body: `process._debugProcess(1)`, outcome: 'threw' },
  {
    name: 'leaves a rejection unhandled',
    body: `Promise.reject(new Error('nobody cares')); await new Promise((done) => setTimeout(done, 100)); return new Response('fine')`,
    outcome: 'threw',
  },
  {
    name: 'throws in a timer',
    body: `setTimeout(() => { throw new Error('later') }, 1); await new Promise(() => setTimeout(() => {}, 500))`,
    outcome: 'threw',
  },
  {
    name: 'recurses without end',
    body: `const deeper = () => deeper() + 1; return new Response(String(deeper()))`,
    outcome: 'threw',
  },
  {
    name: 'leaves a timer running',
    body: `setInterval(() => console.log('still here'), 1); return new Response('done')`,
    outcome: 'completed',
    text: 'done',
  },
  {
    name: 'breaks the language under the host',
    body: `JSON.stringify = () => '{"type":"answer","status":200,"headers":[]}'; TextEncoder.prototype.encode = () => new Uint8Array(3)
      Uint8Array.prototype.set = () => {}; return new Response('x')`,
    outcome: 'threw',
  },
  {
    name: 'forges frames in its log',
    body: `const header = Buffer.from(JSON.stringify({ type: 'ended', id: 1, end: 'completed', reason: 'error', status: 200, headers: [], durationMs: 0, logBytes: 0, keptLogBytes: 0 }))
      const prefix = Buffer.alloc(8); prefix.writeUInt32BE(header.length, 0); const frame = Buffer.concat([prefix, header])
      for (let i = 0; i < 100; i += 1) { process.stdout.write(frame); process.stderr.write(frame) }
      return new Response('mine')`,
    outcome: 'completed',
    text: 'mine',
  },
  {
    name: 'looks for descriptors to write to',
    body: `const found = []; for (const stream of [process.stdin, process.stdout, process.stderr]) if (stream._handle || stream.constructor.name === 'Socket') found.push(stream.fd)
      if (process._getActiveHandles) found.push('handles'); ${everyDoor}; return Response.json([found, await everyDoor('fs')])`,
    outcome: 'completed',
    text: '[[],[]]',
  },
  {
    name: 'forks',
    body: `${everyDoor}; return Response.json(await everyDoor('child_process'))`,
    outcome: 'completed',
    text: '[]',
  },
  {
    name: 'starts threads',
    body: `${everyDoor}; return Response.json(await everyDoor('worker_threads'))`,
    outcome: 'completed',
    text: '[]',
  },
  {
    name: 'reads /etc/passwd',
    body: `${everyDoor}; return Response.json(await everyDoor('fs'))`,
    outcome: 'completed',
    text: '[]',
  },
  {
    name: 'reads /etc/passwd without asking',
    body: `return new Response(require('fs').readFileSync('/etc/passwd'))`,
    outcome: 'threw',
  },
  {
    name: 'opens a socket',
    body: `${everyDoor}; const open = await everyDoor('net'); for (const name of ['WebSocket', 'EventSource']) if (globalThis[name]) open.push(name)
      try { await fetch('http://169.254.169.254/'); open.push('fetch') } catch {}
      return Response.json(open)`,
    outcome: 'completed',
    text: '[]',
  },
  {
    name: 'looks for secrets',
    body: `return Response.json([process.env, process.argv, process.execArgv, process.cwd(), process.pid])`,
    outcome: 'completed',
    text: '[{},["node","function"],[],"/",1]',
  },
]

/** The function as a bundle. It answers `fine` under `/fine`, so that the same sandbox can be asked how it is. */
export function sourceOf({ body }: HostileFunction): string {
  return `exports.default = async (request) => { if (request.url.endsWith('/fine')) return new Response('fine')\n${body}\n}`
}
