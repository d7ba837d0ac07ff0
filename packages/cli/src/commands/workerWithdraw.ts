import { createCommand, parseAddress } from '../command.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & { stake?: boolean; court?: boolean; to?: `0x${string}` }

/** `peerhost worker withdraw` */
export const workerWithdrawCommand = createCommand<Input>({
  name: 'worker withdraw',
  summary: 'take out what the worker earned, or the stake after unbonding',
  examples: ['peerhost worker withdraw --account operator', 'peerhost worker withdraw --stake --account operator'],
  options: [
    { flags: '--stake', description: 'the stake instead of the earnings' },
    { flags: '--court', description: 'what the court owes it, as juror, auditor or accused' },
    { flags: '--to <address>', description: 'where to; the operator’s wallet when absent', parse: parseAddress },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { readOperator, withdrawCourtBalance, withdrawEarnings, withdrawStake } = await import('@peerhost/worker')
    const to = input.to ?? deps.sender.address
    if (input.stake) {
      const { stake } = await readOperator(deps, deps.sender.address)
      const transaction = await withdrawStake(deps, { to })
      return {
        data: { what: 'stake', amount: stake, to, transaction },
        text: `${deps.formatTokens(stake)} ${deps.symbol} to ${to}, transaction ${transaction}`,
      }
    }
    const what = input.court ? 'court' : 'earnings'
    const { amount, transaction } = await (input.court ? withdrawCourtBalance : withdrawEarnings)(deps, { to })
    const text = transaction
      ? `${deps.formatTokens(amount)} ${deps.symbol} to ${to}, transaction ${transaction}`
      : 'There is nothing to withdraw yet.'
    return { data: { what, amount, to, transaction }, text }
  },
})
