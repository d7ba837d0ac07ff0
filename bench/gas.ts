import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChain } from '@peerhost/devnet'
import {
  type ExecutedRequest,
  epochAt,
  executionCoordinatorAbi,
  hashAttestation,
  hashBatchRoll,
  LIMITS,
  laneNumber,
  planSettlement,
  requestId,
  rollsOf,
  type SettlementBatch,
  seatNumber,
  type Ticket,
  withRolls,
} from '@peerhost/protocol'
import { type Address, bytesToHex, encodeFunctionData, getAddress, type Hex, keccak256, stringToHex } from 'viem'
import { type BenchWorker, createGasNetwork, type GasNetwork } from './gasNetwork.ts'
import { median } from './median.ts'

/** What one request asks and answers, the same text for the stand-in and for the confirmed lane. */
const functionName = 'weather/forecast'
const input = '{"method":"GET","path":"/","query":[["city","Lisbon"]],"headers":[],"body":{"utf8":""}}'
const result = '{"city":"Lisbon","celsius":21,"sky":"clear"}'
const runs = 3
const batchSize = 50
const functions = 5

/** Gas per request, from receipts of a real chain; medians of three fresh chains. Keys: bench/README.md. */
export async function run(): Promise<Record<string, number>> {
  const measured: Record<string, number>[] = []
  for (let index = 0; index < runs; index += 1) measured.push(await measureOnce())
  const keys = Object.keys(measured[0] ?? {})
  const medians = Object.fromEntries(keys.map((key) => [key, Math.round(median(measured.map((one) => one[key] ?? 0)))]))
  printTable(medians)
  return medians
}

