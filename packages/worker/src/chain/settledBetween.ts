import { settledRequests, settlementEvents } from '@peerhost/protocol'
import type { Address, Hex, PublicClient } from 'viem'

const pageBlocks = 2_000n

/** What the coordinator settled between two moments, in seconds since 1970: request and worker, of a quorum each of them. */
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
    const logs = await client.getLogs({ address: coordinator, events: settlementEvents, fromBlock: from, toBlock })
    for (const { requestId, rewards } of settledRequests(logs, coordinator))
      settled.push(...rewards.map(({ operator }) => ({ requestId, operator })))
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
