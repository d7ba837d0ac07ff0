import { confirmedLaneAbi, type Ticket } from '@peerhost/protocol'
import type { AbiEvent, Hex } from 'viem'
import type { PostedRequest } from './lane.ts'
import { type WatchDeps, watchLogs } from './watchLogs.ts'

export type WatchRequestsDeps = Omit<WatchDeps, 'events' | 'keyOf' | 'onLog'> & {
  /** Called once per request id. The cursor stays before a request until its promise is over. */
  onRequest: (posted: PostedRequest) => Promise<void>
}

type Requested = { requestId: Hex; ticket: Ticket; input: Hex }

const requested = confirmedLaneAbi.find(
  (item) => item.type === 'event' && item.name === 'ExecutionRequested',
) as unknown as AbiEvent

/** Follows the requests that stand on chain; `address` is the confirmed lane's. Stops when the signal fires. */
export function watchRequests({ onRequest, ...deps }: WatchRequestsDeps, signal: AbortSignal): Promise<void> {
  const watching: WatchDeps = {
    ...deps,
    events: [requested],
    keyOf: ({ args }) => (args as Requested).requestId,
    onLog: ({ args, blockNumber }) => {
      const { requestId, ticket, input } = args as Requested
      return onRequest({ requestId, ticket, input, blockNumber })
    },
  }
  return watchLogs(watching, signal)
}
