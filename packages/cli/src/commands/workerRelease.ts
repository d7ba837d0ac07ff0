import { createCommand } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { executionKeyFile?: string }

/** `peerhost worker release` */
export const workerReleaseCommand = createCommand<Input>({
  name: 'worker release',
  summary: 'come back from jail when its time is over, with a fresh execution key',
  examples: ['peerhost worker release --execution-key-file new.key --account operator'],
  options: [
    { flags: '--execution-key-file <file>', description: 'a key that was never bound before' },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const { openOperator, readExecutionKey } = await import('../operator.ts')
    const executionKey = await readExecutionKey(context, input)
    const deps = await openOperator(context, input)
    const { releaseOperator } = await import('@peerhost/worker')
    const transaction = await releaseOperator(deps, executionKey)
    return {
      data: { operator: deps.sender.address, status: 'active', executionKey: executionKey.address, transaction },
      text: `${deps.sender.address} is active again, transaction ${transaction}`,
    }
  },
})
