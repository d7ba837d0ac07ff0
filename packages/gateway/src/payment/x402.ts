import { fromBase64, PeerHostError, paymentId } from '@peerhost/protocol'
import { x402Facilitator } from '@x402/core/facilitator'
import { encodePaymentRequiredHeader, encodePaymentResponseHeader, HTTPFacilitatorClient } from '@x402/core/http'
import { PaymentPayloadV1Schema, PaymentPayloadV2Schema } from '@x402/core/schemas'
import type { FacilitatorClient } from '@x402/core/server'
import type { Network, PaymentPayload, PaymentRequirements } from '@x402/core/types'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator'
import { EVM_NETWORK_CHAIN_ID_MAP } from '@x402/evm/v1'
import { type Address, getAddress, type Hex } from 'viem'
import { z } from 'zod'
import type { Collected, Payment, Terms } from './payment.ts'

/** What a facilitator needs of a chain client with an account. */
export type FacilitatorChain = Parameters<typeof toFacilitatorEvmSigner>[0]

/** `verify`, `settle` and `getSupported` of x402, in this process or behind a URL. */
export type Facilitator = FacilitatorClient

/** The chain and token that payments move on. */
export type PaymentNetwork = {
  chainId: number
  token: { address: Address; name: string; version: string }
  coordinator: Address
  escrow: Address
}

/** What is sold, for the challenge. */
export type Resource = { url: string; description: string; mimeType: string; maxTimeoutSeconds: number }

/** Everything the gateway does with x402, in both versions of its wire format. */
export type PaymentGate = {
  /** CAIP-2 name, and the v1 name where the chain has one. */
  networks: readonly string[]
  /** Throws `payment_invalid`. `undefined` when the request carries no payment. */
  read: (headers: { v2: string | undefined; v1: string | undefined }) => Payment | undefined
  /** Why a payment cannot be for this gateway at all: another network or another asset. */
  mismatch: (payment: Payment) => string | undefined
  challenge: (terms: Terms, resource: Resource, error: string) => { header: string; body: Record<string, unknown> }
  verify: (payment: Payment, terms: Terms, resource: Resource) => Promise<{ ok: true } | { ok: false; reason: string }>
  settle: (payment: Payment, terms: Terms, resource: Resource, timeoutMs: number) => Promise<Collected>
  /** The header that tells the client how its payment went. */
  response: (payment: Payment, collected: Collected) => readonly [name: string, value: string]
}

/** The v1 name of a chain, or `undefined`: v1 knows a closed list. */
export function networkNameV1(chainId: number): string | undefined {
  return Object.entries(EVM_NETWORK_CHAIN_ID_MAP).find(([, id]) => id === chainId)?.[0]
}

/** The facilitator in this process: pays the gas of settlements with the account of `chain`. */
export function createFacilitator(options: {
  chainId: number
  chain: FacilitatorChain
  confirmationTimeoutMs: number
}): Facilitator {
  const signer = toFacilitatorEvmSigner(options.chain, { confirmationTimeoutMs: options.confirmationTimeoutMs })
  const facilitator = new x402Facilitator().register(`eip155:${options.chainId}`, new ExactEvmScheme(signer))
  const v1 = networkNameV1(options.chainId)
  if (v1 !== undefined) facilitator.registerV1(v1 as Network, new ExactEvmSchemeV1(signer))
  return {
    verify: (payload, requirements) => facilitator.verify(payload, requirements),
    settle: (payload, requirements) => facilitator.settle(payload, requirements),
    getSupported: async () => facilitator.getSupported() as Awaited<ReturnType<Facilitator['getSupported']>>,
  }
}

/** A facilitator behind a URL. */
export function createRemoteFacilitator(options: { url: string; timeoutMs: number }): Facilitator {
  return new HTTPFacilitatorClient(options)
}

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => getAddress(text.toLowerCase()))
const amount = z.string().regex(/^(0|[1-9][0-9]{0,38})$/)
const exactPayload = z.object({
  signature: z.string().regex(/^0x([0-9a-fA-F]{2}){1,4096}$/),
  authorization: z.object({
    from: address,
    to: address,
    value: amount,
    validAfter: amount,
    validBefore: z.string().regex(/^[0-9]{1,15}$/),
    nonce: z
      .string()
      .regex(/^0x[0-9a-fA-F]{64}$/)
      .transform((text) => text.toLowerCase() as Hex),
  }),
})

