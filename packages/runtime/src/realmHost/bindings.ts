import { isUint8Array } from 'node:util/types'
import zlib from 'node:zlib'
import { createKeystream, type Keystream } from '../keystream.ts'
import { type Bridge, urlParts } from '../realm/bridge.ts'
import { createSubtleCalls, type SubtleCalls } from './subtleCalls.ts'

/** What a realm's calls lead to in this host. */
export type BindingDeps = {
  log: (bytes: Uint8Array) => void
  answer: (head: string, body: Uint8Array) => void
  fail: Bridge['fail']
  /** Passes an outgoing call on; false where there is no network. */
  fetch: (id: number, head: string, body: Uint8Array) => boolean
  /** Notes that the operation is under way. */
  started: (id: number, settled: Promise<Settled>) => void
}

/** How an operation ended. `error`: the name of the web's error, '' for none. */
export type Settled = { text: string; bytes: Uint8Array; error: string }

export type Bindings = {
  readonly bridge: Bridge
  /** The bytes that `take` gives next. */
  offer: (bytes: Uint8Array) => void
  /** All randomness from here on comes from this seed: 32 bytes of hex with `0x`. */
  seed: (seed: string) => void
  /** Nothing that the realm calls has any effect from here on. */
  revoke: () => void
}

// Taken before any user code runs. A realm's byte arrays are read and written by these alone: they look at no property.
const { set } = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
const encoder = new TextEncoder()

/** The host's end of a realm's bridge. Everything is bound to this one realm, and dead when it is revoked. */
export function createBindings(deps: BindingDeps): Bindings {
  let isAlive = true
  let offered = new Uint8Array(0)
  let seed = ''
  let keystream: Keystream | undefined
  const draw = (length: number) => {
    // Made when the function first draws: most never do.
    keystream ??= createKeystream(Buffer.from(seed.slice(2), 'hex'))
    return keystream(length)
  }
  const subtle = createSubtleCalls(draw)
  const bridge: Bridge = {
    ...textBindings(),
    ...urlBindings(),
    log: (_descriptor, text) => void (isAlive && deps.log(encoder.encode(text))),
    random(target) {
      set.call(target, draw(target.length))
    },
    take: (target) => void set.call(target, offered),
    compress(format, inflate, bytes) {
      const result = compress(format, inflate, new Uint8Array(bytes))
      if (result) offered = result
      return result ? result.length : -1
    },
    subtle: (id, call) => void (isAlive && deps.started(id, settleSubtle(subtle, call))),
    fetch: (id, head, body) => isAlive && deps.fetch(id, head, new Uint8Array(body)),
    answer: (head, body) => void (isAlive && deps.answer(head, new Uint8Array(body))),
    fail: (end, reason) => void (isAlive && deps.fail(end, reason)),
  }
  return {
    bridge: checked(bridge),
    offer: (bytes) => {
      offered = new Uint8Array(bytes)
    },
    seed(next) {
      seed = next
      keystream = undefined
    },
    revoke() {
      isAlive = false
    },
  }
}

type Kind = 'string' | 'number' | 'boolean' | 'bytes'

/** What each call of the bridge takes. `text?` may be left out. */
const shapes: Record<keyof Bridge, readonly (Kind | 'string?')[]> = {
  log: ['number', 'string'],
  random: ['bytes'],
  take: ['bytes'],
  utf8Length: ['string'],
  encode: ['string', 'bytes'],
  openDecoder: ['string', 'boolean', 'boolean'],
  encodingOf: ['number'],
  decode: ['number', 'bytes', 'boolean'],
  parseUrl: ['string', 'string?'],
  changeUrl: ['string', 'string', 'string'],
  subtle: ['number', 'string'],
  fetch: ['number', 'string', 'bytes'],
  compress: ['string', 'boolean', 'bytes'],
  answer: ['string', 'bytes'],
  fail: ['string', 'string'],
}

/** Lets nothing over the bridge but what it is for, should a realm have been turned inside out. */
function checked(bridge: Bridge): Bridge {
  const entries = Object.entries(bridge) as [keyof Bridge, (...values: unknown[]) => unknown][]
  return Object.fromEntries(
    entries.map(([name, call]) => {
      const shape = shapes[name]
      return [
        name,
        (first: unknown, second: unknown, third: unknown) => {
          const values = [first, second, third].slice(0, shape.length)
          if (!shape.every((kind, index) => isOf(kind, values[index]))) throw new TypeError('This cannot cross.')
          return call(...values)
        },
      ]
    }),
  ) as Bridge
}

function isOf(kind: Kind | 'string?', value: unknown): boolean {
  if (kind === 'bytes') return isUint8Array(value)
  if (kind === 'string?') return value === undefined || typeof value === 'string'
  return typeof value === kind
}

function textBindings(): Pick<Bridge, 'decode' | 'encode' | 'encodingOf' | 'openDecoder' | 'utf8Length'> {
  const decoders: InstanceType<typeof TextDecoder>[] = []
  return {
    utf8Length: (text) => Buffer.byteLength(text),
    encode: (text, target) => void set.call(target, encoder.encode(text)),
    openDecoder(label, fatal, ignoreBOM) {
      try {
        return decoders.push(new TextDecoder(label, { fatal, ignoreBOM })) - 1
      } catch {
        return -1
      }
    },
    encodingOf: (decoder) => decoders[decoder]?.encoding ?? '',
    decode(decoder, bytes, stream) {
      try {
        return decoders[decoder]?.decode(new Uint8Array(bytes), { stream })
      } catch {
        return undefined
      }
    },
  }
}

function urlBindings(): Pick<Bridge, 'changeUrl' | 'parseUrl'> {
  const partsOf = (url: URL) => urlParts.map((part) => url[part]).join('\n')
  return {
    parseUrl(url, base) {
      const parsed = URL.parse(url, base)
      return parsed ? partsOf(parsed) : undefined
    },
    changeUrl(href, part, value) {
      const url = new URL(href)
      if (part === 'href') url.href = value
      else if (part !== 'origin' && (urlParts as readonly string[]).includes(part))
        url[part as Exclude<(typeof urlParts)[number], 'origin'>] = value
      return partsOf(url)
    },
  }
}

async function settleSubtle(subtle: SubtleCalls, call: string): Promise<Settled> {
  const bytes = new Uint8Array(0)
  try {
    return { text: await subtle(call), bytes, error: '' }
  } catch (error) {
    const { name, message } = error as Error
    return { text: String(message), bytes, error: String(name) }
  }
}

/** Largest output of a decompression: what a bomb may blow up to before it is broken data. */
const maxOutputLength = 64 * 1_048_576

function compress(format: string, inflate: boolean, bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const options = { maxOutputLength }
  try {
    if (format === 'gzip') return new Uint8Array(inflate ? zlib.gunzipSync(bytes, options) : zlib.gzipSync(bytes))
    if (format === 'deflate')
      return new Uint8Array(inflate ? zlib.inflateSync(bytes, options) : zlib.deflateSync(bytes))
    return new Uint8Array(inflate ? zlib.inflateRawSync(bytes, options) : zlib.deflateRawSync(bytes))
  } catch {
    return undefined
  }
}
