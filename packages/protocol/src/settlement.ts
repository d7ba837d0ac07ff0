import type { Hex } from 'viem'
import { type Attestation, hashAttestation } from './attestation.ts'
import { rollRoot } from './batchRoll.ts'
import { commitment, hashCommitSet } from './commitment.ts'
import { type ProtocolDomain, zeroBytes32 } from './domain.ts'
import { requestId, type Ticket } from './ticket.ts'

/** One worker's signed result of an executed request. Of a quorum with the salt that opens its commitment. */
export type ExecutedAttestation = { attestation: Attestation; signature: Hex; executionKey: Hex; commitmentSalt?: Hex }

/**
 * One executed request on its way to the chain: `ticket.quorum` attestations of distinct operators with equal contents,
 * and for a quorum the ordered commitments that the requester closed before anyone opened.
 */
export type ExecutedRequest = {
  ticket: Ticket
  ticketSignature: Hex
  attestations: ExecutedAttestation[]
  commitSet?: { commitments: Hex[]; signature: Hex }
}

/** What the requests of one group share: said once per settlement transaction. */
export type SettlementGroup = {
  functionId: Hex
  runtimeDigest: Hex
  functionVersion: number
  envVersion: number
  epoch: number
  quorum: number
  lane: number
  fee: bigint
  funder: Hex
  payee: Hex
  price: bigint
  items: SettlementItem[]
}

/** One worker of an item. `worker` is the index in `SettlementBatch.workers`; the salt is there when a quorum was asked for. */
export type SettlementSeating = { worker: number; seat: number; commitmentSalt?: Hex }

/**
 * What is its own of each request. `commitSet` holds, in the requester's order, `own` for the commitment of the next of the
 * seatings, or the commitment of somebody who is not among them. So the seatings stand in the order of the set.
 */
export type SettlementItem = {
  inputSeal: Hex
  resultSeal: Hex
  quoteId: Hex
  payer: Hex
  sequence: bigint
  issuedAt: number
  deadline: number
  outcome: number
  status: number
  seatings: SettlementSeating[]
  commitSet?: CommitSetEntry[]
}

/** A commitment that follows from a seating, or one that stands for itself. */
export type CommitSetEntry = 'own' | Hex

/**
 * What `encodeSettlement` turns into the argument of `ExecutionCoordinator.settle`. An empty roll signature means: this
 * signer's messages are signed one by one, and their signatures follow in `signatures`: per item in batch order the
 * ticket's, the commit set's when there is one, then each attestation's.
 */
export type SettlementBatch = {
  requester: Hex
  requesterRoll: Hex
  workers: { executionKey: Hex; roll: Hex }[]
  groups: SettlementGroup[]
  signatures: Hex[]
}

/** A batch, and for each item in batch order the request it stands for. */
export type PlannedSettlement = { batch: SettlementBatch; order: ExecutedRequest[]; ids: Hex[] }

/**
 * Groups executed requests of one requester for one transaction. Rolls are empty until `withRolls` adds them, so the
 * plan is valid as it is, with single signatures. Pure: the same requests give the same batch.
 */
export function planSettlement(domain: ProtocolDomain, requests: readonly ExecutedRequest[]): PlannedSettlement {
  const [first] = requests
  if (!first) throw new RangeError('A settlement needs at least one request.')
  const requester = first.ticket.requester
  if (requests.some(({ ticket }) => !isSame(ticket.requester, requester)))
    throw new RangeError('A settlement holds tickets of one requester.')
  const entries = groupRequests(requests.map((request) => inSetOrder(domain, request)))
  const order = entries.flatMap((entry) => entry.requests)
  const keys = [...new Map(order.flatMap(attestationsOf).map((one) => [one.executionKey.toLowerCase(), one])).values()]
  const workers = keys.map(({ executionKey }) => ({ executionKey, roll: '0x' as const }))
  const workerIndex = new Map(workers.map(({ executionKey }, index) => [executionKey.toLowerCase(), index]))
  const ids = order.map(({ ticket }) => requestId(domain, ticket))
  let next = 0
  const groups = entries.map(({ terms, requests: members }) => ({
    ...terms,
    items: members.map((member) => toItem(member, ids[next++] ?? zeroBytes32, workerIndex)),
  }))
  const batch = { requester, requesterRoll: '0x' as const, workers, groups, signatures: [] }
  return withRolls({ batch, order, ids }, { workers: new Map() })
}

/** What each signer of a plan would sign instead of its single signatures. */
export function rollsOf(
  domain: ProtocolDomain,
  plan: PlannedSettlement,
): { requester: { count: number; root: Hex }; workers: { executionKey: Hex; count: number; root: Hex }[] } {
  const own = plan.order.flatMap((request, index) => {
    const id = plan.ids[index] ?? zeroBytes32
    return request.commitSet ? [id, commitSetDigest(domain, id, request.commitSet.commitments)] : [id]
  })
  return {
    requester: { count: own.length, root: rollRoot(own) },
    workers: plan.batch.workers.map(({ executionKey }) => {
      const digests = plan.order
        .flatMap(attestationsOf)
        .filter((one) => isSame(one.executionKey, executionKey))
        .map((one) => hashAttestation(domain, one.attestation))
      return { executionKey, count: digests.length, root: rollRoot(digests) }
    }),
  }
}

