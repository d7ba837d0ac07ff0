import { type Address, type Hex, isAddressEqual, type Log, parseEventLogs } from 'viem'
import { executionCoordinatorAbi } from './abi.generated.ts'

/** A request that was paid, as the coordinator's events tell it; of several workers the first of the quorum is first. */
export type SettledRequest = {
  requestId: Hex
  resultSeal: Hex
  outcome: number
  status: number
  /** In atomic units of the settlement token. */
  rewards: readonly { operator: Address; reward: bigint }[]
}

/** The coordinator's events that say who was paid for what: `ExecutionSettled`, and of a quorum `RewardsShared` behind it. */
export const settlementEvents = executionCoordinatorAbi.filter(
  (entry) => entry.type === 'event' && (entry.name === 'ExecutionSettled' || entry.name === 'RewardsShared'),
)

/** What these logs say was settled, in their order. Logs of other contracts and other events are passed over. */
export function settledRequests(logs: readonly Log[], coordinator: Address): SettledRequest[] {
  const ours = logs.filter((log) => isAddressEqual(log.address, coordinator))
  const events = parseEventLogs({
    abi: executionCoordinatorAbi,
    eventName: ['ExecutionSettled', 'RewardsShared'],
    logs: ours,
  })
  const found = new Map<Hex, SettledRequest & { rewards: { operator: Address; reward: bigint }[] }>()
  for (const { eventName, args } of events) {
    if (eventName === 'RewardsShared') {
      const rewards = args.operators.map((operator) => ({ operator, reward: args.reward }))
      found.get(args.requestId)?.rewards.push(...rewards)
    } else {
      const { requestId, resultSeal, outcome, status, operator, reward } = args
      found.set(requestId, { requestId, resultSeal, outcome, status, rewards: [{ operator, reward }] })
    }
  }
  return [...found.values()]
}
