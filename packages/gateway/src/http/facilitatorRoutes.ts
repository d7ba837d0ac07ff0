import { PeerHostError } from '@peerhost/protocol'
import type { Request } from 'express'
import type { Address } from 'viem'
import { z } from 'zod'
import type { Facilitator } from '../payment/x402.ts'
import { readBody } from './readBody.ts'
import { type Exchange, writeJson } from './write.ts'

export type FacilitatorRouteDeps = {
  facilitator: Facilitator
  asset: Address
  bodyTimeoutMs: number
  /** True for addresses whose payments this gateway pays gas for. */
  isPayee: (address: string) => boolean
}

const mostBytes = 65_536
const body = z.looseObject({
  x402Version: z.int(),
  paymentPayload: z.looseObject({ x402Version: z.int(), payload: z.looseObject({}) }),
  paymentRequirements: z.looseObject({ scheme: z.string(), network: z.string(), asset: z.string(), payTo: z.string() }),
})

type Settle = Parameters<Facilitator['settle']>

/** `GET /x402/supported`. */
export async function facilitatorSupported(deps: FacilitatorRouteDeps, _: Request, exchange: Exchange): Promise<void> {
  writeJson(exchange, 200, await deps.facilitator.getSupported())
}

/** `POST /x402/verify` and `POST /x402/settle`, as x402 facilitators answer them. */
export async function facilitatorUse(deps: FacilitatorRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const { use } = request.params
  if (use !== 'verify' && use !== 'settle')
    throw new PeerHostError('function_not_found', 'A facilitator has verify, settle and supported.')
  const bytes = await readBody(request, { maxBytes: mostBytes, timeoutMs: deps.bodyTimeoutMs })
  const parsed = body.safeParse(parseJson(bytes))
  if (!parsed.success) throw new PeerHostError('request_invalid', 'The body is not a facilitator request of x402.')
  const { paymentPayload, paymentRequirements } = parsed.data
  const payload = paymentPayload as unknown as Settle[0]
  const requirements = paymentRequirements as unknown as Settle[1]
  const { network } = requirements
  const refusal = refuse(deps, paymentRequirements)
  if (use === 'verify') {
    const answer = refusal
      ? { isValid: false, invalidReason: refusal }
      : await tryTo(() => deps.facilitator.verify(payload, requirements))
    return writeJson(exchange, 200, answer ?? { isValid: false, invalidReason: 'unexpected_verify_error' })
  }
  const answer = refusal
    ? { success: false, errorReason: refusal, transaction: '', network }
    : await tryTo(() => deps.facilitator.settle(payload, requirements))
  const failed = { success: false, errorReason: 'unexpected_settle_error', transaction: '', network }
  return writeJson(exchange, 200, answer ?? failed)
}

/** This facilitator pays gas: for the network's token and for those who sell here, not for the world. */
function refuse(deps: FacilitatorRouteDeps, { asset, payTo }: { asset: string; payTo: string }): string | undefined {
  if (asset.toLowerCase() !== deps.asset.toLowerCase()) return 'unsupported_asset'
  return deps.isPayee(payTo) ? undefined : 'unsupported_payee'
}

async function tryTo<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch {
    return undefined
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
