import { availableParallelism, totalmem } from 'node:os'
import { LIMITS, LIMITS_CLASSES, type LimitsClass } from '@peerhost/protocol'
import type { Isolation, Settings } from '@peerhost/runtime'
import { containerMemoryBytes } from './hostConfig.ts'

/** What both sandboxes let an operator choose. */
export type SandboxOptions = {
  /** Where the runtime image and programs are kept between starts. */
  readonly directory: string
  /** Executions at one time in one container. Default: this machine's cores. */
  readonly slots?: number
  /** Most containers at one time. Default: as many of the smallest class as half of this machine's memory holds. */
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
    maxContainers: options.maxContainers ?? containersThatFit(totalmem(), options.slots ?? availableParallelism()),
    idleMs: options.idleMs ?? 300_000,
    log: options.log ?? (() => {}),
    now: () => performance.now(),
    settings,
  }
}

const fewest = 2
const most = 64
const memoryShare = 0.5

/** How many containers a machine with this much memory may run, each of them full. */
export function containersThatFit(memoryBytes: number, slots: number): number {
  const fitting = Math.floor((memoryBytes * memoryShare) / containerMemoryBytes(LIMITS_CLASSES[0], slots))
  return Math.min(most, Math.max(fewest, fitting))
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
