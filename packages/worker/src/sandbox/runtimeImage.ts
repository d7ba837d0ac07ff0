import { PeerHostError } from '@peerhost/protocol'
import { createRuntimeRootfs, type RuntimeRootfs } from '@peerhost/runtime'
import type { Engine } from './docker.ts'

export const runtimeRepository = 'peerhost-runtime'

/**
 * The id of the runtime image of this version, when the engine has it. Builds the root file system in `directory`, which
 * a worker does as well, and changes nothing in the engine.
 */
export async function findRuntimeImage(engine: Engine, directory: string): Promise<string | undefined> {
  // An engine that does not answer is known at once; the root file system takes a while.
  await engine.cpus()
  const { reference, isRight } = imageOf(await createRuntimeRootfs({ directory }))
  const present = await engine.image(reference)
  return present && isRight(present.layers) ? present.id : undefined
}

function imageOf({ digest }: Pick<RuntimeRootfs, 'digest'>) {
  const tag = digest.slice(2, 14)
  const isRight = (layers: readonly string[]) => layers.length === 1 && layers[0] === `sha256:${digest.slice(2)}`
  return { tag, reference: `${runtimeRepository}:${tag}`, isRight }
}

/**
 * Makes sure that the engine has the image of this root file system and returns the image's id. The image's only layer
 * must have the digest of the tar: what runs is what the digest says.
 */
export async function ensureRuntimeImage(engine: Engine, rootfs: RuntimeRootfs): Promise<string> {
  const { tag, reference, isRight } = imageOf(rootfs)
  const present = await engine.image(reference)
  if (present && isRight(present.layers)) return present.id
  await engine.importImage(rootfs.path, runtimeRepository, tag)
  const imported = await engine.image(reference)
  if (imported && isRight(imported.layers)) return imported.id
  throw new PeerHostError('sandbox_unavailable', 'The imported runtime image is not the one that was built.', {
    details: [`expected layer sha256:${rootfs.digest.slice(2)}`, `got ${imported?.layers.join(', ') ?? 'no image'}`],
    hint: `Delete ${rootfs.path} and the image ${reference}, then start again.`,
  })
}
