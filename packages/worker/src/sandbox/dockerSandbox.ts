import { isPeerHostError } from '@peerhost/protocol'
import { createRuntimeRootfs } from '@peerhost/runtime'
import { createContainerPool } from './containerPool.ts'
import { connectDocker, type Engine } from './docker.ts'
import { containerSettings } from './hostConfig.ts'
import { ensureRuntimeImage } from './runtimeImage.ts'
import type { Sandbox } from './sandbox.ts'
import { sandboxRun } from './sandboxRun.ts'
import { poolOptions, type SandboxOptions } from './sandboxSettings.ts'
import { createSpareContainers, type WaitingOrder } from './spareContainers.ts'

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
  const startNow = (order: WaitingOrder) =>
    engine.start(
      containerSettings({
        ...order,
        image,
        machineCpus,
        owner,
        ...(containerRuntime === undefined ? {} : { containerRuntime }),
      }),
    )
  const start = async (order: WaitingOrder) => {
    try {
      return await startNow(order)
    } catch (error) {
      if (!isPeerHostError(error) || (await engine.image(image)) !== undefined) throw error
      // Somebody pruned it while we ran: the file that it was made of is still ours, or is made again.
      image = await ensureRuntimeImage(engine, await createRuntimeRootfs({ directory: deps.directory }))
      return startNow(order)
    }
  }
  const options = poolOptions(deps)
  const spares = createSpareContainers({
    count: deps.spareContainers ?? 1,
    log: options.log,
    settings: ({ limits, slots }) => options.settings(limits, slots, 'context'),
    start,
  })
  const pool = createContainerPool({ ...options, start: spares.take })
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
      await Promise.all([pool.close(), spares.close()])
      await engine.removeLeftovers(owner)
    },
  }
}
