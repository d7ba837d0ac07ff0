import { createCommand, parseAmount, parseInteger } from '../command.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & { stake: string; capacity: number; executionKeyFile?: string }

/** `peerhost worker register` */
export const workerRegisterCommand = createCommand<Input>({
  name: 'worker register',
  summary: 'stake and become an operator',
  examples: ['peerhost worker register --account operator --execution-key-file worker.key --stake 100'],
  options: [
    { flags: '--stake <tokens>', description: 'what to stake', default: '100', parse: parseAmount },
    {
      flags: '--capacity <jobs>',
      description: 'how many executions it offers to run at once',
      default: '4',
      parse: parseInteger(1, 1_000),
    },
    { flags: '--execution-key-file <file>', description: 'key that signs results; the worker process holds it too' },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    const { openOperator, readExecutionKey } = await import('../operator.ts')
    const executionKey = await readExecutionKey(context, input.executionKeyFile)
    const deps = await openOperator(context, input)
    const { findDockerEngine } = await import('@peerhost/devnet')
    const { registerOperator } = await import('@peerhost/worker')
    const engine = await findDockerEngine()
    const { view, transaction } = await registerOperator(deps, {
      executionKey,
      stake: deps.parseTokens(input.stake),
      capacity: Number(input.capacity),
      isolated: engine.status === 'ready',
    })
    const done = transaction ? `registered, transaction ${transaction}` : 'was registered already'
    return {
      data: { ...view, transaction },
      text: `${view.operator} ${done}\nstake ${deps.formatTokens(view.stake)} ${deps.symbol}, execution key ${view.executionKey}`,
    }
  },
})
