import type { WorkerStatus } from '@peerhost/worker'
import type { Address } from 'viem'
import { type Colors, createCommand, UsageError } from '../command.ts'
import { type DirectoryInput, directoryOption, type OperatorNetwork } from '../operator.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Input = ConnectionInput & DirectoryInput & { operator?: string }

/** `peerhost worker status [operator]` */
export const workerStatusCommand = createCommand<Input>({
  name: 'worker status',
  summary: 'show an operator, and why no job or no reward comes to it',
  examples: ['peerhost worker status', 'peerhost worker status --json', 'peerhost worker status 0x…'],
  arguments: [{ name: 'operator', description: 'the operator’s address; that of the directory when absent' }],
  options: [directoryOption, ...connectionOptions],
  run: async (context, input) => {
    const { getAddress, isAddress } = await import('viem')
    if (input.operator && !isAddress(input.operator)) throw new UsageError(`“${input.operator}” is not an address.`)
    const { openNetwork } = await import('../operator.ts')
    const { operatorOf, readLocalWorker } = await import('../localWorker.ts')
    const { readStatus } = await import('@peerhost/worker')
    const network = await openNetwork(context, input)
    const { directory, settings } = network
    const own = await operatorOf(directory)
    const operator: Address | undefined = input.operator ? getAddress(input.operator) : own
    if (!operator)
      throw new UsageError('Which operator?', 'Name its address, or make a worker with peerhost worker init.')
    const local = settings && operator === own ? await readLocalWorker(directory, settings) : undefined
    const status = await readStatus(network, { operator, local })
    const { view, reasons, ready, seats, local: standing } = status
    return {
      data: { ...view, ready, reasons, seats, worker: standing?.snapshot, endpoints: standing?.endpoints },
      text: formatStatus(status, network, context.colors),
      failed: local !== undefined && !ready,
    }
  },
})

function formatStatus({ view, reasons, ready, local }: WorkerStatus, network: OperatorNetwork, colors: Colors): string {
  const tokens = (amount: bigint) => `${network.formatTokens(amount)} ${network.symbol}`
  const date = (seconds: number) => (seconds === 0 ? 'never' : new Date(seconds * 1_000).toISOString())
  const snapshot = local?.snapshot
  const rows = Object.entries({
    operator: view.operator,
    status: view.status,
    since: date(view.statusSince),
    stake: `${tokens(view.stake)} (at least ${tokens(view.minimumStake)})`,
    earnings: tokens(view.earnings),
    'owed by the court': tokens(view.courtBalance),
    'execution key': /^0x0+$/.test(view.executionKey) ? 'none: bind one with worker rotate' : view.executionKey,
    capacity: String(view.capacity),
    ...(view.openCases > 0 ? { 'open cases': String(view.openCases) } : {}),
    ...(view.jailedUntil === undefined ? {} : { 'jailed until': date(view.jailedUntil) }),
    ...(view.withdrawableAt ? { 'stake free from': date(view.withdrawableAt) } : {}),
    ...(snapshot
      ? {
          worker: `${snapshot.state} since ${date(snapshot.startedAt)}`,
          jobs: `${snapshot.running} of ${snapshot.capacity} running, ${snapshot.attested} signed, ${snapshot.settled} settled, ${snapshot.owed} owed`,
        }
      : {}),
  }).map(([name, value]) => [colors.dim(name), value])
  const mark = { stops: colors.red('stops'), limits: colors.yellow('limits'), tells: colors.dim('tells') }
  const why = reasons.map(({ code, effect, text }) => [mark[effect], code, text])
  const verdict = ready ? colors.green('Jobs can come.') : colors.red('No job comes.')
  return [formatTable(rows), '', verdict, ...(why.length > 0 ? [formatTable(why)] : [])].join('\n')
}
