import { PeerHostError } from '@peerhost/protocol'
import { type CallParameters, prepareCall } from '../call.ts'
import { readFunction } from '../chain/readFunction.ts'
import type { Connection } from '../connection.ts'
import { exchange } from '../exchange.ts'
import { chooseRequirement, type Quote } from '../payment/chooseRequirement.ts'
import { paymentRequiredOf } from '../payment/paymentRequired.ts'
import { problemError, problemOf } from '../requestGateway.ts'
import { resolveUrl } from '../resolveUrl.ts'

/**
 * What a call would cost, without running or paying anything: a free function is recognised on chain and not called, a
 * priced one is asked without payment and answers 402. Throws `function_not_found` when no function is known for the call,
 * `price_drift` and `payee_changed` when gateway and chain disagree.
 */
export async function quote(connection: Connection, parameters: quote.Parameters): Promise<quote.ReturnType> {
  const call = await prepareCall(connection, parameters, parameters.signal)
  const known = call.functionId
    ? { functionId: call.functionId, state: await readFunction(connection, call.functionId) }
    : await resolveUrl(connection, call.url)
  if (!known) {
    throw new PeerHostError('function_not_found', 'The URL is that of no function of this network.', {
      details: [`URL: ${call.url}`],
      hint: 'Check the URL, or pass `functionId`.',
    })
  }
  const { token, chainId } = connection.network
  const free: Quote = {
    functionId: known.functionId,
    price: 0n,
    priceText: '0',
    asset: token.address,
    payTo: known.state.payee,
    network: `eip155:${chainId}`,
    requirements: undefined,
  }
  if (known.state.price === 0n) return free
  const answer = await exchange(connection, { ...call, functionId: known.functionId }, [], parameters.signal)
  if (answer.status === 402) {
    return chooseRequirement(connection, { ...call, functionId: known.functionId }, paymentRequiredOf(answer.headers))
  }
  if (problemOf(answer.body) && !answer.headers.has('peerhost-receipt')) throw problemError(answer.status, answer.body)
  throw new PeerHostError('price_drift', 'The registry names a price, but the gateway asked for none.', {
    details: [`Status: ${answer.status}`],
    hint: 'If the price was set just now, try again in a minute.',
  })
}

export declare namespace quote {
  type Parameters = CallParameters & { signal?: AbortSignal | undefined }
  /** `price` is `0n` and `requirements` absent when the call is free. */
  type ReturnType = Quote
}
