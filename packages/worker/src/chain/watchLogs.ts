import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AbiEvent,
  type Address,
  type Hex,
  type Log,
  type PublicClient,
  parseEventLogs,
  toEventSelector,
} from 'viem'
import type { WorkerEmit } from '../events.ts'
import type { Cursor } from './cursor.ts'

export type WatchTimes = {
  /** The chain is also read this often, whatever the subscription said: it may have lost something. */
  scanEveryMs: number
  retryMinimumMs: number
  retryMaximumMs: number
}

/** One event of a contract, decoded by the ABI that was watched with. */
export type WatchedLog = { eventName: string; args: unknown; blockNumber: bigint }

export type WatchDeps = {
  client: PublicClient
  address: Address
  events: readonly AbiEvent[]
  cursor: Cursor
  /** Nothing of interest is older. */
  deployBlock: bigint
  /** What an event older than this says is over. */
  oldestSeconds: number
  emit: WorkerEmit
  /** Names what a log is about: the same name is given on once. */
  keyOf: (log: WatchedLog) => string
  /** Called once per key. The cursor stays before a log until its promise is over. */
  onLog: (log: WatchedLog) => Promise<void>
  times?: Partial<WatchTimes>
}

const defaultTimes: WatchTimes = { scanEveryMs: 5_000, retryMinimumMs: 200, retryMaximumMs: 10_000 }
/** Blocks read again each time: a reorganisation may have moved a request. */
const overlapBlocks = 32n
const pageBlocks = 2_000n
const smallestPageBlocks = 10n
const mostRemembered = 100_000

/** Follows events of one contract from the cursor on, through lost connections. Stops when the signal fires. */
export async function watchLogs(deps: WatchDeps, signal: AbortSignal): Promise<void> {
  const times = { ...defaultTimes, ...deps.times }
  const intake = createIntake(deps)
  let failures = 0
  while (!signal.aborted) {
    try {
      await listen(deps, intake, times, signal, () => {
        failures = 0
      })
    } catch (error) {
      if (signal.aborted) return
      const retryInMs = Math.min(times.retryMaximumMs, times.retryMinimumMs * 2 ** Math.min(failures++, 20))
      deps.emit('chain:interrupted', { error, retryInMs })
      await sleep(retryInMs, undefined, { signal }).catch(() => {})
    }
  }
}

type Intake = {
  take: (logs: readonly Log[]) => number
  next: bigint | undefined
  save: (head: bigint) => Promise<void>
}

/** Gives each log on once, and knows up to where all of them are over. */
function createIntake({ address, events, cursor, keyOf, onLog, emit }: WatchDeps): Intake {
  const seen = new Set<string>()
  const underWay = new Map<string, bigint>()
  function start(key: string, log: WatchedLog): void {
    seen.add(key)
    underWay.set(key, log.blockNumber)
    void onLog(log)
      .catch((error: unknown) => emit('worker:error', { during: `${log.eventName} ${key}`, error }))
      .finally(() => underWay.delete(key))
  }
  const intake: Intake = {
    next: undefined,
    take: (logs) => {
      const ours = logs.filter((log) => !log.removed && log.address.toLowerCase() === address.toLowerCase())
      let fresh = 0
      for (const { eventName, args, blockNumber } of parseEventLogs({ abi: events, logs: ours })) {
        const log: WatchedLog = { eventName, args, blockNumber: blockNumber ?? 0n }
        const key = keyOf(log)
        if (seen.has(key)) continue
        fresh += 1
        start(key, log)
      }
      for (const oldest of seen) {
        if (seen.size <= mostRemembered) break
        seen.delete(oldest)
      }
      return fresh
    },
    save: async (head) => {
      intake.next = head + 1n
      await cursor.write([...underWay.values()].reduce((least, block) => (block < least ? block : least), head + 1n))
    },
  }
  return intake
}

async function listen(
  deps: WatchDeps,
  intake: Intake,
  times: WatchTimes,
  signal: AbortSignal,
  onScanned: () => void,
): Promise<void> {
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {})
  const onAbort = () => lost.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let subscription: Subscription | undefined
  try {
    // Subscribed before the first scan: what comes between the two is seen twice rather than never.
    subscription = await Promise.race([subscribe(deps, intake, lost.reject), lost.promise])
    intake.next ??= await firstBlock(deps)
    deps.emit('chain:listening', { fromBlock: intake.next })
    const everyMs = subscription ? times.scanEveryMs : deps.client.pollingInterval
    for (;;) {
      await Promise.race([scan(deps, intake, intake.next, signal), lost.promise])
      onScanned()
      await Promise.race([sleep(everyMs, undefined, { signal }), lost.promise])
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    void subscription?.unsubscribe().catch(() => {})
  }
}

type Subscription = { unsubscribe: () => Promise<unknown> }
type Subscribe = (parameters: {
  params: readonly unknown[]
  onData: (data: { result: Log<Hex, number> }) => void
  onError: (error: unknown) => void
}) => Promise<Subscription>

/** `undefined` on a transport that cannot push: the scans alone find everything there. */
async function subscribe(
  { client, address, events }: WatchDeps,
  intake: Intake,
  onError: (error: unknown) => void,
): Promise<Subscription | undefined> {
  const { subscribe: start } = client.transport as { subscribe?: Subscribe }
  if (!start) return undefined
  return start({
    params: ['logs', { address, topics: [events.map((event) => toEventSelector(event))] }],
    onData: ({ result }) => void intake.take([{ ...result, blockNumber: BigInt(result.blockNumber ?? 0) } as Log]),
    onError: (error) => onError(error ?? new Error('The subscription ended.')),
  })
}

async function scan(deps: WatchDeps, intake: Intake, next: bigint, signal: AbortSignal): Promise<void> {
  const head = await deps.client.getBlockNumber({ cacheTime: 0 })
  let from = next > head + 1n ? head : next
  from = from > deps.deployBlock + overlapBlocks ? from - overlapBlocks : deps.deployBlock
  let page = pageBlocks
  const begin = from
  let found = 0
  while (from <= head && !signal.aborted) {
    const to = from + page - 1n < head ? from + page - 1n : head
    try {
      found += intake.take(await readLogs(deps, from, to))
      from = to + 1n
    } catch (error) {
      // Providers limit ranges, each in its own words; a smaller page tells a limit from a failure.
      if (page <= smallestPageBlocks || to === from) throw error
      page = page / 4n > smallestPageBlocks ? page / 4n : smallestPageBlocks
    }
  }
  if (signal.aborted) return
  await intake.save(head)
  if (found > 0) deps.emit('chain:scanned', { fromBlock: begin, toBlock: head, found })
}

function readLogs({ client, address, events }: WatchDeps, fromBlock: bigint, toBlock: bigint): Promise<Log[]> {
  return client.getLogs({ address, events, fromBlock, toBlock }) as Promise<unknown> as Promise<Log[]>
}

/** Where to begin: the cursor, but not before the oldest event that may still matter. */
async function firstBlock({ client, cursor, deployBlock, oldestSeconds }: WatchDeps): Promise<bigint> {
  const head = await client.getBlock({ includeTransactions: false })
  const saved = await cursor.read()
  let low = saved !== undefined && saved <= head.number && saved > deployBlock ? saved : deployBlock
  if (head.number - low <= overlapBlocks) return low
  let high = head.number
  while (low < high) {
    const middle = (low + high) / 2n
    const { timestamp } = await client.getBlock({ blockNumber: middle, includeTransactions: false })
    if (timestamp + BigInt(oldestSeconds) < head.timestamp) low = middle + 1n
    else high = middle
  }
  return low
}
