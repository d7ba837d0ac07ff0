import { isPeerHostError } from '@peerhost/protocol'
import type { SpendRecord } from '../spending/spendState.ts'
import type { CallDeps, Wallet } from './callFunction.ts'
import { finishCall } from './finishCall.ts'

/** Room for clocks and blocks between an authorization's end and the proof that it was not used. */
const marginSeconds = 15n

/**
 * Finds out what became of a call that nobody knows the end of: asks the gateway for the stored answer with the same
 * payment, then the chain. It never signs. Returns the record as it is afterwards.
 */
export async function resolveCall(
  deps: CallDeps,
  wallet: Wallet,
  callId: string,
  signal: AbortSignal,
): Promise<SpendRecord | undefined> {
  await wallet.engine.summary()
  const spend = await wallet.engine.call(callId)
  if (!spend || spend.status === 'released' || spend.status === 'reserved') return spend
  if (spend.status !== 'unsettled') await fetchAnswer(deps, spend, signal)
  return askChain(deps, wallet, callId, signal)
}

/** Sorts out every hold whose authorization has run out, so that old holds do not use up the budget for ever. */
export async function resolveExpiredHolds(deps: CallDeps, wallet: Wallet, signal: AbortSignal): Promise<void> {
  const nowSeconds = BigInt(Math.floor(deps.nowMs() / 1_000))
  await wallet.engine.summary()
  for (const { callId, authorization } of await wallet.engine.held()) {
    if (authorization && authorization.validBefore + marginSeconds < nowSeconds)
      await askChain(deps, wallet, callId, signal)
  }
}

async function fetchAnswer(deps: CallDeps, spend: SpendRecord, signal: AbortSignal): Promise<void> {
  const stored = await deps.results.get(spend.callId)
  if (!stored?.pending || stored.answer?.payment?.outcome === 'paid') return
  try {
    const answer = await deps.port.resume(
      stored.pending,
      AbortSignal.any([signal, AbortSignal.timeout(deps.timeoutMs)]),
    )
    await finishCall(deps, stored, spend, answer)
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    deps.log('no answer to a resumed call', { callId: spend.callId, code: error.code })
  }
}

async function askChain(
  deps: CallDeps,
  { engine }: Wallet,
  callId: string,
  signal: AbortSignal,
): Promise<SpendRecord | undefined> {
  const spend = await engine.call(callId)
  const isOpen = spend?.status === 'unknown' || spend?.status === 'unsettled'
  if (!spend?.authorization || !isOpen) return spend
  const { from, nonce, validBefore } = spend.authorization
  try {
    const state = await deps.port.authorizationState({ asset: spend.asset, payer: from, nonce }, signal)
    if (state.used) await engine.settle(callId)
    else if (state.chainTimeSeconds > validBefore + marginSeconds)
      await engine.release(callId, 'the authorization ran out unused')
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    deps.log('the chain did not answer', { callId, code: error.code })
  }
  return engine.call(callId)
}
