import type { AbortSignal } from './abort.ts'
import type { Content, createBody } from './body.ts'
import { type BodyDeps, readBodyInit } from './body.ts'
import { Headers, type HeadersInit } from './headers.ts'

export type RequestInit = {
  method?: string
  headers?: HeadersInit
  body?: unknown
  signal?: AbortSignal | null
  [other: string]: unknown
}
export type Request = InstanceType<ReturnType<typeof createRequest>>
export type RequestDeps = BodyDeps &
  ReturnType<typeof createBody> & {
    URL: new (url: unknown) => { href: string; username: string; password: string }
    follow: (signals: AbortSignal[]) => AbortSignal
  }

const normalised = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])
const modes = {
  mode: 'cors',
  credentials: 'same-origin',
  cache: 'default',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
  integrity: '',
  keepalive: false,
} as const

const choices: Readonly<Record<string, readonly string[]>> = {
  mode: ['same-origin', 'no-cors', 'cors'],
  credentials: ['omit', 'same-origin', 'include'],
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  redirect: ['follow', 'error', 'manual'],
}

/** The web's `Request`. */
export function createRequest(deps: RequestDeps) {
  const { Body, URL, split, take, give } = deps
  class Request extends Body {
    readonly #facts: Record<string, unknown>
    declare readonly url: string
    declare readonly method: string
    declare readonly signal: AbortSignal
    declare readonly redirect: string
    static {
      for (const name of ['url', 'method', 'signal', 'duplex', 'destination', ...Object.keys(modes)])
        Object.defineProperty(Request.prototype, name, {
          get(this: Request) {
            return this.#facts[name]
          },
          enumerable: true,
          configurable: true,
        })
    }
    constructor(input: unknown, init: RequestInit = {}) {
      const from = input instanceof Request ? input : undefined
      const url = from ? from.url : addressOf(input)
      const method = methodOf(init.method ?? from?.method ?? 'GET')
      const headers = new Headers(init.headers ?? from?.headers)
      super(headers, contentOf(from, init, method, headers))
      const followed = init.signal === undefined ? from?.signal : init.signal
      const signal = deps.follow(followed ? [followed] : [])
      this.#facts = { url, method, signal, duplex: 'half', destination: '' }
      for (const [name, value] of Object.entries(modes)) {
        const allowed = choices[name]
        if (allowed && init[name] !== undefined && !allowed.includes(String(init[name])))
          throw new TypeError(`Request constructor: ${String(init[name])} is not an accepted ${name}.`)
        this.#facts[name] = init[name] ?? read(from, name) ?? value
      }
    }
    clone(): Request {
      const copy = split(this)
      const { method, headers, signal } = this
      const cloned = new Request(this.url, { method, headers, signal })
      if (copy) give(cloned, copy)
      return cloned
    }
  }

  function addressOf(input: unknown): string {
    const url = new URL(String(input))
    if (url.username !== '' || url.password !== '')
      throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url.href}`)
    return url.href
  }
  function contentOf(
    from: Request | undefined,
    init: RequestInit,
    method: string,
    headers: Headers,
  ): Content | undefined {
    const bodiless = method === 'GET' || method === 'HEAD'
    if (init.body === undefined || init.body === null) {
      if (!from || init.body === null) return undefined
      return take(from)
    }
    if (bodiless) throw new TypeError('Request with GET/HEAD method cannot have body.')
    const { content, type } = readBodyInit(deps, init.body)
    if ('stream' in content && init.duplex !== 'half')
      throw new TypeError("Request constructor: a stream as body needs duplex: 'half'.")
    if (type !== undefined && !headers.has('content-type')) headers.append('content-type', type)
    return content
  }
  return Request
}

function methodOf(value: unknown): string {
  const method = String(value)
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`)
  const upper = method.toUpperCase()
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK')
    throw new TypeError(`'${method}' HTTP method is unsupported.`)
  return normalised.has(upper) ? upper : method
}

function read(from: unknown, name: string): unknown {
  return from === undefined ? undefined : (from as Record<string, unknown>)[name]
}
