import { executionCoordinatorAbi, isPeerHostError, type Receipt, sameHex, settledRequests } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { getRequest } from '../actions/getRequest.ts'
import type { Connection } from '../connection.ts'
import { sleep } from '../sleep.ts'

/** The settlement of a request as its event on chain tells it. */
export type Settlement = {
  transaction: Hex
  blockNumber: bigint
  /** The operators that were paid; several in a quorum, the first first. */
  operators: readonly Hex[]
  resultSeal: Hex
  outcome: number
  status: number
}

/** How many of the newest blocks are searched when nobody names the transaction. */
const searchedBlocks = 5_000n
const pollMs = 400

/**
 * Looks for the event `ExecutionSettled` of a request until `waitMs` have passed: in the transaction that receipt or
 * gateway name, else in the newest blocks. Who names the transaction does not matter: the event is read from the chain.
 */
export async function findSettlement(
  connection: Connection,
  receipt: Receipt,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Settlement | undefined> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const found = await lookOnce(connection, receipt, signal)
    if (found) return found
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) return undefined
    await sleep(Math.min(pollMs, leftMs), signal)
  }
}

async function lookOnce(connection: Connection, receipt: Receipt, signal?: AbortSignal) {
  const named = receipt.settlement?.transaction ?? (await namedByGateway(connection, receipt.requestId, signal))
  return (
    (named && (await inTransaction(connection, receipt.requestId, named))) ??
    (await inNewestBlocks(connection, receipt))
  )
}

async function namedByGateway(connection: Connection, requestId: Hex, signal?: AbortSignal): Promise<Hex | undefined> {
  try {
    return (await getRequest(connection, { requestId, signal })).transaction
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    return undefined
  }
}

async function inTransaction({ network, publicClient }: Connection, requestId: Hex, hash: Hex) {
  const receipt = await publicClient.getTransactionReceipt({ hash }).catch(() => undefined)
  if (receipt?.status !== 'success') return undefined
  const settled = settledRequests(receipt.logs, network.coordinator).find((one) => sameHex(one.requestId, requestId))
  if (!settled) return undefined
  const { rewards, resultSeal, outcome, status } = settled
  const operators = rewards.map(({ operator }) => operator)
  return { transaction: hash, blockNumber: receipt.blockNumber, operators, resultSeal, outcome, status }
}

async function inNewestBlocks(connection: Connection, { requestId }: Receipt) {
  const { network, publicClient } = connection
  try {
    const newest = await publicClient.getBlockNumber({ cacheTime: 0 })
    const logs = await publicClient.getContractEvents({
      address: network.coordinator,
      abi: executionCoordinatorAbi,
      eventName: 'ExecutionSettled',
      args: { requestId },
      fromBlock: newest > searchedBlocks ? newest - searchedBlocks : 0n,
      toBlock: 'latest',
      strict: true,
    })
    const [found] = logs
    return found && (await inTransaction(connection, requestId, found.transactionHash))
  } catch {
    // Many public nodes refuse such a search; the transaction that gateway or receipt name needs none.
    return undefined
  }
}
