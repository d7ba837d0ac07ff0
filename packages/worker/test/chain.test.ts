import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  confirmedLaneAbi,
  createDigestSigner,
  encodeSettlement,
  executionCoordinatorAbi,
  hashAttestation,
  hashBatchRoll,
  laneNumber,
  PROTOCOL_VERSION,
  planSettlement,
  pureSigning,
  rollRoot,
  type WorkerMessage,
  withRolls,
} from '@peerhost/protocol'
import { createDiskStore } from '@peerhost/storage'
import { bytesToHex, concatHex, type Hex, parseEventLogs } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JobOffer } from '../src/acceptJob.ts'
import { type AssembledWorker, assembleWorker } from '../src/assembleWorker.ts'
import { createChainClient } from '../src/chain/chainClient.ts'
import { createSender } from '../src/chain/sender.ts'
import { readConfig } from '../src/config.ts'
import { createWorkerEvents, type WorkerEvents } from '../src/events.ts'
import {
  drainOperator,
  readOperator,
  registerOperator,
  resumeOperator,
  rotateExecutionKey,
  setCapacity,
  unbondOperator,
  withdrawEarnings,
  withdrawStake,
} from '../src/operator.ts'
import { startGateway } from './fixture/gateway.ts'
import {
  minimumStake,
  type Network,
  newOperatorKeys,
  startCuttableWire,
  startNetwork,
  token,
} from './fixture/network.ts'
import {
  createFakeSandbox,
  type FakeSandbox,
  input,
  offerOf,
  runtimeDigest,
  salt,
  smallFee,
} from './fixture/tickets.ts'

const bundle = new TextEncoder().encode('module.exports = { default: () => new Response("hello") }')
const bundleDigest: Hex = `0x${createHash('sha256').update(bundle).digest('hex')}`
/** What is left of a fee after the protocol's 5 %. */
const reward = smallFee - (smallFee * 500n) / 10_000n

let network: Network
let directory: string
const cleanups: (() => unknown)[] = []
let sequence = 0n

beforeAll(async () => {
  network = await startNetwork({ runtimeDigest, bundleDigest })
})
afterAll(() => network?.stop())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-worker-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await rm(directory, { recursive: true, force: true })
})

const nowSeconds = () => Math.floor(Date.now() / 1_000)

function nextOffer(changes: Parameters<typeof offerOf>[0] = {}): Promise<JobOffer> {
  const { domain, requester: signer, owner: funder, functionId } = network
  sequence += 1n
  return offerOf({ domain, signer, funder, functionId, sequence, issuedAt: nowSeconds(), ...changes })
}

/** Puts a ticket on chain, with its input in calldata or without. */
async function post({ ticket, requestId }: JobOffer, calldata: Hex): Promise<void> {
  const signature = await network.requester.sign(requestId)
  await network.send(network.keys.requester, network.suite.confirmedLane, {
    abi: confirmedLaneAbi,
    functionName: 'post',
    args: [ticket, signature, calldata],
  })
}

const publicInput = concatHex([salt, bytesToHex(input)])

type Started = AssembledWorker & {
  events: ReturnType<typeof createWorkerEvents>
  sandbox: FakeSandbox
  stop: () => Promise<void>
}

async function startWorker(
  keys: { operatorKey?: Hex; executionKey: Hex },
  settings: Record<string, string> = {},
  sandbox = createFakeSandbox(),
): Promise<Started> {
  const events = createWorkerEvents()
  const config = readConfig({
    PEERHOST_RPC_URL: network.webSocketUrl,
    PEERHOST_CHAIN_ID: String(network.domain.chainId),
    PEERHOST_COORDINATOR: network.coordinator,
    PEERHOST_REGISTRY: network.registry,
    PEERHOST_TOKEN: token,
    PEERHOST_OPERATOR_KEY: keys.operatorKey ?? '',
    PEERHOST_EXECUTION_KEY: keys.executionKey,
    PEERHOST_DATA_DIR: directory,
    ...settings,
  })
  await createDiskStore({ directory: join(directory, 'blocks') }).put(bundle)
  const assembled = await assembleWorker(config, {
    sandbox,
    events,
    times: { sweepEveryMs: 100, operatorCheckEveryMs: 200, drainPayMs: 500, watch: { scanEveryMs: 200 } },
  })
  const stop = async () => {
    await assembled.worker.stop()
    await assembled.close()
  }
  cleanups.push(stop)
  return { ...assembled, events, sandbox, stop }
}

