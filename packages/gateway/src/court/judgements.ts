import type { Chain } from '../chain/chain.ts'
import { type FunctionRecord, isJudgeable } from '../registry/functionRecord.ts'

/** Whether a wrong result of a function can be brought before a jury now: its owner's bond decides, and doubt ends it. */
export type Judgements = { isJudged: (record: FunctionRecord) => Promise<boolean> }

const ttlMs = 30_000
const mostRemembered = 10_000

export function createJudgements(deps: { chain: Pick<Chain, 'court'>; nowSeconds: () => number }): Judgements {
  const known = new Map<string, { value: Promise<boolean>; untilMs: number }>()
  return {
    isJudged: (record) => {
      if (!isJudgeable(record)) return Promise.resolve(false)
      const { functionId, state } = record
      const key = `${functionId}:${state.currentVersion}`
      const before = known.get(key)
      if (before && before.untilMs > Date.now()) return before.value
      if (known.size >= mostRemembered) known.clear()
      const value = deps.chain.court.isJudged(functionId, state.currentVersion, deps.nowSeconds())
      known.set(key, { value, untilMs: Date.now() + ttlMs })
      value.catch(() => known.delete(key))
      return value
    },
  }
}
