import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IsolationLevel } from '@peerhost/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import { containersWith, createTestSandbox, engineJson, runtimeDirectory } from '../sandbox/dockerEngine.ts'
import { jobOf, read, requestOf, smallLimits, soon } from '../sandbox/jobs.ts'
import { atLevel, cheapestLevel, levels } from './levels.ts'

const executions = 1_000
/** Every level but the cheapest has these; the cheapest has the rest. */
const executionsOfOthers = 40
const deployments = 5
const atOnce = 4

let temporary: string
const systemTemporary = process.env.TMPDIR
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'peerhost-leftovers-'))
  // Whatever the worker writes for a while, it writes here.
  process.env.TMPDIR = temporary
})
afterAll(async () => {
  process.env.TMPDIR = systemTemporary
  await rm(temporary, { recursive: true, force: true })
})

/** What an engine and two folders hold, by name. Other containers than this owner’s are somebody else’s. */
async function holdings(owner: string) {
  const names = async (path: string, read: (found: never) => string[]) =>
    read((await engineJson('GET', path)) as never).sort()
  return {
    containers: await containersWith(`${sandboxLabels.owner}=${owner}`),
    networks: await names('/networks', (found: { Name: string }[]) => found.map(({ Name }) => Name)),
    volumes: await names('/volumes', ({ Volumes }: { Volumes: { Name: string }[] | null }) =>
      (Volumes ?? []).map(({ Name }) => Name),
    ),
    images: await names('/images/json', (found: { RepoTags: string[] | null }[]) =>
      found
        .filter(({ RepoTags }) => !RepoTags || RepoTags.includes('<none>:<none>'))
        .map(() => 'an image without a name'),
    ),
    temporary: (await readdir(temporary, { recursive: true })).sort(),
    data: (await readdir(runtimeDirectory, { recursive: true })).sort(),
  }
}

const source = (n: number) => `exports.default = async (request) => {
  const { pathname } = new URL(request.url)
  if (pathname === '/throws') throw new Error('no')
  if (pathname === '/logs') console.log('x'.repeat(10000))
  setTimeout(() => {}, 60000)
  return new Response('${n}' + pathname) }`

async function runMany(owner: string, level: IsolationLevel, count: number) {
  const sandbox = await createTestSandbox({ owner, maxContainers: 3 })
  const jobs = Array.from({ length: deployments }, (_, n) =>
    atLevel(jobOf(source(n), { limits: { ...smallLimits, timeoutMs: 30_000 } }), level),
  )
  const outcomes: Record<string, number> = {}
  let started = 0
  const lane = async () => {
    while (started < count) {
      const n = started
      started += 1
      // Blocks of one deployment, so that containers are shared and still have to make place for each other.
      const job = jobs[Math.floor((n * deployments) / count)]
      const path = n % 50 === 49 ? '/throws' : n % 10 === 0 ? '/logs' : `/${n}`
      if (!job) throw new Error('There is no such deployment.')
      const { outcome } = read(await sandbox.run({ ...job, request: requestOf({ path }) }, soon()))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  await sandbox.close()
  return outcomes
}

const shares = levels.map((level) => {
  const others = (levels.length - 1) * executionsOfOthers
  return { level, count: level === cheapestLevel ? executions - others : executionsOfOthers }
})

test(`nothing is left of ${executions} executions`, { timeout: 900_000 }, async () => {
  const owner = `many-${process.pid}`
  // The first one writes what every later one finds: image and root file system.
  await (await createTestSandbox({ owner })).close()
  const before = await holdings(owner)
  let total = 0
  for (const { level, count } of shares) {
    const outcomes = await runMany(owner, level, count)
    const threw = Math.floor(count / 50)
    expect(outcomes).toEqual({ completed: count - threw, ...(threw > 0 ? { threw } : {}) })
    total += count
  }
  expect(total).toBe(executions)
  expect(before.containers).toEqual([])
  expect(await holdings(owner)).toEqual(before)
})

const program = fileURLToPath(new URL('./doomedWorker.ts', import.meta.url))

async function startDoomed(owner: string, level: IsolationLevel): Promise<ChildProcess> {
  const args = ['--conditions=@peerhost/source', program, runtimeDirectory, owner, level]
  const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  if (worker.stdout) await once(worker.stdout, 'data')
  return worker
}

test.each(levels)(
  'nothing is left of a worker that is killed in the midst of executions at level %s',
  async (level) => {
    const owner = `doomed-${level}-${process.pid}`
    const before = await holdings(owner)
    const worker = await startDoomed(owner, level)
    expect((await containersWith(`${sandboxLabels.owner}=${owner}`)).length).toBeGreaterThan(0)
    const ended = once(worker, 'exit')
    worker.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    await expect.poll(() => holdings(owner), { timeout: 30_000, interval: 200 }).toEqual(before)
  },
)
