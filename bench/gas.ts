import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deployContracts, devnetAccounts, startChain } from '@peerhost/devnet'
import {
  commitment,
  confirmedLaneAbi,
  hashAttestation,
  hashResult,
  requestId,
  seal,
  type Ticket,
  zeroBytes32,
} from '@peerhost/protocol'
import { encodeFunctionData, type Hex, keccak256, stringToBytes, stringToHex } from 'viem'
import { measureChallenge, measureEscrow } from './gasDisputes.ts'
import { createExecutions, type Mix, randomHex, seatOf, settle, signSet } from './gasExecutions.ts'
import { type BenchChain, createBenchChain, createGasNetwork, type GasNetwork } from './gasNetwork.ts'
import { measureOriginal } from './gasOriginal.ts'
import { median } from './median.ts'

/** What one request asks and answers, the same text for the stand-in and for the confirmed lane. */
const functionName = 'weather/forecast'
const input = '{"method":"GET","path":"/","query":[["city","Lisbon"]],"headers":[],"body":{"utf8":""}}'
const result = '{"city":"Lisbon","celsius":21,"sky":"clear"}'
const runs = 3
const batchSize = 50
const conflictWindowOver = 200
const keys = [
  'original',
  'mix50',
  'mix50_10owners16workers',
  'mix50_50owners50workers',
  'batch1',
  'confirmed1',
  'quorum3mix50',
  'escrowOpen',
  'escrowRelease',
  'workerOnlySettle50',
  'challenge',
]

/** Gas per request, from receipts of a real chain; medians of three fresh chains. Keys: bench/README.md. */
export async function run(): Promise<Record<string, number>> {
  const measured: Record<string, number>[] = []
  for (let index = 0; index < runs; index += 1) measured.push(await measureOnce())
  const medians = Object.fromEntries(keys.map((key) => [key, Math.round(median(measured.map((one) => one[key] ?? 0)))]))
  printTable(medians)
  return medians
}

async function measureOnce(): Promise<Record<string, number>> {
  const original = await onChain((chain) => measureOriginal(chain, { functionName, input, result }))
  const small = await onNetwork({ workers: 8, owners: 2 }, measureMix)
  const disputed = await onNetwork({ workers: 8, owners: 2 }, async (network) => ({
    ...(await measureEscrow(network)),
    challenge: await measureChallenge(network, input),
  }))
  const medium = await onNetwork({ workers: 16, owners: 10 }, (network) => measureBatch(network, network))
  const large = await onNetwork({ workers: 50, owners: 50 }, (network) => measureBatch(network, network))
  return { original, ...small, ...disputed, mix50_10owners16workers: medium, mix50_50owners50workers: large }
}

async function measureMix(network: GasNetwork): Promise<Record<string, number>> {
  const next = createExecutions(network)
  const one = { workers: network.workers, owners: network.owners.slice(0, 1) }
  await settle(network, await next(1, one), false)
  const batch1 = await settle(network, await next(1, one), false)
  await settle(network, await next(batchSize, network), true)
  const mix50 = await settle(network, await next(batchSize, network), true)
  const workerOnlySettle50 = await settle(network, await next(batchSize, network), false)
  await confirm(network, next, one)
  const confirmed1 = await confirm(network, next, one)
  const agreed = await next(batchSize, { ...network, quorum: 3 })
  await network.pass(conflictWindowOver)
  const quorum3mix50 = await settle(network, agreed, true)
  return { mix50, batch1, confirmed1, quorum3mix50, workerOnlySettle50 }
}

/** The second batch of a mix, whose slots are warm. */
async function measureBatch(network: GasNetwork, mix: Mix): Promise<number> {
  const next = createExecutions(network)
  await settle(network, await next(batchSize, mix), true)
  return settle(network, await next(batchSize, mix), true)
}

/**
 * The requester posts its ticket and the worker submits the result against a set of one commitment, both with their bytes on
 * chain; gas of both.
 */
async function confirm(network: GasNetwork, next: ReturnType<typeof createExecutions>, mix: Mix): Promise<number> {
  const inputSalt = randomHex(32)
  const inputSeal = seal(keccak256(stringToHex(input)), inputSalt)
  const unpriced = { payer: zeroAddress, payee: zeroAddress, price: 0n, quoteId: zeroBytes32 } as const
  const terms: Partial<Ticket> = { lane: 2, inputSeal, ...unpriced }
  const [request] = await next(1, { ...mix, terms })
  const [attested] = request?.attestations ?? []
  const worker = network.workers.find(({ key }) => key.address === attested?.executionKey)
  if (!request || !worker) throw new Error('nothing to confirm')
  const { ticket } = request
  const id = requestId(network.domain, ticket)
  const resultSeal = seal(hashResult(stringToBytes(result)), inputSalt)
  const seat = seatOf(network)
  const attestation = { protocolVersion: 1, requestId: id, resultSeal, outcome: 1, status: 200, seat }
  const signature = await worker.key.sign(hashAttestation(network.domain, attestation))
  const salt = randomHex(32)
  const commitments = [commitment(id, worker.key.address, resultSeal, salt)]
  const set = await signSet(network, id, commitments)
  const bytes: Hex = `${inputSalt}${stringToHex(input).slice(2)}`
  const post = encodeFunctionData({
    abi: confirmedLaneAbi,
    functionName: 'post',
    args: [ticket, '0x', bytes],
  })
  const submit = encodeFunctionData({
    abi: confirmedLaneAbi,
    functionName: 'submit',
    args: [ticket, attestation, signature, salt, commitments, set, inputSalt, stringToHex(result)],
  })
  const { confirmedLane } = network.addresses
  const posted = await network.send(network.requesterAccount, confirmedLane, post)
  const submitted = await network.send(worker.operator, confirmedLane, submit)
  return posted.gas + submitted.gas
}

const zeroAddress = '0x0000000000000000000000000000000000000000'

async function onNetwork<T>(
  actors: { workers: number; owners: number },
  measure: (network: GasNetwork) => Promise<T>,
): Promise<T> {
  return onChain(async (chain, rpcUrl) => {
    const addresses = await deployContracts(rpcUrl, devnetAccounts(0))
    return measure(await createGasNetwork(chain, addresses, actors))
  })
}

async function onChain<T>(measure: (chain: BenchChain, rpcUrl: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-gas-'))
  const { process, rpcUrl } = await startChain({ directory })
  try {
    return await measure(createBenchChain(rpcUrl), rpcUrl)
  } finally {
    await process.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function printTable(medians: Record<string, number>): void {
  const original = medians.original ?? 0
  console.error('\ngas per request'.padEnd(28), 'gas'.padStart(9), '  original ÷ it')
  for (const [key, gas] of Object.entries(medians)) {
    console.error(key.padEnd(27), String(gas).padStart(9), `  ${(original / gas).toFixed(1)}`)
  }
}
