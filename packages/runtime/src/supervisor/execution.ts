import type { Answer, End, Ended, Run, Settings, ThrowReason } from '../messages.ts'
import type { HostExit } from './hostProcess.ts'

/** How an execution ended, before its log is complete. */
export type Verdict = {
  readonly end: End
  readonly reason?: ThrowReason
  readonly answer?: Answer
  readonly body?: Uint8Array
}

/** One execution: collects its log, keeps the first verdict, and gives the report. */
export type Execution = {
  readonly id: number
  readonly decided: boolean
  readonly verdict: Verdict | undefined
  /** Its time runs from here: the host has it and is loaded. */
  begin: () => void
  /** Adds to the log. Returns false when that made the execution `output-too-large`. */
  log: (chunk: Uint8Array) => boolean
  /** Keeps the first verdict; returns whether this was it. */
  decide: (verdict: Verdict) => boolean
  /** What the log says, for telling a heap that was full from an abort. */
  logTail: () => string
  report: () => { ended: Ended; body: Uint8Array }
}

const nothing = new Uint8Array(0)

export function createExecution(run: Run, settings: Settings, now: () => number): Execution {
  let startedMs = now()
  const chunks: Uint8Array[] = []
  let logBytes = 0
  let keptLogBytes = 0
  let endedMs: number | undefined
  let verdict: Verdict | undefined
  return {
    id: run.id,
    get decided() {
      return verdict !== undefined
    },
    get verdict() {
      return verdict
    },
    begin() {
      startedMs = now()
    },
    log(chunk) {
      logBytes += chunk.length
      const kept = chunk.subarray(0, settings.logBytes - keptLogBytes)
      keptLogBytes += kept.length
      if (kept.length > 0) chunks.push(kept)
      if (logBytes <= settings.logBytes) return true
      // Over an answer too: whether the pipe was read before or after it must make no difference.
      if (!verdict || verdict.end === 'completed') verdict = { end: 'output-too-large' }
      return false
    },
    decide(next) {
      if (verdict) return false
      verdict = next
      endedMs = now()
      return true
    },
    logTail: () => Buffer.concat(chunks).subarray(-16_384).toString('utf8'),
    report() {
      const { end, reason = 'error', answer, body = nothing } = verdict ?? { end: 'threw' as const }
      return {
        ended: {
          id: run.id,
          end,
          reason,
          answer,
          durationMs: Math.round((endedMs ?? now()) - startedMs),
          logBytes,
          keptLogBytes,
        },
        body: Buffer.concat([...chunks, body]),
      }
    },
  }
}

/**
 * What a host's death without an answer means. The kernel's killer is told from a signal of the function by the
 * container's own count of kills; a full heap by what V8 writes before it aborts.
 */
export function verdictOfExit(exit: HostExit, killedForMemory: boolean, logTail: string): Verdict {
  if (exit.signal === 'SIGKILL' && killedForMemory) return { end: 'out-of-memory' }
  const aborted = exit.signal === 'SIGABRT' || exit.signal === 'SIGTRAP' || exit.code === 134 || exit.code === 133
  if (aborted && /JavaScript heap out of memory|process out of memory|Allocation failed/.test(logTail))
    return { end: 'out-of-memory' }
  return { end: 'threw', reason: 'exited' }
}
