import { createCommand } from '../command.ts'
import { newKeyOption, type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { executionKeyFile?: string; new?: boolean; revoke?: boolean }

/** `peerhost worker rotate` */
export const workerRotateCommand = createCommand<Input>({
  name: 'worker rotate',
  summary: 'bind another execution key, or close a stolen one at once',
  examples: [
    'peerhost worker rotate --new',
    'peerhost worker rotate --execution-key-file new.key --account operator',
    'peerhost worker rotate --revoke --account operator',
  ],
  options: [
    newKeyOption,
    { flags: '--execution-key-file <file>', description: 'the new key, from elsewhere' },
    { flags: '--revoke', description: 'close the key that signs now; the operator drains until it binds another' },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const { bindFreshKey, openOperator, readExecutionKey } = await import('../operator.ts')
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
    if (input.new) {
      const deps = await openOperator(context, input)
      const bound = await bindFreshKey(context, input, (key) => rotateExecutionKey(deps, key))
      const operator = deps.sender.address
      return {
        data: { operator, ...bound },
        text: `${bound.executionKey} signs for ${operator} now, transaction ${bound.transaction}\nSend it some of the chain’s coin and restart the worker.`,
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