function next<N extends keyof WorkerEvents>(
  { events }: Pick<Started, 'events'>,
  name: N,
  matches: (event: WorkerEvents[N]) => boolean = () => true,
): Promise<WorkerEvents[N]> {
  return new Promise((resolve) => {
    const off = events.on(name, (event) => {
      if (!matches(event)) return
      off()
      resolve(event)
    })
  })
}

const seated = (worker: Pick<Started, 'events'>) => next(worker, 'operator:active', ({ active }) => active)

async function earningsOf(operator: `0x${string}`): Promise<bigint> {
  return (await readOperator(network, operator)).earnings
}

async function startServed(settings: Record<string, string> = {}, sandbox = createFakeSandbox()) {
  const gateway = await startGateway(network)
  cleanups.push(gateway.close)
  const keys = await newOperatorKeys(network)
  const started = await startWorker(keys, { PEERHOST_GATEWAYS: gateway.url, ...settings }, sandbox)
  const ready = Promise.all([seated(started), next(started, 'session:open')])
  await started.worker.start()
  await ready
  return { ...started, gateway, keys }
}

describe('operator', () => {
  it('registers, rotates its key, drains, comes back, and leaves', async () => {
    const keys = await newOperatorKeys(network)
    const chain = createChainClient({
      rpcUrls: [network.webSocketUrl],
      chainId: network.domain.chainId,
      pollingIntervalMs: 50,
    })
    cleanups.push(chain.close)
    const sender = createSender(chain, keys.operatorKey)
    const deps = { client: chain.client, domain: network.domain, sender }
    const executionKey = createDigestSigner(keys.executionKey)
    const parameters = { executionKey, stake: minimumStake, isolated: true }

    expect((await readOperator(deps, keys.operator)).status).toBe('none')
    await expect(registerOperator(deps, { ...parameters, isolated: false })).rejects.toMatchObject({
      code: 'not_isolated',
    })
    const below = registerOperator(deps, { ...parameters, stake: minimumStake - 1n })
    await expect(below).rejects.toMatchObject({ code: 'insufficient_funds' })
    const above = registerOperator(deps, { ...parameters, stake: minimumStake + 1n })
    await expect(above).rejects.toMatchObject({ code: 'insufficient_funds' })
    const registered = await registerOperator(deps, parameters)
    expect(registered.view).toMatchObject({ status: 'active', stake: minimumStake, executionKey: executionKey.address })
    expect((await registerOperator(deps, parameters)).transaction).toBeUndefined()

    const other = createDigestSigner(await network.newKey())
    await expect(registerOperator(deps, { ...parameters, executionKey: other })).rejects.toMatchObject({
      code: 'conflict',
    })
    await setCapacity(deps, 7)
    expect((await readOperator(deps, keys.operator)).capacity).toBe(7)
    await rotateExecutionKey(deps, other)
    expect((await readOperator(deps, keys.operator)).executionKey).toBe(other.address)
    await drainOperator(deps)
    expect((await readOperator(deps, keys.operator)).status).toBe('draining')
    await resumeOperator(deps)
    const { withdrawableAt } = await unbondOperator(deps)
    expect((await readOperator(deps, keys.operator)).withdrawableAt).toBe(withdrawableAt)
    expect(withdrawableAt).toBeGreaterThan(nowSeconds())
    await expect(withdrawStake(deps)).rejects.toMatchObject({
      code: 'transaction_failed',
      details: ['TooEarly', expect.anything()],
    })
    expect(await withdrawEarnings(deps)).toEqual({ amount: 0n })
  })

  it('needs no operator’s key once its execution key is registered, and says so when it is not', async () => {
    const keys = await newOperatorKeys(network)
    await expect(startWorker({ executionKey: keys.executionKey })).rejects.toMatchObject({
      code: 'worker_not_registered',
    })
    const first = await startWorker(keys)
    await first.stop()
    const second = await startWorker({ executionKey: keys.executionKey })
    expect(second.operator).toBe(keys.operator)
  })

  it('does not register with a sandbox that separates nothing', async () => {
    const keys = await newOperatorKeys(network)
    const open = { ...createFakeSandbox(), kind: 'process', isolated: false } as const
    await expect(startWorker(keys, {}, open)).rejects.toMatchObject({ code: 'not_isolated' })
    expect((await readOperator(network, keys.operator)).status).toBe('none')
  })
})

