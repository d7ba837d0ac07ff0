import { confirmedLaneAbi, executionCoordinatorAbi, functionRegistryAbi, operatorRegistryAbi } from '@peerhost/protocol'
import type { Hex, Log, PublicClient, Transport, Chain as ViemChain } from 'viem'
import type { ChainEvent } from './chain.ts'

type EventOf<Abi extends readonly { type: string }[]> = Extract<Abi[number], { type: 'event' }>
type RegistryEvent = EventOf<typeof functionRegistryAbi>
type CoordinatorEvent = EventOf<typeof executionCoordinatorAbi>
type OperatorEvent = EventOf<typeof operatorRegistryAbi>
type LaneEvent = EventOf<typeof confirmedLaneAbi>

const coordinatorNames = [
  'ExecutionSettled',
  'CreditDeposited',
  'CreditLineGranted',
  'CreditLineRevoked',
  'CreditWithdrawalRequested',
  'RequesterBonded',
  'RequesterUnbonding',
  'RequesterBondSlashed',
] as const satisfies readonly CoordinatorEvent['name'][]
const operatorNames = [
  'OperatorRegistered',
  'OperatorStatusChanged',
  'ExecutionKeyBound',
  'ExecutionKeyClosed',
] as const satisfies readonly OperatorEvent['name'][]
const laneNames = ['ExecutionOutput', 'QuorumAgreed'] as const satisfies readonly LaneEvent['name'][]

type Followed =
  | Exclude<RegistryEvent, { name: 'ActionRelayed' }>
  | Extract<CoordinatorEvent, { name: (typeof coordinatorNames)[number] }>
  | Extract<OperatorEvent, { name: (typeof operatorNames)[number] }>
  | Extract<LaneEvent, { name: (typeof laneNames)[number] }>

const otherNames: readonly string[] = [...coordinatorNames, ...operatorNames, ...laneNames]

/** The ABI of every event that the gateway follows. */
export const followedEvents: readonly Followed[] = [
  ...functionRegistryAbi.filter((item) => item.type === 'event' && item.name !== ('ActionRelayed' as string)),
  ...[...executionCoordinatorAbi, ...operatorRegistryAbi, ...confirmedLaneAbi].filter(
    (item) => item.type === 'event' && otherNames.includes(item.name),
  ),
] as readonly Followed[]

type FollowedLog = Log<bigint, number, false, undefined, true, typeof followedEvents>

/** Logs → events in the gateway's words, in the order of the chain. */
export async function toChainEvents(
  client: PublicClient<Transport, ViemChain>,
  logs: readonly FollowedLog[],
): Promise<ChainEvent[]> {
  const timestamps = new Map<bigint, number>()
  const positions = new Map<Hex, number>()
  const events: ChainEvent[] = []
  for (const log of logs) {
    const at = { blockNumber: log.blockNumber, logIndex: log.logIndex }
    if (log.eventName === 'PriceChanged') {
      const known = timestamps.get(log.blockNumber) ?? (await timestampOf(client, log))
      timestamps.set(log.blockNumber, known)
      const { functionId, price, payee, paymentMode } = log.args
      events.push({ ...at, type: 'price-changed', functionId, price, payee, paymentMode, timestampSeconds: known })
    } else if (log.eventName === 'ExecutionSettled') {
      const index = positions.get(log.transactionHash) ?? 0
      positions.set(log.transactionHash, index + 1)
      const { requestId, operator, resultSeal, outcome, status } = log.args
      const { transactionHash: transaction, blockNumber } = log
      events.push({
        ...at,
        type: 'settled',
        requestId,
        operator,
        resultSeal,
        outcome,
        status,
        transaction,
        blockNumber,
        index,
      })
    } else if (log.eventName === 'QuorumAgreed') {
      const { requestId, resultSeal } = log.args
      const { transactionHash: transaction } = log
      events.push({ ...at, type: 'agreed', requestId, resultSeal, transaction })
    } else {
      const event = toPlainEvent(log)
      if (event) events.push({ ...at, ...event } as ChainEvent)
    }
  }
  return events
}

function toPlainEvent(log: FollowedLog) {
  switch (log.eventName) {
    case 'FunctionCreated': {
      const { functionId, creator, project, name } = log.args
      return { type: 'function-created', functionId, creator, project, name }
    }
    case 'DeploymentPublished':
    case 'CurrentVersionChanged':
    case 'OwnershipTransferred':
      return { type: 'function-changed', functionId: log.args.functionId }
    case 'ExecutionOutput':
      return { type: 'output', requestId: log.args.requestId, output: log.args.output }
    case 'RequesterBonded':
    case 'RequesterUnbonding':
    case 'RequesterBondSlashed':
      return { type: 'requester-changed', requester: log.args.requester }
    case 'OperatorRegistered':
    case 'OperatorStatusChanged':
    case 'ExecutionKeyBound':
    case 'ExecutionKeyClosed':
      return { type: 'operator-changed', operator: log.args.operator }
    case 'CreditDeposited':
    case 'CreditLineGranted':
    case 'CreditLineRevoked':
    case 'CreditWithdrawalRequested':
      return { type: 'credit-changed', funder: log.args.funder }
    default:
      return undefined
  }
}

async function timestampOf(client: PublicClient<Transport, ViemChain>, log: FollowedLog): Promise<number> {
  // Newer nodes say it in the log; viem passes unknown members on.
  const { blockTimestamp } = log as { blockTimestamp?: Hex | bigint | null }
  if (blockTimestamp !== undefined && blockTimestamp !== null) return Number(blockTimestamp)
  return Number((await client.getBlock({ blockNumber: log.blockNumber })).timestamp)
}
