import { availableParallelism } from 'node:os'
import { LIMITS, type LimitsClass } from '@peerhost/protocol'
import type { Isolation, Settings } from '@peerhost/runtime'

/** What both sandboxes let an operator choose. */
export type SandboxOptions = {
  /** Where the runtime image and programs are kept between starts. */
  readonly directory: string
  /** Executions at one time in one container. Default: this machine's cores. */
  readonly slots?: number
  /** Most containers at one time. Default: 16. */
  readonly maxContainers?: number
  /** Containers that wait for a function that was never called here, for each limits class in use. Default: 1. */
  readonly spareContainers?: number
  /** A container that ran nothing for this long is removed. Default: 5 minutes. */
  readonly idleMs?: number
  readonly log?: (line: string) => void
}

export function poolOptions(options: SandboxOptions) {
  return {
    slots: options.slots ?? availableParallelism(),
    maxContainers: options.maxContainers ?? 16,
    idleMs: options.idleMs ?? 300_000,
    log: options.log ?? (() => {}),
    now: () => performance.now(),
    settings,
  }
}

function settings(limits: LimitsClass, slots: number, isolation: Isolation): Settings {
  return {
    isolation,
    slots,
    timeoutMs: limits.timeoutMs,
    memoryBytes: limits.memoryBytes,
    logBytes: LIMITS.logBytes,
    responseBodyBytes: LIMITS.responseBodyBytes,
  }
}
