import { resolve } from 'node:path'
import { type CommandContext, createCommand, parseInteger } from '../command.ts'

type Input = { directory?: string; workers: number; docker: boolean; port?: number; data?: string }

/** `peerhost dev [directory]` */
export const devCommand = createCommand<Input>({
  name: 'dev',
  summary: 'run a whole network on this machine, with the functions of a folder',
  examples: ['peerhost dev', 'peerhost dev --workers 3 --data .peerhost', 'peerhost dev --no-docker'],
  arguments: [{ name: 'directory', description: 'project folder (default: this one)' }],
  options: [
    { flags: '--workers <n>', description: 'how many workers', default: '2', parse: parseInteger(1, 16) },
    { flags: '--no-docker', description: 'only your functions, in a plain process: nothing is isolated' },
    {
      flags: '--port <port>',
      description: 'port of the gateway (8402, or a free one)',
      parse: parseInteger(1, 65_535),
    },
    { flags: '--data <directory>', description: 'keep chain, databases and logs there' },
  ],
  run: async (context, input) => {
    const directory = resolve(context.cwd, input.directory ?? '.')
    const engine = input.docker ? await findEngine(context) : undefined
    if (engine?.status !== 'ready') {
      const { runLocal } = await import('../dev/runLocal.ts')
      const why = engine ? [engine.reason, `To run the network, type: ${engine.commands.join(' && ')}`] : []
      await runLocal(context, { directory, port: input.port, why })
      return undefined
    }
    try {
      const { runNetwork } = await import('../dev/runNetwork.ts')
      await runNetwork(context, {
        directory,
        workers: Number(input.workers),
        port: input.port,
        data: input.data === undefined ? undefined : resolve(context.cwd, input.data),
        dockerSocket: engine.socketPath,
      })
    } finally {
      await engine.release()
    }
    return undefined
  },
})

async function findEngine(context: CommandContext) {
  const { ensureDockerEngine } = await import('@peerhost/devnet')
  return ensureDockerEngine({
    confirm: context.isInteractive ? (question) => ask(context, question) : undefined,
    onStep: (text) => context.note(context.colors.dim(text)),
    signal: context.signal,
  })
}

async function ask({ signal }: CommandContext, message: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message, output: process.stderr, signal })) === true
}
