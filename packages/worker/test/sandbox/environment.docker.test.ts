import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SealEnvironment } from '../../src/sandbox/environment.ts'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { containersWith, createTestSandbox, engineJson, runInside } from './dockerEngine.ts'
import { jobOf, read, soon } from './jobs.ts'
import { sealing } from './sealing.ts'

const secret = `sk-live-${randomUUID()}`
const lines: string[] = []
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await createTestSandbox({ owner: `environment-${randomUUID()}`, slots: 1, log: (line) => lines.push(line) })
})
afterAll(() => sandbox.close())

const tells = `exports.default = { fetch: (r, env) => Response.json(env) }`
const levels = ['context', 'process', 'container', 'shared'] as const

describe.each(levels)('at level %s', (isolation) => {
  test.each(['', '"use node"; '])('the code reads what was sealed for it %#', async (prefix) => {
    const values = { KEY: secret, OTHER: '""é\u0000' }
    const job = jobOf(`${prefix}${tells}`, { isolation, environment: sealing(values) })
    expect(JSON.parse(read(await sandbox.run(job, soon())).text)).toEqual(values)
  })
})

test('the next execution has the environment of its own request, and none without one', async () => {
  const job = jobOf(tells)
  const answerTo = async (environment = {}) => read(await sandbox.run({ ...job, ...environment }, soon())).text
  expect(await answerTo({ environment: sealing({ KEY: secret }) })).toBe(`{"KEY":"${secret}"}`)
  expect(await answerTo()).toBe('{}')
  expect(await answerTo({ environment: sealing({ KEY: 'another' }) })).toBe('{"KEY":"another"}')
})

test('every execution has a key of its own', async () => {
  const keys: string[] = []
  const seal = sealing({})
  const environment: SealEnvironment = (key, signal) => {
    keys.push(key)
    return seal(key, signal)
  }
  const job = jobOf(tells, { environment })
  for (let run = 0; run < 3; run += 1) await sandbox.run(job, soon())
  expect(new Set(keys).size).toBe(3)
})

test('nothing outside of the function’s memory holds a value', async () => {
  const job = jobOf(`exports.default = { fetch: (r, env) => new Response(String(env.KEY.length)) }`, {
    environment: sealing({ KEY: secret }),
  })
  expect(read(await sandbox.run(job, soon())).text).toBe(String(secret.length))
  const [container = ''] = await containersWith(`${sandboxLabels.deployment}=${job.deployment}`)
  expect(JSON.stringify(await engineJson('GET', `/containers/${container}/json`))).not.toContain(secret)
  const readsAll = `const fs = require('fs'); let text = ''
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)))
      for (const file of ['environ', 'cmdline']) try { text += fs.readFileSync('/proc/' + pid + '/' + file, 'latin1') } catch {}
    for (const name of fs.readdirSync('/tmp')) text += fs.readFileSync('/tmp/' + name, 'latin1')
    console.log(text.includes('supervisor'), text.includes([...'${[...secret].reverse().join('')}'].reverse().join('')))`
  expect((await runInside(container, readsAll)).trim()).toBe('true false')
  expect(lines.join('')).not.toContain(secret)
})

describe('an environment that does not open', () => {
  test.each([['sealed for another request', { sealedFor: new Uint8Array([1]) }]])(
    '%s ends the execution without a result',
    async (_, options) => {
      const job = jobOf(tells, { environment: sealing({ KEY: secret }, options) })
      await expect(sandbox.run(job, soon())).rejects.toMatchObject({ code: 'sandbox_unavailable' })
      expect(read(await sandbox.run({ ...job, environment: sealing({}) }, soon())).text).toBe('{}')
    },
  )
})

test('who gives the execution up while its environment is awaited gets the place back', async () => {
  const job = jobOf(tells)
  const stop = new AbortController()
  const asked = Promise.withResolvers<void>()
  const environment = async () => {
    asked.resolve()
    return new Promise<never>((_, reject) => stop.signal.addEventListener('abort', () => reject(new Error('gone'))))
  }
  const run = sandbox.run({ ...job, environment }, stop.signal)
  await asked.promise
  stop.abort(new Error('not wanted any more'))
  await expect(run).rejects.toThrow('not wanted any more')
  expect(read(await sandbox.run(job, soon())).text).toBe('{}')
})
