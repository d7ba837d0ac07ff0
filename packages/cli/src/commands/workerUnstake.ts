import { createCommand, parseAddress } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { to?: `0x${string}` }

/** `peerhost worker unstake` */
export const workerUnstakeCommand = createCommand<Input>({
  name: 'worker unstake',
  summary: 'begin the exit; after the unbonding period, take the stake out',
  examples: ['peerhost worker unstake', 'peerhost worker unstake --to 0x… --account operator'],
  options: [
    { flags: '--to <address>', description: 'where to; the operator’s wallet when absent', parse: parseAddress },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { readOperator, unbondOperator, withdrawStake } = await import('@peerhost/worker')
    const operator = deps.sender.address
    const { status, stake, withdrawableAt } = await readOperator(deps, operator)
    const tokens = `${deps.formatTokens(stake)} ${deps.symbol}`
    const date = (seconds: number) => new Date(seconds * 1_000).toISOString()
    if (status === 'none' || status === 'withdrawn')
      return { data: { operator, status, stake }, text: `${operator} has no stake.` }
    if (status !== 'unbonding') {
      const begun = await unbondOperator(deps)
      return {
        data: { operator, status: 'unbonding', stake, ...begun },
        text: `${operator} is unbonding, transaction ${begun.transaction}\n${tokens} are free from ${date(begun.withdrawableAt)}: run this again then.`,
      }
    }
    const { timestamp } = await deps.client.getBlock({ includeTransactions: false })
    if (withdrawableAt !== undefined && timestamp < BigInt(withdrawableAt))
      return {
        data: { operator, status, stake, withdrawableAt },
        text: `${operator} is unbonding; ${tokens} are free from ${date(withdrawableAt)}: run this again then.`,
      }
    const to = input.to ?? operator
    const transaction = await withdrawStake(deps, { to })
    return {
      data: { operator, status: 'withdrawn', stake, to, transaction },
      text: `${tokens} to ${to}, transaction ${transaction}`,
    }
  },
})
