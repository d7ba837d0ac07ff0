import { z } from 'zod'
import { targetOf } from '../calls/callFunction.ts'
import { callKey } from '../calls/callKey.ts'
import { priceText } from '../catalogue/endpointTool.ts'
import { moneySchema } from '../spending/money.ts'
import type { Reservation } from '../spending/spendEngine.ts'
import { functionReference } from './describe.ts'
import { defineTool } from './tool.ts'

/** The live price of one call, and whether the policy would let it be paid. */
export const quoteTool = defineTool({
  name: 'peer_quote',
  title: 'Quote a PeerHost call',
  description:
    'The live price of one call with these arguments, and whether the spending policy would pay it. Signs and spends nothing. Pass quote_id to peer_call to pay exactly this.',
  input: z.object({
    function: functionReference,
    arguments: z.record(z.string(), z.unknown()).default({}),
    max_price: moneySchema
      .optional()
      .describe('Your own limit for this call, such as "0.01"; can only tighten the policy'),
    idempotency_key: z.string().max(200).optional(),
  }),
  output: z.object({
    decision: z.enum(['free', 'would_pay', 'would_replay', 'would_deny']),
    reason: z.string(),
    code: z.string().nullable(),
    price: z.string(),
    amount: z.string(),
    pay_to: z.string().nullable(),
    network: z.string().nullable(),
    quote_id: z.string().nullable(),
    expires_at: z.string().nullable(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async (deps, input, signal) => {
    const { tool, network } = await deps.catalogue.find(input.function, signal)
    const target = targetOf(tool, input.arguments)
    const terms = await deps.port.quote(target, signal)
    if (!terms) {
      const none = { code: null, pay_to: null, network: null, quote_id: null, expires_at: null }
      return {
        structured: { decision: 'free' as const, reason: 'This call is free.', price: 'free', amount: '0', ...none },
      }
    }
    const key = callKey(target, input.idempotency_key)
    const { card } = tool
    const preview = await deps.wallet?.engine.preview({
      callKey: key,
      functionId: card.functionId,
      provider: card.creator,
      ...terms,
      ...(input.max_price === undefined ? {} : { maxAmount: input.max_price }),
    })
    const quote = preview?.type === 'allow' ? deps.quotes.put(key, terms) : undefined
    return {
      structured: {
        ...decisionOf(preview),
        price: priceText(terms.amount, network.token),
        amount: terms.amount.toString(),
        pay_to: terms.payTo,
        network: terms.network,
        quote_id: quote?.quoteId ?? null,
        expires_at: quote ? new Date(quote.expiresAtMs).toISOString() : null,
      },
    }
  },
})

function decisionOf(preview: Reservation | { type: 'allow' } | undefined) {
  switch (preview?.type) {
    case undefined:
      return { decision: 'would_deny' as const, code: 'payment_required', reason: 'This server has no wallet.' }
    case 'deny':
      return { decision: 'would_deny' as const, code: preview.code, reason: preview.reason }
    case 'replay':
      return {
        decision: 'would_replay' as const,
        code: null,
        reason: 'The same call was paid just now: its answer is kept.',
      }
    case 'blocked':
      return {
        decision: 'would_deny' as const,
        code: preview.code,
        reason: `See peer_call_status ${preview.call.callId}.`,
      }
    default:
      return { decision: 'would_pay' as const, code: null, reason: 'Within every limit.' }
  }
}