async function measureOnce(): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-gas-'))
  const chain = await startChain({ directory })
  try {
    const network = await createGasNetwork(chain.rpcUrl, 8, 2)
    const next = createExecutions(network)
    const one = { workers: network.workers.slice(0, 1), owners: network.owners.slice(0, 1) }
    const original = await measureOriginal(network)
    const batch1First = await settle(network, await next(1, one), false)
    const batch1 = await settle(network, await next(1, one), false)
    await settle(network, await next(batchSize, network), true)
    const mix50 = await settle(network, await next(batchSize, network), true)
    const workerOnlySettle50 = await settle(network, await next(batchSize, network), false)
    const mix1worker50 = await settle(network, await next(batchSize, { ...network, workers: one.workers }), true)
    await confirm(network, (await next(1, one, 'confirmed'))[0])
    const confirmed1 = await confirm(network, (await next(1, one, 'confirmed'))[0])
    return { original, batch1, batch1First, mix50, mix1worker50, confirmed1, workerOnlySettle50 }
  } finally {
    await chain.process.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The second request of the stand-in: its counter is warm, as it would be in use. */
async function measureOriginal({ original: { address, abi }, send, anyone }: GasNetwork): Promise<number> {
  let gas = 0
  for (const id of [1n, 2n]) {
    const trigger = encodeFunctionData({ abi, functionName: 'trigger', args: [functionName, input] })
    const submit = encodeFunctionData({ abi, functionName: 'submit', args: [id, result] })
    gas = (await send(anyone, address, trigger)).gas + (await send(anyone, address, submit)).gas
  }
  return gas
}

type Actors = { workers: BenchWorker[]; owners: Address[] }

/** Makes signed requests of random content, spread over functions, owners and workers; sequences go on. */
function createExecutions(network: GasNetwork) {
  let sequence = 0n
  return async (count: number, actors: Actors, lane: 'attested' | 'confirmed' = 'attested') => {
    const issuedAt = await network.nowSeconds()
    return Promise.all(
      Array.from({ length: count }, (_, index) => {
        const owner = at(actors.owners, (index % functions) % actors.owners.length)
        const ticket = randomTicket(network, owner, index % functions, issuedAt, sequence++, laneNumber(lane))
        return execute(network, ticket, at(actors.workers, index % actors.workers.length))
      }),
    )
  }
}

function randomTicket(
  network: GasNetwork,
  owner: Address,
  functionIndex: number,
  issuedAt: number,
  sequence: bigint,
  lane: number,
): Ticket {
  return {
    protocolVersion: 1,
    functionId: keccak256(stringToHex(`function ${functionIndex}`)),
    functionVersion: 1,
    envVersion: 0,
    runtimeDigest: keccak256(stringToHex('runtime')),
    inputSeal: randomHex(32),
    requester: network.requester.address,
    epoch: epochAt(issuedAt, LIMITS.epochSeconds),
    sequence,
    quorum: 1,
    lane,
    fee: 100n,
    issuedAt,
    deadline: issuedAt + 60,
    payer: getAddress(randomHex(20)),
    payee: owner,
    price: 1_000n,
    quoteId: randomHex(32),
    funder: owner,
  }
}

async function execute(network: GasNetwork, ticket: Ticket, worker: BenchWorker): Promise<ExecutedRequest> {
  const id = requestId(network.domain, ticket)
  const attestation = {
    protocolVersion: 1,
    requestId: id,
    resultSeal: randomHex(32),
    outcome: 1,
    status: 200,
    seat: seatNumber('all-seated'),
  }
  return {
    ticket,
    ticketSignature: await network.requester.sign(id),
    attestation,
    attestationSignature: await worker.key.sign(hashAttestation(network.domain, attestation)),
    executionKey: worker.key.address,
  }
}

/** Settles in one transaction, with rolls or with single signatures; gas per request. */
async function settle(network: GasNetwork, requests: ExecutedRequest[], isRolled: boolean): Promise<number> {
  const plan = planSettlement(network.domain, requests)
  const batch = isRolled ? await rolledBatch(network, plan) : plan.batch
  const data = encodeFunctionData({ abi: executionCoordinatorAbi, functionName: 'settle', args: [batch] })
  return (await network.send(network.anyone, network.domain.coordinator, data)).gas / requests.length
}

async function rolledBatch(network: GasNetwork, plan: ReturnType<typeof planSettlement>): Promise<SettlementBatch> {
  const rolls = rollsOf(network.domain, plan)
  const digestOf = ({ count, root }: { count: number; root: Hex }) =>
    hashBatchRoll(network.domain, { protocolVersion: 1, count, root })
  const signed = await Promise.all(
    rolls.workers.map(async (roll) => {
      const worker = network.workers.find(({ key }) => key.address === roll.executionKey)
      if (!worker) throw new Error('a roll without its worker')
      return [roll.executionKey, await worker.key.sign(digestOf(roll))] as const
    }),
  )
  const requester = await network.requester.sign(digestOf(rolls.requester))
  return withRolls(plan, { requester, workers: new Map(signed) }).batch
}

/** Posts a ticket and submits its result, both with their bytes on chain; gas of both. */
async function confirm(network: GasNetwork, request: ExecutedRequest | undefined): Promise<number> {
  const worker = network.workers.find(({ key }) => key.address === request?.executionKey)
  if (!request || !worker) throw new Error('nothing to confirm')
  const { ticket, ticketSignature, attestation, attestationSignature } = request
  const post = encodeFunctionData({
    abi: executionCoordinatorAbi,
    functionName: 'post',
    args: [ticket, ticketSignature, `${randomHex(32)}${stringToHex(input).slice(2)}`],
  })
  const submit = encodeFunctionData({
    abi: executionCoordinatorAbi,
    functionName: 'submit',
    args: [ticket, attestation, attestationSignature, stringToHex(result)],
  })
  const { coordinator } = network.domain
  const posted = await network.send(network.anyone, coordinator, post)
  const submitted = await network.send(worker.operator, coordinator, submit)
  return posted.gas + submitted.gas
}

function printTable(medians: Record<string, number>): void {
  const original = medians.original ?? 0
  console.error('\ngas per request'.padEnd(28), 'gas'.padStart(9), '  original ÷ it')
  for (const [key, gas] of Object.entries(medians)) {
    console.error(key.padEnd(27), String(gas).padStart(9), `  ${(original / gas).toFixed(1)}`)
  }
}

function randomHex(length: number): Hex {
  return bytesToHex(randomBytes(length))
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index]
  if (value === undefined) throw new RangeError(`no entry ${index}`)
  return value
}
