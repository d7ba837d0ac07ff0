import { randomBytes } from 'node:crypto'
import {
  type Attestation,
  type DeclineReason,
  type DigestSigner,
  executionSeed,
  hashAttestation,
  hashResult,
  isPeerHostError,
  outcomeNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  seal,
  seatNumber,
} from '@peerhost/protocol'
import { bytesToHex, type Hex } from 'viem'
import type { Job } from './acceptJob.ts'
import { needsCommitment } from './commitments.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { RunLoss } from './runLoss.ts'
import type { Egress } from './sandbox/egress.ts'
import type { SealEnvironment } from './sandbox/environment.ts'
import type { Sandbox, SandboxRun } from './sandbox/sandbox.ts'

/** What the walk of a job needs. */
export type JobDeps = {
  domain: ProtocolDomain
  executionKey: DigestSigner
  /** The bundle whose sha2-256 is `digest`. Throws `bundle_unavailable` or `bundle_mismatch`. */
  fetchBundle: (digest: Hex, signal: AbortSignal) => Promise<Uint8Array>
  sandbox: Sandbox
  journal: Journal
  now: () => number
  /** Makes outgoing calls for a job. `onLost` is told when one can have no answer: then the run proves nothing. */
  egressOf?: (job: Job, onLost: (loss: RunLoss) => void) => Egress
  /** Has a job's environment sealed for its sandbox. `onLost` is told when there is none. */
  environmentOf?: (job: Job, onLost: (loss: RunLoss) => void) => SealEnvironment
}

const saltBytes = 32

/** How a job ended for this worker. `error` is for the log only. */
export type JobEnd =
  | { type: 'attested'; entry: JournalEntry; result: Uint8Array; ran: boolean }
  | { type: 'declined'; reason: DeclineReason; error?: unknown }
  | { type: 'cancelled' }

/**
 * Runs one accepted job: fetch → run → attest → journal. What it gives back is durable and may be sent; a job that the
 * journal knows is not run again.
 */
export async function runJob(deps: JobDeps, job: Job, signal: AbortSignal): Promise<JobEnd> {
  const known = await recall(deps.journal, job.requestId)
  if (known) return known
  const msLeft = job.ticket.deadline * 1_000 - deps.now()
  if (msLeft <= 0) return { type: 'declined', reason: 'deadline-too-close' }
  const deadline = AbortSignal.timeout(msLeft)
  const lost = new AbortController()
  try {
    const bundle = await deps.fetchBundle(job.bundleDigest, AbortSignal.any([signal, deadline]))
    const onLost = (loss: RunLoss) => lost.abort(loss)
    const run = await execute(deps, job, bundle, onLost, AbortSignal.any([signal, deadline, lost.signal]))
    signal.throwIfAborted()
    lost.signal.throwIfAborted()
    if (deps.now() >= job.ticket.deadline * 1_000) return { type: 'declined', reason: 'deadline-too-close' }
    const signed = await attest(deps, job, run)
    const entry = await deps.journal.attest(toEntry(job, run, signed), run.result)
    if (entry.attestationSignature === signed.signature)
      return { type: 'attested', entry, result: run.result, ran: true }
    return (await recall(deps.journal, job.requestId)) ?? { type: 'declined', reason: 'sandbox-failed' }
  } catch (error) {
    if (signal.aborted) return { type: 'cancelled' }
    if (lost.signal.aborted) return { type: 'declined', ...(lost.signal.reason as RunLoss) }
    if (deadline.aborted) return { type: 'declined', reason: 'deadline-too-close', error }
    return { type: 'declined', reason: declineReasonOf(error), error }
  }
}

/** The attestation that the journal holds for a request, ready to be sent again. */
export async function recall(journal: Journal, requestId: Hex): Promise<JobEnd | undefined> {
  const entry = journal.get(requestId)
  if (!entry) return undefined
  const result = await journal.readResult(requestId)
  // Its time is over: what was signed stands, and nothing new may be signed.
  return result ? { type: 'attested', entry, result, ran: false } : { type: 'declined', reason: 'deadline-too-close' }
}

function execute(
  { sandbox, egressOf, environmentOf }: JobDeps,
  job: Job,
  bundle: Uint8Array,
  onLost: (loss: RunLoss) => void,
  signal: AbortSignal,
): Promise<SandboxRun> {
  const { ticket, limits, input } = job
  const egress = job.usesNetwork ? egressOf?.(job, onLost) : undefined
  const environment = job.readsEnvironment ? environmentOf?.(job, onLost) : undefined
  return sandbox.run(
    {
      deployment: `${ticket.functionId}:${ticket.functionVersion}`,
      bundle,
      limits,
      isolation: job.isolation,
      request: input,
      issuedAt: ticket.issuedAt,
      seed: executionSeed(job.randomness, ticket),
      ...(egress ? { egress } : {}),
      ...(environment ? { environment } : {}),
    },
    signal,
  )
}

async function attest(
  { domain, executionKey }: JobDeps,
  job: Job,
  run: SandboxRun,
): Promise<{ attestation: Attestation; signature: Hex }> {
  const attestation: Attestation = {
    protocolVersion: PROTOCOL_VERSION,
    requestId: job.requestId,
    resultSeal: seal(hashResult(run.result), job.salt),
    outcome: outcomeNumber(run.outcome),
    status: run.status,
    seat: seatNumber(job.seat),
  }
  return { attestation, signature: await executionKey.sign(hashAttestation(domain, attestation)) }
}

function toEntry(
  job: Job,
  { durationMs, queueMs, logBytes }: SandboxRun,
  { attestation, signature }: { attestation: Attestation; signature: Hex },
): JournalEntry {
  return {
    requestId: job.requestId,
    ticket: job.ticket,
    ticketSignature: job.signature,
    attestation,
    attestationSignature: signature,
    usage: { durationMs, queueMs, logBytes },
    publicResult: job.publicInput,
    inputSalt: job.salt,
    ...(needsCommitment(job.ticket) ? { commitmentSalt: bytesToHex(randomBytes(saltBytes)) } : {}),
  }
}

function declineReasonOf(error: unknown): DeclineReason {
  if (isPeerHostError(error) && error.code === 'bundle_unavailable') return 'bundle-unavailable'
  if (isPeerHostError(error) && error.code === 'bundle_mismatch') return 'bundle-mismatch'
  return 'sandbox-failed'
}
