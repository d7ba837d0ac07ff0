import { createCommand } from '../command.ts'
import { newKeyOption, type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { executionKeyFile?: string; new?: boolean }

/** `peerhost worker release` */
export const workerReleaseCommand = createCommand<Input>({
  name: 'worker release',
  summary: 'come back from jail when its time is over, with a fresh execution key',
  examples: [
    'peerhost worker release --new',
    'peerhost worker release --execution-key-file new.key --account operator',
  ],
  options: [
    newKeyOption,
    { flags: '--execution-key-file <file>', description: 'a key that was never bound before' },
    ...operatorOptions,
  ],
  run: async (context, input) => {
    const { bindFreshKey, openOperator, readExecutionKey } = await import('../operator.ts')
    const { releaseOperator } = await import('@peerhost/worker')
    const given = input.new ? undefined : await readExecutionKey(context, input)
    const deps = await openOperator(context, input)
    const { executionKey, transaction } = given
      ? { executionKey: given.address, transaction: await releaseOperator(deps, given) }
      : await bindFreshKey(context, input, (key) => releaseOperator(deps, key))
    return {
      data: { operator: deps.sender.address, status: 'active', executionKey, transaction },
      text: `${deps.sender.address} is active again, transaction ${transaction}`,
    }
  },
})