/** Binds a facilitator and a token to the gate. Requirements are pure functions of terms and resource: a quote never changes by itself. */
export function createPaymentGate(deps: { facilitator: Facilitator; network: PaymentNetwork }): PaymentGate {
  const { chainId, token } = deps.network
  const v2: Network = `eip155:${chainId}`
  const v1 = networkNameV1(chainId)
  const { requirements, requirementsV1 } = requirementsOf(deps.network)
  const requirementsFor = (payment: Payment, terms: Terms, resource: Resource) =>
    (payment.x402Version === 2
      ? requirements(terms, resource)
      : requirementsV1(terms, resource)) as unknown as PaymentRequirements
  return {
    networks: v1 === undefined ? [v2] : [v2, v1],
    read: (headers) => {
      if (headers.v2 !== undefined) return readV2(deps.network, headers.v2)
      if (headers.v1 !== undefined) return readV1(deps.network, headers.v1)
      return undefined
    },
    mismatch: ({ x402Version, network, asset }) => {
      if (network !== (x402Version === 2 ? v2 : v1)) return `This network is not accepted: ${network.slice(0, 100)}.`
      return asset === undefined || asset === token.address ? undefined : `This asset is not accepted: ${asset}.`
    },
    challenge: (terms, resource, error) => {
      const { url, description, mimeType } = resource
      return {
        header: encodePaymentRequiredHeader({
          x402Version: 2,
          error,
          resource: { url, description, mimeType },
          accepts: [requirements(terms, resource)],
        }),
        body: { x402Version: 1, error, accepts: v1 === undefined ? [] : [requirementsV1(terms, resource)] },
      }
    },
    verify: async (payment, terms, resource) => {
      const answer = await deps.facilitator
        .verify(payment.payload as unknown as PaymentPayload, requirementsFor(payment, terms, resource))
        .catch((cause: unknown) => {
          throw new PeerHostError('chain_unavailable', 'The payment could not be verified now.', { cause })
        })
      return answer.isValid ? { ok: true } : { ok: false, reason: answer.invalidReason ?? 'not valid' }
    },
    settle: (payment, terms, resource, timeoutMs) =>
      settle(deps.facilitator, payment, requirementsFor(payment, terms, resource), timeoutMs),
    response: (payment, collected) => [
      payment.x402Version === 2 ? 'payment-response' : 'x-payment-response',
      encodePaymentResponseHeader({
        success: collected.type === 'paid',
        transaction: collected.type === 'paid' ? collected.transaction : '',
        network: (payment.x402Version === 2 ? v2 : v1) as Network,
        payer: payment.payer,
        ...(collected.type === 'paid' ? {} : { errorReason: collected.reason }),
      }),
    ],
  }
}

/**
 * What a client needs to recompute the address that it pays to: the quote id is the EIP-712 digest of `terms` under the
 * coordinator, the address follows from it, and `salt` opens `inputSeal`.
 */
function escrowExtra({ escrow }: Terms, network: PaymentNetwork) {
  if (!escrow) return {}
  const { terms, salt } = escrow
  const { escrow: contract, coordinator } = network
  return { escrow: { contract, coordinator, terms: { ...terms, price: terms.price.toString() }, salt } }
}

/** What both versions of the wire format ask for the same terms. */
function requirementsOf(network: PaymentNetwork) {
  const { chainId, token } = network
  const named = { name: token.name, version: token.version }
  const requirements = (terms: Terms, resource: Resource): PaymentRequirements => ({
    scheme: 'exact',
    network: `eip155:${chainId}`,
    asset: token.address,
    amount: terms.price.toString(),
    payTo: terms.payTo,
    maxTimeoutSeconds: resource.maxTimeoutSeconds,
    extra: {
      ...named,
      // For the client an escrow is a payment before the run, to an address that happens to be the quote's own.
      ...(terms.mode === 'after' ? {} : { paymentFlow: 'upfront' }),
      ...escrowExtra(terms, network),
    },
  })
  const requirementsV1 = (terms: Terms, resource: Resource) => ({
    scheme: 'exact',
    network: networkNameV1(chainId),
    maxAmountRequired: terms.price.toString(),
    resource: resource.url,
    description: resource.description,
    mimeType: resource.mimeType,
    payTo: terms.payTo,
    maxTimeoutSeconds: resource.maxTimeoutSeconds,
    asset: token.address,
    extra: { ...named, ...escrowExtra(terms, network) },
  })
  return { requirements, requirementsV1 }
}

