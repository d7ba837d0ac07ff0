import { createCommand, parseAmount, parseInteger } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { tokens?: string; capacity: number; executionKeyFile?: string }

/** `peerhost worker stake [tokens]` */
export const workerStakeCommand = createCommand<Input>({
  name: 'worker stake',
  summary: 'stake and become an operator, or add to the stake of one',
  examples: ['peerhost worker stake', 'peerhost worker stake 250', 'peerhost worker stake 50 --account operator'],
  arguments: [{ name: 'tokens', description: 'how much; the minimum when absent' }],
  options: [
    {
      flags: '--capacity <jobs>',
      description: 'how many executions it offers to run at once',
      default: '4',
      parse: parseInteger(1, 1_000),
    },
    { flags: '--execution-key-file <file>', description: 'another execution key than that of the directory' },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const tokens = input.tokens === undefined ? undefined : parseAmount(input.tokens)
    const { openOperator, readExecutionKey } = await import('../operator.ts')
    const { addStake, readOperator, registerOperator } = await import('@peerhost/worker')
    const deps = await openOperator(context, input)
    const operator = deps.sender.address
    const before = await readOperator(deps, operator)
    const amount = tokens === undefined ? before.minimumStake : deps.parseTokens(tokens)
    const isNew = before.status === 'none' || before.status === 'withdrawn'
    if (!isNew && tokens === undefined)
      return {
        data: { ...before, transaction: undefined },
        text: `${operator} is ${before.status} with ${deps.formatTokens(before.stake)} ${deps.symbol}; name an amount to add to it.`,
      }
    const transaction = isNew ? await register() : await addStake(deps, amount)
    const view = await readOperator(deps, operator)
    return {
      data: { ...view, transaction },
      text: [
        `${operator} is ${view.status}, transaction ${transaction}`,
        `stake ${deps.formatTokens(view.stake)} ${deps.symbol}, execution key ${view.executionKey}`,
        'What was added counts for seats from two epochs later: peerhost worker status says when.',
      ].join('\n'),
    }

    async function register() {
      const { findDockerEngine } = await import('@peerhost/devnet')
      const executionKey = await readExecutionKey(context, input)
      const engine = await findDockerEngine()
      const parameters = { executionKey, stake: amount, capacity: Number(input.capacity) }
      return (await registerOperator(deps, { ...parameters, isolated: engine.status === 'ready' })).transaction
    }
  },
})
