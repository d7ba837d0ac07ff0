import { z } from 'zod'
import { formatMoney } from '../spending/money.ts'
import { defineTool } from './tool.ts'

/** The limits, for looking at, and what is wrong with the setup. */
export const policyTool = defineTool({
  name: 'peer_policy',
  title: 'PeerHost spending policy',
  description:
    'The limits that the human set, how the human changes them, and functions that could not be offered. Read-only: no tool changes a limit.',
  input: z.object({}),
  output: z.object({
    valid: z.boolean(),
    source: z.string(),
    problems: z.array(z.string()),
    limits: z
      .object({
        per_call: z.string(),
        per_day: z.string(),
        per_process: z.string(),
        per_provider_per_day: z.string(),
        calls_per_minute: z.int(),
        replay_window_seconds: z.int(),
        assets: z.array(z.object({ network: z.string(), asset: z.string() })),
        providers_allowed: z.array(z.string()).nullable(),
        providers_denied: z.array(z.string()),
      })
      .nullable(),
    how_to_change: z.string(),
    omitted_functions: z.array(z.object({ function: z.string(), reason: z.string() })),
    warnings: z.array(z.string()),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (deps) => {
    const [reading, { omitted, warnings }] = await Promise.all([deps.policy(), deps.catalogue.snapshot()])
    const policy = reading.type === 'valid' ? reading.policy : undefined
    return {
      structured: {
        valid: policy !== undefined,
        source: reading.source,
        problems: reading.type === 'invalid' ? reading.problems : [],
        limits: policy
          ? {
              per_call: formatMoney(policy.maxPerCall),
              per_day: formatMoney(policy.maxPerDay),
              per_process: formatMoney(policy.maxPerProcess),
              per_provider_per_day: formatMoney(policy.maxPerProviderPerDay),
              calls_per_minute: policy.maxCallsPerMinute,
              replay_window_seconds: policy.replayWindowSeconds,
              assets: policy.assets,
              providers_allowed: policy.providers.allow ?? null,
              providers_denied: policy.providers.deny,
            }
          : null,
        how_to_change:
          'Only the human can: by editing the policy file (PEERHOST_MCP_POLICY), which must not be writable by others. It is read anew before every payment.',
        omitted_functions: omitted.map(({ functionId, reason }) => ({ function: functionId, reason })),
        warnings: [...warnings],
      },
    }
  },
})
