import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { erc20Abi } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createChainClient } from '../src/chain/chainClient.ts'
import { probeEndpoints } from '../src/chain/probeEndpoints.ts'
import { createSender } from '../src/chain/sender.ts'
import { type Network, startNetwork, token } from './fixture/network.ts'
import { runtimeDigest } from './fixture/tickets.ts'

let network: Network
let deadUrl: string
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  network = await startNetwork({ runtimeDigest, bundleDigest: runtimeDigest })
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  deadUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.close()
  await once(server, 'close')
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(() => network?.stop())

function open(rpcUrls: string[], restMs?: number) {
  const away: string[] = []
  const onAway = (endpoint: string) => away.push(endpoint)
  const options = { rpcUrls, chainId: foundry.id, pollingIntervalMs: 50, onAway }
  const chain = createChainClient({ ...options, ...(restMs === undefined ? {} : { restMs }) })
  cleanups.push(chain.close)
  return { ...chain, away }
}

describe('several RPC endpoints', () => {
  it.each(['http', 'ws'])('are read from and written to when the first one (%s) is dead', async (scheme) => {
    const dead = deadUrl.replace('http', scheme)
    const chain = open([dead, network.webSocketUrl])
    expect(await chain.client.getChainId()).toBe(foundry.id)
    expect(chain.away).toEqual([dead])
    const sender = createSender(chain, await network.newKey())
    const approve = { address: token, abi: erc20Abi, functionName: 'approve', args: [sender.address, 1n] }
    expect((await sender.send(approve)).transaction).toMatch(/^0x/)
    // It is not asked again while it rests.
    expect(chain.away).toEqual([dead])
  })

  it('give a subscription to the first that can push', async () => {
    const { client } = open([deadUrl, deadUrl.replace('http', 'ws'), network.webSocketUrl])
    const { subscribe } = client.transport as unknown as {
      subscribe: (parameters: unknown) => Promise<{ unsubscribe: () => Promise<unknown> }>
    }
    const head = Promise.withResolvers<unknown>()
    const { unsubscribe } = await subscribe({ params: ['newHeads'], onData: head.resolve, onError: head.reject })
    expect(await head.promise).toBeDefined()
    await unsubscribe()
  })

  it('ask the first again when its rest is over', async () => {
    let answers = false
    const flaky = createServer(async (request, response) => {
      if (!answers) return void response.writeHead(503).end()
      const body = await new Response(request as never).text()
      const answer = await fetch(network.rpcUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      response.writeHead(200, { 'content-type': 'application/json', 'x-flaky': '1' }).end(await answer.text())
    }).listen(0, '127.0.0.1')
    await once(flaky, 'listening')
    cleanups.push(() => flaky.close())
    let served = 0
    flaky.on('request', () => (served += 1))
    const { client, away } = open([`http://127.0.0.1:${(flaky.address() as AddressInfo).port}`, network.rpcUrl], 200)
    await client.getBlockNumber({ cacheTime: 0 })
    expect(away).toHaveLength(1)
    answers = true
    const before = served
    await client.getBlockNumber({ cacheTime: 0 })
    expect(served).toBe(before)
    await new Promise((resolve) => setTimeout(resolve, 250))
    await client.getBlockNumber({ cacheTime: 0 })
    expect(served).toBe(before + 1)
  })

  it('do not hide what the contract says', async () => {
    const chain = open([network.rpcUrl, network.webSocketUrl])
    const sender = createSender(chain, await network.newKey())
    const call = { address: token, abi: erc20Abi, functionName: 'transfer', args: [sender.address, 10n ** 30n] }
    await expect(sender.send(call)).rejects.toMatchObject({ code: 'transaction_failed' })
    expect(chain.away).toEqual([])
  })
})

describe('probeEndpoints', () => {
  it('tells those that answer from those that refuse or hang, without the path', async () => {
    const silent = createSocketServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    cleanups.push(() => silent.close())
    const hanging = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const probes = await probeEndpoints([`${deadUrl}/v2/secret`, network.webSocketUrl, hanging], 3_000)
    expect(probes).toMatchObject([
      { type: 'away', endpoint: deadUrl },
      { type: 'answers', endpoint: network.webSocketUrl, chainId: foundry.id },
      { type: 'away', endpoint: hanging, problem: 'No answer within 3 s.' },
    ])
    expect(JSON.stringify(probes, (_, value) => (typeof value === 'bigint' ? `${value}` : value))).not.toContain(
      'secret',
    )
  })
})