/** Refusals after which no transaction of ours can still move the money. All others leave the outcome open. */
const definite =
  /signature|valid_before|valid_after|value_mismatch|recipient|network_mismatch|scheme|nonce_already_used|insufficient|simulation|domain|not_supported|token_|factory|asset_not|revert|exceeds/i

async function settle(
  facilitator: Facilitator,
  payment: Payment,
  requirements: PaymentRequirements,
  timeoutMs: number,
): Promise<Collected> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The facilitator did not answer in time.')), timeoutMs)
  })
  try {
    const answer = await Promise.race([
      facilitator.settle(payment.payload as unknown as PaymentPayload, requirements),
      late,
    ])
    if (answer.success) return { type: 'paid', transaction: answer.transaction as Hex }
    const reason = [answer.errorReason, answer.errorMessage].filter(Boolean).join(': ').slice(0, 300)
    const isMined = answer.transaction !== '' && answer.errorReason !== 'settlement_pending'
    return { type: isMined || definite.test(reason) ? 'failed' : 'unknown', reason: reason || 'not settled' }
  } catch (error) {
    return { type: 'unknown', reason: error instanceof Error ? error.message.slice(0, 300) : String(error) }
  } finally {
    clearTimeout(timer)
  }
}

function readV2(network: PaymentNetwork, header: string): Payment {
  const parsed = PaymentPayloadV2Schema.safeParse(decodeHeader(header))
  if (!parsed.success) throw invalid('The PAYMENT-SIGNATURE header is not an x402 v2 payment.')
  const { accepted, payload, ...rest } = parsed.data
  const asset = address.safeParse(accepted.asset)
  if (!asset.success) throw invalid('The accepted asset is not an address.')
  const exact = readExact(accepted.scheme, payload)
  return {
    ...describe(network, exact),
    x402Version: 2,
    asset: asset.data,
    network: accepted.network,
    payload: { ...rest, accepted, payload: exact },
  }
}

function readV1(network: PaymentNetwork, header: string): Payment {
  const parsed = PaymentPayloadV1Schema.safeParse(decodeHeader(header))
  if (!parsed.success) throw invalid('The X-PAYMENT header is not an x402 v1 payment.')
  const exact = readExact(parsed.data.scheme, parsed.data.payload)
  return {
    ...describe(network, exact),
    x402Version: 1,
    asset: undefined,
    network: parsed.data.network,
    payload: { ...parsed.data, payload: exact },
  }
}

function decodeHeader(header: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64(header)))
  } catch (cause) {
    throw invalid('The payment header is not base64 of JSON.', cause)
  }
}

function readExact(scheme: string, payload: unknown): z.output<typeof exactPayload> {
  if (scheme !== 'exact') throw invalid(`The payment scheme is not supported; use “exact”.`)
  const parsed = exactPayload.safeParse(payload)
  if (!parsed.success) throw invalid('The payload is not an EIP-3009 authorization with its signature.')
  return parsed.data
}

function describe({ chainId, token }: PaymentNetwork, { authorization }: z.output<typeof exactPayload>) {
  return {
    id: paymentId({ chainId, asset: token.address, payer: authorization.from, nonce: authorization.nonce }),
    payer: authorization.from,
    payTo: authorization.to,
    amount: BigInt(authorization.value),
    nonce: authorization.nonce,
    validBefore: Number(authorization.validBefore),
  }
}

function invalid(message: string, cause?: unknown): PeerHostError {
  return new PeerHostError('payment_invalid', message, {
    hint: 'Send one x402 payment: PAYMENT-SIGNATURE (v2) or X-PAYMENT (v1).',
    ...(cause === undefined ? {} : { cause }),
  })
}
