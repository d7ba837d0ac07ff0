import {
  canonicalRequest,
  canonicalResult,
  encodeRequest,
  encodeResult,
  failedResult,
  fromBase64,
  type HeaderPair,
  hashInput,
  hashResult,
  LIMITS,
  type Outcome,
  toBase64,
} from '@peerhost/protocol'
import { bytesToHex, encodeAbiParameters } from 'viem'
import type { RejectCase, VectorCase, VectorFile } from './vectorFile.ts'

type RawInput = { method: string; path: string; query: string; headers: HeaderPair[]; bodyBase64: string }

const encoder = new TextEncoder()
const base64Of = (text: string) => toBase64(encoder.encode(text))
const plain: RawInput = { method: 'GET', path: '/', query: '', headers: [], bodyBase64: '' }

/** Vectors of the canonical documents: `canonical` is their text, `encoded` the ABI encoding of its UTF-8 bytes. */
export function documentVectors(): Record<string, VectorFile> {
  return { request: requests(), result: results() }
}

const requestInputs: (Partial<RawInput> & { name: string })[] = [
  { name: 'smallest: empty path, empty body', path: '' },
  { name: 'lower-case method', method: 'post', bodyBase64: base64Of('hello') },
  {
    name: 'JSON body is untouched bytes',
    method: 'POST',
    bodyBase64: base64Of('{ "b": 1.0,\n\t"a": [] }'),
    headers: [['Content-Type', 'application/json']],
  },
  { name: 'body with a byte order mark', method: 'POST', bodyBase64: base64Of('\ufefftext') },
  { name: 'body that is not UTF-8', method: 'POST', bodyBase64: toBase64(Uint8Array.from([0xff, 0xfe, 0x00])) },
  {
    name: 'body of an encoded lone surrogate is not UTF-8',
    method: 'POST',
    bodyBase64: toBase64(Uint8Array.from([0xed, 0xa0, 0x80])),
  },
  { name: 'body of one zero byte', method: 'POST', bodyBase64: toBase64(Uint8Array.from([0])) },
  { name: 'body of four-byte characters and controls', method: 'POST', bodyBase64: base64Of('😀\u0001\u2028"\\/') },
  { name: '%2F stays, %2d is decoded, digits become upper case', path: '/a%2fb%2dc%c3%a9' },
  { name: 'raw characters outside RFC 3986 are escaped', path: '/grün /x' },
  { name: 'empty segments stay', path: '//a//' },
  { name: 'query keeps order and duplicates', query: 'b=2&a=1&b=1&&flag&e=' },
  { name: 'query is decoded once', query: 'q=a%2Bb+c%20%C3%A9&p=%2525' },
  {
    name: 'repeated headers keep their order',
    headers: [
      ['X-Tag', 'b'],
      ['accept', '*/*'],
      ['x-tag', 'a'],
    ],
  },
  {
    name: 'headers are sorted, trimmed, lower-cased and allow-listed',
    headers: [
      ['X-B', ' 1\t'],
      ['Cookie', 's'],
      ['Accept', 'text/html'],
      ['X-Forwarded-For', '1'],
      ['PAYMENT-SIGNATURE', 'p'],
      ['X-PAYMENT', 'p'],
    ],
  },
  {
    name: 'header values may be empty or not ASCII',
    headers: [
      ['x-empty', ''],
      ['x-name', 'é'],
    ],
  },
]

function requests(): VectorFile {
  const cases = requestInputs.map(({ name, ...given }): VectorCase => {
    const input = { ...plain, ...given }
    const bytes = encodeRequest(canonicalRequest(rawOf(input)))
    return {
      name,
      input,
      canonical: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
      encoded: abiBytes(bytes),
      hash: hashInput(bytes),
    }
  })
  return {
    description:
      'A raw HTTP request → its canonical bytes (RFC 8785) → keccak256. `reject` holds raw requests, and bytes that are no canonical request.',
    encoding: 'abi.encode(bytes canonicalRequest)',
    cases,
    reject: [...rawRejects(), ...bytesRejects()],
  }
}

function rawRejects(): RejectCase[] {
  const invalid = (
    name: string,
    given: Partial<RawInput> | Record<string, string>,
    code = 'request_invalid',
  ): RejectCase => ({
    name,
    input: { raw: { ...plain, ...given } },
    code,
  })
  return [
    // A JSON file cannot carry a lone surrogate to every parser, so its code units stand there in hex.
    invalid('lone surrogate in the path', { pathUtf16: '002fd800' }),
    invalid('lone surrogate in the query', { queryUtf16: '0061003ddc00' }),
    invalid('dot segment', { path: '/a/../b' }),
    invalid('dot segment behind escapes', { path: '/a/%2e%2E/b' }),
    invalid('backslash', { path: '/a\\b' }),
    invalid('broken escape', { path: '/a%2' }),
    invalid('control character', { path: '/a\u0000' }),
    invalid('path without a slash', { path: 'a' }),
    invalid('query escape that is not UTF-8', { query: 'a=%ff' }),
    invalid('broken escape in the query', { query: 'a=%g0' }),
    invalid('method that is no word', { method: 'GE T' }),
    invalid('line feed in a header', { headers: [['x-a', 'a\nb']] }),
    invalid('path over the limit', { path: `/${'a'.repeat(LIMITS.pathCharacters)}` }, 'request_too_large'),
    invalid(
      'too many headers',
      { headers: Array.from({ length: LIMITS.headerPairs + 1 }, (): HeaderPair => ['x-a', '1']) },
      'request_too_large',
    ),
  ]
}

