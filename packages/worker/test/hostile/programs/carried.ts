import type { HostileFamily } from '../hostileProgram.ts'

const done = { outcome: 'completed', text: 'done' } as const

/** What one execution would leave for the next. */
export const carried: HostileFamily = {
  family: 'state carried between executions',
  programs: [
    {
      name: 'leaves a value on globalThis',
      body: `globalThis.left = 1; globalThis[Symbol.for('left')] = 1; self = 1; return new Response('done')`,
      left: `globalThis.left || globalThis[Symbol.for('left')] || typeof self === 'number'`,
      ...done,
    },
    {
      name: 'leaves a method on every prototype',
      body: `for (const one of [Object, Array, Function, Promise, Map, Request, Response, Headers, URL]) one.prototype.left = 1; return new Response('done')`,
      left: `[Object, Array, Function, Promise, Map, Request, Response, Headers, URL].some((one) => one.prototype.left)`,
      ...done,
    },
    {
      name: 'leaves a value in its module',
      before: `let count = 0; exports.count = 0`,
      body: `count += 1; exports.count += 1; module.left = 1; require.left = 1; return new Response('done')`,
      left: `count + exports.count || module.left || require.left`,
      ...done,
    },
    {
      name: 'leaves bytes in memory of WebAssembly and in shared buffers',
      before: `const memory = new WebAssembly.Memory({ initial: 1 }); const shared = new Int32Array(new SharedArrayBuffer(64))`,
      body: `new Uint8Array(memory.buffer).fill(7); Atomics.store(shared, 0, 7); memory.grow(2); return new Response('done')`,
      left: `new Uint8Array(memory.buffer).some(Boolean) || memory.buffer.byteLength > 65536 || Atomics.load(shared, 0)`,
      ...done,
    },
    {
      name: 'leaves its last match and its stack settings',
      body: `void /(secret)/.exec('a secret'); Error.stackTraceLimit = 77; Error.prepareStackTrace = () => 'left'; return new Response('done')`,
      left: `RegExp.$1 === 'secret' || Error.stackTraceLimit === 77 || new Error().stack === 'left'`,
      ...done,
    },
    {
      name: 'leaves counters, timers and groups in the console',
      body: `console.count('left'); console.time('left'); console.group('left'); console.left = 1; console.log = () => {}; return new Response('done')`,
      left: `console.left || String(console.log).includes('=> {}')`,
      ...done,
    },
    {
      name: 'leaves marks, blobs and registered symbols',
      body: `try { performance.mark('left') } catch {}; try { globalThis.url = URL.createObjectURL(new Blob(['left'])) } catch {}; return new Response('done')`,
      left: `performance.getEntries?.().length || false`,
      ...done,
    },
    {
      name: 'sends to a broadcast channel that the next one hears',
      body: `try { const channel = new BroadcastChannel('left'); setInterval(() => channel.postMessage('left'), 5) } catch {}; return new Response('done')`,
      left: `new Promise((found) => { try { new BroadcastChannel('left').onmessage = () => found(true) } catch {} ; setTimeout(() => found(false), 60) })`,
      ...done,
    },
    {
      name: 'leaves timers that write to the next one',
      body: `let n = 0; setInterval(() => { n += 1; globalThis.left = n; console.log('still here') }, 1); return new Response('done')`,
      left: `new Promise((found) => setTimeout(() => found(globalThis.left), 60))`,
      ...done,
    },
    {
      name: 'leaves microtasks that never end after its answer',
      body: `setTimeout(() => { const again = () => Promise.resolve().then(() => { globalThis.left = 1; return again() }); again() }, 1); return new Response('done')`,
      left: `globalThis.left`,
      ...done,
    },
    {
      name: 'begins microtasks that never end, and answers',
      body: `const again = () => Promise.resolve().then(again); again(); return new Response('done')`,
      timeoutMs: 700,
      ...done,
      onWeb: { outcome: 'timed-out' },
    },
    {
      name: 'floods its log and calls out in microtasks after its answer',
      body: `let hops = 5000; const later = () => { hops -= 1; if (hops > 0) return Promise.resolve().then(later); for (let n = 0; n < 100; n += 1) { console.log('x'.repeat(1 << 16)); fetch('https://a.example').catch(() => {}) } }; later(); return new Response('done')`,
      ...done,
    },
    {
      name: 'leaves a rejection that nobody handles after its answer',
      body: `setTimeout(() => Promise.reject(new Error('left')), 1); setTimeout(() => { throw new Error('left') }, 2); return new Response('done')`,
      ...done,
    },
    {
      name: 'draws numbers and moves the clock for the next one',
      body: `for (let n = 0; n < 1000; n += 1) Math.random(); await new Promise((done) => setTimeout(done, 50)); Date.now = () => 1; Math.random = () => 2; return new Response('done')`,
      left: `Date.now() !== 1700000000000 || Math.random() === 2`,
      ...done,
    },
    {
      name: 'leaves environment, listeners and patched modules',
      realm: 'node',
      body: `process.env.LEFT = '1'; process.on('message', () => {}); process.left = 1; require('crypto').left = 1; require('util').inspect.defaultOptions.depth = 99; require('events').defaultMaxListeners = 99; process.exitCode = 9; return new Response('done')`,
      left: `process.env.LEFT || process.left || require('crypto').left || require('util').inspect.defaultOptions.depth === 99 || require('events').defaultMaxListeners === 99`,
      ...done,
    },
    {
      name: 'leaves a stream that is never read to its end',
      body: `globalThis.pulls = 0; const stream = new ReadableStream({ async pull(c) { globalThis.pulls += 1; await new Promise((done) => setTimeout(done, 1)); c.enqueue(new Uint8Array(1)) } }); stream.getReader().read(); return new Response('done')`,
      left: `globalThis.pulls`,
      ...done,
    },
  ],
}

