import { runtimePaths } from '@peerhost/runtime'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Sandbox, SandboxJob } from '../../src/sandbox/sandbox.ts'
import { createTestSandbox, runInside } from '../sandbox/dockerEngine.ts'
import { jobOf, read, requestOf, smallLimits, soon } from '../sandbox/jobs.ts'
import { families } from './families.ts'
import { expectationAt, type HostileProgram, othersSecret, runsAt, sourceOf } from './hostileProgram.ts'
import { insideOf, type Surroundings, surroundingsOf } from './hostTouched.ts'
import { atLevel, hostileLevels } from './levels.ts'
import { formatTable, type Observation, readTable, writeTable } from './outcomeTable.ts'
import { nativePrograms } from './programs/native.ts'

const owner = `hostile-${process.pid}`
const lost: string[] = []
const observed: Observation[] = []
const programs = families.flatMap(({ family, programs }) => programs.map((program) => ({ ...program, family })))
let sandbox: Sandbox
/** Two executions of one function at a time. */
let pairs: Sandbox
beforeAll(async () => {
  const log = (line: string) => lost.push(line)
  sandbox = await createTestSandbox({ owner, slots: 1, log })
  pairs = await createTestSandbox({ owner: `${owner}-pairs`, slots: 2, log })
})
afterAll(() => Promise.all([sandbox.close(), pairs.close()]))

const nextRequest = requestOf({ path: '/next', headers: [['x-secret', othersSecret]] })
const next = async (job: SandboxJob, inside = sandbox) =>
  read(await inside.run({ ...job, request: nextRequest }, soon()))

/** The same containers with the same processes: the first of them has lived through it, and nothing stayed behind. */
async function expectUntouched(job: SandboxJob, before: Surroundings): Promise<void> {
  await expect.poll(() => surroundingsOf(job.deployment), { timeout: 15_000 }).toEqual(before)
  await expectCleanInside(before)
}

/** At level `container`: those that ran something are gone. Where there is room, one waits that has run nothing. */
async function expectReplaced(job: SandboxJob, before: Surroundings): Promise<void> {
  const isReplaced = async () => {
    const after = await surroundingsOf(job.deployment)
    const old = after.containers.filter((container) => before.containers.includes(container))
    expect({ old, processes: after.containers.length === 0 ? 0 : before.processes }).toEqual({
      old: [],
      processes: after.processes,
    })
    await expectCleanInside(after)
  }
  // Again and again: what the honest request used is going as well, perhaps while it is looked into.
  await vi.waitFor(isReplaced, { timeout: 30_000, interval: 100 })
}

async function expectCleanInside({ containers }: Surroundings): Promise<void> {
  for (const container of containers)
    expect(await insideOf(container)).toEqual({ files: [], program: runtimePaths.supervisor })
}

async function settled(job: SandboxJob, slots = 1): Promise<Surroundings> {
  const processes = async () => (await surroundingsOf(job.deployment)).processes
  await expect.poll(processes, { timeout: 15_000 }).toBeGreaterThan(slots)
  return surroundingsOf(job.deployment)
}

/** What the program's answer says, and what a request beside it got. */
async function attack(inside: Sandbox, job: SandboxJob, { beside }: HostileProgram) {
  const [run, other] = await Promise.all([inside.run(job, soon()), beside ? next(job, inside) : undefined])
  return { ...read(run), other }
}

describe.each(hostileLevels)('at level %s', (level) => {
  const honest = atLevel(jobOf(sourceOf({ name: '', outcome: 'completed', body: '' })), level)
  let clean: ReturnType<typeof read>
  beforeAll(async () => {
    clean = await next(honest)
    expect(clean.text).toMatch(/^fine /)
  })

  test.each(programs.filter((program) => runsAt(program, level)))(
    'a function that $name ($family)',
    async (program) => {
      const limits = { ...smallLimits, timeoutMs: program.timeoutMs ?? smallLimits.timeoutMs }
      const job = atLevel(jobOf(sourceOf(program), { limits }), level)
      const inside = program.beside ? pairs : sandbox
      await inside.warm(job)
      const before = await settled(job, program.beside && level !== 'container' ? 2 : 1)
      const expected = expectationAt(program, level)

      const { outcome, text, other } = await attack(inside, job, program)
      expect({ outcome, ...(expected.text === undefined ? {} : { text }) }).toEqual(expected)
      // What an answer leaves behind at level shared is its own function's, by choice, and nobody else's.
      const leaves = level === 'shared' && outcome === 'completed'
      if (!program.neverLoads) expect(leaves ? await next(honest) : await next(job, inside)).toEqual(clean)
      if (program.beside) expect(other).toEqual(clean)
      await (level === 'container' ? expectReplaced : expectUntouched)(job, before)
      expect(lost.splice(0)).toEqual([])
      observed.push({
        family: program.family,
        program: program.name,
        level,
        ending: `${outcome}${expected.text === '[]' ? ', opened nothing' : ''}`,
      })
    },
  )

  test.each(nativePrograms)('native code in the container that $name', async ({ name, script, says }) => {
    const job = atLevel(jobOf(`exports.default = () => new Response('fine')`), level)
    await sandbox.warm(job)
    const [container = ''] = (await settled(job)).containers
    expect((await runInside(container, script)).trim()).toBe(says)
    expect(read(await sandbox.run(job, soon()))).toMatchObject({ outcome: 'completed', text: 'fine' })
    observed.push({ family: 'native code, past Node', program: name, level, ending: `\`${says}\`` })
  })

  test('hostile and honest executions at one time do not disturb each other', async () => {
    const hostile = programs.filter((one) => runsAt(one, level) && one.body && one.outcome !== 'completed').slice(0, 8)
    const honest = jobOf(`exports.default = (r) => new Response(new URL(r.url).pathname)`, {
      limits: { ...smallLimits, timeoutMs: 30_000 },
    })
    const limits = { ...smallLimits, timeoutMs: 2_000 }
    const attacks = hostile.map((one) => sandbox.run(atLevel(jobOf(sourceOf(one), { limits }), level), soon()))
    const paths = Array.from({ length: 10 }, (_, n) => `/${n}`)
    const answers = paths.map((path) =>
      sandbox.run({ ...atLevel(honest, level), request: requestOf({ path }) }, soon()),
    )
    expect((await Promise.all(answers)).map((run) => read(run).text)).toEqual(paths)
    await Promise.all(attacks)
  })
})

test('docs/threat-model.md says what this run saw', ({ skip }) => {
  const wanted = hostileLevels.flatMap((level) => [...programs.filter((one) => runsAt(one, level)), ...nativePrograms])
  if (observed.length < wanted.length) skip('not every program ran')
  const table = formatTable(observed, hostileLevels)
  if (process.env.PEERHOST_WRITE_HOSTILE_TABLE) writeTable(table)
  expect(readTable(hostileLevels)).toBe(table)
})
