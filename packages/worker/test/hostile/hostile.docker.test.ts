import { afterAll, beforeAll, expect, test } from 'vitest'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { containersWith, createTestSandbox } from '../sandbox/dockerEngine.ts'
import { jobOf, read, requestOf, smallLimits, soon } from '../sandbox/jobs.ts'
import { hostileFunctions, sourceOf } from './functions.ts'

const owner = `hostile-${process.pid}`
const lost: string[] = []
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await createTestSandbox({ owner, log: (line) => lost.push(line) })
})
afterAll(() => sandbox.close())

test.each(hostileFunctions)('a function that $name ends as $outcome, and the next call works', async (hostile) => {
  const limits = { ...smallLimits, timeoutMs: hostile.timeoutMs ?? smallLimits.timeoutMs }
  const job = jobOf(sourceOf(hostile), { limits })
  const label = `${sandboxLabels.deployment}=${job.deployment}`
  await sandbox.warm(job)
  const [container] = await containersWith(label)

  const run = await sandbox.run(job, soon())
  expect(read(run).outcome).toBe(hostile.outcome)
  if (hostile.text !== undefined) expect(read(run).text).toBe(hostile.text)

  const next = read(await sandbox.run({ ...job, request: requestOf({ path: '/fine' }) }, soon()))
  expect(next).toMatchObject({ outcome: 'completed', text: 'fine' })
  // The very same container: PID 1 has lived through it.
  expect(await containersWith(label)).toEqual([container])
  expect(lost).toEqual([])
})

test('hostile and honest executions at one time do not disturb each other', async () => {
  const hostile = hostileFunctions.filter(({ outcome }) => outcome !== 'completed').slice(0, 8)
  const honest = jobOf(`exports.default = (r) => new Response(new URL(r.url).pathname)`, {
    limits: { ...smallLimits, timeoutMs: 30_000 },
  })
  const attacks = hostile.map((one) =>
    sandbox.run(jobOf(sourceOf(one), { limits: { ...smallLimits, timeoutMs: 2_000 } }), soon()),
  )
  const answers = await Promise.all(
    Array.from(
      { length: 10 },
      async (_, n) => read(await sandbox.run({ ...honest, request: requestOf({ path: `/${n}` }) }, soon())).text,
    ),
  )
  expect(answers).toEqual(Array.from({ length: 10 }, (_, n) => `/${n}`))
  await Promise.all(attacks)
})
