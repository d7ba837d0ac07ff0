import { createCommand, parseAmount, UsageError } from '../command.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & { stake: string; executionKeyFile?: string }

/** `peerhost worker register` */
export const workerRegisterCommand = createCommand<Input>({
  name: 'worker register',
  summary: 'stake and become an operator',
  examples: ['peerhost worker register --account operator --execution-key-file worker.key --stake 100'],
  options: [
    { flags: '--stake <tokens>', description: 'what to stake', default: '100', parse: parseAmount },
    { flags: '--execution-key-file <file>', description: 'key that signs results; the worker process holds it too' },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    if (!input.executionKeyFile)
      throw new UsageError(
        'The execution key is missing.',
        'Make one with: (umask 077; openssl rand -hex 32 > worker.key), then --execution-key-file worker.key.',
      )
    const { readKeyFile } = await import('../account.ts')
    const executionKey = readKeyFile(context, input.executionKeyFile)
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { findDockerEngine } = await import('@peerhost/devnet')
    const { createDigestSigner } = await import('@peerhost/protocol')
    const { registerOperator } = await import('@peerhost/worker')
    const { parseUnits } = await import('viem')
    const engine = await findDockerEngine()
    const { view, transaction } = await registerOperator(deps, {
      executionKey: createDigestSigner(executionKey),
      stake: parseUnits(input.stake, 6),
      isolated: engine.status === 'ready',
    })
    const done = transaction ? `registered, transaction ${transaction}` : 'was registered already'
    return {
      data: { ...view, transaction },
      text: `${view.operator} ${done}\nstake ${deps.formatTokens(view.stake)} ${deps.symbol}, execution key ${view.executionKey}`,
    }
  },
})
