import { isPeerHostError } from '@peerhost/protocol'
import { createRuntimeRootfs } from '@peerhost/runtime'
import { type ContainerOrder, createContainerPool } from './containerPool.ts'
import { connectDocker, type Engine } from './docker.ts'
import { containerSettings } from './hostConfig.ts'
import { ensureRuntimeImage } from './runtimeImage.ts'
import type { Sandbox } from './sandbox.ts'
import { sandboxRun } from './sandboxRun.ts'
import { poolOptions, type SandboxOptions } from './sandboxSettings.ts'

export type DockerSandboxDeps = SandboxOptions & {
  /** Names this worker among others on the machine, the same after a restart: its own leftovers go at start and end. */
  readonly owner: string
  readonly socketPath?: string
  readonly containerRuntime?: string
  /** Another engine than the one at `socketPath`. */
  readonly engine?: Engine
}

/**
 * The sandbox that a worker of a network needs: one container per deployment, with no network, no capability and a
 * read-only root. Builds and imports the runtime image when the engine does not have it yet. Throws `sandbox_unavailable`
 * when the engine cannot be reached.
 */
export async function createDockerSandbox(deps: DockerSandboxDeps): Promise<Sandbox> {
  const engine = deps.engine ?? connectDocker(deps.socketPath === undefined ? {} : { socketPath: deps.socketPath })
  const machineCpus = await engine.cpus()
  await engine.removeLeftovers(deps.owner)
  const rootfs = await createRuntimeRootfs({ directory: deps.directory })
  let image = await ensureRuntimeImage(engine, rootfs)
  const { owner, containerRuntime } = deps
  const start = (order: ContainerOrder) =>
    engine.start(
      containerSettings({
        ...order,
        image,
        machineCpus,
        owner,
        ...(containerRuntime === undefined ? {} : { containerRuntime }),
      }),
    )
  const pool = createContainerPool({
    ...poolOptions(deps),
    start: async (order) => {
      try {
        return await start(order)
      } catch (error) {
        if (!isPeerHostError(error) || (await engine.image(image)) !== undefined) throw error
        // Somebody pruned it while we ran: the file that it was made of is still ours, or is made again.
        image = await ensureRuntimeImage(engine, await createRuntimeRootfs({ directory: deps.directory }))
        return start(order)
      }
    },
  })
  return {
    kind: 'docker',
    isolated: true,
    runtimeDigest: rootfs.digest,
    async run(job, signal) {
      const { ending, queueMs } = await pool.run(job, signal)
      return sandboxRun(ending, queueMs)
    },
    warm: pool.warm,
    async close() {
      await pool.close()
      await engine.removeLeftovers(owner)
    },
  }
}
