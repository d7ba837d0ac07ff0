import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  commitment,
  confirmedLaneAbi,
  encodeSettlement,
  executionCoordinatorAbi,
  laneNumber,
  planSettlement,
  type WorkerMessage,
} from '@peerhost/protocol'
import { createDiskStore } from '@peerhost/storage'
import { bytesToHex, concatHex, type Hex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JobOffer } from '../src/acceptJob.ts'
import { assembleWorker } from '../src/assembleWorker.ts'
import { readConfig } from '../src/config.ts'
import { createWorkerEvents, type WorkerEvents } from '../src/events.ts'
import { readOperator } from '../src/operator.ts'
import { startGateway } from './fixture/gateway.ts'
import { bondRequester, type Network, newOperatorKeys, startNetwork } from './fixture/network.ts'
import { createFakeSandbox, input, offerOf, runtimeDigest, salt, smallFee } from './fixture/tickets.ts'

const bundle = new TextEncoder().encode('module.exports = { default: () => new Response("hello") }')
const bundleDigest: Hex = `0x${createHash('sha256').update(bundle).digest('hex')}`
const lane = laneNumber('confirmed')
const reward = smallFee - (smallFee * 500n) / 10_000n

let network: Network
let directory: string
let sequence = 0n
const cleanups: (() => unknown)[] = []

// A chain of its own for each test: some of them move its clock away from the workers'.
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-quorum-'))
  network = await startNetwork({ runtimeDigest, bundleDigest })
  await bondRequester(network)
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await network.stop()
  await rm(directory, { recursive: true, force: true })
})

async function startWorker(gatewayUrl: string | undefined, keys?: Awaited<ReturnType<typeof newOperatorKeys>>) {
  const held = keys ?? (await newOperatorKeys(network))
  const events = createWorkerEvents()
  const names: string[] = []
  events.onAny((name) => names.push(name))
  const config = readConfig({
    PEERHOST_RPC_URL: network.webSocketUrl,
    PEERHOST_CHAIN_ID: String(network.domain.chainId),
    PEERHOST_COORDINATOR: network.coordinator,
    PEERHOST_OPERATOR_KEY: held.operatorKey,
    PEERHOST_EXECUTION_KEY: held.executionKey,
    PEERHOST_DATA_DIR: directory,
    PEERHOST_GATEWAYS: gatewayUrl ?? '',
  })
  await createDiskStore({ directory: join(directory, 'blocks') }).put(bundle)
  const sandbox = createFakeSandbox({ body: 'the same on every worker' })
  const times = { sweepEveryMs: 100, operatorCheckEveryMs: 200, laneFallbackMs: 1_000, watch: { scanEveryMs: 200 } }
  const assembled = await assembleWorker(config, { sandbox, events, times })
  const stop = async () => {
    await assembled.worker.stop()
    await assembled.close()
  }
  cleanups.push(stop)
  const next = <N extends keyof WorkerEvents>(name: N) =>
    new Promise<WorkerEvents[N]>((resolve) => {
      const off = events.on(name, (event) => {
        off()
        resolve(event)
      })
    })
  const ready = Promise.all([next('operator:active'), gatewayUrl ? next('session:open') : undefined])
  await assembled.worker.start()
  await ready
  const executionKey = privateKeyToAddress(held.executionKey)
  return { ...assembled, keys: held, operator: held.operator, executionKey, sandbox, next, names, stop }
}

async function chainSeconds(): Promise<number> {
  return Number((await network.client.getBlock()).timestamp)
}

async function nextOffer(changes: Parameters<typeof offerOf>[0] = {}): Promise<JobOffer> {
  const { domain, requester: signer, owner: funder, functionId } = network
  sequence += 1n
  const issuedAt = Math.floor(Date.now() / 1_000)
  return offerOf({ domain, signer, funder, functionId, sequence, issuedAt, ...changes })
}

async function post({ ticket, requestId }: JobOffer, calldata: Hex): Promise<void> {
  const signature = await network.requester.sign(requestId)
  const args = [ticket, signature, calldata]
  const call = { abi: confirmedLaneAbi, functionName: 'post', args }
  await network.send(network.keys.requester, network.suite.confirmedLane, call)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It did not come to be.')
    await sleep(50)
  }
}

type Attested = Extract<WorkerMessage, { type: 'attested' }>
const earningsOf = async (operator: `0x${string}`) => (await readOperator(network, operator)).earnings
const publicInput = concatHex([salt, bytesToHex(input)])

