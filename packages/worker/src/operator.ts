import {
  type DigestSigner,
  disputeCourtAbi,
  executionCoordinatorAbi,
  hashExecutionKeyProof,
  operatorRegistryAbi,
  PeerHostError,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  protocolParametersAbi,
  sameHex,
} from '@peerhost/protocol'
import { type Address, erc20Abi, formatUnits, type Hex, type PublicClient } from 'viem'
import { suiteErrors } from './chain/contractErrors.ts'
import type { Sender } from './chain/sender.ts'
import { readSuite } from './chain/suite.ts'

export const operatorStatuses = ['none', 'active', 'draining', 'unbonding', 'withdrawn', 'jailed'] as const
export type OperatorStatus = (typeof operatorStatuses)[number]

const defaultCapacity = 1

/** What reading an operator needs. */
export type OperatorReadDeps = { client: PublicClient; domain: ProtocolDomain }
/** What acting for an operator needs: `sender` is the operator's wallet. */
export type OperatorDeps = OperatorReadDeps & { sender: Sender }

/** An operator as the chain has it. Money in atomic units, times in seconds since 1970. */
export type OperatorView = {
  operator: Address
  status: OperatorStatus
  /** Zero after it was revoked. */
  executionKey: Address
  statusSince: number
  capacity: number
  /** Disputes that hold the stake. */
  openCases: number
  stake: bigint
  earnings: bigint
  /** What it won as juror, auditor or accused. */
  courtBalance: bigint
  minimumStake: bigint
  /** When the stake may be withdrawn; only while unbonding. */
  withdrawableAt?: number
  /** When it may be released; only while jailed. */
  jailedUntil?: number
}

export type RegisterParameters = {
  executionKey: DigestSigner
  /** In atomic units of the settlement token. */
  stake: bigint
  /** How many executions it offers to run at once; for routing only. */
  capacity?: number
  /** Whether this worker's sandbox separates the code it runs from the machine. */
  isolated: boolean
}

/** Reads one operator. An address that never registered has status `none`. */
export async function readOperator({ client, domain }: OperatorReadDeps, operator: Address): Promise<OperatorView> {
  const suite = await readSuite(client, domain.coordinator)
  const parameters = { address: suite.parameters, abi: protocolParametersAbi } as const
  const [held, earnings, courtBalance, { minimumStake }, { unbondingPeriod }] = await Promise.all([
    client.readContract({
      address: suite.operators,
      abi: operatorRegistryAbi,
      functionName: 'getOperator',
      args: [operator],
    }),
    client.readContract({
      address: suite.coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'earningsOf',
      args: [operator],
    }),
    client.readContract({ address: suite.court, abi: disputeCourtAbi, functionName: 'balanceOf', args: [operator] }),
    client.readContract({ ...parameters, functionName: 'current' }),
    client.readContract({ ...parameters, functionName: 'times' }),
  ])
  const status = operatorStatuses[held.status] ?? 'none'
  const { executionKey, statusSince, capacity, openCases, stake, jailedUntil } = held
  return {
    operator,
    status,
    executionKey,
    statusSince,
    capacity,
    openCases,
    stake,
    earnings,
    courtBalance,
    minimumStake,
    ...(status === 'unbonding' ? { withdrawableAt: statusSince + unbondingPeriod } : {}),
    ...(status === 'jailed' ? { jailedUntil } : {}),
  }
}

/**
 * Approves the stake, proves the execution key and registers. An operator that is active with this key already is left
 * as it is, with no transaction.
 * Throws `not_isolated`, `insufficient_funds`, `conflict` (registered in another state or with another key),
 * `transaction_failed`.
 */
export async function registerOperator(
  deps: OperatorDeps,
  { executionKey, stake, capacity = defaultCapacity, isolated }: RegisterParameters,
): Promise<{ view: OperatorView; transaction?: Hex }> {
  if (!isolated)
    throw new PeerHostError('not_isolated', 'A worker without an isolated sandbox does not register.', {
      hint: 'Run it with Docker: PEERHOST_SANDBOX=docker.',
    })
  const operator = deps.sender.address
  const view = await readOperator(deps, operator)
  if (view.status === 'active' && sameHex(view.executionKey, executionKey.address)) return { view }
  if (view.status !== 'none' && view.status !== 'withdrawn') throw notRegistrable(view, executionKey.address)
  if (stake < view.minimumStake)
    throw new PeerHostError('insufficient_funds', 'The stake is below the minimum.', {
      details: [`Stake: ${stake}`, `Minimum: ${view.minimumStake} atomic units`],
      hint: 'Stake at least the minimum.',
    })
  await approveStake(deps, stake)
  const proof = await proveKey(deps, executionKey)
  const { transaction } = await send(deps, 'registerOperator', [executionKey.address, proof, stake, capacity])
  return { view: await readOperator(deps, operator), transaction }
}

/** Gives the operator another execution key. The old one stays valid for tickets that exist. */
export async function rotateExecutionKey(deps: OperatorDeps, executionKey: DigestSigner): Promise<Hex> {
  const proof = await proveKey(deps, executionKey)
  return (await send(deps, 'rotateExecutionKey', [executionKey.address, proof])).transaction
}

/** Closes the key at once, for one that may be stolen: the operator drains until it binds another. */
export async function revokeExecutionKey(deps: OperatorDeps): Promise<Hex> {
  return (await send(deps, 'revokeExecutionKey', [])).transaction
}

/** Adds to the stake; it counts for seats from two epochs later. */
export async function addStake(deps: OperatorDeps, amount: bigint): Promise<Hex> {
  await approveStake(deps, amount)
  return (await send(deps, 'addStake', [amount])).transaction
}

