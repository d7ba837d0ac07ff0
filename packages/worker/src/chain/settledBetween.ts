import { executionCoordinatorAbi } from '@peerhost/protocol'
import type { AbiEvent, Address, Hex, PublicClient } from 'viem'

const settledEvent = executionCoordinatorAbi.find(
  (item) => item.type === 'event' && item.name === 'ExecutionSettled',
) as unknown as AbiEvent
const pageBlocks = 2_000n

/** What the coordinator settled between two moments, in seconds since 1970: request and worker. */
export async function readSettledBetween(
  client: PublicClient,
  coordinator: Address,
  fromSeconds: number,
  toSeconds: number,
): Promise<{ requestId: Hex; operator: Address }[]> {
  const first = await firstBlockFrom(client, BigInt(fromSeconds))
  const last = await firstBlockFrom(client, BigInt(toSeconds) + 1n)
  const settled: { requestId: Hex; operator: Address }[] = []
  for (let from = first; from <= last; from += pageBlocks) {
    const toBlock = from + pageBlocks - 1n < last ? from + pageBlocks - 1n : last
    const logs = await client.getLogs({ address: coordinator, event: settledEvent, fromBlock: from, toBlock })
    settled.push(...logs.map((log) => log.args as { requestId: Hex; operator: Address }))
  }
  return settled
}

/** The first block of this moment or later; the newest one when there is none. */
async function firstBlockFrom(client: PublicClient, seconds: bigint): Promise<bigint> {
  let low = 0n
  let high = await client.getBlockNumber({ cacheTime: 0 })
  while (low < high) {
    const middle = (low + high) / 2n
    const { timestamp } = await client.getBlock({ blockNumber: middle, includeTransactions: false })
    if (timestamp < seconds) low = middle + 1n
    else high = middle
  }
  return low
}
