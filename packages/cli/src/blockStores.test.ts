import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blockStores } from './blockStores.ts'

const seen: { url: string | undefined; authorization: string | undefined; body: string }[] = []
// Answers like Pinata's upload API, with the CID that IPFS gives the raw block of no bytes.
const emptyCid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const server = createServer(async (request, response) => {
  seen.push({ url: request.url, authorization: request.headers.authorization, body: await text(request) })
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: { cid: emptyCid } }))
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => void server.close())

test('without a setting there is no further store', async () => {
  expect(await blockStores({})).toEqual([])
})

test('Pinata is a setting, and gets blocks with its token', async () => {
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`
  const stores = await blockStores({ PEERHOST_PINATA_JWT: 'a-token', PEERHOST_PINATA_API_URL: apiUrl })
  expect(stores.map(({ name }) => name)).toEqual(['pinata'])
  expect(await stores[0]?.put(new Uint8Array())).toBe(emptyCid)
  expect(seen).toMatchObject([{ url: '/v3/files', authorization: 'Bearer a-token' }])
})

test('Kubo is a setting, beside Pinata', async () => {
  const stores = await blockStores({ PEERHOST_PINATA_JWT: 'a-token', PEERHOST_KUBO_URL: 'http://127.0.0.1:5001' })
  expect(stores.map(({ name }) => name)).toEqual(['pinata', 'kubo'])
})

test('a URL that is none is refused by name', async () => {
  await expect(blockStores({ PEERHOST_KUBO_URL: 'ipfs' })).rejects.toThrow('PEERHOST_KUBO_URL')
})
