import { PeerHostError, sameHex } from '@peerhost/protocol'
import type { Hex, LocalAccount, TypedDataDefinition } from 'viem'
import { toAccount } from 'viem/accounts'
import type { Authorization, PaymentTerms } from '../peerHostPort.ts'

export type GuardedAccountDeps = {
  account: LocalAccount
  /** What was reserved for this call; `undefined` until it is. */
  reserved: () => PaymentTerms | undefined
  /** Makes the authorization durable. The signature is made only after it resolved. */
  record: (authorization: Authorization) => Promise<void>
  nowMs: () => number
}

/** An authorization must not outlive the call by much: until it expires, its money stays held. */
const longestAuthorizationSeconds = 900n

/**
 * An account for one call, that signs one thing only: the transfer that was reserved, to the letter. Whatever asks it for
 * a message, a transaction, another payee, token, amount or chain is refused; so no code above it can spend more.
 */
export function createGuardedAccount(deps: GuardedAccountDeps): LocalAccount {
  const refuse = (what: string) => async (): Promise<never> => {
    throw new PeerHostError('payment_rejected', `The wallet of this server does not sign ${what}.`)
  }
  return toAccount({
    address: deps.account.address,
    signMessage: refuse('messages'),
    signTransaction: refuse('transactions'),
    signTypedData: async (parameters) => {
      const typedData = parameters as unknown as TypedDataDefinition
      const authorization = readAuthorization(typedData)
      const problem = authorization ? mismatch(deps, typedData, authorization) : 'it is not a token transfer'
      if (!authorization || problem)
        throw new PeerHostError('payment_rejected', 'The wallet refused to sign.', { details: [`Reason: ${problem}`] })
      await deps.record(authorization)
      return deps.account.signTypedData(parameters)
    },
  })
}

function readAuthorization({ primaryType, message }: TypedDataDefinition): Authorization | undefined {
  if (primaryType !== 'TransferWithAuthorization') return undefined
  const { from, to, value, validAfter, validBefore, nonce } = message as Record<string, unknown>
  const texts = [from, to, nonce]
  if (!texts.every((text) => typeof text === 'string' && /^0x[0-9a-f]+$/i.test(text))) return undefined
  try {
    return {
      from: from as Hex,
      to: to as Hex,
      nonce: nonce as Hex,
      value: BigInt(value as string),
      validAfter: BigInt(validAfter as string),
      validBefore: BigInt(validBefore as string),
    }
  } catch {
    return undefined
  }
}

function mismatch(
  deps: GuardedAccountDeps,
  { domain }: TypedDataDefinition,
  authorization: Authorization,
): string | undefined {
  const terms = deps.reserved()
  if (!terms) return 'nothing is reserved'
  const chain = domain?.chainId === undefined ? undefined : `eip155:${domain.chainId}`
  if (chain !== terms.network) return `it is for ${chain}, reserved is ${terms.network}`
  if (!domain?.verifyingContract || !sameHex(domain.verifyingContract as Hex, terms.asset))
    return 'it is for another token'
  if (!sameHex(authorization.to, terms.payTo)) return 'it pays someone else'
  if (authorization.value !== terms.amount) return 'it is for another amount'
  if (!sameHex(authorization.from, deps.account.address)) return 'it is from another wallet'
  const latest = BigInt(Math.floor(deps.nowMs() / 1_000)) + longestAuthorizationSeconds
  if (authorization.validBefore > latest) return 'it stays valid for too long'
  return undefined
}
