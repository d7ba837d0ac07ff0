import {
  type Attestation,
  executionCoordinatorAbi,
  functionRegistryAbi,
  PeerHostError,
  type SettlementBatch,
  sameHex,
  type Ticket,
} from '@peerhost/protocol'
import { type Address, type Hex, type Log, type PublicClient, parseEventLogs, zeroAddress } from 'viem'
import { operatorStatuses } from '../operator.ts'
import { revertName, type Sender } from './sender.ts'

/** One immutable version of a function, as the registry holds it. */
export type Deployment = {
  bundleDigest: Hex
  runtimeDigest: Hex
  limitsClass: number
  flags: number
  quorum: number
  lane: number
  fee: bigint
}

/** A ticket that somebody put on chain. */
export type PostedRequest = { requestId: Hex; ticket: Ticket; input: Hex; blockNumber: bigint }

export type SettlementReport = {
  transaction: Hex
  settled: Hex[]
  skipped: { requestId: Hex; reason: SkipReason }[]
}

/** Numbers of the coordinator that never change. */
export type CoordinatorParameters = {
  minimumStake: bigint
  epochSeconds: number
  settlementGrace: number
  maximumTicketLifetime: number
}

/** Same order as `SkipReason` in IExecutionCoordinator.sol. */
export const skipReasons = [
  'none',
  'sequence-consumed',
  'expired',
  'not-yet-valid',
  'epoch-mismatch',
  'requester-signature',
  'worker-signature',
  'worker-not-active',
  'credit-exhausted',
  'quorum-not-met',
  'resource-outcome',
  'lane-mismatch',
  'terms-invalid',
] as const
export type SkipReason = (typeof skipReasons)[number]

/** Same order as `PostedStatus` in IExecutionCoordinator.sol. */
export const postedStatuses = ['none', 'open', 'settled', 'expired'] as const
export type PostedStatus = (typeof postedStatuses)[number]

/** What a worker asks the chain and does there. Reads throw viem's errors; writes throw `PeerHostError`. */
export type Coordinator = {
  readParameters: () => Promise<CoordinatorParameters>
  readDeployment: (functionId: Hex, version: number) => Promise<Deployment | undefined>
  readCredit: (funder: Address, requester: Address) => Promise<{ available: bigint; maxFee: bigint }>
  /** The operator that an execution key was registered for, whatever its status. */
  readKeyHolder: (executionKey: Address) => Promise<Address | undefined>
  /** Whether the operator is active and the key may sign a ticket of that time for it. */
  isSeated: (operator: Address, executionKey: Address, atSeconds: number) => Promise<boolean>
  isConsumed: (requester: Address, sequence: bigint) => Promise<boolean>
  readPostedStatus: (requestId: Hex) => Promise<PostedStatus>
  /** The requests that a transaction settled for `operator`; `undefined` when it is not on chain. */
  readSettled: (transaction: Hex, operator: Address) => Promise<Hex[] | undefined>
  /** `undefined` when the contract would pay nothing of it: then nothing is sent. */
  settle: (batch: SettlementBatch) => Promise<SettlementReport | undefined>
  /** Confirmed lane. `already-settled`: another worker was first, or this one was before. */
  submit: (submission: Submission) => Promise<{ type: 'submitted'; transaction: Hex } | { type: 'already-settled' }>
}

export type Submission = {
  requestId: Hex
  ticket: Ticket
  attestation: Attestation
  signature: Hex
  /** The canonical result when it may be public, else `0x`. */
  output: Hex
}

export type CoordinatorDeps = {
  client: PublicClient
  coordinator: Address
  registry: Address
  /** Absent on a worker without a key that can pay for gas. */
  sender: Sender | undefined
}

export function createCoordinator({ client, coordinator, registry, sender }: CoordinatorDeps): Coordinator {
  const contract = { address: coordinator, abi: executionCoordinatorAbi } as const
  return {
    ...readsOf(client, coordinator, registry),
    settle: async (batch) => {
      const call = { ...contract, functionName: 'settle', args: [batch] }
      const sent = await need(sender).send(call, (settled) => settled !== 0n)
      return sent && { transaction: sent.transaction, ...reportOf(sent.logs, coordinator) }
    },
    submit: async ({ requestId, ticket, attestation, signature, output }) => {
      try {
        const args = [ticket, attestation, signature, output]
        const { transaction } = await need(sender).send({ ...contract, functionName: 'submit', args })
        return { type: 'submitted', transaction }
      } catch (error) {
        const status = await client.readContract({ ...contract, functionName: 'postedStatus', args: [requestId] })
        if (postedStatuses[status] === 'settled') return { type: 'already-settled' }
        throw error
      }
    },
  }
}

