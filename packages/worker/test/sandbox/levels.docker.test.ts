import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EgressAnswer, EgressCall } from '../../src/sandbox/egress.ts'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import type { Sandbox, SandboxJob } from '../../src/sandbox/sandbox.ts'
import { containersWith, createTestSandbox } from './dockerEngine.ts'
import { jobOf, read, requestOf, smallLimits, soon } from './jobs.ts'
import { sealing } from './sealing.ts'

const owner = `levels-${randomUUID()}`
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await createTestSandbox({ owner })
})
afterAll(() => sandbox.close())

const run = async (job: SandboxJob) => read(await sandbox.run(job, soon()))
const containersOf = ({ deployment }: SandboxJob) => containersWith(`${sandboxLabels.deployment}=${deployment}`)
const counter = `let calls = 0; exports.default = (r) => { calls += 1
  if (r.url.endsWith('/fails')) throw new Error('no'); return new Response(String(calls)) }`

describe('what one execution leaves for the next', () => {
  test.each(['context', 'process'] as const)('is nothing at level %s, in the same container', async (isolation) => {
    const job = jobOf(counter, { isolation })
    expect([(await run(job)).text, (await run(job)).text]).toEqual(['1', '1'])
    expect(await containersOf(job)).toHaveLength(1)
  })

  test('is its memory at level shared, until one fails', async () => {
    const alone = await createTestSandbox({ slots: 1 })
    const job = jobOf(counter, { isolation: 'shared' })
    const texts = []
    for (const path of ['/', '/', '/fails', '/', '/'])
      texts.push(read(await alone.run({ ...job, request: requestOf({ path }) }, soon())).text.slice(0, 1))
    expect(texts).toEqual(['1', '2', '{', '1', '2'])
    await alone.close()
  })

  test('is not even the container at level container, and the next one is there already', async () => {
    const job = jobOf(counter, { isolation: 'container' })
    await sandbox.warm(job)
    for (let call = 0; call < 3; call += 1) {
      const waiting = await containersOf(job)
      expect(waiting).toHaveLength(1)
      expect((await run(job)).text).toBe('1')
      const there = async () => (await containersOf(job)).map((container) => waiting.includes(container))
      await expect.poll(there, { timeout: 30_000 }).toEqual([false])
    }
  })

  test('a bundle that wants Node has a process of its own at every level', async () => {
    const job = jobOf(`"use node"; ${counter}`, { isolation: 'shared' })
    expect([(await run(job)).text, (await run(job)).text]).toEqual(['1', '1'])
  })
})

describe("a module's scope", () => {
  const limits = { ...smallLimits, timeoutMs: 1_000 }

  test.each([
    ['that never ends', `for (;;);`, 'timed-out'],
    ['that takes all memory', `const all = []; for (;;) all.push(new Array(1e6).fill(1))`, 'out-of-memory'],
    ['that throws', `throw new Error('at load')`, 'bad-module'],
  ])('%s is the end of each execution, and not of the sandbox', async (_, source, outcome) => {
    const slow = outcome === 'out-of-memory' ? { ...limits, timeoutMs: 20_000 } : limits
    const job = jobOf(source, { limits: slow })
    for (let call = 0; call < 2; call += 1) expect((await run(job)).outcome).toBe(outcome)
    expect((await run(jobOf(counter))).text).toBe('1')
  })

  test.each(['context', 'process', 'container'] as const)(
    'writes to the log of its execution at level %s',
    async (isolation) => {
      const source = `console.log('scope'); exports.default = () => { console.log('call'); return new Response() }`
      const job = jobOf(source, { isolation })
      for (let call = 0; call < 2; call += 1) expect((await sandbox.run(job, soon())).log).toBe('scope\ncall\n')
    },
  )

  test('writes once at level shared, to the log of the execution that it is loaded for', async () => {
    const alone = await createTestSandbox({ slots: 1 })
    const job = jobOf(`console.log('scope'); exports.default = () => new Response()`, { isolation: 'shared' })
    const logs = [(await alone.run(job, soon())).log, (await alone.run(job, soon())).log]
    expect(logs).toEqual(['scope\n', ''])
    await alone.close()
  })
})

describe('outgoing calls', () => {
  const answer = (call: EgressCall): EgressAnswer => ({
    ...{ type: 'answered', status: 201, headers: [['x-index', String(call.index)]], url: call.url, redirected: false },
    body: new TextEncoder().encode(`${call.method} ${call.url} ${new TextDecoder().decode(call.body)}`),
  })
  const source = `exports.default = async () => {
    const [first, second] = await Promise.all([fetch('https://a.example/1'), fetch('https://b.example/2', { method: 'POST', body: 'two' })])
    return Response.json([first.status, first.headers.get('x-index'), await first.text(), second.headers.get('x-index'), await second.text(), second.url]) }`

  test.each([
    ['the web platform', source, 'context'],
    ['the web platform', source, 'process'],
    ['Node', `"use node"; ${source}`, 'process'],
  ] as const)('of %s leave by the broker, in order, whichever comes back first (%s)', async (_, bundle, isolation) => {
    const calls: EgressCall[] = []
    const egress = async (call: EgressCall) => {
      calls.push(call)
      await new Promise((done) => setTimeout(done, call.index === 0 ? 100 : 1))
      return answer(call)
    }
    expect(JSON.parse((await run(jobOf(bundle, { isolation, egress }))).text)).toEqual([
      201,
      '0',
      'GET https://a.example/1 ',
      '1',
      'POST https://b.example/2 two',
      'https://b.example/2',
    ])
    expect(calls.map(({ index, method }) => [index, method])).toEqual([
      [0, 'GET'],
      [1, 'POST'],
    ])
  })

  test.each(['', '"use node"; '])('that are refused fail as fetch does %#', async (prefix) => {
    const job = jobOf(
      `${prefix}exports.default = () => fetch('https://a.example').catch((e) => new Response(e.name + ': ' + e.message))`,
      { egress: async () => ({ type: 'refused', code: 'host_not_allowed', message: 'not on the list' }) },
    )
    expect((await run(job)).text).toBe('TypeError: fetch failed: not on the list (host_not_allowed)')
  })

  test.each(['', '"use node"; '])('with more than may cross fail, and nothing else %#', async (prefix) => {
    const source = `${prefix}exports.default = () => fetch('https://a.example', { method: 'POST', body: new Uint8Array(3 << 20) })
      .catch((e) => new Response(e.name + ': ' + e.message))`
    const job = jobOf(source, { egress: async (call) => answer(call) })
    expect((await run(job)).text).toBe('TypeError: fetch failed: the body of the request is too large.')
    expect(await containersOf(job)).toHaveLength(1)
  })

  test("are not there in a module's scope, nor without a broker", async () => {
    const scope = `const early = fetch('https://a.example').then(String, (e) => e.message); exports.default = async () => new Response(await early)`
    const refused = 'fetch failed: a function has no network.'
    expect((await run(jobOf(scope, { egress: async (call) => answer(call) }))).text).toBe(refused)
    expect((await run(jobOf(scope))).text).toBe(refused)
  })
})

test.each(['', '"use node"; '])('the environment is the second argument of fetch %#', async (prefix) => {
  const source = `${prefix}exports.default = { fetch: (r, env, ctx) => Response.json([env, ctx.env.A, typeof process === 'undefined' ? {} : process.env]) }`
  expect(JSON.parse((await run(jobOf(source, { environment: sealing({ A: 'x', B: 'é' }) }))).text)).toEqual([
    { A: 'x', B: 'é' },
    'x',
    {},
  ])
})
