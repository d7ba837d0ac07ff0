import type { MakeGroup } from './group.ts'

export const numbers: MakeGroup = ({ below, numbers: some }) => ({
  name: 'numbers',
  isPortable: true,
  cases: {
    'float-edges': `return [0.1 + 0.2, -0, 0 / 0, 1 / 0, 5e-324 / 2, 2 ** 53 + 1, Number.MAX_VALUE * 2, ${below(1e6)} / 7]`,
    'float-text': `return [1e21, 1e-7, 123456789.123456789, 5e-324, ${below(1e9)} / 3].flatMap((x) => [String(x), x.toFixed(5), x.toPrecision(7), x.toExponential(), x.toString(36)])`,
    'math-functions': `return ${JSON.stringify(some(4, 50))}.flatMap((x) => ['sin', 'cos', 'tan', 'exp', 'log1p', 'cbrt', 'tanh', 'atan', 'fround', 'sinh', 'expm1'].map((f) => Math[f](x)))`,
    'math-pow': `return ${JSON.stringify(some(6, 30))}.flatMap((x) => [x ** 0.5, Math.pow(1.1, x), Math.hypot(x, 3), Math.atan2(x, 2)])`,
    rounding: `return ${JSON.stringify(some(6, 300))}.flatMap((x) => [Math.round(x / 4), Math.trunc(x / 4), (x / 4) | 0, x >>> 1, Math.clz32(x), Math.imul(x, 0x9e3779b1)])`,
    bigint: `const n = ${below(1e9)}n ** 19n; return [n, -n / 7n, n % 1000003n, BigInt.asIntN(64, n), BigInt.asUintN(128, -n), n >> 77n, n.toString(36), n.toLocaleString('en')]`,
    'bigint-factorial': `let f = 1n; for (let i = 2n; i <= ${50 + below(50)}n; i++) f *= i; return f`,
    parsing: `return ['0x1f', '1e3', ' 42 ', '', '1_000', '0b11', 'Infinity', '9007199254740993'].flatMap((s) => [Number(s), parseInt(s), parseFloat(s)])`,
    'nan-bits': `const f = new Float64Array([NaN, 0 / 0, -NaN, Math.sqrt(-1), Infinity - Infinity]); return [...new Uint8Array(f.buffer)]`,
    primes: `const end = ${500 + below(500)}; const sieve = new Uint8Array(end); let sum = 0; for (let i = 2; i < end; i++) { if (sieve[i]) continue; sum += i; for (let j = i * i; j < end; j += i) sieve[j] = 1 } return sum`,
  },
})