/** What belongs to somebody else’s request, before it, beside it or after it. */
export const othersRequests: HostileFamily = {
  family: 'reading another request',
  programs: [
    {
      name: 'listens on the web classes while another request runs beside it',
      beside: true,
      before: `const heard = []; const hear = (value) => { heard.push(String(value)) }`,
      body: `const { get } = Headers.prototype; const { text } = Request.prototype
        Headers.prototype.get = function (name) { const value = get.call(this, name); hear(value); return value }
        Request.prototype.text = async function () { const value = await text.call(this); hear(value); return value }
        const Real = URL; globalThis.URL = class extends Real { constructor(...values) { super(...values); hear(values) } }
        for (const name of ['log', 'error']) { const real = console[name]; console[name] = (...values) => { hear(values); real(...values) } }
        await new Promise((done) => setTimeout(done, 400)); return Response.json(heard.filter((one) => one.includes('a-secret')))`,
      outcome: 'completed',
      text: '[]',
      left: `heard.length`,
    },
    {
      name: 'hangs on every object and waits for the other’s values',
      beside: true,
      body: `const seen = []; Object.defineProperty(Object.prototype, 'x-secret', { configurable: true, set(value) { seen.push(value) }, get() { return undefined } })
        const { parse } = JSON; JSON.parse = (text) => { if (String(text).includes('a-secret')) seen.push(text); return parse(text) }
        const { decode } = TextDecoder.prototype; TextDecoder.prototype.decode = function (...values) { const text = decode.apply(this, values); if (text.includes('a-secret')) seen.push(text); return text }
        await new Promise((done) => setTimeout(done, 400)); return Response.json(seen)`,
      outcome: 'completed',
      text: '[]',
    },
    {
      name: 'reads memory that was somebody else’s',
      body: `const found = []; const look = (bytes) => { if (new TextDecoder('latin1').decode(bytes).includes('a-secret' + '-of')) found.push('memory') }
        for (let n = 0; n < 200; n += 1) { look(new Uint8Array(65536)); try { look(Buffer.allocUnsafe(8192)); look(Buffer.allocUnsafeSlow(65536)); look(new Uint8Array(Buffer.from('x').buffer)) } catch {} }
        for (let n = 0; n < 20; n += 1) look(new Uint8Array(new WebAssembly.Memory({ initial: 4 }).buffer)); return Response.json(found)`,
      outcome: 'completed',
      text: '[]',
    },
    {
      name: 'keeps looking at requests after its own is over',
      body: `globalThis.heard = []; const { text } = Request.prototype; Request.prototype.text = async function () { const value = await text.call(this); globalThis.heard.push(value); return value }
        setInterval(() => globalThis.heard.push('tick'), 5); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
      left: `globalThis.heard?.length`,
    },
  ],
}
