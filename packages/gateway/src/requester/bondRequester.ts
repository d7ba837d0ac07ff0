import type { Logger } from 'pino'
import type { Address } from 'viem'
import type { Chain } from '../chain/chain.ts'

export type BondDeps = {
  chain: Pick<Chain, 'requesterBond' | 'parametersAt' | 'tokenBalance' | 'bondRequester'>
  log: Logger
  requester: Address
  /** Atomic units; `auto` is what the protocol asks for, `0` none. */
  wanted: bigint | 'auto'
  nowSeconds: () => number
}

/** Brings our bond up to what is wanted, when our account holds it. A bond on its way out is left alone. */
export async function bondRequester(deps: BondDeps): Promise<void> {
  const { chain, log, requester } = deps
  if (deps.wanted === 0n) return
  const { amount, withdrawableAt } = await chain.requesterBond(requester)
  if (withdrawableAt !== 0) return
  const wanted = deps.wanted === 'auto' ? (await chain.parametersAt(deps.nowSeconds())).requesterBond : deps.wanted
  const missing = wanted - amount
  if (missing <= 0n) return
  const balance = await chain.tokenBalance(requester)
  if (balance < missing) {
    log.debug({ missing: missing.toString(), balance: balance.toString() }, 'no funds for a bond')
    return
  }
  const sent = await chain.bondRequester(missing)
  if (sent.type === 'mined') log.info({ amount: missing.toString(), transaction: sent.transaction }, 'bonded')
  else log.warn({ reason: sent.reason }, 'the bond was refused')
}