describe('a quorum of the attested lane', () => {
  it('is committed, opened against one signed set, and settled for all of its workers', async () => {
    const gateway = await startGateway(network)
    cleanups.push(gateway.close)
    const workers = [await startWorker(gateway.url), await startWorker(gateway.url), await startWorker(gateway.url)]
    const offer = await nextOffer({ quorum: 3, deadline: Math.floor(Date.now() / 1_000) + 20 })
    const settled = workers.map(({ next }) => next('job:settled'))
    gateway.offer(offer)
    const opened = () => gateway.received.filter((message): message is Attested => message.type === 'attested')
    await until(() => opened().length === 3)
    // Nothing was opened before everything was committed.
    const order = gateway.received.map(({ type }) => type).filter((type) => type !== 'hello' && type !== 'capacity')
    expect(order).toEqual(['committed', 'committed', 'committed', 'attested', 'attested', 'attested'])
    const set = gateway.commitments.get(offer.requestId) ?? []
    const attestations = opened().map(({ attestation, signature, commitmentSalt }) => {
      const worker = workers.find(({ executionKey }) =>
        set.includes(commitment(offer.requestId, executionKey, attestation.resultSeal, commitmentSalt ?? '0x')),
      )
      if (!worker) throw new Error('An opening without its commitment.')
      return { attestation, signature, executionKey: worker.executionKey, commitmentSalt: commitmentSalt ?? '0x' }
    })
    const commitSet = await gateway.openSet(offer.requestId, set)
    const { ticket, signature: ticketSignature } = offer
    const { batch } = planSettlement(network.domain, [{ ticket, ticketSignature, attestations, commitSet }])
    await network.client.increaseTime({ seconds: ticket.deadline + 70 - (await chainSeconds()) })
    const receipt = await network.send(network.keys.requester, network.coordinator, {
      abi: executionCoordinatorAbi,
      functionName: 'settle',
      args: [encodeSettlement(batch)],
    })
    const earned = await Promise.all(workers.map(({ operator }) => earningsOf(operator)))
    expect(earned.reduce((sum, amount) => sum + amount, 0n)).toBe(reward)
    expect(earned.every((amount) => amount > 0n)).toBe(true)
    gateway.send({ type: 'settled', transaction: receipt.transactionHash, requestIds: [offer.requestId] })
    await Promise.race(settled)
  })

  it('commits the same again after a restart, and opens nothing against a second set but reports it', async () => {
    const gateway = await startGateway(network, { closesSets: false })
    cleanups.push(gateway.close)
    const first = await startWorker(gateway.url)
    const offer = await nextOffer({ quorum: 2 })
    gateway.offer(offer)
    const before = await gateway.next('committed')
    await first.stop()
    const second = await startWorker(gateway.url, first.keys)
    gateway.offer(offer)
    expect(await gateway.next('committed')).toEqual(before)
    expect(second.sandbox.jobs.length).toBe(0)

    const other: Hex = `0x${'0d'.repeat(32)}`
    const attested = gateway.next('attested')
    await gateway.openSet(offer.requestId, [before.commitment, other])
    await attested
    const declined = gateway.next('declined')
    const reported = second.next('sets:reported')
    await gateway.openSet(offer.requestId, [other, before.commitment])
    expect((await declined).reason).toBe('commit-set-invalid')
    await reported
    const { amount } = await network.client.readContract({
      address: network.coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'requesterBond',
      args: [network.requester.address],
    })
    expect(amount).toBe(0n)
    await bondRequester(network)
    // Of an unbonded requester no quorum would be run; of this one again.
    gateway.offer(await nextOffer({ quorum: 2 }))
    await gateway.next('committed')
  })
})

describe('the confirmed lane', () => {
  it('goes on without a gateway that closes no set, and the gateway gets the result all the same', async () => {
    const gateway = await startGateway(network, { closesSets: false })
    cleanups.push(gateway.close)
    const worker = await startWorker(gateway.url)
    const offer = await nextOffer({ lane, issuedAt: await chainSeconds(), deadline: (await chainSeconds()) + 120 })
    const settled = worker.next('job:settled')
    const attested = gateway.next('attested')
    await post(offer, publicInput)
    expect((await settled).requestIds).toEqual([offer.requestId])
    expect(worker.names).toContain('lane:committed')
    expect((await attested).commitmentSalt).toBeDefined()
    expect(await earningsOf(worker.operator)).toBe(reward)
  })

  it('brings a quorum to agreement on chain and finalises it after the conflict window', async () => {
    const workers = [await startWorker(undefined), await startWorker(undefined)]
    const issuedAt = await chainSeconds()
    const offer = await nextOffer({ lane, quorum: 2, issuedAt, deadline: issuedAt + 120 })
    const settled = workers.map(({ next }) => next('job:settled'))
    await post(offer, publicInput)
    const posted = async () =>
      network.client.readContract({
        address: network.suite.confirmedLane,
        abi: confirmedLaneAbi,
        functionName: 'getPosted',
        args: [offer.requestId],
      })
    await until(async () => (await posted()).status === 2)
    expect(await Promise.all(workers.map(({ operator }) => earningsOf(operator)))).toEqual([0n, 0n])
    await network.client.increaseTime({ seconds: offer.ticket.deadline + 70 - (await chainSeconds()) })
    await Promise.race(settled)
    const earned = await Promise.all(workers.map(({ operator }) => earningsOf(operator)))
    // Speed is rewarded: two parts for the first to commit, one for the second.
    expect(earned.reduce((sum, amount) => sum + amount, 0n)).toBe(reward)
    expect([...earned].sort((a, b) => Number(b - a))[0]).toBeGreaterThan(reward / 2n)
  })
})
