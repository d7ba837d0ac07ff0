import { createRuntimeRootfs } from '@peerhost/runtime'
import type { Hex } from 'viem'
import { connectDocker } from './docker.ts'
import { ensureRuntimeImage } from './runtimeImage.ts'

/**
 * Builds the runtime image and gives it to the engine, ahead of the workers that will want it: they find it there
 * instead of building it each for itself. Throws `sandbox_unavailable` when the engine cannot be reached.
 */
export async function prepareRuntime(options: {
  directory: string
  dockerSocket?: string | undefined
}): Promise<{ runtimeDigest: Hex }> {
  const engine = connectDocker(options.dockerSocket === undefined ? {} : { socketPath: options.dockerSocket })
  const rootfs = await createRuntimeRootfs({ directory: options.directory })
  await ensureRuntimeImage(engine, rootfs)
  return { runtimeDigest: rootfs.digest }
}
