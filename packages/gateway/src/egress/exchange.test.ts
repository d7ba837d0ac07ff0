import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeCertificate } from '../../test/certificate.ts'
import { outsideAddress } from '../../test/outside.ts'
import { exchange } from './exchange.ts'

const certificate = makeCertificate('api.test')
const asked: (string | false | undefined)[] = []
let server: Server
let port: number

beforeAll(async () => {
  server = createServer(certificate, (request, response) => {
    asked.push((request.socket as TLSSocket & { servername?: string | false }).servername)
    response.end('over TLS')
  })
  await new Promise<void>((resolve) => server.listen(0, outsideAddress, resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const ask = (hostname: string, authority?: string) =>
  exchange(
    { isPlain: () => false, ...(authority === undefined ? {} : { authority }) },
    {
      method: 'GET',
      url: new URL(`https://${hostname}:${port}/`),
      headers: [],
      body: new Uint8Array(),
      address: outsideAddress,
      maxBytes: 100,
      spend: () => true,
    },
    AbortSignal.timeout(10_000),
  )

it('speaks TLS for the name, to the address that was checked', async () => {
  const response = await ask('api.test', certificate.cert)
  expect(response).toMatchObject({ type: 'response', status: 200, body: new TextEncoder().encode('over TLS') })
  expect(asked).toEqual(['api.test'])
})

it('sends nothing to a host with the certificate of another, or with one that nobody vouches for', async () => {
  asked.length = 0
  const refused = { type: 'refused', code: 'egress_unreachable' }
  expect(await ask('other.test', certificate.cert)).toMatchObject(refused)
  expect(await ask('api.test')).toMatchObject(refused)
  expect(asked).toEqual([])
})
