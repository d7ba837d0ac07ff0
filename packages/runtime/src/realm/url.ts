import { type Bridge, urlParts } from './bridge.ts'

type Part = (typeof urlParts)[number]

export type URL = InstanceType<ReturnType<typeof createUrl>['URL']>
export type URLSearchParams = InstanceType<ReturnType<typeof createUrl>['URLSearchParams']>

/** `URL` and `URLSearchParams`. Addresses are read and changed by the host, which has the standard's own parser. */
export function createUrl(bridge: Bridge) {
  const params = searchParamsClass()
  return { URL: urlClass(bridge, params), URLSearchParams: params.URLSearchParams }
}

function urlClass(bridge: Bridge, { URLSearchParams, link, reset }: ReturnType<typeof searchParamsClass>) {
  class URL {
    #parts: string[]
    #params: InstanceType<typeof URLSearchParams> | undefined
    constructor(url: unknown, base?: unknown) {
      const parts = parse(url, base)
      if (parts === undefined)
        throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: String(url) })
      this.#parts = parts.split('\n')
    }
    static canParse(url: unknown, base?: unknown): boolean {
      return parse(url, base) !== undefined
    }
    static parse(url: unknown, base?: unknown): URL | null {
      return URL.canParse(url, base) ? new URL(url, base) : null
    }
    get searchParams(): InstanceType<typeof URLSearchParams> {
      if (!this.#params) {
        this.#params = new URLSearchParams(this.#get('search'))
        link(this.#params, (search) => this.#set('search', search, true))
      }
      return this.#params
    }
    toString(): string {
      return this.#get('href')
    }
    toJSON(): string {
      return this.#get('href')
    }
    #get(part: Part): string {
      return this.#parts[urlParts.indexOf(part)] ?? ''
    }
    #set(part: Part, value: unknown, isFromParams = false): void {
      const text = String(value)
      if (part === 'href' && parse(text, undefined) === undefined) throw new TypeError('Invalid URL')
      this.#parts = bridge.changeUrl(this.#get('href'), part, text).split('\n')
      if (this.#params && !isFromParams && (part === 'search' || part === 'href'))
        reset(this.#params, this.#get('search'))
    }
    static accessors(): PropertyDescriptorMap {
      const accessor = (part: Part): PropertyDescriptor => ({
        get(this: URL) {
          return this.#get(part)
        },
        ...(part === 'origin'
          ? {}
          : {
              set(this: URL, value: unknown) {
                this.#set(part, value)
              },
            }),
        configurable: true,
        enumerable: true,
      })
      return Object.fromEntries(urlParts.map((part) => [part, accessor(part)]))
    }
  }
  const parse = (url: unknown, base: unknown) =>
    bridge.parseUrl(String(url), base === undefined ? undefined : String(base))
  Object.defineProperties(URL.prototype, URL.accessors())
  Reflect.deleteProperty(URL, 'accessors')
  return URL as typeof URL & (new (url: unknown, base?: unknown) => URL & Record<Part, string>)
}

type Pairs = [string, string][]

function searchParamsClass() {
  class URLSearchParams {
    #pairs: Pairs
    #changed: ((search: string) => void) | undefined

    constructor(init: unknown = '') {
      this.#pairs = readInit(init)
    }
    /** For `URL` alone: tells it of changes. */
    static link(params: URLSearchParams, changed: (search: string) => void): void {
      params.#changed = changed
    }
    /** For `URL` alone: takes what its `search` has become. */
    static reset(params: URLSearchParams, search: string): void {
      params.#pairs = parseForm(search.replace(/^\?/, ''))
    }
    #change(): void {
      const text = this.toString()
      this.#changed?.(text === '' ? '' : `?${text}`)
    }
    get size(): number {
      return this.#pairs.length
    }
    append(name: unknown, value: unknown): void {
      this.#pairs.push([wellFormed(name), wellFormed(value)])
      this.#change()
    }
    delete(name: unknown, value?: unknown): void {
      const hit = ([key, held]: [string, string]) =>
        key === String(name) && (value === undefined || held === String(value))
      this.#pairs = this.#pairs.filter((pair) => !hit(pair))
      this.#change()
    }
    get(name: unknown): string | null {
      return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null
    }
    getAll(name: unknown): string[] {
      return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value)
    }
    has(name: unknown, value?: unknown): boolean {
      return this.#pairs.some(([key, held]) => key === String(name) && (value === undefined || held === String(value)))
    }
    set(name: unknown, value: unknown): void {
      const key = wellFormed(name)
      const first = this.#pairs.find((pair) => pair[0] === key)
      if (first) first[1] = wellFormed(value)
      else this.#pairs.push([key, wellFormed(value)])
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== key || pair === (first ?? pair))
      this.#change()
    }
    sort(): void {
      this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      this.#change()
    }
    forEach(callback: (value: string, name: string, params: unknown) => void, self?: unknown): void {
      for (const [name, value] of this.#pairs) callback.call(self, value, name, this)
    }
    *entries(): Generator<[string, string]> {
      for (let at = 0; at < this.#pairs.length; at += 1) yield [...(this.#pairs[at] as [string, string])]
    }
    *keys(): Generator<string> {
      for (const [name] of this.entries()) yield name
    }
    *values(): Generator<string> {
      for (const [, value] of this.entries()) yield value
    }
    [Symbol.iterator](): Generator<[string, string]> {
      return this.entries()
    }
    toString(): string {
      return this.#pairs.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join('&')
    }
  }
  const { link, reset } = URLSearchParams
  for (const name of ['link', 'reset']) Reflect.deleteProperty(URLSearchParams, name)
  return { URLSearchParams, link, reset }
}

function readInit(init: unknown): Pairs {
  if (typeof init !== 'object' || init === null) return parseForm(String(init).replace(/^\?/, ''))
  const iterator = (init as Iterable<unknown>)[Symbol.iterator]
  if (typeof iterator !== 'function')
    return Object.entries(init).map(([name, value]) => [wellFormed(name), wellFormed(value)])
  return [...(init as Iterable<Iterable<unknown>>)].map((pair) => {
    const values = [...pair]
    if (values.length !== 2) throw new TypeError('Each query pair must be an iterable [name, value] tuple')
    return [wellFormed(values[0]), wellFormed(values[1])]
  })
}

function wellFormed(value: unknown): string {
  return String(value).toWellFormed()
}

/** Reads `application/x-www-form-urlencoded`. */
export function parseForm(text: string): Pairs {
  return text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=')
      const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
      return [formDecode(name).toWellFormed(), formDecode(value).toWellFormed()]
    })
}

function formDecode(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    // A broken escape stays as it is, and broken UTF-8 becomes the replacement character.
    return spaced.replace(/(%[0-9a-fA-F]{2})+/g, decodeLoosely)
  }
}

function decodeLoosely(escapes: string): string {
  try {
    return decodeURIComponent(escapes)
  } catch {
    const bytes = escapes
      .slice(1)
      .split('%')
      .map((hex) => Number.parseInt(hex, 16))
    return new TextDecoder().decode(new Uint8Array(bytes))
  }
}

function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
