import type { LimitsClass } from '@peerhost/protocol'
import { runtimePaths } from '@peerhost/runtime'

/** What decides the settings of a container. */
export type ContainerTerms = {
  /** Id of the runtime image. */
  readonly image: string
  /** `${functionId}:${version}`; absent for a container that waits for one. */
  readonly deployment?: string | undefined
  readonly limits: LimitsClass
  /** Executions at one time: each may use what its limits class allows. */
  readonly slots: number
  /** Cores of the machine; Docker refuses more. */
  readonly machineCpus: number
  readonly owner: string
  /** Another OCI runtime, such as `runsc` or `kata`. */
  readonly containerRuntime?: string
}

/** Labels by which containers of this program, and of one worker, are found. */
export const sandboxLabels = {
  sandbox: 'peerhost.sandbox',
  owner: 'peerhost.owner',
  deployment: 'peerhost.deployment',
} as const

const MiB = 1_048_576
/** The supervisor, and the page cache that starting Node needs. */
const supervisorBytes = 96 * MiB
/** A host that waits for its execution. */
const waitingHostBytes = 32 * MiB
const supervisorPids = 16

/** Most memory that a container of this class may take, in bytes. */
export function containerMemoryBytes(limits: Pick<LimitsClass, 'memoryBytes'>, slots: number): number {
  return supervisorBytes + slots * (limits.memoryBytes + waitingHostBytes)
}

/**
 * Container settings for untrusted code. Pure, so that a snapshot guards every field. Nothing about the function is in
 * here but its public id: bundle and request enter through stdin.
 */
export function containerSettings(terms: ContainerTerms) {
  const { limits, slots } = terms
  const memoryBytes = containerMemoryBytes(limits, slots)
  return {
    Image: terms.image,
    Cmd: [
      runtimePaths.node,
      '--disable-sigusr1',
      '--no-warnings',
      '--v8-pool-size=1',
      '--max-old-space-size=64',
      runtimePaths.supervisor,
    ],
    Env: [],
    Hostname: 'function',
    User: '65534:65534',
    WorkingDir: '/',
    Tty: false,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    // The engine closes stdin when its one client is gone: a container never outlives its worker.
    StdinOnce: true,
    NetworkDisabled: true,
    Labels: {
      [sandboxLabels.sandbox]: '1',
      [sandboxLabels.owner]: terms.owner,
      ...(terms.deployment === undefined ? {} : { [sandboxLabels.deployment]: terms.deployment }),
    },
    HostConfig: {
      AutoRemove: true,
      NetworkMode: 'none',
      IpcMode: 'private',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      // The engine's own seccomp profile stays in force as long as none is named here.
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: supervisorPids + slots * limits.pids,
      Memory: memoryBytes,
      // Equal: no swap.
      MemorySwap: memoryBytes,
      OomScoreAdj: 500,
      NanoCpus: Math.round(Math.min(slots * limits.cpus, terms.machineCpus) * 1e9),
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=${limits.tmpBytes},mode=0700,uid=65534,gid=65534` },
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: 1_024, Hard: 1_024 },
      ],
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      ...(terms.containerRuntime === undefined ? {} : { Runtime: terms.containerRuntime }),
    },
  }
}

export type ContainerSettings = ReturnType<typeof containerSettings>
