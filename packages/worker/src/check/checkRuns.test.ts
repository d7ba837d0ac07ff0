import { canonicalResult, encodeResult, LIMITS_CLASSES, type Outcome } from '@peerhost/protocol'
import { variations } from '@peerhost/runtime'
import { describe, expect, it } from 'vitest'
import { JURY_RUNS } from '../sandbox/juryRuns.ts'
import type { SandboxJob } from '../sandbox/sandbox.ts'
import { checkRuns } from './checkRuns.ts'

const job: SandboxJob = {
  deployment: 'project/function:0',
  bundle: new Uint8Array(1),
  limits: LIMITS_CLASSES[0],
  request: new Uint8Array(1),
  issuedAt: 1_700_000_000,
  seed: `0x${'5e'.repeat(32)}`,
}
const never = new AbortController().signal

function sandboxThat(answers: (variation: number) => { body: string; outcome?: Outcome }) {
  const asked: number[] = []
  return {
    asked,
    run: async ({ variation = -1 }: SandboxJob) => {
      asked.push(variation)
      const { body, outcome = 'completed' } = answers(variation)
      const bytes = new TextEncoder().encode(body)
      const result = encodeResult(canonicalResult({ outcome, status: 200, headers: [], body: bytes }))
      return { result, outcome, status: 200, durationMs: 1, queueMs: 0, log: '', logBytes: 0 }
    },
  }
}

describe('checkRuns', () => {
  it('runs under every condition at least once, and calls one result the same', async () => {
    const sandbox = sandboxThat(() => ({ body: 'one' }))
    const { verdict, runs, results } = await checkRuns([sandbox], job, {}, never)
    expect({ verdict, runs: runs.length, results: results.length }).toEqual({
      verdict: 'same',
      runs: JURY_RUNS,
      results: 1,
    })
    expect([...new Set(sandbox.asked)].sort((a, b) => a - b)).toEqual([...variations.keys()])
  })

  it('goes on after a difference and says under which conditions it was', async () => {
    const smaller = variations.findIndex(({ name }) => name === 'smaller stack')
    const sandbox = sandboxThat((variation) => ({ body: variation === smaller ? 'less' : 'more' }))
    const { verdict, runs, results } = await checkRuns([sandbox], job, {}, never)
    expect(verdict).toBe('differs')
    expect(results).toHaveLength(2)
    expect(runs.filter(({ result }) => result === 1).map(({ conditions }) => conditions)).toEqual(['smaller stack'])
  })

  it('leaves out what used up its time, and has no verdict when nothing is left', async () => {
    const slow = await checkRuns(
      [sandboxThat((variation) => (variation === 0 ? { body: 'one' } : { body: '', outcome: 'timed-out' }))],
      job,
      { runs: 4 },
      never,
    )
    expect(slow.verdict).toBe('same')
    expect(slow.runs.map(({ result }) => result)).toEqual([0, undefined, undefined, undefined])
    const none = await checkRuns([sandboxThat(() => ({ body: '', outcome: 'out-of-memory' }))], job, { runs: 2 }, never)
    expect(none).toMatchObject({ verdict: 'no-result', results: [] })
  })

  it('gives every worker ordinary runs and others, and says which of them had which result', async () => {
    const bodies = ['one', 'one', ...Array(14).fill('another')] as string[]
    const workers = bodies.map((body) => sandboxThat(() => ({ body })))
    const { verdict, runs } = await checkRuns(workers, job, {}, never)
    expect(verdict).toBe('differs')
    for (const { asked } of workers) {
      expect(asked).toContain(0)
      expect(asked.some((variation) => variation > 0)).toBe(true)
    }
    for (const { worker, result } of runs) expect(result).toBe(worker < 2 ? 0 : 1)
  })
})
