import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { containersWith, createTestSandbox, engineJson, runtimeDirectory } from '../sandbox/dockerEngine.ts'
import { jobOf, read, requestOf, soon } from '../sandbox/jobs.ts'

type Inspected = {
  Config: { Env: string[] | null; Cmd: string[]; User: string; Image: string }
  HostConfig: Record<string, unknown>
  Mounts: unknown[]
  NetworkSettings: { Networks: Record<string, unknown> }
}

describe('the container, as the engine shows it', () => {
  let sandbox: Sandbox
  let inspected: Inspected
  const secret = 'a-secret-in-the-bundle'
  const owner = `inspect-${process.pid}`
  beforeAll(async () => {
    sandbox = await createTestSandbox({ owner })
    const job = jobOf(`const key = '${secret}'; exports.default = (r) => new Response('ok')`)
    const request = requestOf({ headers: [['authorization', 'Bearer a-secret-in-the-request']] })
    await sandbox.run({ ...job, request }, soon())
    const [id] = await containersWith(`${sandboxLabels.owner}=${owner}`)
    inspected = await engineJson<Inspected>('GET', `/containers/${id}/json`)
  })
  afterAll(() => sandbox.close())

  test('has no capability, no network, a read-only root and every limit', () => {
    expect(inspected.HostConfig).toMatchObject({
      CapAdd: null,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      NetworkMode: 'none',
      IpcMode: 'private',
      PidMode: '',
      ReadonlyRootfs: true,
      Binds: null,
      LogConfig: { Type: 'none' },
      AutoRemove: true,
    })
    const { Devices, Memory, MemorySwap, NanoCpus, PidsLimit } = inspected.HostConfig
    expect(Devices ?? []).toEqual([])
    for (const limit of [Memory, NanoCpus, PidsLimit]) expect(limit).toBeGreaterThan(0)
    expect(MemorySwap).toBe(Memory)
    expect(inspected.Config.User).toBe('65534:65534')
    expect(inspected.Mounts).toEqual([])
    expect(Object.keys(inspected.NetworkSettings.Networks).filter((name) => name !== 'none')).toEqual([])
  })

  test('knows nothing of bundle and request', () => {
    expect(JSON.stringify(inspected)).not.toContain('a-secret')
    // What the engine puts in by itself, and nothing of ours.
    for (const entry of inspected.Config.Env ?? []) expect(entry).toMatch(/^PATH=/)
  })

  test('runs the image whose only layer has the digest that the sandbox names', async () => {
    const image = await engineJson<{ RootFS: { Layers: string[] } }>('GET', `/images/${inspected.Config.Image}/json`)
    expect(image.RootFS.Layers).toEqual([`sha256:${sandbox.runtimeDigest.slice(2)}`])
  })
})

describe('containers and their owners', () => {
  const job = jobOf(`exports.default = () => new Response('fine')`)

  test('closing removes all of them', async () => {
    const owner = `close-${process.pid}`
    const sandbox = await createTestSandbox({ owner })
    await sandbox.warm(job)
    await sandbox.warm(jobOf(''))
    expect(await containersWith(`${sandboxLabels.owner}=${owner}`)).toHaveLength(2)
    await sandbox.close()
    expect(await containersWith(`${sandboxLabels.owner}=${owner}`)).toEqual([])
    await expect(sandbox.run(job, soon())).rejects.toMatchObject({ code: 'shutting_down' })
  })

  test('starting removes what the same owner left, and nothing of another', async () => {
    const [mine, other] = [`mine-${process.pid}`, `other-${process.pid}`]
    const before = await createTestSandbox({ owner: mine })
    const neighbour = await createTestSandbox({ owner: other })
    await before.warm(job)
    await neighbour.warm(job)
    const after = await createTestSandbox({ owner: mine })
    expect(await containersWith(`${sandboxLabels.owner}=${mine}`)).toEqual([])
    expect(await containersWith(`${sandboxLabels.owner}=${other}`)).toHaveLength(1)
    expect(read(await neighbour.run(job, soon()))).toMatchObject({ text: 'fine' })
    await Promise.all([before.close(), neighbour.close(), after.close()])
  })

  test('an idle container goes, and comes back with the next execution', async () => {
    const owner = `idle-${process.pid}`
    const sandbox = await createTestSandbox({ owner, idleMs: 200 })
    await sandbox.run(job, soon())
    await expect.poll(() => containersWith(`${sandboxLabels.owner}=${owner}`), { timeout: 10_000 }).toEqual([])
    expect(read(await sandbox.run(job, soon()))).toMatchObject({ text: 'fine' })
    await sandbox.close()
  })

  test('there are never more than allowed: the one idle longest makes place', async () => {
    const owner = `few-${process.pid}`
    const sandbox = await createTestSandbox({ owner, maxContainers: 2 })
    const jobs = ['a', 'b', 'c', 'd'].map((name) => jobOf(`exports.default = () => new Response('${name}')`))
    const answers = await Promise.all(jobs.map(async (one) => read(await sandbox.run(one, soon())).text))
    expect(answers).toEqual(['a', 'b', 'c', 'd'])
    expect((await containersWith(`${sandboxLabels.owner}=${owner}`)).length).toBeLessThanOrEqual(2)
    await sandbox.close()
  })

  test('a worker that is killed leaves no container', async () => {
    const owner = `killed-${process.pid}`
    const worker = spawn(
      process.execPath,
      [
        '--conditions=@peerhost/source',
        fileURLToPath(new URL('./doomedWorker.ts', import.meta.url)),
        runtimeDirectory,
        owner,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(worker.stdout, 'data')
    expect(await containersWith(`${sandboxLabels.owner}=${owner}`)).toHaveLength(1)
    worker.kill('SIGKILL')
    await expect.poll(() => containersWith(`${sandboxLabels.owner}=${owner}`), { timeout: 15_000 }).toEqual([])
  })

  test('without an engine it says so', async () => {
    await expect(createTestSandbox({ socketPath: '/nowhere/docker.sock' })).rejects.toMatchObject({
      code: 'sandbox_unavailable',
      hint: expect.stringContaining('docker info'),
    })
  })
})
