import { PeerHostError, paymentModeNumber } from '@peerhost/protocol'
import type { PaymentRequired, PaymentRequirements } from '@x402/core/types'
import { type Address, getAddress, type Hex } from 'viem'
import { formatAmount } from '../amount.ts'
import type { Call } from '../call.ts'
import { type FunctionState, readFunction } from '../chain/readFunction.ts'
import type { Connection } from '../connection.ts'
import { readingsOf, resolveUrl } from '../resolveUrl.ts'
import { checkEscrowOffer, type EscrowOffer, isEscrowEntry } from './escrowOffer.ts'
import { signableRequirements } from './paymentRequired.ts'

/** What one call costs and who gets it, as it will be signed. */
export type Quote = {
  /** The function, when the registry has one for this call; the price was then compared with the chain. */
  functionId: Hex | undefined
  /** Atomic units of `asset`. */
  price: bigint
  /** Decimal tokens. */
  priceText: string
  asset: Address
  payTo: Address
  /** CAIP-2 name of the chain. */
  network: string
  /** The x402 entry that is signed; absent when the call is free. */
  requirements: PaymentRequirements | undefined
  /** What the payment is bound to, when it goes into escrow; recomputed here. */
  escrow?: EscrowOffer | undefined
}

/**
 * Picks what to sign out of a challenge. Every entry that could be signed is compared with the registry, and each must
 * agree on payee and price; the cheapest is taken. Throws `payment_invalid` when nothing can be signed, `payee_changed` or
 * `price_drift` when gateway and chain disagree.
 */
export async function chooseRequirement(
  connection: Connection,
  call: Call,
  challenge: PaymentRequired,
): Promise<Quote & { requirements: PaymentRequirements }> {
  const { network } = connection
  const entries = signableRequirements(challenge, network)
  if (entries.length === 0) {
    throw new PeerHostError('payment_invalid', 'The price can be paid in no way that this network knows.', {
      details: offersOf(challenge),
      hint: `It should be payable in ${network.token.symbol} on eip155:${network.chainId}.`,
    })
  }
  const known = await knownFunction(connection, call)
  const offers = new Map<PaymentRequirements, EscrowOffer>()
  for (const entry of entries) {
    const offer = await checkEntry(connection, call, entry, known)
    if (offer) offers.set(entry, offer)
  }
  const requirements = entries.reduce((best, entry) => (BigInt(entry.amount) < BigInt(best.amount) ? entry : best))
  const price = BigInt(requirements.amount)
  return {
    functionId: known?.functionId,
    price,
    priceText: formatAmount(price, network.token.decimals),
    asset: getAddress(requirements.asset),
    payTo: getAddress(requirements.payTo),
    network: requirements.network,
    requirements,
    escrow: offers.get(requirements),
  }
}

/** Compares one entry with the chain; what is bound to this request in escrow, when it is. */
async function checkEntry(
  connection: Connection,
  call: Call,
  entry: PaymentRequirements,
  known: KnownFunction | undefined,
): Promise<EscrowOffer | undefined> {
  const isEscrow = isEscrowEntry(entry)
  if (known && isEscrow) return checkEscrowOffer(connection, call, entry, known)
  if (!known && isEscrow)
    throw new PeerHostError(
      'payment_invalid',
      'An escrow was offered for a call that is of no function of the registry.',
      {
        hint: 'Nothing was signed. Pass `functionId`, or use the function’s own URL.',
      },
    )
  if (!known) return undefined
  if (known.state.paymentMode === paymentModeNumber('escrow'))
    throw new PeerHostError('payment_invalid', 'The function’s payments go into escrow, and the gateway offers none.', {
      hint: 'Nothing was signed. If the mode was changed just now, try again in a minute; else do not use this gateway.',
    })
  assertAgrees(entry, known.state, connection.network.token.decimals)
  return undefined
}

/** What a stranger sent, as text that is safe to show. */
function offersOf({ accepts }: PaymentRequired): string[] {
  return accepts.slice(0, 5).map((entry: unknown) => `Offered: ${JSON.stringify(entry)?.slice(0, 200)}`)
}

type KnownFunction = { functionId: Hex; path: string; state: FunctionState }

async function knownFunction(connection: Connection, call: Call): Promise<KnownFunction | undefined> {
  const { functionId } = call
  if (!functionId) return resolveUrl(connection, call.url)
  const path = readingsOf(call.url).find((reading) => reading.functionId === functionId)?.path ?? '/'
  return { functionId, path, state: await readFunction(connection, functionId) }
}

function assertAgrees(entry: PaymentRequirements, state: FunctionState, decimals: number): void {
  if (entry.payTo.toLowerCase() !== state.payee.toLowerCase()) {
    throw new PeerHostError('payee_changed', 'The gateway asks to pay someone else than the registry names.', {
      details: [`Gateway: ${entry.payTo}`, `Registry: ${state.payee}`],
      hint: 'Nothing was signed. If the payee was changed just now, try again in a minute; else do not use this gateway.',
    })
  }
  if (BigInt(entry.amount) !== state.price) {
    throw new PeerHostError('price_drift', 'The gateway asks for another price than the registry names.', {
      details: [
        `Gateway: ${formatAmount(BigInt(entry.amount), decimals)}`,
        `Registry: ${formatAmount(state.price, decimals)}`,
      ],
      hint: 'Nothing was signed. If the price was changed just now, try again in a minute; else do not use this gateway.',
    })
  }
}