/** The plan with roll signatures in place of single ones, for the signers that gave one. */
export function withRolls(
  plan: PlannedSettlement,
  rolls: { requester?: Hex | undefined; workers: ReadonlyMap<Hex, Hex> },
): PlannedSettlement {
  const given = new Map([...rolls.workers].map(([key, roll]) => [key.toLowerCase(), roll]))
  const workers = plan.batch.workers.map(({ executionKey }) => ({
    executionKey,
    roll: given.get(executionKey.toLowerCase()) ?? ('0x' as const),
  }))
  const signatures = plan.order.flatMap((request) => [
    ...(rolls.requester ? [] : [request.ticketSignature, ...(request.commitSet ? [request.commitSet.signature] : [])]),
    ...attestationsOf(request)
      .filter((one) => !given.has(one.executionKey.toLowerCase()))
      .map((one) => one.signature),
  ])
  return { ...plan, batch: { ...plan.batch, requesterRoll: rolls.requester ?? '0x', workers, signatures } }
}

type GroupTerms = Omit<SettlementGroup, 'items'>

/** Groups of one funder stand together: the contract then reads and writes its account once. */
function groupRequests(requests: readonly ExecutedRequest[]): { terms: GroupTerms; requests: ExecutedRequest[] }[] {
  const groups = new Map<string, { terms: GroupTerms; requests: ExecutedRequest[] }>()
  for (const request of requests) {
    const terms = sharedTerms(request.ticket)
    const key = Object.values(terms).join().toLowerCase()
    const entry = groups.get(key) ?? { terms, requests: [] }
    entry.requests.push(request)
    groups.set(key, entry)
  }
  const byAccount = Map.groupBy(groups.values(), ({ terms }) => `${terms.funder.toLowerCase()},${terms.epoch}`)
  return [...byAccount.values()].flat()
}

function sharedTerms(ticket: Ticket): GroupTerms {
  const { functionId, runtimeDigest, functionVersion, envVersion, epoch, quorum, lane, fee, funder, payee, price } =
    ticket
  return { functionId, runtimeDigest, functionVersion, envVersion, epoch, quorum, lane, fee, funder, payee, price }
}

function toItem(request: ExecutedRequest, id: Hex, workerIndex: ReadonlyMap<string, number>): SettlementItem {
  const { ticket, commitSet } = request
  const attestations = attestationsOf(request)
  const [first] = attestations
  if (!first || attestations.length < ticket.quorum || (ticket.quorum > 1 && !commitSet))
    throw new RangeError('A settlement holds requests with as many attestations as their quorum, and its commit set.')
  const { inputSeal, quoteId, payer, sequence, issuedAt, deadline } = ticket
  const { resultSeal, outcome, status } = first.attestation
  const item = { inputSeal, resultSeal, quoteId, payer, sequence, issuedAt, deadline, outcome, status }
  const seatings = attestations.map(({ attestation, executionKey, commitmentSalt = zeroBytes32 }) => ({
    worker: workerIndex.get(executionKey.toLowerCase()) ?? 0,
    seat: attestation.seat,
    ...(ticket.quorum > 1 && { commitmentSalt }),
  }))
  if (ticket.quorum === 1 || !commitSet) return { ...item, seatings }
  const own = attestations.map((one) => commitmentOf(id, one))
  return {
    ...item,
    seatings,
    commitSet: commitSet.commitments.map((entry) => (own.some((mine) => isSame(mine, entry)) ? 'own' : entry)),
  }
}

/** The request with its workers in the order of their commitments, as the batch names them. */
function inSetOrder(domain: ProtocolDomain, request: ExecutedRequest): ExecutedRequest {
  const { commitSet, ticket } = request
  if (!commitSet || ticket.quorum === 1) return request
  const id = requestId(domain, ticket)
  const placeOf = (one: ExecutedAttestation) => {
    const place = commitSet.commitments.findIndex((entry) => isSame(entry, commitmentOf(id, one)))
    return place === -1 ? commitSet.commitments.length : place
  }
  return { ...request, attestations: attestationsOf(request).toSorted((a, b) => placeOf(a) - placeOf(b)) }
}

function commitmentOf(id: Hex, { attestation, executionKey, commitmentSalt = zeroBytes32 }: ExecutedAttestation): Hex {
  return commitment(id, executionKey, attestation.resultSeal, commitmentSalt)
}

/** The first quorum of them: a request may have been attested more often. */
function attestationsOf({ ticket, attestations }: ExecutedRequest): ExecutedAttestation[] {
  return attestations.slice(0, ticket.quorum)
}

function commitSetDigest(domain: ProtocolDomain, id: Hex, commitments: readonly Hex[]): Hex {
  return hashCommitSet(domain, { protocolVersion: 1, requestId: id, commitments })
}

function isSame(a: Hex, b: Hex): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
