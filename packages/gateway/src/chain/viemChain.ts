import { executionCoordinatorAbi, functionRegistryAbi, type SettlementBatch, testUsdcAbi } from '@peerhost/protocol'
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  encodeFunctionData,
  type Hex,
  isAddressEqual,
  type Log,
  type PublicClient,
  parseEventLogs,
  type TransactionReceipt,
  type Transport,
  type Chain as ViemChain,
  zeroAddress,
} from 'viem'
import type { Chain, ChainParameters, SettledEvent, SettlementOutcome } from './chain.ts'
import { followedEvents, toChainEvents } from './chainEvents.ts'
import type { Sender } from './sender.ts'

export type ViemChainDeps = {
  client: PublicClient<Transport, ViemChain>
  addresses: { coordinator: Address; registry: Address; token: Address }
  /** Sends as the requester. */
  sender: Sender
  /** Longest wait for a transaction of ours to be mined. */
  receiptTimeoutMs: number
}

const operatorActive = 1

/** The chain over viem. */
export function createViemChain(deps: ViemChainDeps): Chain {
  const { client, addresses, sender } = deps
  const coordinator = { address: addresses.coordinator, abi: executionCoordinatorAbi } as const
  const registry = { address: addresses.registry, abi: functionRegistryAbi } as const
  return {
    head: async () => {
      const block = await client.getBlock({ includeTransactions: false })
      return { number: block.number, timestampSeconds: Number(block.timestamp) }
    },
    events: async (fromBlock, toBlock) => {
      const logs = await client.getLogs({
        address: [addresses.registry, addresses.coordinator],
        events: followedEvents,
        strict: true,
        fromBlock,
        toBlock,
      })
      return toChainEvents(client, logs)
    },
    functionState: (id) =>
      unlessReverted(() => client.readContract({ ...registry, functionName: 'getFunction', args: [id] })),
    deployment: (id, version) =>
      unlessReverted(() => client.readContract({ ...registry, functionName: 'getDeployment', args: [id, version] })),
    operatorForKey: async (key, issuedAt) => {
      const operator = await client.readContract({
        ...coordinator,
        functionName: 'operatorForKey',
        args: [key, issuedAt],
      })
      return operator === zeroAddress ? undefined : operator
    },
    operatorIsActive: async (operator) =>
      (await client.readContract({ ...coordinator, functionName: 'getOperator', args: [operator] })).status ===
      operatorActive,
    availableCredit: async (funder, requester) => {
      const [available, maxFee] = await client.readContract({
        ...coordinator,
        functionName: 'availableCredit',
        args: [funder, requester],
      })
      return { available, maxFee }
    },
    isConsumed: (requester, sequence) =>
      client.readContract({ ...coordinator, functionName: 'isConsumed', args: [requester, sequence] }),
    settledEvent: (requestId, fromBlock) => findSettled(deps, requestId, fromBlock),
    settle: (batch) => settle(deps, batch),
    post: async (ticket, signature, input) => {
      const data = encodeFunctionData({ ...coordinator, functionName: 'post', args: [ticket, signature, input] })
      const transaction = await sender.send({ to: addresses.coordinator, data })
      return { transaction }
    },
    expire: async (ticket) => {
      const data = encodeFunctionData({ ...coordinator, functionName: 'expire', args: [ticket] })
      return { transaction: await sender.send({ to: addresses.coordinator, data }) }
    },
    authorizationUse: (payer, nonce, fromBlock) => authorizationUse(deps, payer, nonce, fromBlock),
  }
}

/** Reads what stays the same while the process lives. */
export async function readChainParameters({
  client,
  addresses,
}: Pick<ViemChainDeps, 'client' | 'addresses'>): Promise<ChainParameters> {
  const coordinator = { address: addresses.coordinator, abi: executionCoordinatorAbi } as const
  const token = { address: addresses.token, abi: testUsdcAbi } as const
  const [epochSeconds, grace, lifetime, name, version, symbol, decimals] = await Promise.all([
    client.readContract({ ...coordinator, functionName: 'epochSeconds' }),
    client.readContract({ ...coordinator, functionName: 'settlementGrace' }),
    client.readContract({ ...coordinator, functionName: 'maximumTicketLifetime' }),
    client.readContract({ ...token, functionName: 'name' }),
    client.readContract({ ...token, functionName: 'version' }),
    client.readContract({ ...token, functionName: 'symbol' }),
    client.readContract({ ...token, functionName: 'decimals' }),
  ])
  return {
    epochSeconds,
    settlementGraceSeconds: grace,
    maximumTicketLifetimeSeconds: lifetime,
    token: { address: addresses.token, name, version, symbol, decimals },
  }
}

