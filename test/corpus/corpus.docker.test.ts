import { decodeBody, decodeResult, hashResult } from '@peerhost/protocol'
import type { Isolation } from '@peerhost/runtime'
import type { Sandbox } from '@peerhost/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestSandbox } from '../../packages/worker/test/sandbox/dockerEngine.ts'
import { jobOf, readCorpus } from './corpus.ts'
import { type Chance, createChance } from './generated/chance.ts'
import type { Deployment } from './generated.ts'

const isFull = process.env.PEERHOST_CORPUS === 'full'
/**
 * Each level of each deployment costs a container, level `container` one per execution. Without the whole corpus being asked
 * for, every deployment runs at the level that it was made for, one in eight at all, one function in ten in containers.
 */
const allLevelsEvery = isFull ? 1 : 8
const containerEvery = isFull ? 1 : 10
const repeats = 2
const withinMs = 120_000

let workers: Sandbox[] = []

beforeAll(async () => {
  workers = [await createTestSandbox(), await createTestSandbox()]
}, 300_000)
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()))
})

type Execution = { deployment: Deployment; path: string; isolation: Isolation; worker: number; result: Uint8Array }

test('every function has one result: at all levels, on two workers, on repeat', { timeout: 7_200_000 }, async () => {
  const corpus = await readCorpus()
  const functions = corpus.flatMap((deployment) => deployment.paths.map((path) => ({ deployment, path })))
  expect(functions.length).toBeGreaterThanOrEqual(200)

  const executions = (await Promise.all(workers.map((_, worker) => executeAll(worker, corpus)))).flat()
  const differences = functions.flatMap(({ deployment, path }) => {
    const runs = executions.filter((run) => run.deployment === deployment && run.path === path)
    expect(runs.length).toBeGreaterThanOrEqual(workers.length * repeats)
    return differenceOf(runs) ?? []
  })
  console.log(`${functions.length} functions, ${executions.length} executions: ${countLevels(executions)}`)
  expect(differences.join('\n')).toBe('')
})

async function executeAll(worker: number, corpus: readonly Deployment[]): Promise<Execution[]> {
  const executions: Execution[] = []
  let number = 0
  for (const [index, deployment] of corpus.entries()) {
    const numbered = deployment.paths.map((path) => ({ path, number: number++ }))
    for (const isolation of levelsOf(deployment).slice(0, index % allLevelsEvery === 0 ? undefined : 1)) {
      const chosen = numbered.filter((one) => isolation !== 'container' || one.number % containerEvery === 0)
      const asked = Array.from({ length: repeats }, () => chosen).flat()
      const waiting = isolation === 'shared' ? asked : shuffled(createChance(worker), asked)
      const lane = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift())
          executions.push(await execute(worker, deployment, next.path, isolation))
      }
      await Promise.all([lane(), lane()])
    }
  }
  return executions
}

/** Each worker in an order of its own: what one execution leaves behind would show in another one's result. */
function shuffled<T>({ below }: Chance, values: readonly T[]): T[] {
  const left = [...values]
  return values.flatMap(() => left.splice(below(left.length), 1))
}

/** The level that it was made for, then the others that can run it. */
function levelsOf({ usesNode }: Deployment): Isolation[] {
  return usesNode ? ['process', 'container'] : ['context', 'process', 'shared', 'container']
}

async function execute(worker: number, deployment: Deployment, path: string, isolation: Isolation): Promise<Execution> {
  const job = { ...jobOf(deployment, path), isolation }
  const run = await workers[worker]?.run(job, AbortSignal.timeout(withinMs))
  if (!run) throw new Error(`There is no worker ${worker}.`)
  return { deployment, path, isolation, worker, result: run.result }
}

/** What to read when the results of one function are not all the same. */
function differenceOf(runs: readonly Execution[]): string | undefined {
  const [first, ...others] = runs
  const other = first && others.find(({ result }) => hashResult(result) !== hashResult(first.result))
  if (!first || !other) return undefined
  const [one, two] = [readable(first.result), readable(other.result)]
  let at = 0
  while (at < one.length && one[at] === two[at]) at += 1
  const around = (text: string) => text.slice(Math.max(0, at - 40), at + 80)
  const placeOf = ({ isolation, worker }: Execution) => `${isolation} on worker ${worker}`
  return `${first.deployment.name}${first.path}: ${placeOf(first)} gives …${around(one)}…, ${placeOf(other)} …${around(two)}…`
}

function readable(result: Uint8Array): string {
  const { outcome, status, headers, body } = decodeResult(result)
  return `${outcome} ${status} ${JSON.stringify(headers)} ${new TextDecoder().decode(decodeBody(body))}`
}

function countLevels(executions: readonly Execution[]): string {
  const counts = Object.entries(Object.groupBy(executions, ({ isolation }) => isolation))
  return counts.map(([isolation, runs]) => `${isolation} ${runs?.length}`).join(', ')
}
