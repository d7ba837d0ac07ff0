import { type createBlob, type File, join } from './blob.ts'
import type { Encoding } from './encoding.ts'

export type FormData = InstanceType<ReturnType<typeof createFormData>>
type Value = string | File

/** `FormData`, with files of this realm. */
export function createFormData({ Blob, File }: ReturnType<typeof createBlob>) {
  const readValue = (value: unknown, fileName: string | undefined): Value => {
    if (!(value instanceof Blob) && fileName !== undefined) throw new TypeError('Only a Blob has a file name.')
    if (!(value instanceof Blob)) return String(value).toWellFormed()
    if (value instanceof File && fileName === undefined) return value
    return new File([value], fileName ?? 'blob', { type: value.type })
  }
  return class FormData {
    #entries: [string, Value][] = []
    constructor(form?: unknown) {
      if (form !== undefined) throw new TypeError('There are no forms of a document here.')
    }
    append(name: unknown, value: unknown, fileName?: string): void {
      this.#entries.push([String(name).toWellFormed(), readValue(value, fileName)])
    }
    delete(name: unknown): void {
      this.#entries = this.#entries.filter(([key]) => key !== String(name))
    }
    get(name: unknown): Value | null {
      return this.#entries.find(([key]) => key === String(name))?.[1] ?? null
    }
    getAll(name: unknown): Value[] {
      return this.#entries.filter(([key]) => key === String(name)).map(([, value]) => value)
    }
    has(name: unknown): boolean {
      return this.#entries.some(([key]) => key === String(name))
    }
    set(name: unknown, value: unknown, fileName?: string): void {
      const key = String(name).toWellFormed()
      const at = this.#entries.findIndex(([held]) => held === key)
      const entry: [string, Value] = [key, readValue(value, fileName)]
      if (at < 0) this.#entries.push(entry)
      else
        this.#entries = this.#entries.flatMap((held, index) => (index === at ? [entry] : held[0] === key ? [] : [held]))
    }
    forEach(callback: (value: Value, name: string, form: unknown) => void, self?: unknown): void {
      for (const [name, value] of this.#entries) callback.call(self, value, name, this)
    }
    *entries(): Generator<[string, Value]> {
      for (let at = 0; at < this.#entries.length; at += 1) yield [...(this.#entries[at] as [string, Value])]
    }
    *keys(): Generator<string> {
      for (const [name] of this.#entries) yield name
    }
    *values(): Generator<Value> {
      for (const [, value] of this.#entries) yield value
    }
    [Symbol.iterator](): Generator<[string, Value]> {
      return this.entries()
    }
  }
}

type Blobs = ReturnType<typeof createBlob>

const escaped: Record<string, string> = { '\n': '%0A', '\r': '%0D', '"': '%22' }

/** `multipart/form-data` of a form. */
export function encodeMultipart(
  { toUtf8 }: Pick<Encoding, 'toUtf8'>,
  { bytesOfBlob }: Blobs,
  form: FormData,
  boundary: string,
): Uint8Array<ArrayBuffer> {
  const safe = (text: string) => text.replace(/[\n\r"]/g, (character) => escaped[character] ?? '')
  const pieces: Uint8Array[] = []
  for (const [name, value] of form) {
    const start = `--${boundary}\r\ncontent-disposition: form-data; name="${safe(name.replace(/\r?\n|\r/g, '\r\n'))}"`
    if (typeof value !== 'string') {
      const type = value.type || 'application/octet-stream'
      pieces.push(
        toUtf8(`${start}; filename="${safe(value.name)}"\r\ncontent-type: ${type}\r\n\r\n`),
        bytesOfBlob(value),
      )
      pieces.push(toUtf8('\r\n'))
    } else {
      pieces.push(toUtf8(`${start}\r\n\r\n${value.replace(/\r?\n|\r/g, '\r\n')}\r\n`))
    }
  }
  return join([...pieces, toUtf8(`--${boundary}--\r\n`)])
}

/** Adds what a `multipart/form-data` body holds. Throws a `TypeError` for anything else. */
export function decodeMultipart(
  { toUtf8, fromUtf8 }: Pick<Encoding, 'toUtf8' | 'fromUtf8'>,
  { File }: Blobs,
  body: Uint8Array,
  boundary: string,
  form: FormData,
): void {
  const delimiter = toUtf8(`\r\n--${boundary}`)
  const bytes = join([toUtf8('\r\n'), body])
  let at = indexOf(bytes, delimiter, 0)
  if (at < 0) throw broken()
  for (;;) {
    at += delimiter.length
    const isEnd = bytes[at] === 45 && bytes[at + 1] === 45
    if (isEnd) return
    const end = indexOf(bytes, delimiter, at)
    const blank = indexOf(bytes, toUtf8('\r\n\r\n'), at)
    if (end < 0 || blank < 0 || blank > end) throw broken()
    const head = fromUtf8(bytes.subarray(at, blank))
    const content = bytes.slice(blank + 4, end)
    const name = parameter(head, 'name')
    if (name === undefined) throw broken()
    const fileName = parameter(head, 'filename')
    const type = /^content-type:\s*(.+?)\s*$/im.exec(head)?.[1] ?? 'text/plain'
    form.append(name, fileName === undefined ? fromUtf8(content) : new File([content], fileName, { type }))
    at = end
  }
}

function parameter(head: string, name: string): string | undefined {
  const disposition = /^content-disposition:\s*form-data(.*)$/im.exec(head)?.[1]
  const value = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(disposition ?? '')?.[1]
  return value?.replace(/%0A|%0D|%22/gi, (escaped) => decodeURIComponent(escaped))
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0] ?? 0, from); at >= 0; at = bytes.indexOf(wanted[0] ?? 0, at + 1)) {
    let length = 1
    while (length < wanted.length && bytes[at + length] === wanted[length]) length += 1
    if (length === wanted.length) return at
  }
  return -1
}

function broken(): TypeError {
  return new TypeError('The body is not the form data that its content-type names.')
}
