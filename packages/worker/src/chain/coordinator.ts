import {
  executionCoordinatorAbi,
  functionRegistryAbi,
  PeerHostError,
  type ProtocolParameters,
  type ProtocolTimes,
  protocolParametersAbi,
  settledRequests,
  type Ticket,
} from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, type Log, type PublicClient, parseEventLogs } from 'viem'
import { suiteErrors } from './contractErrors.ts'
import { revertName, type Sender } from './sender.ts'
import type { Suite } from './suite.ts'

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

export type SettlementReport = {
  transaction: Hex
  settled: Hex[]
  skipped: { requestId: Hex; reason: SkipReason }[]
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
  'not-seated',
  'requester-not-bonded',
  'sequence-ahead',
  'commit-set-invalid',
  'conflict-window-open',
  'in-dispute',
] as const
export type SkipReason = (typeof skipReasons)[number]

/** A requester's bond, as the coordinator holds it. */
export type RequesterBond = { amount: bigint; countsFrom: number; withdrawableAt: number }

/** Parameters, and until when (in seconds) a ticket that is issued has them. */
export type ParametersPeriod = { parameters: ProtocolParameters; fromSeconds: number; untilSeconds: number }

/** The ordered commitments of one request, as its requester signed them. */
export type SignedCommitSet = { commitments: readonly Hex[]; signature: Hex }

/** What a worker asks coordinator, functions and parameters, and does there. Reads throw viem's errors; writes throw `PeerHostError`. */
export type Coordinator = {
  readTimes: () => Promise<ProtocolTimes>
  /** The parameters of tickets issued at `issuedAt`, and for how long others have the same. */
  readParameters: (issuedAt: number) => Promise<ParametersPeriod>
  readDeployment: (functionId: Hex, version: number) => Promise<Deployment | undefined>
  readCredit: (funder: Address, requester: Address) => Promise<{ available: bigint; maxFee: bigint }>
  readRequesterBond: (requester: Address) => Promise<RequesterBond>
  /** Why this requester has no drawn seats for the ticket; `none` when it has. */
  readDrawReason: (ticket: Pick<Ticket, 'requester' | 'sequence' | 'epoch' | 'issuedAt'>) => Promise<SkipReason>
  isConsumed: (requester: Address, sequence: bigint) => Promise<boolean>
  /** The requests that a transaction settled for `operator`; `undefined` when it is not on chain. */
  readSettled: (transaction: Hex, operator: Address) => Promise<Hex[] | undefined>
  /** `batch` is what `encodeSettlement` gives. `undefined` when the contract would pay nothing of it: then nothing is sent. */
  settle: (batch: Hex) => Promise<SettlementReport | undefined>
  /** Evidence that a requester closed two different sets of commitments for one request. */
  reportCommitSets: (ticket: Ticket, first: SignedCommitSet, second: SignedCommitSet) => Promise<Hex>
}

export type CoordinatorDeps = {
  client: PublicClient
  suite: Suite
  /** Absent on a worker without a key that can pay for gas. */
  sender: Sender | undefined
}

const coordinatorAbi = [...executionCoordinatorAbi.filter(({ type }) => type !== 'error'), ...suiteErrors]
const farAway = Number.MAX_SAFE_INTEGER

export function createCoordinator({ client, suite, sender }: CoordinatorDeps): Coordinator {
  const target = { address: suite.coordinator, abi: coordinatorAbi }
  return {
    ...readsOf(client, suite),
    settle: async (batch) => {
      const call = { ...target, functionName: 'settle', args: [batch] }
      const sent = await needSender(sender).send(call, (settled) => settled !== 0n)
      return sent && { transaction: sent.transaction, ...reportOf(sent.logs, suite.coordinator) }
    },
    reportCommitSets: async (ticket, first, second) => {
      const args = [ticket, first.commitments, first.signature, second.commitments, second.signature]
      const sent = await needSender(sender).send({ ...target, functionName: 'reportCommitSets', args })
      return sent.transaction
    },
  }
}

function readsOf(client: PublicClient, suite: Suite): Omit<Coordinator, 'settle' | 'reportCommitSets'> {
  const contract = { address: suite.coordinator, abi: executionCoordinatorAbi } as const
  const registry = { address: suite.functions, abi: functionRegistryAbi } as const
  return {
    ...parameterReadsOf(client, suite),
    readDeployment: async (functionId, version) => {
      try {
        return await client.readContract({ ...registry, functionName: 'getDeployment', args: [functionId, version] })
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
    readRequesterBond: (requester) =>
      client.readContract({ ...contract, functionName: 'requesterBond', args: [requester] }),
    readDrawReason: async ({ requester, sequence, epoch, issuedAt }) => {
      const args = [requester, sequence, epoch, issuedAt] as const
      return (
        skipReasons[await client.readContract({ ...contract, functionName: 'drawReason', args })] ?? 'terms-invalid'
      )
    },
    isConsumed: (requester, sequence) =>
      client.readContract({ ...contract, functionName: 'isConsumed', args: [requester, sequence] }),
    readSettled: async (transaction, operator) => {
      try {
        const { logs, status } = await client.getTransactionReceipt({ hash: transaction })
        return status === 'success' ? settledIn(logs, suite.coordinator, operator) : []
      } catch (error) {
        if (error instanceof Error && error.name === 'TransactionReceiptNotFoundError') return undefined
        throw error
      }
    },
  }
}

function parameterReadsOf(client: PublicClient, suite: Suite): Pick<Coordinator, 'readTimes' | 'readParameters'> {
  const contract = { address: suite.parameters, abi: protocolParametersAbi } as const
  const readTimes = () => client.readContract({ ...contract, functionName: 'times' })
  return {
    readTimes,
    readParameters: async (issuedAt) => {
      const [parameters, [, effectiveAt], { parameterDelay }] = await Promise.all([
        client.readContract({ ...contract, functionName: 'inForceAt', args: [BigInt(issuedAt)] }),
        client.readContract({ ...contract, functionName: 'announced' }),
        readTimes(),
      ])
      // What is announced after this read has no effect before its delay is over.
      const nextChange = effectiveAt > issuedAt ? effectiveAt : farAway
      return { parameters, fromSeconds: issuedAt, untilSeconds: Math.min(nextChange, issuedAt + parameterDelay) }
    },
  }
}

/** The requests that these logs say were settled; for `operator` alone when it is named. */
export function settledIn(logs: readonly Log[], coordinator: Address, operator?: Address): Hex[] {
  return settledRequests(logs, coordinator)
    .filter(({ rewards }) => !operator || rewards.some((reward) => isAddressEqual(reward.operator, operator)))
    .map(({ requestId }) => requestId)
}

function reportOf(logs: readonly Log[], coordinator: Address): Omit<SettlementReport, 'transaction'> {
  const ours = logs.filter((log) => log.address.toLowerCase() === coordinator.toLowerCase())
  const skipped = parseEventLogs({ abi: executionCoordinatorAbi, logs: ours, eventName: 'ExecutionSkipped' })
  return {
    settled: settledIn(logs, coordinator),
    skipped: skipped.map(({ args }) => ({ requestId: args.requestId, reason: skipReasons[args.reason] ?? 'none' })),
  }
}

/** The sender, for actions that need one. Throws `config_invalid` when the worker has no key for gas. */
export function needSender(sender: Sender | undefined): Sender {
  if (sender) return sender
  throw new PeerHostError('config_invalid', 'This worker has no key that may send transactions.', {
    hint: 'Give it the operator’s key, or put some of the chain’s own coin on the execution key.',
  })
}
