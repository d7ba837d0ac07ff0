import { createCommand } from '../command.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

/** `peerhost worker unbond` */
export const workerUnbondCommand = createCommand<ConnectionInput & AccountInput>({
  name: 'worker unbond',
  summary: 'begin the exit: the stake is free after the unbonding period',
  examples: ['peerhost worker unbond --account operator'],
  options: [...connectionOptions, ...accountOptions],
  run: async (context, input) => {
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { unbondOperator } = await import('@peerhost/worker')
    const { transaction, withdrawableAt } = await unbondOperator(deps)
    const date = new Date(withdrawableAt * 1_000).toISOString()
    return {
      data: { operator: deps.sender.address, status: 'unbonding', transaction, withdrawableAt },
      text: `${deps.sender.address} is unbonding, transaction ${transaction}\nThe stake is free from ${date}.`,
    }
  },
})
