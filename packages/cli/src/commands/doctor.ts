import { createCommand } from '../command.ts'
import { gatewayUrlOf } from '../openConnection.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Check = { name: string; status: 'ok' | 'missing' | 'warning'; detail: string; hint?: string }

/** `peerhost doctor` */
export const doctorCommand = createCommand<ConnectionInput>({
  name: 'doctor',
  summary: 'check this machine and the network',
  examples: ['peerhost doctor', 'peerhost doctor --gateway https://gateway.example'],
  options: connectionOptions,
  run: async (context, input) => {
    const checks = [checkNode(), await checkDocker(), checkChain(), ...(await checkNetwork(context, input))]
    const { colors } = context
    const mark = { ok: colors.green('ok'), missing: colors.red('missing'), warning: colors.yellow('warning') }
    const rows = checks.map(({ name, status, detail }) => [mark[status], name, detail])
    const hints = checks.flatMap(({ name, hint }) => (hint ? [`${colors.cyan(name)}  ${hint}`] : []))
    return {
      data: { checks },
      text: [formatTable(rows), ...(hints.length > 0 ? ['', ...hints] : [])].join('\n'),
      failed: checks.some(({ status }) => status === 'missing'),
    }
  },
})

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > 22 || (major === 22 && minor >= 12)
  const found = { name: 'Node', detail: process.version } as const
  return enough ? { ...found, status: 'ok' } : { ...found, status: 'missing', hint: 'Install Node 22.12 or newer.' }
}

async function checkDocker(): Promise<Check> {
  const { findDockerEngine } = await import('@peerhost/devnet')
  const engine = await findDockerEngine()
  if (engine.status === 'ready')
    return { name: 'Docker', status: 'ok', detail: `${engine.version} on ${engine.socketPath}` }
  return {
    name: 'Docker',
    status: 'warning',
    detail: `${engine.reason} peerhost dev serves without isolation, workers need it.`,
    hint: engine.commands.join(' && '),
  }
}

function checkChain(): Check {
  const platform = `${process.platform}-${process.arch}`
  const supported = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'].includes(platform)
  if (supported) return { name: 'Local chain', status: 'ok', detail: `anvil for ${platform}` }
  return {
    name: 'Local chain',
    status: 'warning',
    detail: `There is no anvil for ${platform}: peerhost dev cannot run.`,
  }
}

async function checkNetwork(context: Parameters<typeof gatewayUrlOf>[0], input: ConnectionInput): Promise<Check[]> {
  const url = gatewayUrlOf(context, input)
  const named = input.gateway !== undefined || context.env.PEERHOST_GATEWAY !== undefined
  const { openConnection } = await import('../openConnection.ts')
  try {
    const { network } = await openConnection(context, input)
    return [
      { name: 'Gateway', status: 'ok', detail: `${url}, ${network.networkName}` },
      { name: 'Chain', status: 'ok', detail: `${network.chainId}, coordinator ${network.coordinator}` },
      network.workers > 0
        ? { name: 'Workers', status: 'ok', detail: `${network.workers} connected` }
        : { name: 'Workers', status: 'warning', detail: 'none is connected: calls are answered with no_worker' },
    ]
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string }
    const detail = `${url}: ${message}`
    if (named) return [{ name: 'Gateway', status: 'missing', detail, ...(hint ? { hint } : {}) }]
    return [{ name: 'Gateway', status: 'warning', detail, hint: 'peerhost dev starts one on this machine.' }]
  }
}
