import {
  type DigestSigner,
  executionCoordinatorAbi,
  hashExecutionKeyProof,
  PeerHostError,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  sameHex,
} from '@peerhost/protocol'
import { type Address, erc20Abi, formatUnits, type Hex, type PublicClient } from 'viem'
import type { Sender } from './chain/sender.ts'

export const operatorStatuses = ['none', 'active', 'draining', 'unbonding', 'withdrawn', 'jailed'] as const
export type OperatorStatus = (typeof operatorStatuses)[number]

/** What reading an operator needs. */
export type OperatorReadDeps = { client: PublicClient; domain: ProtocolDomain }
/** What acting for an operator needs: `sender` is the operator's wallet. */
export type OperatorDeps = OperatorReadDeps & { sender: Sender }

/** An operator as the chain has it. Money in atomic units, times in seconds since 1970. */
export type OperatorView = {
  operator: Address
  status: OperatorStatus
  executionKey: Address
  statusSince: number
  stake: bigint
  earnings: bigint
  minimumStake: bigint
  /** When the stake may be withdrawn; only while unbonding. */
  withdrawableAt?: number
}

export type RegisterParameters = {
  executionKey: DigestSigner
  /** In atomic units of the settlement token. */
  stake: bigint
  /** Whether this worker's sandbox separates the code it runs from the machine. */
  isolated: boolean
}

/** Reads one operator. An address that never registered has status `none`. */
export async function readOperator({ client, domain }: OperatorReadDeps, operator: Address): Promise<OperatorView> {
  const contract = { address: domain.coordinator, abi: executionCoordinatorAbi } as const
  const [held, minimumStake, unbondingPeriod] = await Promise.all([
    client.readContract({ ...contract, functionName: 'getOperator', args: [operator] }),
    client.readContract({ ...contract, functionName: 'minimumStake' }),
    client.readContract({ ...contract, functionName: 'unbondingPeriod' }),
  ])
  const status = operatorStatuses[held.status] ?? 'none'
  const { executionKey, stake, earnings } = held
  const view = { operator, status, executionKey, statusSince: Number(held.statusSince), stake, earnings, minimumStake }
  return status === 'unbonding' ? { ...view, withdrawableAt: view.statusSince + Number(unbondingPeriod) } : view
}

/**
 * Approves the stake, proves the execution key and registers. An operator that is active with this key already is left
 * as it is, with no transaction.
 * Throws `not_isolated`, `insufficient_funds`, `conflict` (registered in another state or with another key),
 * `transaction_failed`.
 */
export async function registerOperator(
  deps: OperatorDeps,
  { executionKey, stake, isolated }: RegisterParameters,
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
  const { transaction } = await send(deps, 'registerOperator', [executionKey.address, proof, stake])
  return { view: await readOperator(deps, operator), transaction }
}

/** Gives the operator another execution key. The old one stays valid for tickets that exist. */
export async function rotateExecutionKey(deps: OperatorDeps, executionKey: DigestSigner): Promise<Hex> {
  const proof = await proveKey(deps, executionKey)
  return (await send(deps, 'rotateExecutionKey', [executionKey.address, proof])).transaction
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
  const { transaction } = await send(deps, 'withdrawEarnings', [to ?? deps.sender.address])
  return { amount: earnings, transaction }
}

function send({ sender, domain }: OperatorDeps, functionName: string, args: readonly unknown[]) {
  return sender.send({ address: domain.coordinator, abi: executionCoordinatorAbi, functionName, args })
}

async function approveStake({ client, domain, sender }: OperatorDeps, stake: bigint): Promise<void> {
  const token = await client.readContract({
    address: domain.coordinator,
    abi: executionCoordinatorAbi,
    functionName: 'token',
  })
  const erc20 = { address: token, abi: erc20Abi } as const
  const [balance, allowance, decimals] = await Promise.all([
    client.readContract({ ...erc20, functionName: 'balanceOf', args: [sender.address] }),
    client.readContract({ ...erc20, functionName: 'allowance', args: [sender.address, domain.coordinator] }),
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
  await sender.send({ ...erc20, functionName: 'approve', args: [domain.coordinator, stake] })
}

async function proveKey({ client, domain, sender }: OperatorDeps, executionKey: DigestSigner): Promise<Hex> {
  const nonce = await client.readContract({
    address: domain.coordinator,
    abi: executionCoordinatorAbi,
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
      : 'Resume it when it is draining; wait for the exit to end when it is unbonding.',
  })
}
