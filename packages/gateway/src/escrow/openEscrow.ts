import { sameHex } from '@peerhost/protocol'
import { type Hex, zeroHash } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Authorization } from '../chain/escrowChain.ts'
import type { Collected, Payment, PaymentRecord } from '../payment/payment.ts'
import type { EscrowQuote } from './escrow.ts'

export type OpenEscrowDeps = { chain: Pick<Chain, 'escrow'>; nowSeconds: () => number }

/** Clocks differ, and a block may be on its way. */
const lateSeconds = 60

/**
 * Moves a payment into its escrow, from whatever state a crash may have left it in. The contract has the last word: what is
 * open there for this payer is paid, whoever sent it.
 */
export async function openEscrow(
  deps: OpenEscrowDeps,
  { payment, fromBlock }: PaymentRecord,
  quote: EscrowQuote,
): Promise<Collected> {
  try {
    const before = await lookUp(deps, payment, quote, fromBlock)
    if (before) return before
    if (payment.validBefore + lateSeconds < deps.nowSeconds())
      return { type: 'failed', reason: 'The authorization expired unused.' }
    const sent = await deps.chain.escrow.open(quote.terms, authorizationOf(payment))
    const after = await lookUp(deps, payment, quote, fromBlock)
    if (after) return after
    return { type: 'failed', reason: sent.type === 'reverted' ? sent.reason : 'The escrow did not open.' }
  } catch (error) {
    return { type: 'unknown', reason: `The chain does not answer: ${String(error).slice(0, 200)}` }
  }
}

/**
 * Whether the money of this authorization lies at the quote's address already, because somebody else was faster to send it.
 * A facilitator refuses what is used; the escrow takes it as the payer's claim.
 */
export async function isAtDeposit(
  { chain }: { chain: Pick<Chain, 'authorizationUse'> },
  payment: Payment,
  quote: EscrowQuote,
  headBlock: bigint,
): Promise<boolean> {
  const use = await chain.authorizationUse(payment.payer, payment.nonce, lookBack(headBlock))
  return use.type === 'used' && use.to === quote.deposit && use.value === quote.terms.price
}

/** No quote is older than these blocks. */
const quoteBlocks = 5_000n

function lookBack(block: bigint): bigint {
  return block > quoteBlocks ? block - quoteBlocks : 0n
}

/** What the contract says already; `undefined` while nobody opened it. */
async function lookUp(
  { chain }: OpenEscrowDeps,
  payment: Payment,
  { quoteId }: EscrowQuote,
  fromBlock: bigint,
): Promise<Collected | undefined> {
  const { status, payer } = await chain.escrow.read(quoteId)
  if (status === 'none') return undefined
  if (!sameHex(payer, payment.payer))
    return { type: 'failed', reason: 'Somebody else paid this quote; a second payment is the payer’s to withdraw.' }
  return { type: 'paid', transaction: (await chain.escrow.openedBy(quoteId, lookBack(fromBlock))) ?? zeroHash }
}

function authorizationOf({ payer, nonce, payload }: Payment): Authorization {
  const { signature, authorization } = payload.payload as {
    signature: Hex
    authorization: { validAfter: string; validBefore: string }
  }
  return {
    from: payer,
    validAfter: BigInt(authorization.validAfter),
    validBefore: BigInt(authorization.validBefore),
    nonce,
    signature,
  }
}
