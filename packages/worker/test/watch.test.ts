import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { confirmedLaneAbi, laneNumber } from '@peerhost/protocol'
import { createPublicClient, custom, type Hex, http, type PublicClient } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createChainClient } from '../src/chain/chainClient.ts'
import { createFileCursor } from '../src/chain/cursor.ts'
import type { PostedRequest } from '../src/chain/lane.ts'
import { watchRequests } from '../src/chain/watchRequests.ts'
import { createWorkerEvents, type WorkerEvents } from '../src/events.ts'
import { type Network, startNetwork } from './fixture/network.ts'
import { offerOf, runtimeDigest } from './fixture/tickets.ts'

let network: Network
let directory: string
let sequence = 0n
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  network = await startNetwork({ runtimeDigest, bundleDigest: runtimeDigest })
})
afterAll(() => network?.stop())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-watch-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await rm(directory, { recursive: true, force: true })
})

async function nextTicket() {
  const { domain, requester: signer, owner: funder, functionId, client } = network
  sequence += 1n
  const { timestamp } = await client.getBlock()
  return offerOf({
    domain,
    signer,
    funder,
    functionId,
    sequence,
    lane: laneNumber('confirmed'),
    issuedAt: Number(timestamp) - 20,
  })
}

async function post({ ticket, signature }: Awaited<ReturnType<typeof nextTicket>>): Promise<void> {
  const call = { abi: confirmedLaneAbi, functionName: 'post', args: [ticket, signature, '0x'] }
  await network.send(network.keys.requester, network.suite.confirmedLane, call)
}

type Options = {
  client?: PublicClient
  oldestSeconds?: number
  onRequest?: (posted: PostedRequest) => Promise<void>
  scanEveryMs?: number
}

function watch({ client, oldestSeconds = 3_600, onRequest, scanEveryMs = 50 }: Options = {}) {
  const chain = createChainClient({ rpcUrls: [network.webSocketUrl], chainId: foundry.id, pollingIntervalMs: 50 })
  const stopping = new AbortController()
  const events = createWorkerEvents()
  const seen: Hex[] = []
  const cursor = createFileCursor(join(directory, 'cursor'))
  const done = watchRequests(
    {
      client: client ?? chain.client,
      address: network.suite.confirmedLane,
      cursor,
      deployBlock: 0n,
      oldestSeconds,
      emit: events.emit,
      onRequest: async (posted) => {
        seen.push(posted.requestId)
        await onRequest?.(posted)
      },
      times: { scanEveryMs },
    },
    stopping.signal,
  )
  const stop = async () => {
    stopping.abort()
    await done
    await chain.close()
  }
  cleanups.push(stop)
  const next = <N extends keyof WorkerEvents>(name: N) =>
    new Promise<WorkerEvents[N]>((resolve) => {
      const off = events.on(name, (event) => {
        off()
        resolve(event)
      })
    })
  return { seen, next, stop, cursor }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It did not come to be.')
    await sleep(20)
  }
}

