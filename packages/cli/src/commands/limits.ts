import { createCommand } from '../command.ts'
import { formatTable } from '../table.ts'

/** `peerhost limits` */
export const limitsCommand = createCommand({
  name: 'limits',
  summary: 'show every limit of the network',
  examples: ['peerhost limits', 'peerhost limits --json'],
  run: async ({ colors }) => {
    const { LIMITS, LIMITS_CLASSES } = await import('@peerhost/protocol')
    const { formatUnits } = await import('viem')
    const megabytes = (bytes: number) => `${bytes / 1_048_576} MiB`
    const header = ['class', 'time', 'memory', 'cpus', 'pids', '/tmp', 'fee'].map((title) => colors.dim(title))
    const classes = LIMITS_CLASSES.map(({ name, timeoutMs, memoryBytes, cpus, pids, tmpBytes, fee }) => [
      name,
      `${timeoutMs / 1_000} s`,
      megabytes(memoryBytes),
      String(cpus),
      String(pids),
      megabytes(tmpBytes),
      `${formatUnits(fee, 6)} USDC`,
    ])
    const named = Object.entries(LIMITS).map(([name, value]) => [name, value.toLocaleString('en-US')])
    return {
      data: { limits: LIMITS, classes: LIMITS_CLASSES },
      text: `${formatTable([header, ...classes])}\n\n${formatTable(named)}`,
    }
  },
})
