import type { MakeGroup } from './group.ts'

export const text: MakeGroup = ({ text: some, below }) => ({
  name: 'text',
  isPortable: true,
  cases: {
    normalisation: `const s = ${JSON.stringify(some(40))}; return ['NFC', 'NFD', 'NFKC', 'NFKD'].map((f) => s.normalize(f))`,
    'letter-case': `const s = ${JSON.stringify(some(40))}; return [s.toUpperCase(), s.toLowerCase(), s.toLocaleUpperCase('tr'), s.toLocaleLowerCase('lt'), 'ΑΣ'.toLowerCase()]`,
    'code-points': `const s = ${JSON.stringify(some(30))}; return [[...s].length, s.length, Array.from(s, (c) => c.codePointAt(0)), s.at(-1), '\\ud800'.isWellFormed(), 'a\\udc00'.toWellFormed()]`,
    segments: `const s = ${JSON.stringify(some(20))}; return [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(s)].map((x) => x.segment)`,
    words: `return [...new Intl.Segmenter('th', { granularity: 'word' }).segment('สวัสดีชาวโลก hello, world')].map((x) => [x.segment, x.isWordLike])`,
    collation: `return ['en', 'sv', 'de-u-co-phonebk', 'es'].map((l) => ['ö', 'z', 'a', 'Å', 'ä', 'ñ', 'n', 'Z'].sort(new Intl.Collator(l).compare))`,
    'collation-numeric': `return ['a10', 'a2', 'A1', 'a02'].sort((a, b) => a.localeCompare(b, 'en', { numeric: true, sensitivity: 'base' }))`,
    'named-groups': String.raw`return [...'2024-01-02 and 1999-12-${10 + below(20)}'.matchAll(/(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/g)].map((m) => ({ ...m.groups, at: m.index }))`,
    lookbehind: String.raw`return ['$42 €17 £${below(99)}'.match(/(?<=[$£])\d+/g), 'price: 10 20'.replace(/(?<!\d)(\d)/g, '<$1>'), 'aXbX'.split(/(?=X)/)]`,
    'regex-unicode': String.raw`return [${JSON.stringify(some(40))}.match(/\p{Letter}+/gu), 'x😀y'.match(/./gu).length, /^\p{RGI_Emoji}$/v.test('👩‍👩‍👧'), 'ſ'.match(/s/iu)?.[0], /[\p{L}--[a-z]]/v.test('a')]`,
    'regex-sticky': String.raw`const r = /a(?<n>\d)|b/dy; const out = []; for (const at of [0, 1, 2]) { r.lastIndex = at; const m = r.exec('a1b'); out.push(m && [m[0], m.indices[0], r.lastIndex]) } return out`,
    'replace-function': `return '${some(5).replaceAll("'", '')} one two'.replace(/(?<first>\\w)(\\w*)/g, (all, a, b, at, s, g) => g.first.toUpperCase() + b + at)`,
    'escape-and-encode': `const s = ${JSON.stringify(some(12))}; return [encodeURIComponent(s), encodeURI(s), escape(s), unescape(escape(s)) === s, ...await all([() => encodeURIComponent('\\ud800'), () => decodeURIComponent('%ff')])]`,
    padding: `const s = ${JSON.stringify(some(6))}; return [s.padStart(12, 'ab'), s.padEnd(15), s.repeat(2), s.split('').reverse().join('').length, s.slice(-3), s.substring(4, 1), s.localeCompare('b')]`,
    'tagged-templates': `const t = (parts, ...values) => parts.raw.join('|') + values.join(','); return t\`a\\n\${${below(9)}}b\\u0041\${2}\``,
    levenshtein: `const d = (a, b) => { const r = Array.from({ length: b.length + 1 }, (_, i) => i); for (let i = 1; i <= a.length; i++) { let p = r[0]; r[0] = i; for (let j = 1; j <= b.length; j++) { const t = r[j]; r[j] = Math.min(r[j] + 1, r[j - 1] + 1, p + (a[i - 1] === b[j - 1] ? 0 : 1)); p = t } } return r[b.length] }; return d(${JSON.stringify(some(30))}, ${JSON.stringify(some(30))})`,
    'number-formats': `return ['en', 'de', 'ar-EG', 'hi', 'fr-CH'].flatMap((l) => [new Intl.NumberFormat(l).format(1234567.891), new Intl.NumberFormat(l, { style: 'currency', currency: 'EUR' }).format(-${below(9999)}.5), new Intl.NumberFormat(l, { notation: 'compact' }).format(${below(1e8)})])`,
    'other-formats': `return [new Intl.PluralRules('ar').select(3), new Intl.ListFormat('de').format(['a', 'b', 'c']), new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day'), new Intl.DisplayNames('fr', { type: 'region' }).of('JP'), Intl.getCanonicalLocales('EN-us'), new Intl.Locale('zh-Hant-TW').maximize().toString()]`,
  },
})

