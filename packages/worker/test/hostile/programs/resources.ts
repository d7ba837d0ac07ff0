import type { HostileFamily } from '../hostileProgram.ts'

const tooMuch = { outcome: 'out-of-memory', timeoutMs: 30_000 } as const
const tooLong = { outcome: 'timed-out', timeoutMs: 700 } as const

export const memory: HostileFamily = {
  family: 'memory',
  programs: [
    { name: 'fills the heap', body: `const all = []; for (;;) all.push({ next: [all.length] })`, ...tooMuch },
    {
      name: 'fills memory with buffers, outside the heap',
      body: `const all = []; for (;;) all.push(new Uint8Array(4 << 20).fill(1))`,
      ...tooMuch,
    },
    {
      name: 'takes all memory in one buffer',
      body: `const all = new Uint8Array(2 ** 30).fill(1); return new Response(String(all.length))`,
      ...tooMuch,
    },
    {
      name: 'takes all memory through WebAssembly',
      body: `const memory = new WebAssembly.Memory({ initial: 16384 }); new Uint8Array(memory.buffer).fill(1)`,
      ...tooMuch,
    },
    {
      name: 'takes all memory through many small memories of WebAssembly',
      body: `const all = []; for (;;) { const memory = new WebAssembly.Memory({ initial: 16 }); new Uint8Array(memory.buffer).fill(1); all.push(memory) }`,
      ...tooMuch,
    },
    {
      name: 'grows a shared buffer',
      body: `const shared = new SharedArrayBuffer(1, { maxByteLength: 2 ** 30 }); shared.grow(2 ** 30); new Uint8Array(shared).fill(1)`,
      ...tooMuch,
    },
    {
      name: 'keeps longer and longer strings',
      body: `const all = []; for (let n = 0; ; n += 1) { const text = (String(n) + 'x'.repeat(1 << 20)); all.push(text, new Map([[text + n, JSON.stringify([text])]])) }`,
      ...tooMuch,
    },
    {
      name: 'makes a string that is too long for the language',
      body: `let text = 'x'; for (;;) text += text`,
      outcome: 'threw',
      timeoutMs: 10_000,
    },
    {
      name: 'asks for an array of all indices',
      body: `return new Response(String(new Array(2 ** 32 - 1).fill(0).length))`,
      ...tooMuch,
    },
    {
      name: 'clones a value that doubles with every level',
      body: `let value = { x: 'x'.repeat(1000) }; for (let n = 0; n < 40; n += 1) value = structuredClone([value, { value }].map((one) => JSON.parse(JSON.stringify(one)))); return new Response('x')`,
      ...tooMuch,
    },
    {
      name: 'keeps blobs and streams',
      body: `const all = []; for (;;) { const blob = new Blob([new Uint8Array(1 << 20).fill(1)]); all.push(blob, await blob.arrayBuffer(), new Response(blob)) }`,
      ...tooMuch,
    },
  ],
}

export const cpu: HostileFamily = {
  family: 'processor',
  programs: [
    { name: 'loops for ever', body: `for (;;);`, ...tooLong },
    {
      name: 'loops for ever while its module loads',
      before: `if (globalThis.never === undefined) for (;;);`,
      neverLoads: true,
      ...tooLong,
    },
    {
      name: 'makes microtasks for ever',
      body: `const again = () => Promise.resolve().then(again); await again()`,
      ...tooLong,
    },
    {
      name: 'ticks for ever',
      realm: 'node',
      body: `const again = () => process.nextTick(again); again(); await new Promise(() => {})`,
      ...tooLong,
    },
    {
      name: 'sets timers for ever',
      body: `const again = () => { setTimeout(again, 0); setTimeout(again, 0) }; again(); await new Promise(() => {})`,
      ...tooLong,
    },
    { name: 'matches a pattern that never ends', body: `return /^(a+)+$/.exec('a'.repeat(64) + 'b')`, ...tooLong },
    {
      name: 'blocks in Atomics.wait',
      body: `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
      ...tooLong,
    },
    {
      name: 'waits in Atomics.waitAsync for what nobody notifies',
      body: `await Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9).value`,
      outcome: 'threw',
    },
    {
      name: 'loops in WebAssembly',
      // (func (export "run") (loop (br 0)))
      body: `new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,7,1,3,114,117,110,0,0,10,9,1,7,0,3,64,12,0,11,11]))).exports.run()`,
      ...tooLong,
    },
    {
      name: 'loops in a function of the language that nothing interrupts',
      body: `Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)`,
      ...tooLong,
    },
    {
      name: 'computes a number of a billion digits',
      body: `let n = 3n; for (;;) n = n * n % (2n ** 900000n)`,
      ...tooLong,
    },
    {
      name: 'loops in what the host calls: a getter, a comparison, a conversion',
      body: `return new Response('x', { get status() { for (;;); }, get headers() { for (;;); } })`,
      ...tooLong,
    },
    {
      name: 'computes in native code that nothing interrupts',
      realm: 'node',
      body: `require('crypto').pbkdf2Sync('x', 'y', 2 ** 31 - 1, 64, 'sha512')`,
      ...tooLong,
    },
    {
      name: 'answers after its time',
      body: `await new Promise((done) => setTimeout(done, 1500)); return new Response('late')`,
      ...tooLong,
    },
    {
      name: 'unpacks a bomb',
      realm: 'node',
      body: `const zlib = require('zlib'); const bomb = zlib.gzipSync(Buffer.alloc(24 << 20)); const all = []; for (;;) all.push(zlib.gunzipSync(bomb).fill(1))`,
      ...tooMuch,
    },
  ],
}
