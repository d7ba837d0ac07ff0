import type { Address, Hex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import { creditExhausted } from '../walk/dispatch.ts'

/** What of the owners' credit is spoken for by requests that are not settled yet. */
export type Credit = {
  /** Sets a fee aside. Throws `credit_exhausted` when the line does not cover it beside what is set aside already. */
  hold: (requestId: Hex, funder: Address, fee: bigint) => Promise<void>
  /** Sets aside without asking: for requests that were executed before a restart. */
  adopt: (requestId: Hex, funder: Address, fee: bigint) => void
  /** The chain has taken the fee, or never will. */
  release: (requestId: Hex) => void
  /** The chain says that a funder's credit changed. */
  changed: (funder: Address) => void
}

type Line = { available: bigint; maxFee: bigint; readAtMs: number }

const staleMs = 2_000

export function createCredit(deps: { chain: Pick<Chain, 'availableCredit'>; requester: Address }): Credit {
  const lines = new Map<Address, Line>()
  const held = new Map<Hex, { funder: Address; fee: bigint }>()
  const sums = new Map<Address, bigint>()
  const add = (funder: Address, fee: bigint) => sums.set(funder, (sums.get(funder) ?? 0n) + fee)
  const read = async (funder: Address): Promise<Line> => {
    const line = { ...(await deps.chain.availableCredit(funder, deps.requester)), readAtMs: Date.now() }
    lines.set(funder, line)
    return line
  }
  const covers = (line: Line, funder: Address, fee: bigint) =>
    fee <= line.maxFee && (sums.get(funder) ?? 0n) + fee <= line.available
  const adopt = (requestId: Hex, funder: Address, fee: bigint) => {
    if (fee === 0n || held.has(requestId)) return
    held.set(requestId, { funder, fee })
    add(funder, fee)
  }
  return {
    adopt,
    hold: async (requestId, funder, fee) => {
      if (fee === 0n) return
      const known = lines.get(funder)
      const isFresh = known !== undefined && Date.now() - known.readAtMs < staleMs
      // A refusal is never given on an old reading.
      const ok = (isFresh && covers(known, funder, fee)) || covers(await read(funder), funder, fee)
      if (!ok) {
        const line = lines.get(funder)
        throw creditExhausted([
          `Funder: ${funder}`,
          `Fee: ${fee}, most per request: ${line?.maxFee ?? 0n}`,
          `Available: ${line?.available ?? 0n}, of which spoken for: ${sums.get(funder) ?? 0n}`,
        ])
      }
      adopt(requestId, funder, fee)
    },
    release: (requestId) => {
      const hold = held.get(requestId)
      if (!hold) return
      held.delete(requestId)
      add(hold.funder, -hold.fee)
      lines.delete(hold.funder)
    },
    changed: (funder) => {
      lines.delete(funder)
    },
  }
}