export const time: MakeGroup = ({ below }) => {
  const moment = 1_600_000_000_000 + below(1e9) * 100
  return {
    name: 'time',
    isPortable: false,
    cases: {
      now: `return [Date.now(), new Date().toISOString(), Date(), new Date(2024, 0, 1).getTime(), performance.now(), performance.timeOrigin]`,
      zone: `return [new Date(${moment}).getTimezoneOffset(), new Date(${moment}).toString(), Intl.DateTimeFormat().resolvedOptions().timeZone, Intl.DateTimeFormat().resolvedOptions().locale]`,
      'zone-of-day-light': `return ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'].map((timeZone) => new Date(${moment}).toLocaleString('en-GB', { timeZone, timeZoneName: 'long' }))`,
      'format-now': `return [new Intl.DateTimeFormat('de', { dateStyle: 'full', timeStyle: 'long' }).format(), new Intl.DateTimeFormat('ja').formatToParts(), new Date().toLocaleDateString('ar')]`,
      'format-range': `return [new Intl.DateTimeFormat('en', { dateStyle: 'long' }).formatRange(0, ${moment}), new Intl.DateTimeFormat('fa-IR').format(${moment})]`,
      'date-parsing': `return ['2024-02-30', '2024-02-29T25:00', '1/2/2024', 'Tue, 05 Mar 2024 10:00 GMT+2', '', '2024', '+010000-01-01T00:00Z'].map((s) => Date.parse(s))`,
      timers: `const seen = []; await new Promise((done) => { setTimeout(() => seen.push(['c', Date.now()]), 30); setTimeout(() => seen.push(['a', Date.now()]), 10); setTimeout(() => seen.push(['b', Date.now()]), 10); setTimeout(done, 50) }); return seen`,
      interval: `const seen = []; await new Promise((done) => { const id = setInterval(() => { seen.push(performance.now()); if (seen.length === 5) { clearInterval(id); done() } }, ${5 + below(90)}) }); return seen`,
      'timers-and-microtasks': `const seen = []; setTimeout(() => { seen.push('t1'); Promise.resolve().then(() => seen.push('m')) }); setTimeout(() => seen.push('t2')); await new Promise((r) => setTimeout(r, 5)); return seen`,
      'signal-timeout': `const s = AbortSignal.timeout(${100 + below(900)}); const before = s.aborted; await new Promise((r) => s.addEventListener('abort', r)); return [before, s.aborted, s.reason.name, performance.now()]`,
      'signal-any': `const c = new AbortController(); const s = AbortSignal.any([AbortSignal.timeout(500), c.signal]); setTimeout(() => c.abort(new Error('mine')), 20); await new Promise((r) => { s.onabort = r }); return [s.reason.message, Date.now()]`,
      'signal-race': `const slow = new Promise((r) => setTimeout(r, 1000, 'slow')); const s = AbortSignal.timeout(50); return attempt(() => Promise.race([slow, new Promise((_, no) => s.addEventListener('abort', () => no(s.reason)))]))`,
      random: `return [Math.random(), Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(20)), Math.random()]`,
      'random-large': `return [crypto.getRandomValues(new Uint32Array(600)).reduce((a, b) => (a + b) >>> 0), crypto.randomUUID(), ...await all([() => crypto.getRandomValues(new Float64Array(1)), () => crypto.getRandomValues(new Uint8Array(65537))])]`,
      shuffle: `const l = Array.from({ length: 40 }, (_, i) => i); for (let i = l.length - 1; i > 0; i--) { const j = Math.floor(Math.random() * (i + 1)); [l[i], l[j]] = [l[j], l[i]] } return l`,
      'busy-loop': `const start = Date.now(); let n = 0; for (let i = 0; i < 100000; i++) n += Date.now() - start; return n`,
      'file-time': `return [new File([], 'a').lastModified, new Event('x').timeStamp]`,
    },
  }
}
