import { type Address, getCreate2Address, type Hex, hashTypedData } from 'viem'
import { depositCodeHash } from './depositCode.generated.ts'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/**
 * What a payer in escrow mode agrees to. The digest is the ticket's `quoteId` and the CREATE2 salt of the deposit address,
 * so a payment to that address is bound to this request, this body and this price.
 */
export type EscrowTerms = {
  requester: Address
  functionId: Hex
  functionVersion: number
  /** The ticket's; its salt comes to the payer with the quote, so that it can recompute this from its own request. */
  inputSeal: Hex
  payee: Address
  price: bigint
  /** Latest deadline that the ticket may have. */
  deadline: number
  /** Makes the deposit address of this quote its own. */
  nonce: Hex
}

export const escrowTermsTypes = {
  EscrowTerms: [
    { name: 'requester', type: 'address' },
    { name: 'functionId', type: 'bytes32' },
    { name: 'functionVersion', type: 'uint32' },
    { name: 'inputSeal', type: 'bytes32' },
    { name: 'payee', type: 'address' },
    { name: 'price', type: 'uint128' },
    { name: 'deadline', type: 'uint40' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const

/** The quote id in escrow mode. Twin: `Messages.hashEscrowTerms`. Vectors: `escrowTerms.json`. */
export function hashEscrowTerms(domain: ProtocolDomain, terms: EscrowTerms): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: escrowTermsTypes,
    primaryType: 'EscrowTerms',
    message: terms,
  })
}

/**
 * Where the price of a quote is paid to in escrow mode. Recompute it before signing a payment: a payment to this address can
 * be used for nothing but this quote. Twin: `IPaymentEscrow.depositAddressOf`. Vectors: `depositAddress.json`.
 */
export function depositAddress(escrow: Address, quoteId: Hex): Address {
  return getCreate2Address({ from: escrow, salt: quoteId, bytecodeHash: depositCodeHash })
}
