import { createCommand } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { executionKeyFile?: string; revoke?: boolean }

/** `peerhost worker rotate` */
export const workerRotateCommand = createCommand<Input>({
  name: 'worker rotate',
  summary: 'bind another execution key, or close a stolen one at once',
  examples: [
    'peerhost worker rotate --execution-key-file new.key --account operator',
    'peerhost worker rotate --revoke --account operator',
  ],
  options: [
    { flags: '--execution-key-file <file>', description: 'the new key' },
    { flags: '--revoke', description: 'close the key that signs now; the operator drains until it binds another' },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const { openOperator, readExecutionKey } = await import('../operator.ts')
    const { revokeExecutionKey, rotateExecutionKey } = await import('@peerhost/worker')
    if (input.revoke) {
      const deps = await openOperator(context, input)
      const transaction = await revokeExecutionKey(deps)
      const operator = deps.sender.address
      return {
        data: { operator, executionKey: null, transaction },
        text: `${operator} has no execution key any more, transaction ${transaction}`,
      }
    }
    const executionKey = await readExecutionKey(context, input)
    const deps = await openOperator(context, input)
    const transaction = await rotateExecutionKey(deps, executionKey)
    return {
      data: { operator: deps.sender.address, executionKey: executionKey.address, transaction },
      text: `${executionKey.address} signs for ${deps.sender.address} now, transaction ${transaction}`,
    }
  },
})
