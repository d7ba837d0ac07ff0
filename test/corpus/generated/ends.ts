import type { Group, MakeGroup } from './group.ts'

/** Every way to end but with an answer of its own. */
export const ends: MakeGroup = ({ below, text }) => ({
  name: 'ends',
  isPortable: false,
  cases: {
    throws: `throw new TypeError('no ${below(99)}')`,
    'throws-text': `throw 'text'`,
    'throws-nothing': `throw undefined`,
    'throws-late': `await new Promise((r) => setTimeout(r, 10)); null.x`,
    'throws-in-timer': `setTimeout(() => { throw new Error('timer') }, 1); await new Promise((r) => setTimeout(r, 5)); return 'after'`,
    'throws-in-microtask': `queueMicrotask(() => { throw new Error('microtask') }); await new Promise((r) => setTimeout(r, 5)); return 'after'`,
    'rejects-unhandled': `Promise.reject(new Error('nobody')); await new Promise((r) => setTimeout(r, 5)); return 'after'`,
    'rejects-and-answers': `Promise.reject(new Error('nobody')); return 'at once'`,
    'imports-and-answers': `import('node:fs'); return 'at once'`,
    'throws-after-answer': `setTimeout(() => { throw new Error('nobody waits') }, 1); return 'at once'`,
    'rejects-handled-late': `const p = Promise.reject(new Error('late')); await null; p.catch(() => {}); return 'after'`,
    'throws-in-listener': `const t = new EventTarget(); t.addEventListener('x', () => { throw new Error('listener') }); t.dispatchEvent(new Event('x')); return 'after'`,
    'throws-in-stream': `return new Response(new ReadableStream({ pull() { throw new Error('stream') } }))`,
    'no-response': `return nothing`,
    'never-answers': `return new Promise(() => {})`,
    'answers-too-late': `await new Promise((r) => setTimeout(r, 3_600_000)); return 'late'`,
    'too-large': `return new Response(new Uint8Array(1_048_577))`,
    'as-large-as-allowed': `return new Response(new Uint8Array(1_048_576).fill(${65 + below(20)}))`,
    'too-large-stream': `return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65_536)) } }))`,
    'too-many-headers': `return new Response('', { headers: Array.from({ length: 4000 }, (_, i) => ['x-' + i, 'v'.repeat(99)]) })`,
    'response-error': `return Response.error()`,
    'used-body': `const r = new Response('x'); await r.text(); return r`,
    'recursion-uncaught': `const f = () => f(); f()`,
    'imports-module': `return attempt(() => import('node:fs'))`,
    'requires-module': `return attempt(() => require('fs'))`,
    'fetch-refused': `return attempt(() => fetch('https://example.com'))`,
    'console-limits': `for (let i = 0; i < 20; i++) console.log('x'.repeat(1000)); console.error(new Error('e'), { a: [1, new Map([[1, 2]])] }); console.table([1]); return 'logged'`,
    'console-too-much': `for (let i = 0; i < 1200; i++) console.log('y'.repeat(1000)); return 'logged'`,
    'console-values': `const a = {}; a.a = a; console.log('%s %d %j %o', 1, '2', { x: 1 }, a, Symbol('s'), 5n, [,1]); console.log({ get x() { throw 1 } }, new Proxy({}, { ownKeys() { throw 2 } })); return 'shown'`,
    'headers-of-answer': `return new Response(${JSON.stringify(text(9))}, { status: 418, headers: [['Set-Cookie', 'a=1'], ['set-cookie', 'b=2'], ['X-B', '2'], ['x-a', ' 1 ']] })`,
    'stack-text': `return new Error('here').stack.split('\\n').length > 0 && [new Error('here').stack, (() => { try { null.x } catch (e) { return e.message } })()]`,
    'global-names': `return Object.getOwnPropertyNames(globalThis).sort()`,
    'realm-kept-apart': `globalThis.count = (globalThis.count ?? 0) + 1; Array.prototype.extra = 1; delete Array.prototype.extra; return typeof globalThis.count`,
    eval: `return attempt(() => [eval('1 + 1'), new Function('a', 'return a * 2')(4), typeof process, typeof require, typeof Buffer, typeof global])`,
    'compare-source': `return attempt(() => [String((a, b) => a + b), String(Math.max), Function.prototype.toString.call(Headers).length > 0])`,
  },
})

/** Modules that fail before there is a handler, each a bundle of its own. */
export const brokenModules: readonly { name: string; source: string }[] = [
  { name: 'throws-at-load', source: `throw new Error('at load')` },
  { name: 'broken-syntax', source: `exports.default = () => {` },
  { name: 'no-handler', source: `exports.other = 1` },
  { name: 'rejects-at-load', source: `Promise.reject(new Error('x')); exports.default = () => new Response('ok')` },
  {
    name: 'draws-at-load',
    source: `const drawn = [Math.random(), Date.now(), crypto.randomUUID()]; exports.default = () => Response.json([drawn, Math.random(), Date.now()])`,
  },
]

/** Node's own modules: levels process and container alone. */
export const nodeModules = ({ below }: Parameters<MakeGroup>[0]): Group => ({
  name: 'node-modules',
  isPortable: false,
  usesNode: true,
  cases: {
    'node-hash': `const { createHash } = require('node:crypto'); return ['md5', 'sha256', 'sha3-256', 'blake2b512'].map((a) => createHash(a).update('x${below(99)}').digest('hex'))`,
    'node-buffer': `return [Buffer.from('héllo').toString('base64url'), Buffer.from([255]).toString('latin1'), Buffer.concat([Buffer.from('a'), Buffer.alloc(2)]).toJSON()]`,
    'node-path-and-url': `const p = require('node:path'), u = require('node:url'); return [p.posix.join('/a', '../b'), p.win32.normalize('c:/x/../y'), u.fileURLToPath('file:///a%20b'), u.domainToASCII('ü.de')]`,
    'node-zlib': `const z = require('node:zlib'); return [z.brotliDecompressSync(z.brotliCompressSync('x'.repeat(99))).length, z.crc32('hello'), z.deflateSync('aaaa').toString('hex')]`,
    'node-events': `const { EventEmitter, once } = require('node:events'); const e = new EventEmitter(); setTimeout(() => e.emit('x', ${below(99)}), 5); return once(e, 'x')`,
    'node-util': `const u = require('node:util'); return [u.inspect({ a: [1, new Map([[1, { b: 2 }]])] }, { depth: 5 }), u.format('%s %d', 'a', 1.5), u.isDeepStrictEqual([1], [1])]`,
    'node-random': `const c = require('node:crypto'); return [c.randomBytes(8).toString('hex'), c.randomInt(1000), Math.random(), c.randomUUID()]`,
    'node-streams': `const { Readable } = require('node:stream'); const out = []; for await (const x of Readable.from(['a', 'b']).map((v) => v + v)) out.push(x); return out`,
    'node-time': `return [Date.now(), new Date().toISOString(), performance.now() >= 0]`,
    'node-throws': `require('node:fs').readFileSync('/etc/none')`,
  },
})
