import type { LimitsClass, Outcome } from '@peerhost/protocol'
import type { Isolation } from '@peerhost/runtime'
import type { Hex } from 'viem'
import type { Egress } from './egress.ts'
import type { SealEnvironment } from './environment.ts'

/** One execution. `deployment` is `${functionId}:${version}`: executions of different deployments never share a container. */
export type SandboxJob = {
  deployment: string
  bundle: Uint8Array
  limits: LimitsClass
  /** Canonical request bytes. */
  request: Uint8Array
  /** The ticket's clock, in seconds since 1970. */
  issuedAt: number
  /** Seeds the function's randomness. */
  seed: Hex
  /** What separates it from other executions of its deployment. Default: `context`. */
  isolation?: Isolation
  /** Answers its outgoing calls. Absent: the function has no network. */
  egress?: Egress
  /** Has the environment of the handler sealed for the sandbox. Absent: it is empty. */
  environment?: SealEnvironment
  /** Number of the conditions in the runtime's table of variations: a juror's runs. What they give is never attested. */
  variation?: number
}

/** What came out. `result` is the canonical result's bytes, encoded once. */
export type SandboxRun = {
  result: Uint8Array
  outcome: Outcome
  status: number
  durationMs: number
  queueMs: number
  log: string
  logBytes: number
}

/**
 * Runs bundles. The user's code failing is a run with an outcome; the machine failing (daemon gone) throws
 * `sandbox_unavailable`.
 */
export type Sandbox = {
  kind: 'docker' | 'process'
  /** False when nothing separates the user's code from this machine. */
  isolated: boolean
  /** sha2-256 of the runtime image's root file system. */
  runtimeDigest: Hex
  run: (job: SandboxJob, signal: AbortSignal) => Promise<SandboxRun>
  /** Makes a deployment ready ahead of its first execution. */
  warm: (job: Pick<SandboxJob, 'deployment' | 'bundle' | 'limits' | 'isolation'>) => Promise<void>
  close: () => Promise<void>
}
