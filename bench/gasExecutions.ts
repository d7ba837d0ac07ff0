import { randomBytes } from 'node:crypto'
import {
  commitment,
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  type ExecutedRequest,
  encodeSettlement,
  epochAt,
  executionCoordinatorAbi,
  hashAttestation,
  hashBatchRoll,
  hashCommitSet,
  lot,
  type PlannedSettlement,
  planSettlement,
  requestId,
  rollsOf,
  seatNumber,
  seatSubject,
  settledRequests,
  type Ticket,
  wins,
  withRolls,
} from '@peerhost/protocol'
import { type Account, bytesToHex, encodeFunctionData, getAddress, type Hex, keccak256, stringToHex } from 'viem'
import type { BenchWorker, GasNetwork } from './gasNetwork.ts'

/** Who takes part in a batch, and what is asked of each request. */
export type Mix = {
  workers: readonly BenchWorker[]
  owners: readonly Account[]
  quorum?: number
  /** Part of each ticket that is otherwise random. */
  terms?: Partial<Ticket>
}

const functions = 5
const roundRobin = <T>(list: readonly T[], index: number): T => {
  const value = list[index % list.length]
  if (value === undefined) throw new RangeError('an empty list has no entries')
  return value
}

/** Makes signed requests of random content, spread over functions, owners and seated workers; sequences go on. */
export function createExecutions(network: GasNetwork, firstSequence = 0n) {
  let sequence = firstSequence
  return async (count: number, mix: Mix): Promise<ExecutedRequest[]> => {
    const issuedAt = await network.nowSeconds()
    const executed: ExecutedRequest[] = []
    while (executed.length < count) {
      const ticket = randomTicket(network, mix, { index: executed.length, issuedAt, sequence: sequence++ })
      const seated = seatsOf(network, ticket, mix.workers)
      // A number that gives too few of the mix a seat goes to somebody else's request.
      if (seated.length >= ticket.quorum) executed.push(await execute(network, ticket, seated, executed.length))
    }
    return executed
  }
}

/** Gas of a whole settlement transaction per request. */
export async function settle(network: GasNetwork, requests: ExecutedRequest[], isRolled: boolean): Promise<number> {
  const plan = planSettlement(network.domain, requests)
  const { batch } = isRolled ? await signRolls(network, plan) : plan
  const args = [encodeSettlement(batch)] as const
  const data = encodeFunctionData({ abi: executionCoordinatorAbi, functionName: 'settle', args })
  const { gas, logs } = await network.send(network.anyone, network.domain.coordinator, data)
  const expected = requests.reduce((sum, { ticket }) => sum + ticket.quorum, 0)
  const paid = settledRequests(logs, network.domain.coordinator).flatMap(({ rewards }) => rewards)
  if (paid.length !== expected) throw new Error(`of ${expected} results ${paid.length} were paid`)
  return gas / requests.length
}

/** The workers of the mix that may answer this ticket. */
export function seatsOf({ epoch }: GasNetwork, ticket: Ticket, workers: readonly BenchWorker[]): BenchWorker[] {
  const size = DEFAULT_PARAMETERS.committeeSize
  if (epoch.operatorCount <= size) return [...workers]
  const stake = DEFAULT_PARAMETERS.minimumStake
  return workers.filter(({ operator }) => {
    const drawn = lot(epoch.seed, seatSubject(ticket), operator.address)
    return wins(drawn, { stake, totalStake: epoch.totalStake, size })
  })
}

/** How a seated worker of this network came to its seat. */
export function seatOf({ epoch }: GasNetwork): number {
  return seatNumber(epoch.operatorCount <= DEFAULT_PARAMETERS.committeeSize ? 'all-seated' : 'drawn')
}

function randomTicket(
  network: GasNetwork,
  { owners, quorum = 1, terms }: Mix,
  { index, issuedAt, sequence }: { index: number; issuedAt: number; sequence: bigint },
): Ticket {
  const functionIndex = owners.length > functions ? index % owners.length : index % functions
  const owner = roundRobin(owners, functionIndex).address
  return {
    protocolVersion: 1,
    functionId: keccak256(stringToHex(`function ${functionIndex}`)),
    functionVersion: 1,
    envVersion: 0,
    runtimeDigest: keccak256(stringToHex('runtime')),
    inputSeal: randomHex(32),
    requester: network.requester.address,
    epoch: epochAt(issuedAt, DEFAULT_TIMES.epochSeconds),
    sequence,
    quorum,
    lane: 1,
    fee: 100n,
    issuedAt,
    deadline: issuedAt + 60,
    payer: getAddress(randomHex(20)),
    payee: owner,
    price: 1_000n,
    quoteId: randomHex(32),
    funder: owner,
    ...terms,
  }
}

async function execute(network: GasNetwork, ticket: Ticket, seated: BenchWorker[], index: number) {
  const id = requestId(network.domain, ticket)
  const seat = seatOf(network)
  const attestation = { protocolVersion: 1, requestId: id, resultSeal: randomHex(32), outcome: 1, status: 200, seat }
  const digest = hashAttestation(network.domain, attestation)
  const workers = Array.from({ length: ticket.quorum }, (_, place) => roundRobin(seated, index + place))
  const salted = workers.map((worker) => ({ worker, salt: randomHex(32) }))
  const attestations = await Promise.all(
    salted.map(async ({ worker: { key }, salt }) => ({
      attestation,
      signature: await key.sign(digest),
      executionKey: key.address,
      ...(ticket.quorum > 1 && { commitmentSalt: salt }),
    })),
  )
  const request: ExecutedRequest = { ticket, ticketSignature: await network.requester.sign(id), attestations }
  if (ticket.quorum === 1) return request
  const commitments = salted.map(({ worker, salt }) => commitment(id, worker.key.address, attestation.resultSeal, salt))
  return { ...request, commitSet: { commitments, signature: await signSet(network, id, commitments) } }
}

/** The requester's signature over the ordered commitments of a request. */
export function signSet({ domain, requester }: GasNetwork, id: Hex, commitments: Hex[]): Promise<Hex> {
  return requester.sign(hashCommitSet(domain, { protocolVersion: 1, requestId: id, commitments }))
}

async function signRolls(network: GasNetwork, plan: PlannedSettlement): Promise<PlannedSettlement> {
  const rolls = rollsOf(network.domain, plan)
  const digest = (roll: { count: number; root: Hex }) =>
    hashBatchRoll(network.domain, { protocolVersion: 1, count: roll.count, root: roll.root })
  const signed = await Promise.all(
    rolls.workers.map(async (roll) => {
      const worker = network.workers.find(({ key }) => key.address === roll.executionKey)
      if (!worker) throw new Error(`no worker ${roll.executionKey}`)
      return [roll.executionKey, await worker.key.sign(digest(roll))] as const
    }),
  )
  return withRolls(plan, { requester: await network.requester.sign(digest(rolls.requester)), workers: new Map(signed) })
}

export function randomHex(length: number): Hex {
  return bytesToHex(randomBytes(length))
}
