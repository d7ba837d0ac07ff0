export type HeadersInit = Headers | Iterable<readonly string[]> | Record<string, string>

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

function readName(value: unknown): string {
  const name = String(value)
  if (!namePattern.test(name)) throw new TypeError(`Headers: "${name}" is an invalid header name.`)
  return name.toLowerCase()
}

function readValue(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code > 255) throw new TypeError(`Headers: a value has a character above 255 at ${at}.`)
    if (code === 0 || code === 10 || code === 13) throw new TypeError(`Headers: "${text}" is an invalid header value.`)
  }
  return text
}

/** The web's `Headers`: names in lower case and sorted, values of one name joined, cookies apart. */
export class Headers {
  #pairs: [string, string][] = []
  /** What iteration gives, until the next change. */
  #sorted: [string, string][] | undefined

  constructor(init?: HeadersInit) {
    if (init === undefined) return
    if (typeof init !== 'object' || init === null) throw new TypeError('Headers: the init must be an object.')
    if (typeof (init as Iterable<unknown>)[Symbol.iterator] === 'function') {
      for (const pair of init as Iterable<readonly string[]>) {
        const values = [...pair]
        if (values.length !== 2) throw new TypeError('Headers: each pair must have a name and a value.')
        this.append(values[0], values[1])
      }
    } else {
      for (const [name, value] of Object.entries(init)) this.append(name, value)
    }
  }
  append(name: unknown, value: unknown): void {
    this.#pairs.push([readName(name), readValue(value)])
    this.#sorted = undefined
  }
  delete(name: unknown): void {
    const key = readName(name)
    this.#pairs = this.#pairs.filter(([held]) => held !== key)
    this.#sorted = undefined
  }
  get(name: unknown): string | null {
    const key = readName(name)
    const values = this.#pairs.filter(([held]) => held === key).map(([, value]) => value)
    return values.length === 0 ? null : values.join(key === 'cookie' ? '; ' : ', ')
  }
  getSetCookie(): string[] {
    return this.#pairs.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
  }
  has(name: unknown): boolean {
    const key = readName(name)
    return this.#pairs.some(([held]) => held === key)
  }
  set(name: unknown, value: unknown): void {
    const key = readName(name)
    const text = readValue(value)
    const first = this.#pairs.find(([held]) => held === key)
    if (first) first[1] = text
    else this.#pairs.push([key, text])
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== key || pair === (first ?? pair))
    this.#sorted = undefined
  }
  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this)
  }
  /** Follows what changes under way. */
  *entries(): Generator<[string, string]> {
    for (let at = 0; ; at += 1) {
      this.#sorted ??= [...this.#sort()]
      const pair = this.#sorted[at]
      if (!pair) return
      yield [...pair]
    }
  }
  *#sort(): Generator<[string, string]> {
    for (const [name, pairs] of [...Map.groupBy(this.#pairs, ([name]) => name)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (name === 'set-cookie') for (const [, cookie] of pairs) yield [name, cookie]
      else yield [name, pairs.map(([, value]) => value).join(name === 'cookie' ? '; ' : ', ')]
    }
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
}

Object.defineProperty(Headers.prototype, Symbol.iterator, { value: Headers.prototype.entries })
