import { createCommand, parseAddress } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { court?: boolean; to?: `0x${string}` }

/** `peerhost worker withdraw` */
export const workerWithdrawCommand = createCommand<Input>({
  name: 'worker withdraw',
  summary: 'take out what the worker earned',
  examples: ['peerhost worker withdraw', 'peerhost worker withdraw --court --to 0x… --account operator'],
  options: [
    { flags: '--court', description: 'what the court owes it, as juror, auditor or accused' },
    { flags: '--to <address>', description: 'where to; the operator’s wallet when absent', parse: parseAddress },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { withdrawCourtBalance, withdrawEarnings } = await import('@peerhost/worker')
    const to = input.to ?? deps.sender.address
    const what = input.court ? 'court' : 'earnings'
    const { amount, transaction } = await (input.court ? withdrawCourtBalance : withdrawEarnings)(deps, { to })
    const text = transaction
      ? `${deps.formatTokens(amount)} ${deps.symbol} to ${to}, transaction ${transaction}`
      : 'There is nothing to withdraw yet.'
    return { data: { what, amount, to, transaction }, text }
  },
})
