import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DigestSigner,
  epochAt,
  hashAttestation,
  hashResult,
  isResourceOutcome,
  LIMITS,
  outcomeNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type ProtocolTimes,
  type Receipt,
  requestId as requestIdOf,
  sameHex,
  seal,
  seatNumber,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Address, bytesToHex, concatHex, type Hex, keccak256 } from 'viem'
import type { Coordinator } from '../chain/coordinator.ts'
import type { Court } from '../chain/court.ts'
import type { Operators } from '../chain/operators.ts'
import type { WorkerEmit } from '../events.ts'
import type { Journal, JournalEntry } from '../journal.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { isInputOf } from './juryDuty.ts'
import { type RerunDeps, rerunOf } from './rerun.ts'

/** What one worker attested of one settled request, as the chain tells it. */
export type SettledRequest = { requestId: Hex; operator: Address }
/** A request, its result's bytes left out, as its requester tells it to an auditor. */
export type AuditMaterial = { receipt: Receipt; input: Uint8Array }

export type AuditDeps = RerunDeps & {
  domain: ProtocolDomain
  operator: Address
  executionKey: DigestSigner
  court: Court
  coordinator: Pick<Coordinator, 'readDeployment' | 'readParameters'>
  operators: Pick<Operators, 'readEpoch'>
  protocolTimes: Pick<ProtocolTimes, 'epochSeconds' | 'settlementGrace' | 'maximumTicketLifetime'>
  journal: Journal
  sandbox: Sandbox
  /** What was settled between two moments, in seconds. */
  readSettledBetween: (fromSeconds: number, toSeconds: number) => Promise<SettledRequest[]>
  /** Asks the gateways; `undefined` when none of them gives it. */
  findMaterial: (requestId: Hex) => Promise<AuditMaterial | undefined>
  emit: WorkerEmit
  now: () => number
}

/** Audits are drawn with the seed of this many epochs after the ticket's. */
export const auditDelayEpochs = 3
const basisPoints = 10_000n
const auditedEpochs = 3

export type AuditDuty = { round: (signal: AbortSignal) => Promise<void> }

/** Audits what the lottery of each captured seed gives to this operator. Rounds are repeated; each epoch is looked at once. */
export function createAuditDuty(deps: AuditDeps): AuditDuty {
  const finished = new Set<number>()
  return {
    round: async (signal) => {
      const current = epochAt(Math.floor(deps.now() / 1_000), deps.protocolTimes.epochSeconds)
      for (let back = auditedEpochs; back >= 0; back -= 1) {
        const epoch = current - auditDelayEpochs - back
        if (epoch < 0 || finished.has(epoch)) continue
        const { seed } = await deps.operators.readEpoch(epoch + auditDelayEpochs)
        if (seed === zeroBytes32) continue
        await auditEpoch(deps, epoch, seed, signal)
        finished.add(epoch)
      }
      for (const epoch of finished) if (epoch < current - auditDelayEpochs - auditedEpochs) finished.delete(epoch)
    },
  }
}

async function auditEpoch(deps: AuditDeps, epoch: number, seed: Hex, signal: AbortSignal): Promise<void> {
  const { epochSeconds, settlementGrace, maximumTicketLifetime } = deps.protocolTimes
  const begin = epoch * epochSeconds
  const end = begin + epochSeconds + maximumTicketLifetime + settlementGrace
  const { parameters } = await deps.coordinator.readParameters(begin)
  const settled = await deps.readSettledBetween(begin, end)
  for (const { requestId, operator } of settled) {
    if (!isChosen(seed, requestId, parameters.auditRateBps) || sameHex(operator, deps.operator)) continue
    if (signal.aborted) return
    try {
      const { isAudited, isAuditor } = await deps.court.readAudit(requestId, epoch, deps.operator)
      if (isAudited && isAuditor) await auditRequest(deps, { requestId, epoch, attester: operator }, signal)
    } catch (error) {
      deps.emit('worker:error', { during: `the audit of ${requestId}`, error })
    }
    // Audits are never urgent: jobs go first.
    await sleep(breathMs, undefined, { signal }).catch(() => {})
  }
}

const breathMs = 10

/** The lottery, as the court draws it. */
export function isChosen(seed: Hex, requestId: Hex, auditRateBps: number): boolean {
  return BigInt(keccak256(concatHex([seed, requestId]))) % basisPoints < BigInt(auditRateBps)
}

async function auditRequest(
  deps: AuditDeps,
  { requestId, epoch, attester }: { requestId: Hex; epoch: number; attester: Address },
  signal: AbortSignal,
): Promise<void> {
  if (deps.journal.get(requestId)) return
  const material = await deps.findMaterial(requestId)
  if (!material || !sameHex(requestIdOf(deps.domain, material.receipt.ticket), requestId)) return
  const { receipt, input } = material
  const { ticket, ticketSignature, salt } = receipt
  const theirs = receipt.attestations.find(({ operator }) => sameHex(operator, attester))
  if (!theirs || ticket.epoch !== epoch || !isInputOf(ticket, { salt, input })) return
  const job = await rerunOf(deps, { requestId, ticket, input }, signal)
  const run = job && (await deps.sandbox.run(job, signal))
  if (!run || isResourceOutcome(run.outcome)) return
  const { executionKey, journal, domain } = deps
  const attestation = {
    protocolVersion: PROTOCOL_VERSION,
    requestId,
    resultSeal: seal(hashResult(run.result), salt),
    outcome: outcomeNumber(run.outcome),
    status: run.status,
    seat: seatNumber('drawn'),
  }
  const signature = await executionKey.sign(hashAttestation(domain, attestation))
  const { durationMs, queueMs, logBytes } = run
  const entry: JournalEntry = {
    requestId,
    ticket,
    ticketSignature,
    attestation,
    attestationSignature: signature,
    usage: { durationMs, queueMs, logBytes },
    publicResult: false,
    inputSalt: salt,
  }
  // One key never signs two results of one request: an audit is an attestation like any other.
  const kept = await journal.attest(entry, run.result)
  await journal.markSettled([requestId], zeroBytes32)
  const own = { attestation: kept.attestation, signature: kept.attestationSignature }
  const evidence = { ticket, ticketSignature, attestation: theirs.attestation, signature: theirs.signature }
  const shown = input.length <= LIMITS.calldataInputBytes ? concatHex([salt, bytesToHex(input)]) : '0x'
  const end = await deps.court.audit(evidence, own, shown)
  if (end.type === 'refused') return
  const matched =
    sameHex(theirs.attestation.resultSeal, own.attestation.resultSeal) &&
    theirs.attestation.outcome === own.attestation.outcome &&
    theirs.attestation.status === own.attestation.status
  deps.emit('audit:done', { requestId, matched, transaction: end.transaction })
}
