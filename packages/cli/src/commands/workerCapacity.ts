import { createCommand, parseInteger } from '../command.ts'
import { type OperatorInput, operatorOptions } from '../operator.ts'

type Input = OperatorInput & { jobs: string }

const parseJobs = parseInteger(0, 1_000)

/** `peerhost worker capacity <jobs>` */
export const workerCapacityCommand = createCommand<Input>({
  name: 'worker capacity',
  summary: 'say how many executions the operator offers to run at once',
  examples: ['peerhost worker capacity 8 --account operator'],
  arguments: [{ name: 'jobs', description: 'how many at once', required: true }],
  options: operatorOptions,
  run: async (context, input) => {
    const capacity = parseJobs(input.jobs)
    const { openOperator } = await import('../operator.ts')
    const deps = await openOperator(context, input)
    const { setCapacity } = await import('@peerhost/worker')
    const transaction = await setCapacity(deps, capacity)
    return {
      data: { operator: deps.sender.address, capacity, transaction },
      text: `${deps.sender.address} offers ${capacity} at once, transaction ${transaction}`,
    }
  },
})