describe('attested lane', () => {
  it('runs what a gateway offers, signs it, and signs one roll for a settlement of it', async () => {
    const { gateway, sandbox, keys, events } = await startServed()
    const offers = [await nextOffer(), await nextOffer()]
    const attested: Extract<WorkerMessage, { type: 'attested' }>[] = []
    for (const offer of offers) {
      gateway.offer(offer)
      attested.push(await gateway.next('attested'))
    }
    const signer = privateKeyToAddress(keys.executionKey)
    for (const { attestation, signature } of attested)
      expect(await pureSigning.recover(hashAttestation(network.domain, attestation), signature)).toBe(signer)
    expect(sandbox.jobs.map(({ bundle: bytes }) => bytesToHex(bytes))).toEqual([bytesToHex(bundle), bytesToHex(bundle)])
    expect(sandbox.jobs[0]?.seed).not.toBe(sandbox.jobs[1]?.seed)

    const plan = planSettlement(
      network.domain,
      offers.map(({ ticket, signature }, at) => ({
        ticket,
        ticketSignature: signature,
        attestations: [
          { attestation: attested[at]!.attestation, signature: attested[at]!.signature, executionKey: signer },
        ],
      })),
    )
    gateway.send({ type: 'roll', batchId: '1', requestIds: plan.ids })
    const rolled = await gateway.next('rolled')
    const root = rollRoot(
      plan.order.flatMap(({ attestations }) =>
        attestations.map(({ attestation }) => hashAttestation(network.domain, attestation)),
      ),
    )
    const digest = hashBatchRoll(network.domain, { protocolVersion: PROTOCOL_VERSION, count: 2, root })
    expect(await pureSigning.recover(digest, rolled.signature)).toBe(signer)

    const { batch } = withRolls(plan, { workers: new Map([[signer, rolled.signature]]) })
    const receipt = await network.send(network.keys.requester, network.coordinator, {
      abi: executionCoordinatorAbi,
      functionName: 'settle',
      args: [encodeSettlement(batch)],
    })
    expect(await earningsOf(keys.operator)).toBe(2n * reward)
    const settled = next({ events }, 'job:settled')
    gateway.send({ type: 'settled', transaction: receipt.transactionHash, requestIds: plan.ids })
    expect((await settled).requestIds).toEqual(plan.ids)
  })

  it('signs no roll over what it did not attest', async () => {
    const { gateway } = await startServed()
    const offer = await nextOffer()
    gateway.offer(offer)
    await gateway.next('attested')
    for (const requestIds of [[`0x${'01'.repeat(32)}`], [offer.requestId, offer.requestId]] as Hex[][]) {
      gateway.send({ type: 'roll', batchId: 'x', requestIds })
      expect((await gateway.next('roll-refused')).batchId).toBe('x')
    }
  })

  it('answers the same request again from its journal, also after a restart, and runs it once', async () => {
    const first = await startServed()
    const offer = await nextOffer()
    first.gateway.offer(offer)
    const before = await first.gateway.next('attested')
    first.gateway.offer(offer)
    expect(await first.gateway.next('attested')).toEqual(before)
    expect(first.sandbox.jobs.length).toBe(1)
    await first.stop()

    const second = await startWorker(first.keys, { PEERHOST_GATEWAYS: first.gateway.url })
    const open = next(second, 'session:open')
    await second.worker.start()
    await open
    first.gateway.offer(offer)
    expect(await first.gateway.next('attested')).toEqual(before)
    expect(second.sandbox.jobs.length).toBe(0)
  })

  it('declines with the reason, and a second request with the same sequence number', async () => {
    const { gateway } = await startServed({ PEERHOST_MINIMUM_FEE: String(smallFee) })
    const declined = async (offer: JobOffer) => {
      gateway.offer(offer)
      return (await gateway.next('declined')).reason
    }
    expect(await declined(await nextOffer({ functionId: `0x${'99'.repeat(32)}` }))).toBe('function-unknown')
    expect(await declined(await nextOffer({ functionVersion: 2 }))).toBe('function-unknown')
    expect(await declined(await nextOffer({ fee: smallFee - 1n }))).toBe('fee-too-low')
    expect(await declined(await nextOffer({ funder: network.coordinator }))).toBe('credit-exhausted')
    expect(await declined(await nextOffer({ lane: laneNumber('confirmed') }))).toBe('ticket-invalid')
    expect(await declined(await nextOffer({ issuedAt: nowSeconds() - 40 }))).toBe('clock-skew')
    const good = await nextOffer()
    gateway.offer(good)
    await gateway.next('attested')
    expect(await declined(await nextOffer({ sequence: good.ticket.sequence, price: 1n }))).toBe('ticket-invalid')
  })

  it('runs no more than it can, ends what is cancelled, and drains', async () => {
    const gate = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    const bothRun = Promise.withResolvers<void>()
    let runs = 0
    const sandbox = createFakeSandbox({
      before: (_, signal) => {
        runs += 1
        if (runs === 2) bothRun.resolve()
        return Promise.race([
          gate.promise,
          new Promise<never>((__, reject) =>
            signal.addEventListener('abort', () => {
              aborted.resolve()
              reject(signal.reason)
            }),
          ),
        ])
      },
    })
    const started = await startServed({ PEERHOST_CAPACITY: '2' }, sandbox)
    const { gateway, worker } = started
    const [kept, dropped, third, late] = [await nextOffer(), await nextOffer(), await nextOffer(), await nextOffer()]
    gateway.offer(kept)
    gateway.offer(dropped)
    await bothRun.promise
    gateway.offer(third)
    expect(await gateway.next('declined')).toMatchObject({ requestId: third.requestId, reason: 'at-capacity' })
    gateway.send({ type: 'cancel', requestId: dropped.requestId })
    await aborted.promise

    const draining = worker.drain()
    expect((await gateway.next('capacity')).capacity).toBe(0)
    gateway.offer(late)
    expect(await gateway.next('declined')).toMatchObject({ requestId: late.requestId, reason: 'draining' })
    const last = gateway.next('attested')
    gate.resolve()
    expect((await last).requestId).toBe(kept.requestId)
    await draining
    expect(worker.state()).toBe('stopped')
  })

  it('settles by itself what no gateway settled, in one transaction, without any gateway', async () => {
    const started = await startServed({ PEERHOST_SETTLE_PATIENCE_SECONDS: '0' })
    const { gateway, keys } = started
    const offers = [await nextOffer({ deadline: nowSeconds() + 2 }), await nextOffer({ deadline: nowSeconds() + 2 })]
    const sent = next(started, 'settlement:sent')
    const settled = next(started, 'job:settled')
    for (const offer of offers) {
      gateway.offer(offer)
      await gateway.next('attested')
    }
    gateway.socket()?.terminate()
    expect(await sent).toMatchObject({ settled: 2, skipped: 0 })
    expect([...(await settled).requestIds].sort()).toEqual(offers.map(({ requestId }) => requestId).sort())
    expect(await earningsOf(keys.operator)).toBe(2n * reward)
    const chain = createChainClient({ rpcUrls: [network.rpcUrl], chainId: network.domain.chainId })
    const { amount } = await withdrawEarnings({
      ...network,
      client: chain.client,
      sender: createSender(chain, keys.operatorKey),
    })
    expect(amount).toBe(2n * reward)
    expect(await earningsOf(keys.operator)).toBe(0n)
  })

  it('brings what it is owed to the chain before it goes, however patient it is otherwise', async () => {
    const started = await startServed({ PEERHOST_SETTLE_PATIENCE_SECONDS: '3000' })
    const { gateway, keys, worker } = started
    gateway.offer(await nextOffer())
    await gateway.next('attested')
    expect(worker.owed()).toBe(1)
    const settled = next(started, 'job:settled')
    await worker.drain()
    expect((await settled).requestIds).toHaveLength(1)
    expect(worker.owed()).toBe(0)
    expect(await earningsOf(keys.operator)).toBe(reward)
  })

  it('settles by itself when a gateway only says that it settled', async () => {
    const started = await startServed({ PEERHOST_SETTLE_PATIENCE_SECONDS: '0' })
    const { gateway, keys } = started
    const offer = await nextOffer({ deadline: nowSeconds() + 2 })
    const settled = next(started, 'job:settled')
    gateway.offer(offer)
    await gateway.next('attested')
    const [{ hash }] = await latestTransaction()
    gateway.send({ type: 'settled', transaction: hash, requestIds: [offer.requestId] })
    expect((await settled).transaction).not.toBe(hash)
    expect(await earningsOf(keys.operator)).toBe(reward)
  })
})

