import { readFrame } from './hostPipe.ts'
import { downwardLimits, type Fetched } from './messages.ts'

export type FetchedFrames = {
  /** What came back for one outgoing call, by its number. Blocks, and keeps what comes for other calls before it. */
  next: (call: number) => Fetched
  /** Forgets what nobody asked for. */
  clear: () => void
}

/** What the supervisor sends back for the outgoing calls of one host, whichever comes first. */
export function createFetchedFrames(): FetchedFrames {
  const early = new Map<number, Fetched>()
  return {
    next(call) {
      for (;;) {
        const fetched = early.get(call)
        if (fetched) return fetched
        const { header, body } = readFrame(downwardLimits)
        if (header.type !== 'fetched') throw new Error('The supervisor said something else than what came back.')
        const number = Number(header.call)
        early.set(number, { call: number, text: String(header.text), error: String(header.error), body })
      }
    },
    clear: () => early.clear(),
  }
}
