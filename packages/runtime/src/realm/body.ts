import type { ReadableStream, ReadableStreamDefaultReader } from 'web-streams-polyfill'
import { type createBlob, join } from './blob.ts'
import { bytesOf, type Encoding } from './encoding.ts'
import { type createFormData, decodeMultipart, encodeMultipart, type FormData } from './formData.ts'
import type { Headers } from './headers.ts'
import { isDisturbed, isReadableStream, streamOf } from './streams.ts'
import { parseForm, type URLSearchParams } from './url.ts'

type Blob = import('./blob.ts').Blob

/** What bodies are made of. */
export type BodyDeps = Encoding & {
  blobs: ReturnType<typeof createBlob>
  FormData: ReturnType<typeof createFormData>
  URLSearchParams: new () => URLSearchParams
  randomUUID: () => string
}

/** Bytes that are there, or a stream of them; `type` is the content-type that they bring. */
export type Content = { bytes: Uint8Array<ArrayBuffer> } | { stream: ReadableStream }

/** Reads what may be given as a body. */
export function readBodyInit(deps: BodyDeps, init: unknown): { content: Content; type: string | undefined } {
  const { blobs, toUtf8 } = deps
  if (isReadableStream(init)) {
    if (init.locked) throw new TypeError('Response body object should not be disturbed or locked')
    return { content: { stream: init }, type: undefined }
  }
  if (init instanceof blobs.Blob) return { content: { bytes: blobs.bytesOfBlob(init) }, type: init.type || undefined }
  if (init instanceof deps.FormData) {
    const boundary = `----formdata-${deps.randomUUID().replaceAll('-', '')}`
    const bytes = encodeMultipart(deps, blobs, init, boundary)
    return { content: { bytes }, type: `multipart/form-data; boundary=${boundary}` }
  }
  if (init instanceof deps.URLSearchParams)
    return { content: { bytes: toUtf8(String(init)) }, type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  if (typeof init === 'object' && init !== null && (ArrayBuffer.isView(init) || init instanceof ArrayBuffer))
    return { content: { bytes: new Uint8Array(bytesOf(init)) }, type: undefined }
  return { content: { bytes: toUtf8(`${init}`.toWellFormed()) }, type: 'text/plain;charset=UTF-8' }
}

/** All of a stream. Throws a `TypeError` where a chunk is no `Uint8Array`; stops at the first byte over the limit. */
export async function readStream(stream: ReadableStream, limitBytes = Number.POSITIVE_INFINITY) {
  const reader: ReadableStreamDefaultReader<unknown> = stream.getReader()
  const chunks: Uint8Array[] = []
  for (let length = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return join(chunks)
    if (!(value instanceof Uint8Array)) throw new TypeError('A chunk of the body is not a Uint8Array.')
    // A copy of what is really there: the function may write to its buffer again, and the class may be its own.
    const chunk = new Uint8Array(value)
    length += chunk.length
    if (length > limitBytes) return undefined
    chunks.push(chunk)
  }
}

export type Body = InstanceType<ReturnType<typeof createBody>['Body']>

/** The part that `Request` and `Response` share. */
export function createBody(deps: BodyDeps) {
  class Body {
    #content: Content | undefined
    #stream: ReadableStream | null | undefined
    #isUsed = false
    #headers: Headers
    constructor(headers: Headers, content: Content | undefined) {
      this.#headers = headers
      this.#content = content
    }
    get headers(): Headers {
      return this.#headers
    }
    get body(): ReadableStream | null {
      if (this.#stream === undefined) this.#stream = this.#open()
      return this.#stream
    }
    #open(): ReadableStream | null {
      if (!this.#content) return null
      return 'stream' in this.#content ? this.#content.stream : streamOf(this.#content.bytes.slice())
    }
    get bodyUsed(): boolean {
      return this.#isUsed || isDisturbed(this.#stream)
    }
    async #consume(): Promise<Uint8Array<ArrayBuffer>> {
      if (this.bodyUsed || this.#stream?.locked) throw new TypeError('Body is unusable: Body has already been read')
      if (!this.#content) return new Uint8Array(0)
      this.#isUsed = true
      const stream = 'stream' in this.#content ? this.body : this.#stream
      if (stream) return (await readStream(stream)) ?? new Uint8Array(0)
      return 'bytes' in this.#content ? this.#content.bytes : new Uint8Array(0)
    }
    async text(): Promise<string> {
      return deps.fromUtf8(await this.#consume())
    }
    async json(): Promise<unknown> {
      return JSON.parse(await this.text())
    }
    async bytes(): Promise<Uint8Array> {
      return (await this.#consume()).slice()
    }
    async arrayBuffer(): Promise<ArrayBuffer> {
      return (await this.#consume()).slice().buffer
    }
    async blob(): Promise<Blob> {
      return new deps.blobs.Blob([await this.#consume()], { type: this.#headers.get('content-type') ?? '' })
    }
    async formData(): Promise<FormData> {
      return readForm(deps, this.#headers.get('content-type') ?? '', await this.#consume())
    }
    /** For the realm itself. Two contents of one: the body's own goes on with the first. */
    static split(body: Body): Content | undefined {
      if (body.bodyUsed || body.#stream?.locked) throw new TypeError('Body has already been consumed.')
      if (!body.#content || ('bytes' in body.#content && !body.#stream)) return body.#content
      const [first, second] = (body.body as ReadableStream).tee()
      body.#stream = first
      body.#content = { stream: first }
      return { stream: second }
    }
    /** For the realm itself. Puts a content in the place of what a body had. */
    static give(body: Body, content: Content): void {
      body.#content = content
      body.#stream = undefined
    }
    /** For the realm itself. The content, which is used from then on. */
    static take(body: Body): Content | undefined {
      if (body.bodyUsed || body.#stream?.locked) throw new TypeError('Body is unusable: Body has already been read')
      const content = body.#stream ? { stream: body.#stream } : body.#content
      body.#isUsed = body.#content !== undefined
      return content
    }
  }
  const { split, take, give } = Body
  for (const name of ['split', 'take', 'give']) Reflect.deleteProperty(Body, name)
  return { Body, split, take, give }
}

function readForm(deps: BodyDeps, type: string, bytes: Uint8Array): FormData {
  const form = new deps.FormData()
  const boundary = /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type)
  if (boundary) decodeMultipart(deps, deps.blobs, bytes, boundary[1] ?? boundary[2] ?? '', form)
  else if (/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type))
    for (const [name, value] of parseForm(deps.fromUtf8(bytes))) form.append(name, value)
  else throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".')
  return form
}