/** Says how many executions the operator offers to run at once. */
export async function setCapacity(deps: OperatorDeps, capacity: number): Promise<Hex> {
  return (await send(deps, 'setCapacity', [capacity])).transaction
}

/** Back from jail when its time is over, with a fresh key. Throws `transaction_failed` (`TooEarly`) before. */
export async function releaseOperator(deps: OperatorDeps, executionKey: DigestSigner): Promise<Hex> {
  const proof = await proveKey(deps, executionKey)
  return (await send(deps, 'release', [executionKey.address, proof])).transaction
}

/** No new work from now on; what is under way is still settled. Throws `transaction_failed`. */
export async function drainOperator(deps: OperatorDeps): Promise<Hex> {
  return (await send(deps, 'drain', [])).transaction
}

/** Back to work from draining. Throws `transaction_failed`. */
export async function resumeOperator(deps: OperatorDeps): Promise<Hex> {
  return (await send(deps, 'resume', [])).transaction
}

/** Begins the exit. `withdrawableAt` is when the stake may be withdrawn, in seconds since 1970. */
export async function unbondOperator(deps: OperatorDeps): Promise<{ transaction: Hex; withdrawableAt: number }> {
  const { transaction } = await send(deps, 'unbond', [])
  const { withdrawableAt } = await readOperator(deps, deps.sender.address)
  return { transaction, withdrawableAt: withdrawableAt ?? 0 }
}

/** Pays the stake out to `to` after the unbonding period. Throws `transaction_failed` (`TooEarly`) before. */
export async function withdrawStake(deps: OperatorDeps, { to }: { to?: Address } = {}): Promise<Hex> {
  return (await send(deps, 'withdrawStake', [to ?? deps.sender.address])).transaction
}

/** Pays what the worker earned out to `to`. Without earnings nothing is sent. */
export async function withdrawEarnings(
  deps: OperatorDeps,
  { to }: { to?: Address } = {},
): Promise<{ amount: bigint; transaction?: Hex }> {
  const { earnings } = await readOperator(deps, deps.sender.address)
  if (earnings === 0n) return { amount: 0n }
  const call = { abi: coordinatorAbi, functionName: 'withdrawEarnings', args: [to ?? deps.sender.address] }
  const { transaction } = await deps.sender.send({ address: deps.domain.coordinator, ...call })
  return { amount: earnings, transaction }
}

/** Pays out what the court owes the operator. Without a balance nothing is sent. */
export async function withdrawCourtBalance(
  deps: OperatorDeps,
  { to }: { to?: Address } = {},
): Promise<{ amount: bigint; transaction?: Hex }> {
  const { courtBalance } = await readOperator(deps, deps.sender.address)
  if (courtBalance === 0n) return { amount: 0n }
  const { court } = await readSuite(deps.client, deps.domain.coordinator)
  const call = { abi: disputeCourtAbi, functionName: 'withdraw', args: [to ?? deps.sender.address] }
  const { transaction } = await deps.sender.send({ address: court, ...call })
  return { amount: courtBalance, transaction }
}

const coordinatorAbi = [...executionCoordinatorAbi.filter(({ type }) => type !== 'error'), ...suiteErrors]
const operatorsAbi = [...operatorRegistryAbi.filter(({ type }) => type !== 'error'), ...suiteErrors]

async function send({ client, sender, domain }: OperatorDeps, functionName: string, args: readonly unknown[]) {
  const { operators } = await readSuite(client, domain.coordinator)
  return sender.send({ address: operators, abi: operatorsAbi, functionName, args })
}

async function approveStake({ client, domain, sender }: OperatorDeps, stake: bigint): Promise<void> {
  const { token, operators } = await readSuite(client, domain.coordinator)
  const erc20 = { address: token, abi: erc20Abi } as const
  const [balance, allowance, decimals] = await Promise.all([
    client.readContract({ ...erc20, functionName: 'balanceOf', args: [sender.address] }),
    client.readContract({ ...erc20, functionName: 'allowance', args: [sender.address, operators] }),
    client.readContract({ ...erc20, functionName: 'decimals' }),
  ])
  if (balance < stake)
    throw new PeerHostError('insufficient_funds', 'The operator’s wallet holds less than the stake.', {
      details: [
        `Wallet: ${sender.address}`,
        `Holds: ${formatUnits(balance, decimals)}`,
        `Stake: ${formatUnits(stake, decimals)}`,
      ],
      hint: 'Send it the settlement token.',
    })
  if (allowance >= stake) return
  await sender.send({ ...erc20, functionName: 'approve', args: [operators, stake] })
}

async function proveKey({ client, domain, sender }: OperatorDeps, executionKey: DigestSigner): Promise<Hex> {
  const { operators } = await readSuite(client, domain.coordinator)
  const nonce = await client.readContract({
    address: operators,
    abi: operatorRegistryAbi,
    functionName: 'keyNonce',
    args: [sender.address],
  })
  const message = {
    protocolVersion: PROTOCOL_VERSION,
    operator: sender.address,
    executionKey: executionKey.address,
    nonce,
  }
  return executionKey.sign(hashExecutionKeyProof(domain, message))
}

function notRegistrable({ operator, status, executionKey }: OperatorView, wanted: Address): PeerHostError {
  const otherKey = status === 'active'
  return new PeerHostError('conflict', `The operator is registered already: ${status}.`, {
    details: [`Operator: ${operator}`, `Execution key on chain: ${executionKey}`, `Execution key here: ${wanted}`],
    hint: otherKey
      ? 'Use the registered execution key, or rotate to the new one.'
      : 'Resume it when it is draining, release it when it is jailed, wait for the exit to end when it is unbonding.',
  })
}
