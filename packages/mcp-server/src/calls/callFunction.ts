import { randomUUID } from 'node:crypto'
import { isPeerHostError, PeerHostError } from '@peerhost/protocol'
import type { PaymentOutcome } from '@peerhost/sdk'
import type { LocalAccount } from 'viem'
import type { EndpointTool } from '../catalogue/endpointTool.ts'
import type { Answer, CallTarget, Network, PaymentTerms, PeerHostPort } from '../peerHostPort.ts'
import { createGuardedAccount } from '../spending/guardedAccount.ts'
import type { SpendEngine } from '../spending/spendEngine.ts'
import type { SpendRecord } from '../spending/spendState.ts'
import { callKey } from './callKey.ts'
import { type FinishedCall, finishCall } from './finishCall.ts'
import { assertSameTerms, type QuoteBook } from './quoteBook.ts'
import type { ResultStore, StoredCall } from './resultStore.ts'

/** The wallet of this server and what guards it. */
export type Wallet = { account: LocalAccount; engine: SpendEngine }

export type CallDeps = {
  port: PeerHostPort
  /** Absent in read-only mode. */
  wallet: Wallet | undefined
  results: ResultStore
  quotes: QuoteBook
  nowMs: () => number
  /** Longest wait for one answer, in milliseconds. */
  timeoutMs: number
  log: (event: string, facts?: Record<string, unknown>) => void
}

export type CallParameters = {
  tool: EndpointTool
  network: Network
  arguments: Record<string, unknown>
  /** Atomic units: tightens the policy, never widens it. */
  maxAmount?: bigint
  quoteId?: string
  idempotencyKey?: string
  signal: AbortSignal
}

/**
 * The walk of one call: arguments, earlier identical call, answer — paid for when it has a price — proof, store.
 * Throws `PeerHostError`s that say what happened to the money.
 */
export async function callFunction(deps: CallDeps, parameters: CallParameters): Promise<FinishedCall> {
  const { tool } = parameters
  const target = targetOf(tool, parameters.arguments)
  const key = callKey(target, parameters.idempotencyKey)
  if (tool.card.price > 0n) {
    if (!deps.wallet) throw readOnly(tool)
    const earlier = await deps.wallet.engine.find(key)
    if (earlier?.type === 'replay') return replay(deps, earlier.call)
    if (earlier) throw blocked(earlier.call, earlier.code)
  }
  const attempt = createAttempt(deps, parameters, target, key)
  try {
    const answer = await deps.port.invoke(target, attempt.options)
    return await attempt.finish(answer)
  } catch (error) {
    throw await attempt.fail(error)
  } finally {
    attempt.end()
  }
}

/** Arguments → request. Throws `request_invalid` before anything is sent or paid. */
export function targetOf(tool: EndpointTool, values: Record<string, unknown>): CallTarget {
  const checked = tool.inputSchema['~standard'].validate(values)
  if (checked instanceof Promise) throw new TypeError('JSON Schemas are checked synchronously')
  if (checked.issues) {
    throw new PeerHostError('request_invalid', 'The arguments do not fit the function.', {
      details: checked.issues.slice(0, 5).map((issue) => issue.message.slice(0, 200)),
      hint: 'Nothing was sent and nothing was paid. See peer_describe for the schema.',
    })
  }
  return tool.shape.toTarget(values)
}

const anyAmount = 10n ** 24n

type Attempt = {
  options: Parameters<PeerHostPort['invoke']>[1]
  finish: (answer: Answer) => Promise<FinishedCall>
  fail: (error: unknown) => Promise<unknown>
  end: () => void
}

function createAttempt(deps: CallDeps, parameters: CallParameters, target: CallTarget, key: string): Attempt {
  const { tool } = parameters
  const abort = new AbortController()
  let spend: SpendRecord | undefined
  let isSigned = false
  // Once signed, a caller that hangs up must not make us forget what was paid for.
  const onCancel = () => isSigned || abort.abort(parameters.signal.reason)
  parameters.signal.addEventListener('abort', onCancel, { once: true })
  if (parameters.signal.aborted) onCancel()

  let stored: StoredCall = {
    callId: randomUUID(),
    label: `${tool.card.project}/${tool.card.name}`,
    provider: tool.card.creator,
    atMs: deps.nowMs(),
    target,
  }
  const authorize = async (terms: PaymentTerms) => {
    spend = await reserve(deps, parameters, terms, key)
    stored = { ...stored, callId: spend.callId }
    await deps.results.put(stored)
  }
  const account =
    deps.wallet &&
    guardedFor(
      deps,
      deps.wallet,
      () => spend,
      () => {
        isSigned = true
      },
    )
  return {
    options: {
      // With a wallet, `authorize` decides: it knows what was shown, and says so when that has changed.
      maxAmount: deps.wallet ? anyAmount : 0n,
      ...(account && { account }),
      authorize,
      onSigned: async (pending) => {
        stored = { ...stored, pending }
        await deps.results.put(stored)
      },
      signal: AbortSignal.any([abort.signal, AbortSignal.timeout(deps.timeoutMs)]),
    },
    finish: (answer) => finishCall(deps, stored, spend, answer),
    fail: (error) => fail(deps, spend, isSigned, error),
    end: () => parameters.signal.removeEventListener('abort', onCancel),
  }
}

