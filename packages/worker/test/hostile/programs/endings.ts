import type { HostileFamily } from '../hostileProgram.ts'

const node = { realm: 'node', outcome: 'threw' } as const

export const signals: HostileFamily = {
  family: 'exit, signals and errors',
  programs: [
    { name: 'throws', body: `throw new Error('no')`, outcome: 'threw' },
    { name: 'throws undefined', body: `throw undefined`, outcome: 'threw' },
    {
      name: 'throws what cannot be shown',
      body: `throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } })`,
      outcome: 'threw',
    },
    {
      name: 'throws an error whose text never ends',
      body: `const error = new Error('x'); Object.defineProperty(error, 'stack', { get() { for (;;); } }); throw error`,
      outcome: 'timed-out',
      timeoutMs: 700,
    },
    { name: 'exits', body: `process.exit(0)`, ...node },
    { name: 'exits at once', body: `process.reallyExit(7)`, ...node },
    {
      name: 'exits from a listener of its exit',
      body: `process.on('exit', () => { for (;;); }); process.exit(0)`,
      realm: 'node',
      outcome: 'timed-out',
      timeoutMs: 700,
    },
    { name: 'aborts', body: `process.abort()`, ...node },
    { name: 'kills PID 1', body: `process.kill(1, 'SIGKILL')`, ...node },
    { name: 'signals its parent', body: `process._kill(process.ppid, 9)`, ...node },
    { name: 'signals everyone', body: `process.kill(-1, 'SIGKILL')`, ...node },
    { name: 'debugs its parent', body: `process._debugProcess(1)`, ...node },
    {
      name: 'raises the host’s own events',
      body: `for (const name of ['beforeExit', 'exit', 'disconnect', 'message']) process.emit(name, 0); for (const listener of process.listeners('uncaughtException')) listener(new Error('raised')); await new Promise((done) => setTimeout(done, 50)); return new Response('mine')`,
      ...node,
    },
    {
      name: 'takes the host’s listeners away and throws',
      body: `process.removeAllListeners(); setTimeout(() => { throw new Error('nobody hears') }, 1); await new Promise((done) => setTimeout(done, 100)); return new Response('mine')`,
      ...node,
    },
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
      name: 'throws in a microtask',
      body: `queueMicrotask(() => { throw new Error('later') }); await new Promise((done) => setTimeout(done, 100)); return new Response('fine')`,
      outcome: 'threw',
    },
    {
      name: 'recurses without end',
      body: `const deeper = () => deeper() + 1; return new Response(String(deeper()))`,
      outcome: 'threw',
    },
    { name: 'answers nothing that could ever be', body: `return new Promise(() => {})`, outcome: 'threw' },
  ],
}

export const afterwards: HostileFamily = {
  family: 'time after the response',
  programs: [
    {
      name: 'never lets its execution end',
      body: `context.waitUntil(new Promise(() => setInterval(() => {}, 10))); return new Response('done')`,
      outcome: 'timed-out',
      timeoutMs: 700,
    },
    {
      name: 'fails in what it asked to wait for',
      body: `context.waitUntil(Promise.reject(new Error('later'))); context.waitUntil({ get then() { throw new Error('then') } }); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
    },
    {
      name: 'asks to wait again and again',
      body: `const again = () => { context.waitUntil(new Promise((done) => setTimeout(done, 1)).then(again)) }; again(); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
    },
    {
      name: 'changes its answer after it gave it',
      body: `const headers = new Headers({ 'x-mine': '1' }); const response = new Response('first', { headers }); setTimeout(() => { response.headers.set('x-mine', '2'); headers.set('x-mine', '3') }, 1); context.waitUntil(new Promise((done) => setTimeout(done, 30))); return response`,
      outcome: 'completed',
      text: 'first',
    },
    {
      name: 'floods its log after its answer',
      body: `setTimeout(() => { for (;;) console.log('x'.repeat(1 << 16)) }, 0); return new Response(new ReadableStream({ async pull(c) { c.enqueue(new TextEncoder().encode('done')); c.close() } }))`,
      outcome: 'completed',
      text: 'done',
    },
    {
      name: 'leaves a rejection that nobody handles',
      body: `Promise.reject(new Error('for the next one')); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
    },
    {
      name: 'imports what is refused as it answers',
      body: `const again = () => import('node:fs').catch(again); again(); import('node:net'); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
    },
    {
      name: 'answers twice',
      body: `setTimeout(() => { Promise.resolve(new Response('second')) }, 1); return Promise.race([new Response('first'), new Response('second')])`,
      outcome: 'completed',
      text: 'first',
    },
  ],
}
