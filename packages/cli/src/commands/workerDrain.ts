import { createCommand } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { resume?: boolean }

/** `peerhost worker drain` */
export const workerDrainCommand = createCommand<Input>({
  name: 'worker drain',
  summary: 'take no new work; what is under way is still paid',
  examples: ['peerhost worker drain --account operator', 'peerhost worker drain --resume --account operator'],
  options: [{ flags: '--resume', description: 'go back to work' }, ...operatorOptions],
  run: async (context, input) => {
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { drainOperator, resumeOperator } = await import('@peerhost/worker')
    const transaction = input.resume ? await resumeOperator(deps) : await drainOperator(deps)
    const status = input.resume ? 'active' : 'draining'
    return {
      data: { operator: deps.sender.address, status, transaction },
      text: `${deps.sender.address} is ${status}, transaction ${transaction}`,
    }
  },
})