async function latestTransaction(): Promise<[{ hash: Hex }]> {
  const { transactionHash } = await network.mint(network.owner, 1n)
  return [{ hash: transactionHash }]
}

async function outputsIn(hash: Hex): Promise<number> {
  const { logs } = await network.client.getTransactionReceipt({ hash })
  return parseEventLogs({ abi: confirmedLaneAbi, logs, eventName: 'ExecutionOutput' }).length
}

describe('confirmed lane', () => {
  const lane = laneNumber('confirmed')

  it('runs a request whose input stands on chain, with no gateway at all, and publishes the result', async () => {
    const keys = await newOperatorKeys(network)
    const started = await startWorker(keys)
    const ready = seated(started)
    await started.worker.start()
    await ready
    const offer = await nextOffer({ lane })
    const settled = next(started, 'job:settled')
    await post(offer, publicInput)
    const { transaction } = await settled
    expect(await earningsOf(keys.operator)).toBe(reward)
    expect(await outputsIn(transaction)).toBe(1)
    expect(started.sandbox.jobs.length).toBe(1)
  })

  it('asks the requester’s gateway for an input that does not stand on chain', async () => {
    const started = await startServed()
    const offer = await nextOffer({ lane })
    started.gateway.inputs.set(offer.requestId, offer.input)
    const attested = started.gateway.next('attested')
    const settled = next(started, 'job:settled')
    await post(offer, '0x')
    expect((await attested).requestId).toBe(offer.requestId)
    const { transaction } = await settled
    // The result stays between worker and gateway.
    expect(await outputsIn(transaction)).toBe(0)
  })

  it('lets one of two workers win, and the other one know', async () => {
    const [one, other] = [await startServed(), await startServed()]
    const offer = await nextOffer({ lane })
    const both = Promise.all([one, other].map((started) => next(started, 'job:attested')))
    const settled = Promise.race([one, other].map((started) => next(started, 'job:settled')))
    await post(offer, publicInput)
    await both
    await settled
    const earned = await Promise.all([one, other].map(({ keys }) => earningsOf(keys.operator)))
    expect(earned.reduce((sum, amount) => sum + amount, 0n)).toBe(reward)
  })

  it('finds what was asked while the chain could not be reached', async () => {
    const wire = await startCuttableWire(network.port)
    cleanups.push(wire.close)
    const keys = await newOperatorKeys(network)
    const started = await startWorker(keys, { PEERHOST_RPC_URL: wire.url })
    const ready = Promise.all([seated(started), next(started, 'chain:listening')])
    await started.worker.start()
    await ready

    const interrupted = next(started, 'chain:interrupted')
    wire.cut()
    await interrupted
    const missed = await nextOffer({ lane })
    await post(missed, publicInput)
    const settled = next(started, 'job:settled')
    const again = next(started, 'chain:listening')
    wire.mend()
    await again
    expect((await settled).requestIds).toEqual([missed.requestId])

    // And the subscription lives again.
    const live = await nextOffer({ lane })
    const liveSettled = next(started, 'job:settled')
    await post(live, publicInput)
    expect((await liveSettled).requestIds).toEqual([live.requestId])
    expect(started.sandbox.jobs.length).toBe(2)
  })

  it('finds after a restart what was asked while it was away, and runs nothing twice', async () => {
    const keys = await newOperatorKeys(network)
    const first = await startWorker(keys)
    const ready = seated(first)
    await first.worker.start()
    await ready
    const seen = await nextOffer({ lane })
    const settled = next(first, 'job:settled')
    await post(seen, publicInput)
    await settled
    await first.stop()
    const missed = await nextOffer({ lane })
    await post(missed, publicInput)

    const second = await startWorker(keys)
    const done = next(second, 'job:settled')
    await second.worker.start()
    expect((await done).requestIds).toEqual([missed.requestId])
    expect(second.sandbox.jobs.length).toBe(1)
  })
})
