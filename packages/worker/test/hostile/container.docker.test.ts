import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { containersWith, createTestSandbox, engineJson } from '../sandbox/dockerEngine.ts'
import { jobOf, read, requestOf, soon } from '../sandbox/jobs.ts'
import { atLevel, levels } from './levels.ts'

type Inspected = {
  Config: { Env: string[] | null; Cmd: string[]; User: string; Image: string }
  HostConfig: Record<string, unknown> & { Tmpfs?: Record<string, string> }
  Mounts: unknown[]
  NetworkSettings: { Networks: Record<string, { IPAddress: string; Gateway: string }>; Ports?: object }
  State: { Pid: number }
}

describe.each(levels)('the container, as the engine shows it, at level %s', (level) => {
  let sandbox: Sandbox
  let inspected: Inspected
  let container: string
  const secret = 'a-secret-in-the-bundle'
  const owner = `inspect-${level}-${process.pid}`
  const job = atLevel(
    jobOf(`const key = '${secret}'; exports.default = (r) => new Response('ok')`, {
      request: requestOf({ headers: [['authorization', 'Bearer a-secret-in-the-request']] }),
      seed: `0x${createHash('sha256').update('a-secret-seed').digest('hex')}`,
    }),
    level,
  )
  beforeAll(async () => {
    process.env.PEERHOST_INSPECTED = 'a-secret-of-the-worker'
    sandbox = await createTestSandbox({ owner })
    await sandbox.run(job, soon())
    container = (await containersWith(`${sandboxLabels.owner}=${owner}`))[0] ?? ''
    inspected = await engineJson<Inspected>('GET', `/containers/${container}/json`)
  })
  afterAll(async () => {
    Reflect.deleteProperty(process.env, 'PEERHOST_INSPECTED')
    await sandbox?.close()
  })

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
    const { Devices, Memory, MemorySwap, NanoCpus, PidsLimit, Tmpfs } = inspected.HostConfig
    expect(Devices ?? []).toEqual([])
    for (const limit of [Memory, NanoCpus, PidsLimit]) expect(limit).toBeGreaterThan(0)
    expect(MemorySwap).toBe(Memory)
    expect(Object.entries(Tmpfs ?? {})).toEqual([['/tmp', expect.stringMatching(/noexec,nosuid,nodev,size=\d+/)]])
    expect(inspected.Config.User).toBe('65534:65534')
    expect(inspected.Mounts).toEqual([])
    const { Networks, Ports } = inspected.NetworkSettings
    expect(Object.keys(Networks).filter((name) => name !== 'none')).toEqual([])
    expect(
      Object.values(Networks)
        .map(({ IPAddress, Gateway }) => `${IPAddress}${Gateway}`)
        .join(''),
    ).toBe('')
    expect(Ports ?? {}).toEqual({})
  })

  test('knows nothing of bundle, request, seed and the worker’s environment', () => {
    const shown = JSON.stringify(inspected)
    const { bundle, request, seed } = job
    const parts = {
      bundle: Buffer.from(bundle),
      request: Buffer.from(request),
      seed: Buffer.from(seed.slice(2), 'hex'),
    }
    for (const bytes of Object.values(parts))
      for (const encoding of ['utf8', 'base64', 'hex'] as const) {
        expect(shown).not.toContain(bytes.toString(encoding))
        expect(shown).not.toContain(createHash('sha256').update(bytes).digest('hex'))
      }
    expect(shown).not.toContain('a-secret')
    expect(shown).not.toContain('PEERHOST_')
    // What the engine puts in by itself, and nothing of ours.
    for (const entry of inspected.Config.Env ?? []) expect(entry).toMatch(/^PATH=/)
  })

  test('has processes without any right, as the kernel of this machine shows them', async () => {
    const { Processes } = await engineJson<{ Processes: string[][] }>('GET', `/containers/${container}/top`)
    const pids = Processes.map(([, pid]) => Number(pid))
    expect(pids).toContain(inspected.State.Pid)
    for (const pid of pids) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      const field = (name: string) => new RegExp(`^${name}:\\s+(.+)$`, 'm').exec(status)?.[1]
      const rights = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(field)
      expect(rights).toEqual(Array(5).fill('0000000000000000'))
      expect([field('NoNewPrivs'), field('Seccomp')]).toEqual(['1', '2'])
      expect(field('Uid')).toBe('65534\t65534\t65534\t65534')
      expect(field('Groups')?.trim() ?? '').toMatch(/^(65534)?$/)
    }
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

  test('without an engine it says so', async () => {
    await expect(createTestSandbox({ socketPath: '/nowhere/docker.sock' })).rejects.toMatchObject({
      code: 'sandbox_unavailable',
      hint: expect.stringContaining('docker info'),
    })
  })
})
