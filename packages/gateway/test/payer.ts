import { decodePaymentRequiredHeader } from '@x402/core/http'
import { authorizationTypes } from '@x402/evm'
import { registerExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { createWalletClient, type Hex, http, toHex } from 'viem'
import { wrapFetchWithPayment as wrapFetchV1 } from 'x402-fetch'
import { chain, type Keyed, token } from './fixture.ts'

/** The stock v2 client, without any setting. */
export function payerV2(payer: Keyed): typeof fetch {
  const client = new x402Client()
  registerExactEvmScheme(client, { signer: payer.account })
  return wrapFetchWithPayment(fetch, client) as typeof fetch
}

/** The stock v1 client, without any setting. */
export function payerV1(payer: Keyed, rpcUrl: string): typeof fetch {
  const wallet = createWalletClient({ account: payer.account, chain, transport: http(rpcUrl) })
  return wrapFetchV1(fetch, wallet as never) as typeof fetch
}

export type Authorization = { from: Hex; to: Hex; value: string; validAfter: string; validBefore: string; nonce: Hex }

/** One signed payment as a header, for tests that send it more than once, or changed. */
export async function signPayment(
  payer: Keyed,
  challenge: Response,
  change: Partial<Authorization> = {},
): Promise<{ header: string; authorization: Authorization; signature: Hex }> {
  const required = decodePaymentRequiredHeader(challenge.headers.get('payment-required') ?? '')
  const [accepted] = required.accepts
  if (!accepted) throw new Error('nothing is accepted')
  const now = Math.floor(Date.now() / 1_000)
  const authorization: Authorization = {
    from: payer.account.address,
    to: accepted.payTo as Hex,
    value: accepted.amount,
    validAfter: String(now - 600),
    validBefore: String(now + accepted.maxTimeoutSeconds),
    nonce: toHex(crypto.getRandomValues(new Uint8Array(32))),
    ...change,
  }
  const signature = await payer.account.signTypedData({
    domain: { name: 'USDC', version: '2', chainId: chain.id, verifyingContract: token },
    types: authorizationTypes,
    primaryType: 'TransferWithAuthorization',
    message: {
      ...authorization,
      value: BigInt(authorization.value),
      validAfter: BigInt(authorization.validAfter),
      validBefore: BigInt(authorization.validBefore),
    },
  })
  const payload = { x402Version: 2, resource: required.resource, accepted, payload: { signature, authorization } }
  return { header: Buffer.from(JSON.stringify(payload)).toString('base64'), authorization, signature }
}