export const structures: MakeGroup = ({ below, numbers: some }) => ({
  name: 'structures',
  isPortable: true,
  cases: {
    'sort-stable': `const rows = ${JSON.stringify(some(200, 5))}.map((key, at) => ({ key, at })); return rows.sort((a, b) => a.key - b.key).map(({ at }) => at)`,
    'sort-inconsistent': `return ${JSON.stringify(some(60, 9))}.sort((a, b) => (a > b ? 1 : 0))`,
    'sort-default': `return [10, 9, 1, undefined, null, 'b', 'B', 'é', NaN, -0].sort()`,
    'group-by': `return [Object.groupBy(${JSON.stringify(some(30, 9))}, (x) => (x % 3) + 'r'), Map.groupBy([1, 2, 3], (x) => x % 2)]`,
    json: `return [JSON.stringify({ b: 1, a: [undefined, () => 1, NaN], d: new Date(0), u: undefined, '2': 2, '1': 1 }, null, 2), JSON.stringify('\\ud800'), JSON.parse('{"__proto__":1,"a":1,"a":2}')]`,
    'json-errors': `return all(['{', '[1,]', '', '01', '"\\n"'].map((s) => () => JSON.parse(s)).concat(() => { const a = {}; a.a = a; return JSON.stringify(a) }, () => JSON.stringify(1n)))`,
    'map-set': `const m = new Map([[NaN, 1], [0, 2], ['0', 3]]); m.set(-0, 4); m.delete(NaN); m.set(NaN, 5); return [m, new Set([3, 1, 3, 2]).union(new Set([9])), new Set([1, 2]).isSubsetOf(new Set([1, 2, 3]))]`,
    'weak-map': `const k = {}, w = new WeakMap([[k, 1]]), s = new WeakSet([k]); return [w.get(k), w.has({}), s.has(k), new WeakRef(k).deref() === k, ...await all([() => w.set(1, 1)])]`,
    'key-order': `const o = { z: 1, 10: 1, 2: 1, [Symbol.iterator]: 1, a: 1 }; delete o.z; o.z = 2; return [Object.keys(o), Reflect.ownKeys(o).length]`,
    generators: `function* g() { try { const x = yield 1; yield x * 2; yield* [7, 8] } finally { yield 'end' } } const i = g(); return [i.next(), i.next(${below(99)}), i.next(), i.return(5), i.next(), i.next()]`,
    'iterator-helpers': `function* n() { let i = 0; for (;;) yield i++ } return n().filter((x) => x % 3 === 0).map((x) => x * x).drop(2).take(${3 + below(6)}).toArray()`,
    proxy: `const seen = []; const p = new Proxy({ a: 1 }, { get: (t, k) => (seen.push('get ' + String(k)), t[k]), has: (t, k) => (seen.push('has ' + k), k in t), ownKeys: (t) => (seen.push('keys'), Reflect.ownKeys(t)) }); 'x' in p; p.a; Object.keys(p); ({ ...p }); return seen`,
    'classes-and-symbols': `class A { #x = ${below(99)}; static s = 1; get x() { return this.#x } static { this.t = 2 } [Symbol.toPrimitive](h) { return h } } return [new A().x, A.t, \`\${new A()}\`, +new A(), A.name]`,
    'destructuring-order': `const seen = []; const t = (x) => (seen.push(x), undefined); const { a = t(1), b = t(2), ...r } = { c: 3 }; const [x = t(3), , y = t(4)] = []; return [seen, r, a, b, x, y]`,
    recursion: `const ackermann = (m, n) => m === 0 ? n + 1 : n === 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); return ackermann(2, ${5 + below(5)})`,
    'recursion-without-end': `const f = (n) => 1 + f(n + 1); return attempt(() => f(0))`,
    'promise-order': `const seen = []; const p = Promise.resolve(); p.then(() => seen.push(1)).then(() => seen.push(4)); queueMicrotask(() => seen.push(2)); (async () => { await null; seen.push(3); await null; seen.push(5) })(); for (let i = 0; i < 9; i++) await null; return seen`,
    'promise-combinators': `return [await Promise.allSettled([1, Promise.reject(new TypeError('x'))]), await Promise.any([Promise.reject(1), Promise.resolve(${below(9)})]), await attempt(() => Promise.any([])), await Promise.race([new Promise(() => {}), 4])]`,
    'async-iteration': `async function* g() { for (let i = 0; i < 4; i++) { await null; yield i } } const out = []; for await (const x of g()) out.push(x); out.push(...await Array.fromAsync(g(), (x) => x * 2)); return out`,
    'structured-clone': `const a = { d: new Date(5), m: new Map([[1, { x: new Set([1]) }]]), r: /x/gi, b: new Uint8Array([1, 2]), n: -0, u: undefined, big: 3n, e: new RangeError('r') }; const c = structuredClone({ a, same: a }); return [c, c.a === c.same, c.a.e instanceof RangeError, c.a.e.message]`,
    'structured-clone-refuses': `return all([() => structuredClone(() => 1), () => structuredClone(Symbol('s')), () => structuredClone({ get a() { return 4 } }), () => structuredClone(new (class A { x = 1 })()), () => structuredClone([, 1]).length, () => structuredClone(new WeakMap())])`,
    'structured-clone-cycle': `const a = { list: [] }; a.self = a; a.list.push(a); const c = structuredClone(a); return [c.self === c, c.list[0] === c, c !== a]`,
  },
})

