import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void | Promise<void>

/** A real HTTP server on a free port of this machine, closed with the test. */
export async function serve(answer: Answer): Promise<string> {
  return serve.unread(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    await answer(request, response, Buffer.concat(chunks))
  })
}

/** The same, but the body is left for `answer` to read or not. */
serve.unread = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The one file of a `multipart/form-data` body, and its text fields. */
export async function readForm(request: IncomingMessage, body: Buffer) {
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const form = await new Response(new Uint8Array(body), { headers }).formData()
  const fields: Record<string, string> = {}
  let file: Uint8Array | undefined
  for (const [name, value] of form) {
    if (typeof value === 'string') fields[name] = value
    else file = new Uint8Array(await value.arrayBuffer())
  }
  return { fields, file }
}
