import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { connectDocker } from '../../src/sandbox/docker.ts'
import { ensureRuntimeImage, runtimeRepository } from '../../src/sandbox/runtimeImage.ts'
import { engineCall } from './dockerEngine.ts'

const engine = connectDocker({})
const directory = await mkdtemp(join(tmpdir(), 'peerhost-image-'))
const tags = new Set<string>()
afterAll(async () => {
  for (const tag of tags) await engineCall('DELETE', `/images/${runtimeRepository}:${tag}`)
  await rm(directory, { recursive: true, force: true })
})

/** An empty tar of this many blocks: the smallest root file system that there is. */
async function rootfsOf(blocks: number) {
  const bytes = Buffer.alloc(blocks * 512)
  const path = join(directory, `${blocks}.tar`)
  await writeFile(path, bytes)
  const digest = `0x${createHash('sha256').update(bytes).digest('hex')}` as const
  tags.add(digest.slice(2, 14))
  return { path, digest }
}

test('an image is imported once and has the layer of its digest', async () => {
  const rootfs = await rootfsOf(20)
  const id = await ensureRuntimeImage(engine, rootfs)
  expect(await ensureRuntimeImage(engine, { ...rootfs, path: '/is/not/read/again' })).toBe(id)
  expect(await engine.image(id)).toEqual({ id, layers: [`sha256:${rootfs.digest.slice(2)}`] })
})

test('another image under the right name is not used', async () => {
  const [right, wrong] = [await rootfsOf(22), await rootfsOf(24)]
  await engine.importImage(wrong.path, runtimeRepository, right.digest.slice(2, 14))
  const id = await ensureRuntimeImage(engine, right)
  expect((await engine.image(id))?.layers).toEqual([`sha256:${right.digest.slice(2)}`])
})

test('a file that is not what its digest says is refused', async () => {
  const rootfs = { ...(await rootfsOf(26)), path: (await rootfsOf(28)).path }
  await expect(ensureRuntimeImage(engine, rootfs)).rejects.toMatchObject({ code: 'sandbox_unavailable' })
})