function guardedFor(
  deps: CallDeps,
  { account, engine }: Wallet,
  spend: () => SpendRecord | undefined,
  signed: () => void,
) {
  return createGuardedAccount({
    account,
    reserved: spend,
    record: async (authorization) => {
      const call = spend()
      if (!call) throw new PeerHostError('internal', 'A signature was asked for without a reservation.')
      await engine.recordSignature(call.callId, authorization)
      signed()
    },
    nowMs: deps.nowMs,
  })
}

async function reserve(
  deps: CallDeps,
  { tool, quoteId, maxAmount }: CallParameters,
  terms: PaymentTerms,
  key: string,
): Promise<SpendRecord> {
  if (!deps.wallet) throw readOnly(tool)
  const { card } = tool
  // What the model was shown is what it agreed to: the listing, or the quote it asked for.
  const shown = quoteId === undefined ? undefined : deps.quotes.take(quoteId, key)
  assertSameTerms(shown ?? { ...terms, amount: card.price, asset: card.asset, payTo: card.payee }, terms)
  const balance = await deps.port
    .balance(deps.wallet.account.address, AbortSignal.timeout(10_000))
    .catch(() => undefined)
  if (balance !== undefined && balance < terms.amount)
    throw new PeerHostError('insufficient_funds', 'The wallet of this server holds less than the price.', {
      hint: `The human has to fund ${deps.wallet.account.address} on ${terms.network}. Nothing was paid.`,
    })
  const reservation = await deps.wallet.engine.reserve({
    callKey: key,
    functionId: card.functionId,
    provider: card.creator,
    ...terms,
    ...(maxAmount === undefined ? {} : { maxAmount }),
  })
  switch (reservation.type) {
    case 'reserved':
      return reservation.call
    case 'deny':
      throw new PeerHostError(reservation.code, reservation.reason, {
        hint: reservation.hint,
        details: [`Rule: ${reservation.rule}`],
      })
    case 'replay':
      throw blocked(reservation.call, 'payment_in_progress')
    case 'blocked':
      throw blocked(reservation.call, reservation.code)
  }
}

/** After an error: nothing signed, nothing held. Signed: held, and unknown unless the money is known. */
async function fail(
  deps: CallDeps,
  spend: SpendRecord | undefined,
  isSigned: boolean,
  error: unknown,
): Promise<unknown> {
  const engine = deps.wallet?.engine
  if (!spend || !engine) return error
  if (!isSigned) {
    await engine.release(spend.callId, 'ended before it was signed')
    return error
  }
  const outcome = outcomeOf(error)
  if ((await engine.call(spend.callId))?.status === 'signed') {
    if (outcome === 'paid') await engine.settle(spend.callId)
    else if (outcome === 'not-paid') await engine.markUnsettled(spend.callId, 'the gateway charged nothing')
    else await engine.markUnknown(spend.callId, 'no answer after the payment was signed')
  }
  if (outcome === 'not-paid') return error
  deps.log('paid call without an answer', { callId: spend.callId, outcome })
  return new PeerHostError(
    'payment_settlement_unknown',
    outcome === 'paid'
      ? 'The call was paid, but its answer has not come.'
      : 'The payment was sent, but no answer came.',
    {
      cause: error,
      details: [`call_id: ${spend.callId}`, ...(isPeerHostError(error) ? [`Cause: ${error.code}`] : [])],
      hint: `Do not call again. Ask peer_call_status with call_id ${spend.callId}: it fetches the answer without a second payment.`,
    },
  )
}

function outcomeOf(error: unknown): PaymentOutcome {
  const outcome = (error as { paymentOutcome?: unknown } | undefined)?.paymentOutcome
  return outcome === 'paid' || outcome === 'not-paid' ? outcome : 'unknown'
}

async function replay(deps: CallDeps, call: SpendRecord): Promise<FinishedCall> {
  const stored = await deps.results.get(call.callId)
  if (stored?.answer) return { stored, spend: call, replayed: true }
  throw new PeerHostError('payment_settlement_unknown', 'This call was paid before, but its answer is not here yet.', {
    details: [`call_id: ${call.callId}`],
    hint: `Ask peer_call_status with call_id ${call.callId}.`,
  })
}

function blocked(call: SpendRecord, code: 'payment_in_progress' | 'payment_settlement_unknown'): PeerHostError {
  const message =
    code === 'payment_in_progress'
      ? 'The same call is under way already.'
      : 'The same call was sent with a payment whose outcome is not known yet.'
  return new PeerHostError(code, message, {
    details: [`call_id: ${call.callId}`],
    hint: `Do not call again. Ask peer_call_status with call_id ${call.callId}. Nothing more was paid.`,
  })
}

function readOnly(tool: EndpointTool): PeerHostError {
  const { text } = tool.meta['dev.peerhost/price'] as { text: string }
  return new PeerHostError('payment_required', `This function costs ${text}, and this server has no wallet.`, {
    hint: 'The human can give it one with PEERHOST_MCP_KEY_FILE. Free functions work without.',
  })
}
