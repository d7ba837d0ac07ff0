import { fromBase64, type GatewayMessage, toBase64 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { JobOffer } from './acceptJob.ts'
import { needsCommitment } from './commitments.ts'
import type { GatewaySession } from './gatewaySession.ts'
import type { JobEnd } from './runJob.ts'
import { signRoll } from './signRoll.ts'
import { report, type WorkerDeps, type WorkerParts } from './workerParts.ts'

/** Does what a message of a gateway asks for. Never throws. */
export async function receiveGatewayMessage(
  parts: WorkerParts,
  session: GatewaySession,
  message: GatewayMessage,
): Promise<void> {
  const { deps, jobs, own, lane, flow, egress, environments } = parts
  try {
    if (message.type === 'job') await takeJob(parts, session, message)
    if (message.type === 'open') {
      const { commitments, signature } = message
      await flow.takeSet(session, lowerCase(message.requestId), { commitments, signature })
    }
    if (message.type === 'cancel') jobs.cancel(lowerCase(message.requestId), session)
    if (message.type === 'roll') await roll(deps, session, message)
    if (message.type === 'settled') await own.noteSettled(message.transaction, message.requestIds.map(lowerCase))
    if (message.type === 'egress-answer' || message.type === 'egress-failed')
      egress.answer(session, { ...message, requestId: lowerCase(message.requestId) })
    if (message.type === 'environment-sealed' || message.type === 'environment-failed')
      environments.answer(session, { ...message, requestId: lowerCase(message.requestId) })
    if (message.type === 'input-given' || message.type === 'input-unknown')
      lane.answer({ ...message, requestId: lowerCase(message.requestId) })
  } catch (error) {
    deps.events.emit('worker:error', { during: `message “${message.type}” of ${session.url}`, error })
  }
}

async function takeJob(parts: WorkerParts, session: GatewaySession, message: Extract<GatewayMessage, { type: 'job' }>) {
  const { deps } = parts
  const { ticket, signature, salt } = message
  const requestId = lowerCase(message.requestId)
  const input = fromBase64(message.input)
  const offer: JobOffer = { requestId, ticket, signature, salt, input, source: 'gateway', publicInput: false }
  const end = await parts.jobs.take(offer, session)
  if (end.type === 'cancelled') return
  if (end.type === 'declined') {
    report(parts, requestId, end)
    session.send({ type: 'declined', requestId, reason: end.reason })
    return
  }
  if (!end.ran) deps.events.emit('job:resent', { requestId })
  if (needsCommitment(ticket)) return parts.flow.committed([session], end.entry)
  sendAttested(session, end)
}

function sendAttested(session: GatewaySession, { entry, result }: Extract<JobEnd, { type: 'attested' }>): void {
  const { requestId, attestation, attestationSignature: signature, usage } = entry
  session.send({ type: 'attested', requestId, attestation, signature, result: toBase64(result), usage })
}

async function roll(
  deps: WorkerDeps,
  session: GatewaySession,
  { batchId, requestIds }: Extract<GatewayMessage, { type: 'roll' }>,
): Promise<void> {
  const signed = await signRoll(deps, requestIds.map(lowerCase))
  if (signed.type === 'refused') {
    deps.events.emit('roll:refused', { batchId, reason: signed.reason })
    session.send({ type: 'roll-refused', batchId, reason: signed.reason })
    return
  }
  deps.events.emit('roll:signed', { batchId, count: requestIds.length })
  session.send({ type: 'rolled', batchId, signature: signed.signature })
}

/** One spelling per id: the journal finds what was signed by it. */
function lowerCase(hex: Hex): Hex {
  return hex.toLowerCase() as Hex
}
