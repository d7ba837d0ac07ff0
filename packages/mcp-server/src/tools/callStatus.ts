import { PeerHostError } from '@peerhost/protocol'
import { z } from 'zod'
import { decodeText, maximumResultCharacters } from '../calls/renderResult.ts'
import { resolveCall } from '../calls/resolveCall.ts'
import type { StoredCall } from '../calls/resultStore.ts'
import type { SpendRecord } from '../spending/spendState.ts'
import { callFactsSchema, render } from './call.ts'
import { defineTool } from './tool.ts'

/** What became of a call, and its answer. */
export const callStatusTool = defineTool({
  name: 'peer_call_status',
  title: 'Status of a PeerHost call',
  description:
    'What became of a call: whether it was charged, and its answer once there is one. Resolves unknown payments with the gateway and the chain; never pays again. With offset it reads on in a long text.',
  input: z.object({
    call_id: z.uuid(),
    offset: z.int().min(0).optional().describe('Read the text of the answer from this character on'),
  }),
  output: z.object({
    status: z.enum(['answered', 'charged', 'not_charged', 'pending', 'unknown']),
    explanation: z.string(),
    call: callFactsSchema.nullable(),
    page: z.object({ text: z.string(), next_offset: z.int().nullable() }).nullable(),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
  run: async (deps, { call_id: callId, offset }, signal) => {
    const spend = deps.wallet && (await resolveCall(deps, deps.wallet, callId, signal))
    const stored = await deps.results.get(callId)
    if (!stored && !spend)
      throw new PeerHostError('receipt_not_found', 'No call with this id is known here.', {
        hint: 'Take call_id from the result or error of the call.',
      })
    const state = stateOf(spend, stored)
    const { network } = await deps.catalogue.snapshot()
    if (!stored?.answer || !network)
      return { structured: { ...state, call: null, page: null }, text: state.explanation }
    const done = { stored, ...(spend?.status === 'settled' && { spend }), replayed: true }
    const { facts, content, _meta } = await render(deps, done, network)
    const page = offset === undefined ? null : pageOf(stored, offset)
    return {
      structured: { ...state, call: facts, page },
      content: page ? [{ type: 'text', text: page.text }] : content,
      _meta,
    }
  },
})

function stateOf(spend: SpendRecord | undefined, stored: StoredCall | undefined) {
  const hasAnswer = stored?.answer !== undefined
  switch (spend?.status) {
    case 'reserved':
    case 'signed':
      return { status: 'pending' as const, explanation: 'The call is under way. Ask again in a few seconds.' }
    case 'unknown':
      return {
        status: hasAnswer ? ('answered' as const) : ('unknown' as const),
        explanation:
          'It is not known yet whether the payment was taken. Its amount stays reserved; ask again later. Do not repeat the call.',
      }
    case 'settled':
      return hasAnswer
        ? { status: 'answered' as const, explanation: 'Charged once, and answered.' }
        : { status: 'charged' as const, explanation: 'Charged once; the answer has not come yet. Ask again later.' }
    case 'unsettled':
    case 'released':
      return {
        status: hasAnswer ? ('answered' as const) : ('not_charged' as const),
        explanation: `Not charged: ${spend.reason ?? 'nothing was taken'}. The call may be made again.`,
      }
    default:
      return hasAnswer
        ? { status: 'answered' as const, explanation: 'A free call that was answered.' }
        : { status: 'not_charged' as const, explanation: 'Nothing was paid and nothing came back.' }
  }
}

function pageOf({ answer }: StoredCall, offset: number): { text: string; next_offset: number | null } {
  const text = answer && decodeText(answer.body, answer.headers['content-type'] ?? '')
  if (text === undefined) throw new PeerHostError('request_invalid', 'The answer is not text: read its result_uri.')
  const end = offset + maximumResultCharacters
  return { text: text.slice(offset, end).toWellFormed(), next_offset: end < text.length ? end : null }
}
