import { type Address, encodeAbiParameters, type Hex, keccak256, stringToBytes } from 'viem'

/** When money moves: after the run, before it (credited on failure), or through a deposit that the result releases. */
export const paymentModes = ['after', 'upfront', 'escrow'] as const
export type PaymentMode = (typeof paymentModes)[number]

/** Mode → its number on chain (first is 1). */
export function paymentModeNumber(mode: PaymentMode): number {
  return paymentModes.indexOf(mode) + 1
}

/** An EIP-3009 authorization is one payment: it is named by chain, asset, payer and nonce. */
export type PaymentKey = { chainId: number; asset: Address; payer: Address; nonce: Hex }

const paymentTypehash = keccak256(
  stringToBytes('PeerHostPayment(uint256 chainId,address asset,address payer,bytes32 nonce)'),
)

/** The name of a payment, in the ticket as `quoteId`. Twin: `Hashes.paymentId`. Vectors: `paymentId.json`. */
export function paymentId({ chainId, asset, payer, nonce }: PaymentKey): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'bytes32' }],
      [paymentTypehash, BigInt(chainId), asset, payer, nonce],
    ),
  )
}