async function settle(deps: ViemChainDeps, batch: SettlementBatch): Promise<SettlementOutcome> {
  const { client, addresses, sender } = deps
  const data = encodeFunctionData({ abi: executionCoordinatorAbi, functionName: 'settle', args: [batch] })
  let transaction: Hex
  try {
    transaction = await sender.send({ to: addresses.coordinator, data })
  } catch (error) {
    const reverted = error instanceof BaseError && /revert/i.test(`${error.shortMessage} ${error.details}`)
    if (reverted) return { type: 'reverted', reason: error.shortMessage }
    throw error
  }
  const receipt = await client.waitForTransactionReceipt({ hash: transaction, timeout: deps.receiptTimeoutMs })
  if (receipt.status !== 'success') return { type: 'reverted', reason: `The transaction ${transaction} reverted.` }
  return { type: 'mined', transaction, blockNumber: receipt.blockNumber, ...readSettlement(deps, receipt) }
}

function readSettlement({ addresses }: ViemChainDeps, receipt: TransactionReceipt) {
  const logs = receipt.logs.filter((log) => isAddressEqual(log.address, addresses.coordinator))
  const settled = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'ExecutionSettled', logs })
  const skipped = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'ExecutionSkipped', logs })
  return {
    settled: settled.map(({ args }, index) => ({ requestId: args.requestId, index })),
    skipped: skipped.map(({ args }) => ({ requestId: args.requestId, reason: args.reason })),
  }
}

async function findSettled(
  { client, addresses }: ViemChainDeps,
  requestId: Hex,
  fromBlock: bigint,
): Promise<SettledEvent | undefined> {
  const [log] = await client.getContractEvents({
    address: addresses.coordinator,
    abi: executionCoordinatorAbi,
    eventName: 'ExecutionSettled',
    args: { requestId },
    fromBlock,
    strict: true,
  })
  if (!log) return undefined
  const receipt = await client.getTransactionReceipt({ hash: log.transactionHash })
  const events = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'ExecutionSettled', logs: receipt.logs })
  const { operator, resultSeal, outcome, status } = log.args
  return {
    requestId,
    operator,
    resultSeal,
    outcome,
    status,
    transaction: log.transactionHash,
    blockNumber: log.blockNumber,
    index: events.findIndex((event) => event.logIndex === log.logIndex),
  }
}

async function authorizationUse({ client, addresses }: ViemChainDeps, payer: Address, nonce: Hex, fromBlock: bigint) {
  const token = { address: addresses.token, abi: testUsdcAbi } as const
  const isUsed = await client.readContract({ ...token, functionName: 'authorizationState', args: [payer, nonce] })
  if (!isUsed) return { type: 'unused' } as const
  const [used] = await client.getContractEvents({
    ...token,
    eventName: 'AuthorizationUsed',
    args: { authorizer: payer, nonce },
    fromBlock,
    strict: true,
  })
  if (!used) return { type: 'cancelled' } as const
  const receipt = await client.getTransactionReceipt({ hash: used.transactionHash })
  const transfer = transferAfter(receipt.logs, used, addresses.token, payer)
  return { type: 'used', transaction: used.transactionHash, to: transfer?.to, value: transfer?.value } as const
}

/** The payer's transfer that belongs to this use: the first one after it, before the payer's next use. */
function transferAfter(logs: readonly Log[], used: Log, token: Address, payer: Address) {
  const events = parseEventLogs({
    abi: testUsdcAbi,
    eventName: ['Transfer', 'AuthorizationUsed'],
    logs: logs.filter((log) => isAddressEqual(log.address, token)),
  })
  for (const event of events) {
    if (event.logIndex <= (used.logIndex ?? 0)) continue
    if (event.eventName === 'AuthorizationUsed') return undefined
    if (isAddressEqual(event.args.from, payer)) return event.args
  }
  return undefined
}

async function unlessReverted<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    const isRevert =
      error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError) !== null
    if (isRevert) return undefined
    throw error
  }
}
