import type { MakeGroup } from './group.ts'

export const streams: MakeGroup = ({ below, text }) => ({
  name: 'streams',
  isPortable: true,
  scope: `const of = (...chunks) => new ReadableStream({ start(c) { for (const x of chunks) c.enqueue(x); c.close() } })
const through = (stream, pair) => gather(stream.pipeThrough(pair))
const join = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer())`,
  cases: {
    'stream-tee': `const [a, b] = of(1, 2, ${below(99)}).tee(); return [await gather(a), await gather(b)]`,
    'stream-pull': `let n = 0; const seen = []; const s = new ReadableStream({ pull(c) { seen.push(c.desiredSize); if (n === 4) c.close(); else c.enqueue(n++) } }, { highWaterMark: 2 }); return [await gather(s), seen]`,
    'stream-cancel': `const seen = []; const s = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(r) { seen.push(r) } }); for await (const x of s) { seen.push(x); break } const t = new ReadableStream({ cancel(r) { seen.push(r) } }); await t.cancel('why'); return [seen, await gather(t)]`,
    'stream-locks': `const s = of(1); s.getReader(); return [s.locked, ...await all([() => s.getReader(), () => s.tee(), () => s.cancel(), () => s.pipeTo(new WritableStream()), () => new ReadableStream({ type: 'x' })])]`,
    'stream-transform': `return through(of('a', 'bc', ''), new TransformStream({ start(c) { c.enqueue('<') }, transform(x, c) { c.enqueue(x.toUpperCase()); c.enqueue(x.length) }, flush(c) { c.enqueue('>') } }))`,
    'stream-errors': `return all([() => through(of(1), new TransformStream({ transform() { throw new RangeError('x') } })), () => gather(new ReadableStream({ pull() { throw new SyntaxError('y') } })), () => of(1).pipeTo(new WritableStream({ write() { throw new EvalError('z') } })), () => gather(new ReadableStream({ start(c) { c.enqueue(1); c.error(new URIError('w')) } }))])`,
    'stream-write': `const seen = []; const w = new WritableStream({ start() { seen.push('start') }, write(x) { seen.push(x) }, close() { seen.push('close') } }, new CountQueuingStrategy({ highWaterMark: 2 })).getWriter(); const d = w.desiredSize; w.write(1); w.write(2); const e = w.desiredSize; await w.close(); return [seen, d, e, ...await all([() => w.write(3), () => w.closed])]`,
    'stream-abort': `const seen = []; const s = new WritableStream({ abort(r) { seen.push(r) } }); const w = s.getWriter(); await w.abort('why'); const c = new AbortController(); c.abort(); return [seen, ...await all([() => w.write(1), () => of(1).pipeTo(new WritableStream(), { signal: c.signal })])]`,
    'stream-bytes': `const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1, 2, 3])); c.close() } }); const r = s.getReader({ mode: 'byob' }); const a = await r.read(new Uint8Array(2)); const b = await r.read(new Uint8Array(2)); const c = await r.read(new Uint8Array(2)); return [a, b, c]`,
    'stream-from': `return typeof ReadableStream.from === 'function' ? gather(ReadableStream.from((async function* () { yield 1; yield 2 })())).then((x) => x.concat(1)) : 'none'`,
    'stream-text': `const bytes = new TextEncoder().encode(${JSON.stringify(text(12))}); return [await through(of(...Array.from(bytes, (b) => new Uint8Array([b]))), new TextDecoderStream()), await through(of('a\\ud83d', '\\ude00', '', 'b'), new TextEncoderStream()), new TextDecoderStream('latin1').encoding]`,
    'stream-text-fatal': `return all([() => through(of(new Uint8Array([0xff])), new TextDecoderStream('utf-8', { fatal: true })), () => through(of(5), new TextEncoderStream()), () => through(of('x'), new TextDecoderStream()), () => new TextDecoderStream('no')])`,
    'stream-compress': `const data = new TextEncoder().encode(${JSON.stringify(text(30))}.repeat(40)); return Promise.all(['gzip', 'deflate', 'deflate-raw'].map(async (f) => { const small = await join(new Blob([data]).stream().pipeThrough(new CompressionStream(f))); const back = await join(new Blob([small]).stream().pipeThrough(new DecompressionStream(f))); return [small.length < data.length, back.length, back.every((b, i) => b === data[i])] }))`,
    'stream-compress-refuses': `return all([() => new CompressionStream('zip'), () => join(of(new Uint8Array([1, 2, 3])).pipeThrough(new DecompressionStream('gzip'))), () => join(of('text').pipeThrough(new CompressionStream('gzip'))), () => CompressionStream('gzip')])`,
    'stream-answer': `let n = 0; return new Response(new ReadableStream({ pull(c) { n === 5 ? c.close() : c.enqueue(new TextEncoder().encode('part ' + n++ + ' é ')) } }), { status: 202, headers: { 'x-parts': '5' } })`,
  },
})

