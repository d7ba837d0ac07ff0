import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { atLevel, levels } from '../hostile/levels.ts'
import { createTestSandbox } from './dockerEngine.ts'
import { jobOf, read, requestOf, smallLimits, soon } from './jobs.ts'
import { canOwnEngine, createOwnEngine, type OwnEngine } from './ownEngine.ts'

const timeout = 240_000

describe.skipIf(!canOwnEngine)('an engine that fails under the worker', { timeout }, () => {
  let engine: OwnEngine
  let docker: Docker
  let sandbox: Sandbox
  beforeAll(async () => {
    engine = await createOwnEngine()
    await engine.start()
    docker = new Docker({ socketPath: engine.socketPath })
    sandbox = await createTestSandbox({ socketPath: engine.socketPath, slots: 1 })
  }, timeout)
  afterAll(async () => {
    await sandbox?.close().catch(() => {})
    await engine?.remove()
  }, timeout)

  const slow = `"use node"; exports.default = async (r) => { if (r.url.endsWith('/slow')) await new Promise((done) => setTimeout(done, 50000)); return new Response('fine') }`
  const containers = () => docker.listContainers({ all: true })

  describe.each(levels)('at level %s', (level) => {
    test('is restarted: what ran fails with a name, the next execution works, and nothing is left', async () => {
      const job = atLevel(jobOf(slow, { limits: { ...smallLimits, timeoutMs: 60_000 } }), level)
      expect(read(await sandbox.run(job, soon()))).toMatchObject({ text: 'fine' })
      const running = sandbox.run({ ...job, request: requestOf({ path: '/slow' }) }, soon()).catch((error) => error)
      await new Promise((done) => setTimeout(done, 500))
      // The engine gives its containers ten seconds; PID 1 takes no signal.
      await engine.stop()
      expect(await running).toMatchObject({ code: 'sandbox_unavailable' })
      await expect(sandbox.run(jobOf(slow), soon())).rejects.toMatchObject({ code: 'sandbox_unavailable' })
      await engine.start()
      expect(read(await sandbox.run(job, soon()))).toMatchObject({ outcome: 'completed', text: 'fine' })
      expect(await containers()).toHaveLength(1)
    })

    test('loses its image: it is imported again, and the next execution works', async () => {
      const job = atLevel(jobOf(slow), level)
      expect(read(await sandbox.run(job, soon()))).toMatchObject({ text: 'fine' })
      for (const { Id } of await containers()) await docker.getContainer(Id).remove({ force: true })
      for (const { Id } of await docker.listImages()) await docker.getImage(Id).remove({ force: true })
      expect(await docker.listImages()).toEqual([])
      expect(read(await sandbox.run(job, soon()))).toMatchObject({ outcome: 'completed', text: 'fine' })
      const [image] = await docker.listImages()
      const { RootFS } = await docker.getImage(image?.Id ?? '').inspect()
      expect(RootFS.Layers).toEqual([`sha256:${sandbox.runtimeDigest.slice(2)}`])
    })
  })

  test('closing leaves it empty', async () => {
    await sandbox.close()
    expect(await containers()).toEqual([])
    expect((await docker.listVolumes()).Volumes ?? []).toEqual([])
  })
})
