import type { PaymentOutcome } from '@peerhost/sdk'
import type { Hex } from 'viem'
import type { Answer } from '../peerHostPort.ts'
import type { SpendRecord } from '../spending/spendState.ts'
import type { CallDeps } from './callFunction.ts'
import type { StoredCall } from './resultStore.ts'

/** One finished call. `spend` is there when it was paid for, now or (replayed) before. */
export type FinishedCall = { stored: StoredCall; spend?: SpendRecord; replayed: boolean }

/** Records what became of the money, keeps the answer, then checks its receipt. */
export async function finishCall(
  deps: CallDeps,
  stored: StoredCall,
  spend: SpendRecord | undefined,
  answer: Answer,
): Promise<FinishedCall> {
  const { pending: _, ...kept } = stored
  const isPaid = answer.payment?.outcome === 'paid'
  const isUnknown = answer.payment?.outcome === 'unknown'
  await deps.results.put({ ...(isUnknown ? stored : kept), answer })
  if (spend) await recordOutcome(deps, spend, answer.payment?.outcome ?? 'not-paid', answer.payment?.transaction)
  const done: StoredCall = { ...(isUnknown ? stored : kept), answer }
  if (answer.receipt) {
    const verification = await deps.port.verify(answer, AbortSignal.timeout(30_000)).catch((error: unknown) => {
      deps.log('receipt not verified', { callId: stored.callId, reason: String(error) })
      return undefined
    })
    if (verification) done.verification = verification
    await deps.results.put(done)
  }
  const call = spend && (isPaid || isUnknown) ? await deps.wallet?.engine.call(spend.callId) : undefined
  return { stored: done, ...(call && { spend: call }), replayed: false }
}

async function recordOutcome(
  { wallet }: CallDeps,
  { callId, status }: SpendRecord,
  outcome: PaymentOutcome,
  transaction: Hex | undefined,
): Promise<void> {
  if (!wallet) return
  const current = (await wallet.engine.call(callId))?.status ?? status
  if (current === 'settled' || current === 'released') return
  if (current === 'reserved') await wallet.engine.release(callId, 'answered without a payment')
  else if (outcome === 'paid') await wallet.engine.settle(callId, transaction)
  else if (outcome === 'unknown') {
    if (current === 'signed') await wallet.engine.markUnknown(callId, 'answered, but the payment is not confirmed')
  } else if (current !== 'unsettled') await wallet.engine.markUnsettled(callId, 'the gateway charged nothing')
}