export const cryptography: MakeGroup = ({ numbers, below }) => ({
  name: 'cryptography',
  isPortable: true,
  scope: `const data = new Uint8Array(${JSON.stringify(numbers(64, 127).map((x) => x & 255))})
const { subtle } = crypto
const raw = (algorithm, usages) => subtle.importKey('raw', data.slice(0, 32), algorithm, true, usages)`,
  cases: {
    digest: `return Promise.all(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'].map((a) => subtle.digest(a, data)))`,
    'digest-refuses': `return all([() => subtle.digest('MD5', data), () => subtle.digest('SHA-256', 'text'), () => subtle.digest({ name: 'sha-256' }, data.subarray(1)), () => subtle.digest()])`,
    hmac: `const k = await raw({ name: 'HMAC', hash: 'SHA-256' }, ['sign', 'verify']); const s = await subtle.sign('HMAC', k, data); return [s, await subtle.verify('HMAC', k, s, data), await subtle.verify('HMAC', k, s, data.slice(1)), k.type, k.algorithm, k.usages, kind(k)]`,
    'aes-gcm': `const k = await raw('AES-GCM', ['encrypt', 'decrypt']); const iv = data.slice(0, 12); const e = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData: data.slice(5, 9) }, k, data); return [e, await subtle.decrypt({ name: 'AES-GCM', iv, additionalData: data.slice(5, 9) }, k, e), await attempt(() => subtle.decrypt({ name: 'AES-GCM', iv }, k, e))]`,
    'aes-cbc-and-ctr': `const a = await raw('AES-CBC', ['encrypt']); const b = await raw('AES-CTR', ['encrypt']); return [await subtle.encrypt({ name: 'AES-CBC', iv: data.slice(0, 16) }, a, data), await subtle.encrypt({ name: 'AES-CTR', counter: data.slice(0, 16), length: 64 }, b, data)]`,
    hkdf: `const k = await subtle.importKey('raw', data, 'HKDF', false, ['deriveBits', 'deriveKey']); const how = { name: 'HKDF', hash: 'SHA-512', salt: data.slice(3, 9), info: new Uint8Array() }; return [await subtle.deriveBits(how, k, 256), await subtle.exportKey('jwk', await subtle.deriveKey(how, k, { name: 'AES-GCM', length: 128 }, true, ['encrypt']))]`,
    pbkdf2: `const k = await subtle.importKey('raw', data, 'PBKDF2', false, ['deriveBits']); return subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: data.slice(0, 16), iterations: ${100 + below(900)} }, k, 256)`,
    'key-refuses': `const k = await subtle.importKey('raw', data.slice(0, 16), 'AES-GCM', false, ['encrypt']); return all([() => subtle.exportKey('raw', k), () => subtle.decrypt({ name: 'AES-GCM', iv: data }, k, data), () => subtle.importKey('raw', data.slice(0, 5), 'AES-GCM', true, ['encrypt']), () => subtle.importKey('raw', data.slice(0, 16), 'AES-GCM', true, ['sign']), () => new CryptoKey()])`,
    'signature-verify': `const jwk = { kty: 'OKP', crv: 'Ed25519', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }; const k = await subtle.importKey('jwk', jwk, 'Ed25519', true, ['sign']); const p = await subtle.importKey('jwk', { ...jwk, d: undefined, key_ops: undefined }, 'Ed25519', true, ['verify']); const s = await subtle.sign('Ed25519', k, data); return [s, await subtle.verify('Ed25519', p, s, data)]`,
  },
})