describe('watchRequests', () => {
  it('hears of a request by the subscription alone', async () => {
    const { seen, cursor } = watch({ scanEveryMs: 3_600_000 })
    // The one scan is over: nothing but the subscription is left.
    await until(async () => (await cursor.read()) !== undefined)
    const ticket = await nextTicket()
    await post(ticket)
    await until(() => seen.includes(ticket.requestId))
  })

  it('polls where there is nothing to subscribe to', async () => {
    const { client } = createChainClient({ rpcUrls: [network.rpcUrl], chainId: foundry.id, pollingIntervalMs: 50 })
    const { seen, next } = watch({ client })
    await next('chain:listening')
    const ticket = await nextTicket()
    await post(ticket)
    await until(() => seen.includes(ticket.requestId))
    expect(seen.filter((id) => id === ticket.requestId).length).toBe(1)
  })

  it('reads a long past in pages, smaller ones where the provider wants them', async () => {
    const ticket = await nextTicket()
    await post(ticket)
    await network.client.mine({ blocks: 700 })
    const ranges: bigint[] = []
    const upstream = http(network.rpcUrl)({ chain: foundry })
    const client = createPublicClient({
      chain: foundry,
      pollingInterval: 50,
      transport: custom(
        {
          request: async (call: { method: string; params: [{ fromBlock: Hex; toBlock: Hex }] }) => {
            if (call.method === 'eth_getLogs') {
              const range = BigInt(call.params[0].toBlock) - BigInt(call.params[0].fromBlock) + 1n
              if (range > 200n) throw new Error('query returned more than 10000 results')
              ranges.push(range)
            }
            return upstream.request(call as never)
          },
        },
        { retryCount: 0 },
      ),
    })
    const { seen, cursor } = watch({ client, oldestSeconds: 1_000_000 })
    await until(async () => (await cursor.read()) !== undefined)
    expect(seen).toContain(ticket.requestId)
    expect(ranges.length).toBeGreaterThan(3)
  })

  it('does not go back further than a request can be open', async () => {
    const ticket = await nextTicket()
    await post(ticket)
    await network.client.increaseTime({ seconds: 100 })
    await network.client.mine({ blocks: 100 })
    const { next } = watch({ oldestSeconds: 10 })
    const { number } = await network.client.getBlock()
    const { fromBlock } = await next('chain:listening')
    expect(fromBlock).toBeGreaterThan(number - 120n)
  })

  it('keeps its cursor before a request that is not over', async () => {
    const gate = Promise.withResolvers<void>()
    const { next, stop, cursor } = watch({ onRequest: () => gate.promise })
    await next('chain:listening')
    const before = await network.client.getBlockNumber()
    await post(await nextTicket())
    const posted = await network.client.getBlockNumber()
    await until(async () => (await network.client.getBlockNumber()) > posted + 3n)
    expect((await cursor.read()) ?? 0n).toBeLessThanOrEqual(posted)
    gate.resolve()
    await until(async () => ((await cursor.read()) ?? 0n) > posted)
    expect(await cursor.read()).toBeGreaterThan(before)
    await stop()
  })

  it('gives a request on once, though a reorganisation of the chain moved it', async () => {
    const { seen, next } = watch()
    await next('chain:listening')
    const ticket = await nextTicket()
    await post(ticket)
    await until(() => seen.includes(ticket.requestId))
    const height = await network.client.getBlockNumber()
    const { status } = await postedBlock(ticket.requestId)
    expect(status).toBe(1)
    await network.client.request({ method: 'anvil_reorg', params: [5, []] } as never)
    await until(
      async () =>
        (await postedBlock(ticket.requestId)).status === 0 || (await network.client.getBlockNumber()) > height + 2n,
    )
    if ((await postedBlock(ticket.requestId)).status === 0) await post(ticket)
    await until(async () => (await network.client.getBlockNumber()) > height + 5n)
    expect((await postedBlock(ticket.requestId)).status).toBe(1)
    expect(seen.filter((id) => id === ticket.requestId).length).toBe(1)
  })

  it('begins anew with a cursor that is damaged or of another chain', async () => {
    await writeFile(join(directory, 'cursor'), 'somewhere')
    const damaged = watch()
    await damaged.next('chain:listening')
    await damaged.stop()
    await writeFile(join(directory, 'cursor'), '999999999\n')
    const ticket = await nextTicket()
    await post(ticket)
    const ahead = watch({ oldestSeconds: 1_000_000 })
    await until(() => ahead.seen.includes(ticket.requestId))
  })
})

async function postedBlock(requestId: Hex): Promise<{ status: number }> {
  const { client, suite } = network
  const lane = { address: suite.confirmedLane, abi: confirmedLaneAbi } as const
  return client.readContract({ ...lane, functionName: 'getPosted', args: [requestId] })
}
