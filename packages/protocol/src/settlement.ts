import type { Hex } from 'viem'
import { type Attestation, hashAttestation } from './attestation.ts'
import { rollRoot } from './batchRoll.ts'
import type { ProtocolDomain } from './domain.ts'
import { requestId, type Ticket } from './ticket.ts'

/** One executed request on its way to the chain. */
export type ExecutedRequest = {
  ticket: Ticket
  ticketSignature: Hex
  attestation: Attestation
  attestationSignature: Hex
  executionKey: Hex
}

/** What the requests of one group share: said once per settlement transaction. */
export type SettlementGroup = {
  functionId: Hex
  functionVersion: number
  envVersion: number
  runtimeDigest: Hex
  epoch: number
  quorum: number
  lane: number
  fee: bigint
  payee: Hex
  price: bigint
  funder: Hex
  items: SettlementItem[]
}

/** What is its own of each request. `worker` is the index in `SettlementBatch.workers`. */
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
  seat: number
  worker: number
}

/**
 * The argument of `ExecutionCoordinator.settle`. An empty roll signature means: this signer's messages are signed one by
 * one, and their signatures follow in `signatures`, per item in batch order, the ticket's before the attestation's.
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
  const first = requests[0]
  if (!first) throw new RangeError('A settlement needs at least one request.')
  const groups = new Map<string, { group: SettlementGroup; requests: ExecutedRequest[] }>()
  const workerKeys: Hex[] = []
  for (const request of requests) {
    if (request.ticket.requester !== first.ticket.requester)
      throw new RangeError('A settlement holds tickets of one requester.')
    if (!workerKeys.includes(request.executionKey)) workerKeys.push(request.executionKey)
    const shared = sharedTerms(request.ticket)
    const key = Object.values(shared).join()
    const entry = groups.get(key) ?? { group: { ...shared, items: [] }, requests: [] }
    entry.group.items.push(ownTerms(request, workerKeys.indexOf(request.executionKey)))
    entry.requests.push(request)
    groups.set(key, entry)
  }
  const entries = [...groups.values()]
  const order = entries.flatMap((entry) => entry.requests)
  return {
    batch: {
      requester: first.ticket.requester,
      requesterRoll: '0x',
      workers: workerKeys.map((executionKey) => ({ executionKey, roll: '0x' })),
      groups: entries.map((entry) => entry.group),
      signatures: order.flatMap((request) => [request.ticketSignature, request.attestationSignature]),
    },
    order,
    ids: order.map((request) => requestId(domain, request.ticket)),
  }
}

/** What each signer of a plan would sign instead of its single signatures. */
export function rollsOf(
  domain: ProtocolDomain,
  plan: PlannedSettlement,
): { requester: { count: number; root: Hex }; workers: { executionKey: Hex; count: number; root: Hex }[] } {
  return {
    requester: { count: plan.ids.length, root: rollRoot(plan.ids) },
    workers: plan.batch.workers.map(({ executionKey }) => {
      const digests = plan.order
        .filter((request) => request.executionKey === executionKey)
        .map((request) => hashAttestation(domain, request.attestation))
      return { executionKey, count: digests.length, root: rollRoot(digests) }
    }),
  }
}

/** The plan with roll signatures in place of single ones, for the signers that gave one. */
export function withRolls(
  plan: PlannedSettlement,
  rolls: { requester?: Hex | undefined; workers: ReadonlyMap<Hex, Hex> },
): PlannedSettlement {
  const workers = plan.batch.workers.map((worker) => ({
    ...worker,
    roll: rolls.workers.get(worker.executionKey) ?? ('0x' as const),
  }))
  const rolled = new Set(workers.filter((worker) => worker.roll !== '0x').map((worker) => worker.executionKey))
  const signatures = plan.order.flatMap((request) => [
    ...(rolls.requester ? [] : [request.ticketSignature]),
    ...(rolled.has(request.executionKey) ? [] : [request.attestationSignature]),
  ])
  return { ...plan, batch: { ...plan.batch, requesterRoll: rolls.requester ?? '0x', workers, signatures } }
}

function sharedTerms({
  functionId,
  functionVersion,
  envVersion,
  runtimeDigest,
  epoch,
  quorum,
  lane,
  fee,
  payee,
  price,
  funder,
}: Ticket) {
  return { functionId, functionVersion, envVersion, runtimeDigest, epoch, quorum, lane, fee, payee, price, funder }
}

function ownTerms({ ticket, attestation }: ExecutedRequest, worker: number): SettlementItem {
  const { inputSeal, quoteId, payer, sequence, issuedAt, deadline } = ticket
  const { resultSeal, outcome, status, seat } = attestation
  return { inputSeal, resultSeal, quoteId, payer, sequence, issuedAt, deadline, outcome, status, seat, worker }
}