export const bytes: MakeGroup = ({ below, numbers: some }) => ({
  name: 'bytes',
  isPortable: true,
  cases: {
    'typed-arrays': `const v = ${JSON.stringify(some(8, 70_000))}; return [Int8Array, Uint8ClampedArray, Uint16Array, Int32Array, Float32Array, Float64Array].map((T) => T.from(v, (x) => x / 3))`,
    'data-view': `const v = new DataView(new ArrayBuffer(24)); v.setFloat64(0, ${below(1e6)} / 7); v.setInt16(8, -2, true); v.setBigUint64(10, ${below(1e9)}n * 1000003n); return [new Uint8Array(v.buffer), v.getUint8(3), v.getFloat32(1, true), v.getBigInt64(10, true)]`,
    'data-view-range': `return all([() => new DataView(new ArrayBuffer(2)).getInt32(0), () => new Uint16Array(new ArrayBuffer(3)), () => new Uint8Array(-1), () => new Uint8Array(2).with(5, 1)])`,
    'buffer-resize': `const b = new ArrayBuffer(4, { maxByteLength: 16 }); const u = new Uint8Array(b); u.set([1, 2, 3, 4]); b.resize(6); const t = b.transfer(3); return [u.length, b.detached, t]`,
    'base64-methods': `return [typeof Uint8Array.fromBase64, typeof new Uint8Array(1).toHex]`,
    'base64-btoa': `const s = String.fromCharCode(...${JSON.stringify(some(30, 127).map((x) => x + 127))}); return [btoa(s), atob(btoa(s)) === s, btoa(''), ...await all([() => btoa('é漢'), () => atob('a'), () => atob('YQ==\\n'), () => atob('Y Q'), () => atob('YQ='), () => atob('===='), () => atob('Y=Q='), () => atob('YQ'), () => atob()])]`,
    'utf8-broken': `return [[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0x61, 0xf5, 0x62], [0xf4, 0x90, 0x80, 0x80]].map((b) => new TextDecoder().decode(new Uint8Array(b)))`,
    'utf8-fatal': `return all([[0xff], [0xc3], [0x61]].map((b) => () => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(b))))`,
    'utf8-parts': `const d = new TextDecoder(); const b = new TextEncoder().encode('a漢😀é'); return [...Array.from(b, (x) => d.decode(new Uint8Array([x]), { stream: true })), d.decode()]`,
    'utf8-mark': `const b = new Uint8Array([0xef, 0xbb, 0xbf, 0x61]); return [new TextDecoder().decode(b), new TextDecoder('utf8', { ignoreBOM: true }).decode(b).length, new TextDecoder().decode(b.buffer.slice(0, 3))]`,
    'encoding-labels': `return all(['latin1', 'ascii', 'windows-1252', 'UTF-16', 'utf-16be', 'shift_jis', 'gbk', 'big5', 'euc-kr', ' utf8 ', 'unicode-1-1-utf-8', 'iso-8859-2', 'koi8-r', 'macintosh', 'x-user-defined', 'nothing', 'replacement'].map((l) => () => { const d = new TextDecoder(l); return [d.encoding, d.fatal, d.ignoreBOM, d.decode(new Uint8Array([0x41, 0x80, 0xe4, 0x93]))] }))`,
    'encode-into': `const t = new Uint8Array(${4 + below(4)}); return [new TextEncoder().encodeInto('aé😀漢x', t), t, new TextEncoder().encode('\\ud800x'), new TextEncoder().encode(), new TextEncoder().encoding]`,
    'decode-sources': `const b = new Uint8Array([0x61, 0x62, 0x63, 0x64]); return all([() => new TextDecoder().decode(), () => new TextDecoder().decode(new DataView(b.buffer, 1, 2)), () => new TextDecoder().decode(b.subarray(2)), () => new TextDecoder().decode('x'), () => new TextDecoder().decode(null), () => new TextDecoder().decode([1])])`,
    crc: `const t = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n }); let c = -1; for (const b of ${JSON.stringify(some(200, 127).map((x) => x & 255))}) c = t[(c ^ b) & 255] ^ (c >>> 8); return (c ^ -1) >>> 0`,
  },
})
