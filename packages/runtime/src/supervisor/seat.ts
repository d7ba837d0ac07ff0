import type { Run, Settings } from '../messages.ts'
import { usesNode } from '../usesNode.ts'
import type { Envelopes } from './envelopes.ts'
import type { Execution, Verdict } from './execution.ts'
import type { Host } from './hostProcess.ts'
import type { SupervisorDeps } from './supervisor.ts'

/** One execution as it was asked for. */
export type Job = { readonly run: Run; readonly request: Uint8Array }

/** One host process, and the execution that it has. */
export type Seat = {
  host: Host
  state: 'starting' | 'ready' | 'running' | 'ending'
  execution?: Execution | undefined
  job?: Job
  /** Executions it was given. */
  uses: number
  isVaried: boolean
  timer?: NodeJS.Timeout
  timeFactor: number
  /** The host has loaded itself and the bundle: from here on, what happens is the function's doing. */
  loaded: boolean
  /** The host was told to run the module's scope ahead of its execution. */
  isEager: boolean
  /** The host waits for its execution, or has begun it. */
  isPrepared: boolean
  logsClosed: boolean
}

/** All that a supervisor knows. */
export type State = {
  readonly deps: SupervisorDeps
  readonly seats: Set<Seat>
  readonly envelopes: Envelopes
  settings?: Settings
  bundle: Uint8Array
  /** Whether the module's scope runs ahead of the execution. Not where it does not end: that belongs to an execution. */
  isEager: boolean
  announced: boolean
  worn: boolean
  /** Has been given the one execution that it was for, at level `container`. */
  spent: boolean
  stopped: boolean
  /** Of the kernel’s kills for memory, those that explained the death of a host. */
  oomKillsSeen: number
  failedStarts: number
  startLog: string
}

/** Whether hosts go on after an execution. Node's own modules cannot be had anew in one process. */
export function isReusable({ settings, bundle }: State): boolean {
  return (settings?.isolation === 'context' || settings?.isolation === 'shared') && !usesNode(bundle)
}

/** The program that a bundle's hosts run. */
export function programOf({ bundle }: State): 'node' | 'realm' {
  return usesNode(bundle) ? 'node' : 'realm'
}

/** What dies for memory, or just dies, in a process that others used before may have died of what they left. */
export function mayBeOthersFault({ uses, execution }: Seat): boolean {
  const verdict = execution?.verdict
  return uses > 1 && (verdict?.end === 'out-of-memory' || (verdict?.end === 'threw' && verdict.reason === 'exited'))
}

/** Whether the host, should it die of itself now, dies of the module's scope before it has begun an execution. */
export function runsScopeAhead(seat: Seat): boolean {
  const isUndecided = isWaiting(seat) || (seat.state === 'running' && !seat.execution?.decided)
  return isUndecided && seat.loaded && seat.isEager && !seat.isPrepared
}

/** Whether the host may be given the next execution. */
export function isWaiting(seat: Seat): boolean {
  return seat.state === 'starting' || seat.state === 'ready'
}

/** A verdict of ours, not of the host: it is killed, and reported once it is dead. */
export function decide(seat: Seat, verdict: Verdict): void {
  seat.execution?.decide(verdict)
  seat.host.kill()
}
