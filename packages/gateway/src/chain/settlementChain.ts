import { encodeSettlement, executionCoordinatorAbi, type SettlementBatch } from '@peerhost/protocol'
import { encodeFunctionData, type Hex, isAddressEqual, parseEventLogs, type TransactionReceipt } from 'viem'
import type { SettledEvent, SettlementOutcome } from './chain.ts'
import type { Suite } from './suite.ts'
import { type TransactDeps, transact } from './transact.ts'

type Deps = TransactDeps & { suite: Suite }

/** Sends a batch, and reads from its events what it did. */
export async function settle(deps: Deps, batch: SettlementBatch): Promise<SettlementOutcome> {
  const data = encodeFunctionData({
    abi: executionCoordinatorAbi,
    functionName: 'settle',
    args: [encodeSettlement(batch)],
  })
  const sent = await transact(deps, { to: deps.suite.coordinator, data })
  if (sent.type === 'reverted') return sent
  const { transaction, receipt } = sent
  return { type: 'mined', transaction, blockNumber: receipt.blockNumber, ...readSettlement(deps, receipt) }
}

/** Where a request was settled, whoever did it. */
export async function findSettled(
  { client, suite }: Deps,
  requestId: Hex,
  fromBlock: bigint,
): Promise<SettledEvent | undefined> {
  const [log] = await client.getContractEvents({
    address: suite.coordinator,
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

function readSettlement({ suite }: Deps, receipt: TransactionReceipt) {
  const logs = receipt.logs.filter((log) => isAddressEqual(log.address, suite.coordinator))
  const events = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'ExecutionSettled', logs })
  const skipped = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'ExecutionSkipped', logs })
  return {
    settled: events.map(({ args }, index) => ({ requestId: args.requestId, index })),
    skipped: skipped.map(({ args }) => ({ requestId: args.requestId, reason: args.reason })),
  }
}