function readsOf(
  client: PublicClient,
  coordinator: Address,
  registry: Address,
): Omit<Coordinator, 'settle' | 'submit'> {
  const contract = { address: coordinator, abi: executionCoordinatorAbi } as const
  return {
    readParameters: async () => {
      const names = ['minimumStake', 'epochSeconds', 'settlementGrace', 'maximumTicketLifetime'] as const
      const values = await Promise.all(names.map((functionName) => client.readContract({ ...contract, functionName })))
      const [minimumStake = 0n, epochSeconds = 0, settlementGrace = 0, maximumTicketLifetime = 0] = values
      return {
        minimumStake: BigInt(minimumStake),
        epochSeconds: Number(epochSeconds),
        settlementGrace: Number(settlementGrace),
        maximumTicketLifetime: Number(maximumTicketLifetime),
      }
    },
    readDeployment: async (functionId, version) => {
      try {
        const args = [functionId, version] as const
        return await client.readContract({
          address: registry,
          abi: functionRegistryAbi,
          functionName: 'getDeployment',
          args,
        })
      } catch (error) {
        if (['FunctionUnknown', 'VersionUnknown'].includes(revertName(error) ?? '')) return undefined
        throw error
      }
    },
    readCredit: async (funder, requester) => {
      const args = [funder, requester] as const
      const [available, maxFee] = await client.readContract({ ...contract, functionName: 'availableCredit', args })
      return { available, maxFee }
    },
    readKeyHolder: async (executionKey) => {
      const { operator } = await client.readContract({
        ...contract,
        functionName: 'getExecutionKey',
        args: [executionKey],
      })
      return operator === zeroAddress ? undefined : operator
    },
    isSeated: async (operator, executionKey, atSeconds) => {
      const args = [executionKey, atSeconds] as const
      const [holder, { status }] = await Promise.all([
        client.readContract({ ...contract, functionName: 'operatorForKey', args }),
        client.readContract({ ...contract, functionName: 'getOperator', args: [operator] }),
      ])
      return sameHex(holder, operator) && operatorStatuses[status] === 'active'
    },
    isConsumed: (requester, sequence) =>
      client.readContract({ ...contract, functionName: 'isConsumed', args: [requester, sequence] }),
    readPostedStatus: async (requestId) => {
      const status = await client.readContract({ ...contract, functionName: 'postedStatus', args: [requestId] })
      return postedStatuses[status] ?? 'none'
    },
    readSettled: async (transaction, operator) => {
      try {
        const { logs, status } = await client.getTransactionReceipt({ hash: transaction })
        return status === 'success' ? settledOf(logs, coordinator, operator) : []
      } catch (error) {
        if (error instanceof Error && error.name === 'TransactionReceiptNotFoundError') return undefined
        throw error
      }
    },
  }
}

function settledOf(logs: readonly Log[], coordinator: Address, operator?: Address): Hex[] {
  const ours = logs.filter((log) => log.address.toLowerCase() === coordinator.toLowerCase())
  return parseEventLogs({ abi: executionCoordinatorAbi, logs: ours, eventName: 'ExecutionSettled' })
    .filter(({ args }) => operator === undefined || args.operator === operator)
    .map(({ args }) => args.requestId)
}

function reportOf(logs: readonly Log[], coordinator: Address): Omit<SettlementReport, 'transaction'> {
  const ours = logs.filter((log) => log.address.toLowerCase() === coordinator.toLowerCase())
  const skipped = parseEventLogs({ abi: executionCoordinatorAbi, logs: ours, eventName: 'ExecutionSkipped' })
  return {
    settled: settledOf(logs, coordinator),
    skipped: skipped.map(({ args }) => ({ requestId: args.requestId, reason: skipReasons[args.reason] ?? 'none' })),
  }
}

function need(sender: Sender | undefined): Sender {
  if (sender) return sender
  throw new PeerHostError('config_invalid', 'This worker has no key that may send transactions.', {
    hint: 'Give it the operator’s key, or put some of the chain’s own coin on the execution key.',
  })
}
