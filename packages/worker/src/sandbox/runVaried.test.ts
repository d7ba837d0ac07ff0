import type { Outcome } from '@peerhost/protocol'
import { PeerHostError } from '@peerhost/protocol'
import { variations } from '@peerhost/runtime'
import { expect, test } from 'vitest'
import { JURY_RUNS } from './juryRuns.ts'
import { runVaried } from './runVaried.ts'
import type { Sandbox, SandboxJob } from './sandbox.ts'

type Step = Outcome | { answer: string }
const job = { deployment: 'd', request: new Uint8Array(0) } as SandboxJob
const idle = new AbortController().signal

/** A sandbox whose runs are scripted by variation, and what it was asked for. */
function scripted(step: (variation: number, index: number) => Step) {
  const asked: number[] = []
  const run: Sandbox['run'] = async ({ variation = 0 }) => {
    const next = step(variation, asked.length)
    asked.push(variation)
    const outcome = typeof next === 'string' ? next : 'completed'
    const result = new TextEncoder().encode(typeof next === 'string' ? next : next.answer)
    return { result, outcome, status: 200, durationMs: 1, queueMs: 0, log: '', logBytes: 0 }
  }
  return { asked, sandbox: { run } as Sandbox }
}

test('one result under all conditions is that result, from an ordinary run', async () => {
  const { asked, sandbox } = scripted(() => ({ answer: 'a' }))
  const verdict = await runVaried(sandbox, job, JURY_RUNS, idle)
  expect(verdict).toMatchObject({ type: 'same', run: { outcome: 'completed' } })
  expect(new Set(asked)).toEqual(new Set(variations.keys()))
  expect(asked.filter((variation) => variation === 0)).toHaveLength(JURY_RUNS - (variations.length - 1))
  expect(asked[0]).toBe(0)
})

test('two results end it at once', async () => {
  const { asked, sandbox } = scripted((_, index) => ({ answer: index === 2 ? 'b' : 'a' }))
  const verdict = await runVaried(sandbox, job, JURY_RUNS, idle)
  expect(verdict.type === 'differs' && verdict.runs).toHaveLength(2)
  expect(asked).toHaveLength(3)
})

test('failures of the function are results too', async () => {
  const { sandbox } = scripted((variation) => (variation === 3 ? 'threw' : { answer: 'a' }))
  expect((await runVaried(sandbox, job, JURY_RUNS, idle)).type).toBe('differs')
})

test.each(['timed-out', 'out-of-memory'] as const)('%s is no result and no difference', async (outcome) => {
  const varied = scripted((variation) => (variation === 0 ? { answer: 'a' } : outcome))
  expect((await runVaried(varied.sandbox, job, JURY_RUNS, idle)).type).toBe('same')
  const sometimes = scripted((_, index) => (index % 2 === 0 ? { answer: 'a' } : outcome))
  expect((await runVaried(sometimes.sandbox, job, JURY_RUNS, idle)).type).toBe('same')
})

test('what no ordinary run came to is no vote for a result', async () => {
  const { sandbox } = scripted((variation) => (variation === 0 ? 'out-of-memory' : { answer: 'a' }))
  const verdict = await runVaried(sandbox, job, JURY_RUNS, idle)
  expect(verdict).toMatchObject({ type: 'unavailable', error: { code: 'execution_out_of_memory' } })
})

test('a machine that fails is unavailable, an abort is thrown, and so is what nobody expected', async () => {
  const failing = (error: unknown) =>
    scripted(() => {
      throw error
    }).sandbox
  const gone = new PeerHostError('sandbox_unavailable', 'gone')
  expect(await runVaried(failing(gone), job, 3, idle)).toEqual({ type: 'unavailable', error: gone })
  await expect(runVaried(failing(new TypeError('bug')), job, 3, idle)).rejects.toThrow('bug')
  await expect(runVaried(failing(gone), job, 3, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
})

test('more runs than conditions begin the table again', async () => {
  const { asked, sandbox } = scripted(() => ({ answer: 'a' }))
  await runVaried(sandbox, job, 3 * JURY_RUNS, idle)
  expect(asked).toHaveLength(3 * JURY_RUNS)
  expect(Math.max(...asked)).toBe(variations.length - 1)
})
