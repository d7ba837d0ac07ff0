import {
  createFrameDecoder,
  type Ended,
  encodeFrame,
  type Fetch,
  type FromSupervisor,
  type Run,
  readFromSupervisor,
  type Settings,
  supervisorLimits,
  variationOf,
} from '@peerhost/runtime'
import { answerFetch } from './answerFetch.ts'
import type { Egress } from './egress.ts'
import type { SandboxJob } from './sandbox.ts'
import { createSealing } from './sealing.ts'
import type { Transport } from './transport.ts'

/** An execution that ended, or the news that its supervisor will never say. */
export type Ending =
  | { readonly type: 'ended'; readonly ended: Ended; readonly log: Uint8Array; readonly body: Uint8Array }
  | { readonly type: 'lost'; readonly reason: string }

type Running = { settle: (ending: Ending) => void; egress: Egress | undefined; signal: AbortSignal }

/** The worker's end of one supervisor. */
export type SupervisorLink = {
  /** Resolves when a host is ready; rejects when the supervisor ended before, or took too long. */
  readonly ready: Promise<void>
  readonly closed: Promise<string>
  /** Runs one execution. Rejects with the signal's reason when it is aborted: the host is killed then. */
  run: (
    run: Omit<Run, 'id'>,
    job: Pick<SandboxJob, 'request' | 'egress' | 'environment'>,
    signal: AbortSignal,
  ) => Promise<Ending>
  kill: () => Promise<void>
}

/** Starting a container and a Node process in it, on a machine that is busy. */
const readyWithinMs = 30_000
/** An execution whose process died may be run once more, with its whole time. */
const mostRuns = 2
/** How much later than the time limit a supervisor may report before it counts as dead: it may have to start a host first. */
const reportWithinMs = 30_000

/** Configures a new supervisor and speaks with it. What it sends is checked: a broken frame ends it. */
export function connectSupervisor(
  transport: Transport,
  { settings, bundle, onWorn }: { settings: Settings; bundle: Uint8Array; onWorn: () => void },
): SupervisorLink {
  const runs = new Map<number, Running>()
  const ready = Promise.withResolvers<void>()
  // Whoever warms a container waits for it; for everyone else the loss shows in the run.
  ready.promise.catch(() => {})
  // Where the engine fails to end it, the connection is gone all the same, and `closed` says so.
  const end = () => void transport.kill().catch(() => {})
  const readyTimer = setTimeout(() => end(), readyWithinMs)
  const send = (header: object, body?: Uint8Array) => void transport.input.write(encodeFrame(header, body))
  const sealing = createSealing(send, end)
  let lastId = 0
  let lost: string | undefined

  function onMessage(message: FromSupervisor): void {
    if (message.type === 'ready') {
      clearTimeout(readyTimer)
      ready.resolve()
    } else if (message.type === 'worn') {
      onWorn()
    } else if (message.type === 'key') {
      sealing.key(message.id, message.publicKey)
    } else if (message.type === 'fetch') {
      const running = runs.get(message.id)
      if (running) void passOn(running, message.id, message.fetch)
    } else {
      runs.get(message.ended.id)?.settle(message)
    }
  }

  async function passOn({ egress, signal }: Running, id: number, fetch: Fetch): Promise<void> {
    const { body, ...head } = await answerFetch(egress, fetch, signal)
    if (lost === undefined && runs.has(id)) send({ type: 'fetched', id, ...head }, body)
  }

  listen(transport, settings, (message) => lost === undefined && onMessage(message), end)
  transport.input.on('error', () => end())
  const closed = transport.closed.then((reason) => {
    lost = reason
    clearTimeout(readyTimer)
    ready.reject(new Error(reason))
    for (const { settle } of runs.values()) settle({ type: 'lost', reason })
    sealing.lost()
    return reason
  })
  send({ type: 'configure', settings }, bundle)

  return {
    ready: ready.promise,
    closed,
    kill: transport.kill,
    async run(terms, { request, egress, environment }, signal) {
      signal.throwIfAborted()
      if (lost !== undefined) return { type: 'lost', reason: lost }
      lastId += 1
      const id = lastId
      const envelope = environment && (await sealing.seal(id, environment, signal))
      if (lost !== undefined) return { type: 'lost', reason: lost }
      const ending = Promise.withResolvers<Ending>()
      const { timeFactor = 1 } = variationOf(terms.variation ?? 0)
      const overdue = setTimeout(() => end(), settings.timeoutMs * timeFactor * mostRuns + reportWithinMs)
      const onAbort = () => send({ type: 'cancel', id })
      runs.set(id, { settle: ending.resolve, egress, signal })
      signal.addEventListener('abort', onAbort, { once: true })
      send({ type: 'run', run: { ...terms, ...(envelope && { envelope }), id } }, request)
      try {
        // Waits for the supervisor even after an abort: only then is the slot free again.
        const result = await ending.promise
        signal.throwIfAborted()
        return result
      } finally {
        clearTimeout(overdue)
        runs.delete(id)
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}

function listen(
  { output }: Transport,
  settings: Settings,
  onMessage: (message: FromSupervisor) => void,
  onBroken: () => void,
): void {
  const decoder = createFrameDecoder(supervisorLimits(settings))
  output.on('data', (chunk: Uint8Array) => {
    try {
      for (const frame of decoder.push(chunk)) onMessage(readFromSupervisor(frame))
    } catch {
      onBroken()
    }
  })
}
