import { createCommand, UsageError } from '../command.ts'
import { openConnection } from '../openConnection.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Input = ConnectionInput & { operator: string }

/** `peerhost worker status <operator>` */
export const workerStatusCommand = createCommand<Input>({
  name: 'worker status',
  summary: 'show an operator: state, stake, earnings',
  examples: ['peerhost worker status 0x…'],
  arguments: [{ name: 'operator', description: 'the operator’s address', required: true }],
  options: connectionOptions,
  run: async (context, input) => {
    const { formatUnits, getAddress, isAddress } = await import('viem')
    if (!isAddress(input.operator)) throw new UsageError(`“${input.operator}” is not an address.`)
    const { network, publicClient } = await openConnection(context, input)
    const { readOperator } = await import('@peerhost/worker')
    const view = await readOperator(
      { client: publicClient, domain: { chainId: network.chainId, coordinator: network.coordinator } },
      getAddress(input.operator),
    )
    const tokens = (amount: bigint) => `${formatUnits(amount, network.token.decimals)} ${network.token.symbol}`
    const date = (seconds: number) => (seconds === 0 ? 'never' : new Date(seconds * 1_000).toISOString())
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
    }).map(([name, value]) => [context.colors.dim(name), value])
    return { data: view, text: formatTable(rows) }
  },
})