function bytesRejects(): RejectCase[] {
  const good = '{"body":{"utf8":""},"headers":[],"method":"GET","path":"/","query":[],"v":1}'
  const texts: [string, string][] = [
    ['white space', good.replace(',', ', ')],
    ['other key order', '{"v":1,"body":{"utf8":""},"headers":[],"method":"GET","path":"/","query":[]}'],
    ['duplicate key', good.replace('"v":1', '"v":1,"v":1')],
    ['needless escape', good.replace('GET', '\\u0047ET')],
    ['unknown member', good.replace('"v":1', '"v":1,"w":1')],
    ['other version', good.replace('"v":1', '"v":2')],
    ['a float', good.replace('"v":1', '"v":1.0')],
    ['lower-case method in the bytes', good.replace('GET', 'get')],
    ['path not in its one spelling', good.replace('"path":"/"', '"path":"/%2d"')],
    ['headers out of order', good.replace('"headers":[]', '"headers":[["x-b","1"],["x-a","1"]]')],
    ['header that is not allowed', good.replace('"headers":[]', '"headers":[["cookie","1"]]')],
    ['UTF-8 sent as base64', good.replace('{"utf8":""}', '{"base64":"aGk="}')],
    ['base64 not in its one spelling', good.replace('{"utf8":""}', '{"base64":"/x=="}')],
    ['lone surrogate as an escape', good.replace('"utf8":""', '"utf8":"\\ud800"')],
    ['byte order mark before the document', `\ufeff${good}`],
  ]
  return [
    ...texts.map(
      ([name, text]): RejectCase => ({
        name,
        input: { bytes: bytesToHex(encoder.encode(text)) },
        code: 'request_invalid',
      }),
    ),
    { name: 'bytes that are not UTF-8', input: { bytes: '0x22ff22' }, code: 'request_invalid' },
    { name: 'no bytes', input: { bytes: '0x' }, code: 'request_invalid' },
  ]
}

type ResultInput = { outcome: Outcome; status: number; headers: HeaderPair[]; bodyBase64: string }

const resultInputs: (ResultInput & { name: string })[] = [
  { name: 'empty', outcome: 'completed', status: 200, headers: [], bodyBase64: '' },
  {
    name: 'JSON',
    outcome: 'completed',
    status: 201,
    headers: [['Content-Type', 'application/json']],
    bodyBase64: base64Of('{"a":1}\n'),
  },
  { name: 'not UTF-8', outcome: 'completed', status: 206, headers: [], bodyBase64: toBase64(Uint8Array.from([0x80])) },
  { name: 'byte order mark', outcome: 'completed', status: 200, headers: [], bodyBase64: base64Of('\ufeff') },
  {
    name: 'repeated headers keep their order',
    outcome: 'completed',
    status: 200,
    headers: [
      ['Link', 'b'],
      ['link', 'a'],
      ['ETag', '"1"'],
    ],
    bodyBase64: '',
  },
  {
    name: 'headers a function may not set are left out',
    outcome: 'completed',
    status: 204,
    headers: [
      ['Set-Cookie', 'a'],
      ['X-PAYMENT-RESPONSE', 'a'],
      ['Connection', 'a'],
    ],
    bodyBase64: '',
  },
  { name: 'largest status', outcome: 'completed', status: 599, headers: [], bodyBase64: base64Of('no') },
]

function results(): VectorFile {
  const given = resultInputs.map(({ name, ...input }) => ({
    name,
    input: input as unknown as VectorCase['input'],
    bytes: encodeResult(
      canonicalResult({
        outcome: input.outcome,
        status: input.status,
        headers: input.headers,
        body: fromBase64(input.bodyBase64),
      }),
    ),
  }))
  const failed = (['threw', 'bad-module', 'output-too-large', 'timed-out', 'out-of-memory'] as const).map(
    (outcome) => ({
      name: outcome,
      input: { failed: outcome },
      bytes: encodeResult(failedResult(outcome)),
    }),
  )
  return {
    description:
      'What a function answered, or how it failed → canonical bytes (RFC 8785) → keccak256. `reject` holds bytes that are no canonical result.',
    encoding: 'abi.encode(bytes canonicalResult)',
    cases: [...given, ...failed].map(({ name, input, bytes }) => ({
      name,
      input,
      canonical: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
      encoded: abiBytes(bytes),
      hash: hashResult(bytes),
    })),
    reject: resultRejects(),
  }
}

function resultRejects(): RejectCase[] {
  const good = '{"body":{"utf8":""},"headers":[],"outcome":"completed","status":200,"v":1}'
  const texts: [string, string, string][] = [
    ['white space', `${good} `, 'request_invalid'],
    ['unknown outcome', good.replace('completed', 'finished'), 'request_invalid'],
    ['status below 200', good.replace('200', '199'), 'request_invalid'],
    ['status above 599', good.replace('200', '600'), 'request_invalid'],
    ['both bodies', good.replace('"utf8":""', '"base64":"","utf8":""'), 'request_invalid'],
    ['UTF-8 sent as base64', good.replace('"utf8":""', '"base64":"aGk="'), 'request_invalid'],
    [
      'header that a function may not set',
      good.replace('"headers":[]', '"headers":[["set-cookie","a"]]'),
      'response_mismatch',
    ],
    [
      'headers out of order',
      good.replace('"headers":[]', '"headers":[["vary","a"],["etag","b"]]'),
      'response_mismatch',
    ],
  ]
  return texts.map(([name, text, code]) => ({ name, input: { bytes: bytesToHex(encoder.encode(text)) }, code }))
}

function rawOf({ bodyBase64, ...rest }: RawInput) {
  return { ...rest, body: fromBase64(bodyBase64) }
}

function abiBytes(bytes: Uint8Array) {
  return encodeAbiParameters([{ type: 'bytes' }], [bytesToHex(bytes)])
}