export const chanceOfKeys: MakeGroup = () => ({
  name: 'chance-of-keys',
  isPortable: false,
  cases: {
    'encrypt-with-drawn-key': `const raw = crypto.getRandomValues(new Uint8Array(32)); const iv = crypto.getRandomValues(new Uint8Array(12)); const k = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt']); return crypto.subtle.encrypt({ name: 'AES-GCM', iv }, k, new TextEncoder().encode('hello'))`,
    'generate-key': `return attempt(async () => { const k = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']); return crypto.subtle.exportKey('raw', k) })`,
    'generate-pairs': `const made = (algorithm, usages) => crypto.subtle.generateKey(algorithm, true, usages).then((k) => Promise.all(Object.values(k.privateKey ? { a: k.privateKey, b: k.publicKey } : { k }).map((one) => crypto.subtle.exportKey('jwk', one)))); return Promise.all([made({ name: 'ECDSA', namedCurve: 'P-521' }, ['sign', 'verify']), made({ name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits']), made('Ed25519', ['sign', 'verify']), made('X25519', ['deriveBits']), made({ name: 'AES-GCM', length: 256 }, ['encrypt'])])`,
    'generated-pair-signs': `const { privateKey, publicKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']); const data = new Uint8Array(9); const s = await crypto.subtle.sign('Ed25519', privateKey, data); return [s, await crypto.subtle.verify('Ed25519', publicKey, s, data), privateKey.extractable, publicKey.extractable]`,
    'refused-chance': `const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']); return all([() => crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new Uint8Array(3)), () => crypto.subtle.generateKey({ name: 'RSA-OAEP', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['encrypt', 'decrypt']), () => crypto.subtle.generateKey('AES-GCM', true, ['encrypt'])])`,
    'order-of-operations': `const seen = []; const big = new Uint8Array(300000); await Promise.all([crypto.subtle.digest('SHA-512', big).then(() => seen.push('large')), crypto.subtle.digest('SHA-1', new Uint8Array(1)).then(() => seen.push('small')), Promise.resolve().then(() => seen.push('microtask')), new Promise((r) => setTimeout(() => { seen.push('timer'); r() }, 1))]); return seen`,
  },
})

// (module (func (export "f") (param i32) (result i32) local.get 0 local.get 0 i32.mul))
const square = '0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,3,2,1,0,7,5,1,1,102,0,0,10,9,1,7,0,32,0,32,0,108,11'
// (module (func (export "f") (param f64 f64) (result i64) local.get 0 local.get 1 f64.div i64.reinterpret_f64))
const divide = '0,97,115,109,1,0,0,0,1,7,1,96,2,124,124,1,126,3,2,1,0,7,5,1,1,102,0,0,10,10,1,8,0,32,0,32,1,163,189,11'
// (module (memory (export "m") 1 3) (func (export "f") (param i32) (result i32) local.get 0 memory.grow))
const memory =
  '0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,3,2,1,0,5,4,1,1,1,3,7,9,2,1,109,2,0,1,102,0,0,10,8,1,6,0,32,0,64,0,11'
// (module (func (export "f") unreachable))
const trap = '0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,102,0,0,10,5,1,3,0,0,11'

export const webAssembly: MakeGroup = ({ numbers }) => ({
  name: 'web-assembly',
  isPortable: true,
  scope: `const load = (text) => WebAssembly.instantiate(new Uint8Array(text.split(',')))`,
  cases: {
    'wasm-square': `const { instance } = await load('${square}'); return ${JSON.stringify(numbers(8, 99_999))}.map((x) => instance.exports.f(x))`,
    'wasm-nan-bits': `const { instance } = await load('${divide}'); return [[0, 0], [-0, 0], [1, 0], [NaN, 1], [1, 3]].map(([a, b]) => BigInt.asUintN(64, instance.exports.f(a, b)).toString(16))`,
    'wasm-memory': `const { instance: { exports: { m, f } } } = await load('${memory}'); const before = m.buffer; return [f(1), before.byteLength, m.buffer.byteLength, f(5), f(1), f(1), new Uint8Array(m.buffer)[9]]`,
    'wasm-traps': `const { instance } = await load('${trap}'); const empty = [0, 97, 115, 109]; return all([() => instance.exports.f(), () => WebAssembly.compile(new Uint8Array(empty)), () => WebAssembly.validate(new Uint8Array(empty)), () => new WebAssembly.Memory({ initial: 2, maximum: 1 }), () => WebAssembly.instantiate(5)])`,
  },
})
