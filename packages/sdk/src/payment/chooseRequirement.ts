import { PeerHostError } from '@peerhost/protocol'
import type { PaymentRequired, PaymentRequirements } from '@x402/core/types'
import { type Address, getAddress, type Hex } from 'viem'
import { formatAmount } from '../amount.ts'
import type { Call } from '../call.ts'
import { type FunctionState, readFunction } from '../chain/readFunction.ts'
import type { Connection } from '../connection.ts'
import { resolveUrl } from '../resolveUrl.ts'
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
      details: offers(challenge),
      hint: `It should be payable in ${network.token.symbol} on eip155:${network.chainId}.`,
    })
  }
  const known = await knownFunction(connection, call)
  if (known) for (const entry of entries) assertAgrees(entry, known.state, network.token.decimals)
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
  }
}

/** What a stranger sent, as text that is safe to show. */
function offers({ accepts }: PaymentRequired): string[] {
  return accepts.slice(0, 5).map((entry: unknown) => `Offered: ${JSON.stringify(entry)?.slice(0, 200)}`)
}

async function knownFunction(
  connection: Connection,
  call: Call,
): Promise<{ functionId: Hex; state: FunctionState } | undefined> {
  if (!call.functionId) return resolveUrl(connection, call.url)
  return { functionId: call.functionId, state: await readFunction(connection, call.functionId) }
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
