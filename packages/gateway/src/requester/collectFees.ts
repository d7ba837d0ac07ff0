import type { Logger } from 'pino'
import type { Address } from 'viem'
import type { Chain } from '../chain/chain.ts'

export type CollectFeesDeps = {
  chain: Pick<Chain, 'uncollectedFees' | 'collectFees'>
  log: Logger
  requester: Address
  /** Atomic units of fees that are worth the gas; `undefined`: never. */
  above: bigint | undefined
}

/** Moves the protocol fees that came in through us: a share of them becomes our credit as a sponsor. */
export async function collectFees({ chain, log, requester, above }: CollectFeesDeps): Promise<void> {
  if (above === undefined) return
  const fees = await chain.uncollectedFees(requester)
  if (fees === 0n || fees < above) return
  const sent = await chain.collectFees(requester)
  if (sent.type === 'mined') log.info({ fees: fees.toString(), transaction: sent.transaction }, 'fees collected')
  else log.warn({ reason: sent.reason }, 'fees could not be collected')
}
