import { PeerHostError } from '@peerhost/protocol'
import { decodePaymentRequiredHeader } from '@x402/core/http'
import type { PaymentRequired, PaymentRequirements } from '@x402/core/types'
import { z } from 'zod'
import { addressSchema } from '../schema.ts'

/** Longest that a signed authorization may stay valid: a refused payment must not be collectable for ever. */
const maximumTimeoutSeconds = 3_600

const requirementSchema = z.object({
  scheme: z.string(),
  network: z.string().regex(/^eip155:[0-9]+$/),
  asset: addressSchema,
  amount: z.string().regex(/^(0|[1-9][0-9]{0,38})$/),
  payTo: addressSchema,
  maxTimeoutSeconds: z.int().positive().max(maximumTimeoutSeconds),
  extra: z.record(z.string(), z.unknown()),
})

/** The x402 challenge (v2) of a 402 answer. Throws `payment_invalid` when there is none that can be read. */
export function paymentRequiredOf(headers: Headers): PaymentRequired {
  const header = headers.get('payment-required')
  if (header !== null) {
    try {
      const challenge = decodePaymentRequiredHeader(header)
      if (challenge.x402Version === 2 && Array.isArray(challenge.accepts)) return challenge
    } catch {}
  }
  throw new PeerHostError(
    'payment_invalid',
    'The 402 answer carries no x402 challenge of version 2 that can be read.',
    {
      hint: 'Check that the URL is that of a PeerHost function; in a browser, that PAYMENT-REQUIRED is exposed by CORS.',
    },
  )
}

/**
 * The entries of a challenge that an account on this network could sign: scheme `exact` by EIP-3009, on the network's own
 * chain and token, under the token's own EIP-712 domain, not valid for ever. All others are ignored.
 */
export function signableRequirements(
  challenge: PaymentRequired,
  network: { chainId: number; token: { address: string; name: string; version: string } },
): PaymentRequirements[] {
  return challenge.accepts.filter((entry) => {
    const parsed = requirementSchema.safeParse(entry)
    if (!parsed.success) return false
    const { scheme, network: chain, asset, extra } = parsed.data
    const method = extra.assetTransferMethod ?? 'eip3009'
    const flow = extra.paymentFlow ?? 'authorization'
    return (
      scheme === 'exact' &&
      chain === `eip155:${network.chainId}` &&
      asset.toLowerCase() === network.token.address.toLowerCase() &&
      extra.name === network.token.name &&
      extra.version === network.token.version &&
      method === 'eip3009' &&
      (flow === 'authorization' || flow === 'upfront')
    )
  })
}
