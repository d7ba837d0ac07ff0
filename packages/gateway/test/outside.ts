import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EgressNetwork } from '../src/egress/egressNetwork.ts'
import { isPublicAddress } from '../src/egress/publicAddress.ts'

/** Stands for the public internet in tests; 127.0.0.1 stays what it is. */
export const outsideAddress = '127.0.0.2'

export type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string }
export type Outside = Awaited<ReturnType<typeof startOutside>>

/** A real HTTP server, and what it was asked. */
export async function startOutside(answer: (seen: Seen, response: ServerResponse) => void, address = outsideAddress) {
  const seen: Seen[] = []
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      answer(one, response)
    })
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    seen,
    stop: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The broker's network with names of the tests: all rules hold, but that one loopback address counts as public. */
export function testNetwork(names: Record<string, readonly string[] | (() => readonly string[])>): EgressNetwork {
  return {
    resolve: async (hostname) => {
      const found = names[hostname]
      if (!found) throw new Error(`no such host: ${hostname}`)
      return typeof found === 'function' ? found() : found
    },
    mayConnect: (address) => address === outsideAddress || isPublicAddress(address),
    isPlain: () => true,
  }
}
