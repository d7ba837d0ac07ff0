import { type Body, type BodyDeps, type Content, type createBody, readBodyInit, readStream } from './body.ts'
import { Headers, type HeadersInit } from './headers.ts'

export type ResponseInit = { status?: number; statusText?: string; headers?: HeadersInit }
export type ResponseDeps = BodyDeps & ReturnType<typeof createBody> & { URL: new (url: unknown) => { href: string } }
export type Response = InstanceType<ReturnType<typeof createResponse>['Response']>

const bodiless = new Set([101, 103, 204, 205, 304])
const redirects = new Set([301, 302, 303, 307, 308])

/** The parts of an answer, or the end that stands for them. */
export type ReadAnswer =
  | { type: 'answer'; status: number; headers: [string, string][]; body: Uint8Array }
  | { type: 'not-a-response' }
  | { type: 'too-large' }

/** The web's `Response`, and how the realm reads one. */
export function createResponse(deps: ResponseDeps) {
  const { Body, split, give } = deps
  class Response extends Body {
    #status: number
    #statusText: string
    #type = 'default'
    #url = ''
    #isRedirected = false
    constructor(body: unknown = null, init: ResponseInit = {}) {
      const status = statusOf(init?.status ?? 200)
      const headers = new Headers(init?.headers ?? undefined)
      super(headers, contentOf(deps, body, status, headers))
      this.#status = status
      this.#statusText = String(init?.statusText ?? '')
      if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(this.#statusText)) throw new TypeError('Invalid statusText')
    }
    get status(): number {
      return this.#status
    }
    get statusText(): string {
      return this.#statusText
    }
    get ok(): boolean {
      return this.#status >= 200 && this.#status <= 299
    }
    get type(): string {
      return this.#type
    }
    get url(): string {
      return this.#url
    }
    get redirected(): boolean {
      return this.#isRedirected
    }
    clone(): Response {
      const content = split(this)
      const { status, statusText, headers } = this
      const cloned = new Response(null, { status: status === 0 ? 200 : status, statusText, headers })
      if (content) give(cloned, content)
      return Response.#like(cloned, this)
    }
    static #like(response: Response, { type, url, redirected }: { type: string; url: string; redirected: boolean }) {
      response.#type = type
      response.#url = url
      response.#isRedirected = redirected
      return response
    }
    static json(data: unknown, init: ResponseInit = {}): Response {
      const text = JSON.stringify(data)
      if (text === undefined) throw new TypeError('The data cannot be written as JSON.')
      const headers = new Headers(init?.headers ?? undefined)
      if (!headers.has('content-type')) headers.set('content-type', 'application/json')
      return new Response(text, { ...init, headers })
    }
    static redirect(url: unknown, status = 302): Response {
      if (!redirects.has(status)) throw new RangeError(`Invalid status code ${status}`)
      return new Response(null, { status, headers: { location: new deps.URL(url).href } })
    }
    static error(): Response {
      const response = new Response()
      response.#status = 0
      return Response.#like(response, { type: 'error', url: '', redirected: false })
    }
    /** For the realm itself: what a value really is, whatever it says about itself. */
    static statusOf(value: unknown): { response: Response; status: number } | undefined {
      const isOne = typeof value === 'object' && value !== null && #status in value
      return isOne ? { response: value, status: value.#status } : undefined
    }
    /** For the realm itself: what came from the network. */
    static received(response: Response, url: string, redirected: boolean): Response {
      return Response.#like(response, { type: 'basic', url, redirected })
    }
  }
  const { received, statusOf: read } = Response
  for (const name of ['received', 'statusOf']) Reflect.deleteProperty(Response, name)

  const readAnswer = async (value: unknown, method: string, limitBytes: number): Promise<ReadAnswer> => {
    return readFound(deps, read(value), method, limitBytes)
  }
  return { Response, received, readAnswer }
}

function contentOf(deps: BodyDeps, body: unknown, status: number, headers: Headers): Content | undefined {
  if (body === null || body === undefined) return undefined
  if (bodiless.has(status)) throw new TypeError(`Response constructor: Invalid response status code ${status}`)
  const { content, type } = readBodyInit(deps, body)
  if (type !== undefined && !headers.has('content-type')) headers.append('content-type', type)
  return content
}

async function readFound(
  { take }: Pick<ResponseDeps, 'take'>,
  found: { response: Body; status: number } | undefined,
  method: string,
  limitBytes: number,
): Promise<ReadAnswer> {
  if (!found || found.status < 200) return { type: 'not-a-response' }
  const { response, status } = found
  const parts = { type: 'answer' as const, status, headers: [...response.headers] }
  const content = method === 'HEAD' ? undefined : take(response)
  if (!content) return { ...parts, body: new Uint8Array(0) }
  const body = 'bytes' in content ? content.bytes : await readStream(content.stream, limitBytes)
  return body === undefined || body.length > limitBytes ? { type: 'too-large' } : { ...parts, body }
}

function statusOf(value: unknown): number {
  const status = Number(value)
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.')
  return status
}
