import { PeerHostError } from '@peerhost/protocol'
import { encodePaymentSignatureHeader } from '@x402/core/http'
import type { PaymentRequired, PaymentRequirements } from '@x402/core/types'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { type Address, getAddress, type Hex, type TypedDataDefinition } from 'viem'
import type { Call } from '../call.ts'
import { type Connection, requireAccount } from '../connection.ts'
import { type PendingPayment, pendingPaymentFor } from './pendingPayment.ts'

type Authorization = { from: Address; to: Address; value: string; validBefore: string; nonce: Hex }

/** Signs one EIP-3009 authorization for the chosen entry: the only place of the SDK where a payment comes into being. */
export async function signPayment(
  connection: Connection,
  call: Call,
  challenge: PaymentRequired,
  requirements: PaymentRequirements,
): Promise<PendingPayment> {
  const { account, walletClient } = requireAccount(connection, 'Paying for a call')
  const scheme = new ExactEvmScheme({
    address: account.address,
    signTypedData: (message) =>
      walletClient.signTypedData({ account, ...message } as TypedDataDefinition & { account: typeof account }),
  })
  const { payload } = await sign(() => scheme.createPaymentPayload(2, requirements))
  const { authorization } = payload as { authorization: Authorization }
  const header = encodePaymentSignatureHeader({
    x402Version: 2,
    payload,
    resource: challenge.resource,
    accepted: requirements,
    ...(challenge.extensions === undefined ? {} : { extensions: challenge.extensions }),
  })
  return pendingPaymentFor(call, header, {
    network: requirements.network,
    asset: getAddress(requirements.asset),
    payer: getAddress(authorization.from),
    payTo: getAddress(authorization.to),
    amount: authorization.value,
    nonce: authorization.nonce,
    validBeforeSeconds: Number(authorization.validBefore),
  })
}

async function sign<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create()
  } catch (cause) {
    throw new PeerHostError('payment_invalid', 'The payment was not signed.', {
      cause,
      hint: 'Confirm it in the wallet, with the wallet on the chain of the price. Nothing was paid.',
    })
  }
}
