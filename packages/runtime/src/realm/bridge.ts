/**
 * What the host gives a realm, and all of it: only strings, numbers, truth values and byte arrays cross, in both directions,
 * so that no object of one side is ever seen by the other. Bytes for the realm wait in the host until `take` fetches them
 * into an array that the realm made: whatever returns a length says how many.
 */
export type Bridge = {
  log: (descriptor: 1 | 2, text: string) => void
  random: (target: Uint8Array) => void
  take: (target: Uint8Array) => void
  utf8Length: (text: string) => number
  encode: (text: string, target: Uint8Array) => void
  /** Number of a new decoder, or -1 for an encoding that nobody knows. */
  openDecoder: (label: string, fatal: boolean, ignoreBOM: boolean) => number
  /** Canonical name of a decoder's encoding. */
  encodingOf: (decoder: number) => string
  /** Undefined: the bytes are not of this encoding. */
  decode: (decoder: number, bytes: Uint8Array, stream: boolean) => string | undefined
  /** The parts of a URL in the order of `urlParts`, a line each; undefined: it is none. */
  parseUrl: (url: string, base: string | undefined) => string | undefined
  changeUrl: (href: string, part: string, value: string) => string
  /** Starts one call of Web Crypto; `settle` of the realm gives its end. */
  subtle: (id: number, call: string) => void
  /** Starts one outgoing call; false where the function has no network. */
  fetch: (id: number, head: string, body: Uint8Array) => boolean
  /** Length of what came out, or -1: the input is broken. */
  compress: (format: string, inflate: boolean, bytes: Uint8Array) => number
  answer: (head: string, body: Uint8Array) => void
  fail: (end: 'threw' | 'bad-module' | 'output-too-large' | 'timed-out', reason: 'error' | 'no-response') => void
}

/** The calls of Web Crypto that go over the bridge. */
export const subtleMethods = [
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encrypt',
  'exportKey',
  'generateKey',
  'importKey',
  'sign',
  'unwrapKey',
  'verify',
  'wrapKey',
] as const

/** The parts of a URL, in the order in which the host gives them. */
export const urlParts = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const

/** What the host may ask of a realm. None of these throws, and none returns anything that the host would look into. */
export type Realm = {
  /** Evaluates the module's scope. */
  load: (clockMs: number) => void
  /** Begins an execution. `head` is the canonical request's JSON text, `env` a JSON object of strings. */
  begin: (head: string, env: string, clockMs: number, timeoutMs: number, responseBodyBytes: number) => void
  /** Moves the clock to the next timer and fires it; false when there is none. */
  fire: () => boolean
  /** Ends what `subtle` or `fetch` started. `error`: the name of the error, with its message as `text`. */
  settle: (id: number, text: string, byteLength: number, error: string) => void
  /** A value that was thrown or rejected, as text for the log. */
  describe: (value: unknown) => string
  /** The module's scope is over: what is left of its timers goes. */
  forget: () => void
}

/**
 * The same functions as functions of this realm. Where the host's own stack ran out, its error would be an object of the
 * host: an error of ours takes its place.
 */
export function guard(bridge: Bridge): Bridge {
  const guarded: Record<string, unknown> = {}
  for (const [name, call] of Object.entries(bridge) as [string, (...values: unknown[]) => unknown][]) {
    guarded[name] = (first: unknown, second: unknown, third: unknown) => {
      try {
        return call(first, second, third)
      } catch {
        throw new RangeError('Maximum call stack size exceeded')
      }
    }
  }
  return guarded as Bridge
}
