import { z } from 'zod'
import { formatMoney } from '../spending/money.ts'
import type { SpendRecord } from '../spending/spendState.ts'
import { defineTool } from './tool.ts'

const call = z.object({
  call_id: z.string(),
  function: z.string(),
  provider: z.string(),
  amount: z.string(),
  status: z.string(),
  at: z.string(),
  transaction: z.string().nullable(),
})

/** What was spent, what is held, what is left. */
export const spendingTool = defineTool({
  name: 'peer_spending',
  title: 'PeerHost spending',
  description:
    'What was paid today and in this run, what is held for open calls, and what the limits leave. Spends nothing.',
  input: z.object({}),
  output: z.object({
    day: z.string(),
    today: z.object({ used: z.string(), held: z.string(), left: z.string().nullable() }),
    process: z.object({ used: z.string(), left: z.string().nullable() }),
    providers_today: z.array(z.object({ provider: z.string(), used: z.string(), left: z.string().nullable() })),
    holds: z.array(call),
    recent: z.array(call),
    denied: z.int(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (deps) => {
    const summary = await deps.wallet?.engine.summary()
    const money = (amount: bigint | undefined) => (amount === undefined ? null : formatMoney(amount))
    if (!summary) {
      const none = { used: '0', left: null }
      const day = new Date(deps.nowMs()).toISOString().slice(0, 10)
      return {
        structured: {
          day,
          today: { ...none, held: '0' },
          process: none,
          providers_today: [],
          holds: [],
          recent: [],
          denied: 0,
        },
        text: 'No wallet: nothing can be spent.',
      }
    }
    const { today, process } = summary
    return {
      structured: {
        day: summary.day,
        today: { used: formatMoney(today.used), held: formatMoney(today.held), left: money(today.left) },
        process: { used: formatMoney(process.used), left: money(process.left) },
        providers_today: summary.providersToday.map((one) => ({
          provider: one.provider,
          used: formatMoney(one.used),
          left: money(one.left),
        })),
        holds: summary.holds.map(toCall),
        recent: summary.recent.map(toCall),
        denied: summary.denied,
      },
    }
  },
})

function toCall(record: SpendRecord): z.input<typeof call> {
  return {
    call_id: record.callId,
    function: record.functionId,
    provider: record.provider,
    amount: formatMoney(record.amount),
    status: record.status,
    at: new Date(record.reservedAt).toISOString(),
    transaction: record.transaction ?? null,
  }
}
