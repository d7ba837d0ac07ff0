import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import { join } from 'node:path'
import { deploy } from '@peerhost/sdk/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exampleSecret } from '../../examples/webhook/functions/receive.ts'
import { startTestNetwork, type TestNetwork } from './network.ts'

const examples = join(import.meta.dirname, '../../examples')

let network: TestNetwork
let urls: Record<string, string | undefined>
beforeAll(async () => {
  network = await startTestNetwork({ workers: 1 })
  const projects = []
  for (const name of ['weather', 'webhook'])
    projects.push(await deploy(network.developer, { directory: join(examples, name) }))
  urls = Object.fromEntries(projects.flatMap(({ functions }) => functions.map(({ name, url }) => [name, url])))
})
afterAll(() => network?.close())

test('a webhook checks the signature over the exact bytes that were sent', async () => {
  const body = Buffer.from([...Buffer.from('\ufeff{ "a": 1 }'), 0xff, 0x00])
  const signature = `sha256=${createHmac('sha256', exampleSecret).update(body).digest('hex')}`
  const send = (bytes: Uint8Array<ArrayBuffer>) =>
    fetch(urls.receive ?? '', {
      method: 'POST',
      body: bytes,
      headers: { 'x-hub-signature-256': signature, 'x-github-event': 'push' },
    })
  const good = await send(body)
  expect({ status: good.status, body: await good.json() }).toEqual({
    status: 200,
    body: { received: true, bytes: body.length, event: 'push' },
  })
  const changed = await send(Buffer.concat([body, Buffer.from(' ')]))
  expect(changed.status).toBe(401)
})

test('deploying the same folder again changes nothing and sends nothing', async () => {
  const again = await deploy(network.developer, { directory: join(examples, 'weather') })
  expect(again.transaction).toBeUndefined()
  expect(again.functions.map(({ name, changed }) => ({ name, changed }))).toEqual([
    { name: 'forecast', changed: false },
    { name: 'today', changed: false },
  ])
})

test('a free function answers on its subdomain as on its path', async () => {
  const { pathname } = new URL(urls.today ?? '')
  const [, wallet, ...rest] = pathname.split('/')
  const { port } = new URL(network.devnet.gatewayUrl)
  const bySubdomain = await fetchAs(
    `${wallet?.toLowerCase()}.localhost:${port}`,
    `/${rest.join('/')}?city=Oslo&date=2026-01-01`,
  )
  const byPath = await fetch(`${urls.today}?city=Oslo&date=2026-01-01`)
  expect(bySubdomain.status).toBe(200)
  expect(JSON.parse(bySubdomain.body)).toEqual(await byPath.json())
})

/** Asks the gateway under another host name: no DNS is needed for it. */
async function fetchAs(host: string, path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(network.devnet.gatewayUrl)
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path, headers: { host } }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}
