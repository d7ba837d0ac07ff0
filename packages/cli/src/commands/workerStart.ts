import { type CommandContext, createCommand, parseInteger } from '../command.ts'
import { type DirectoryInput, directoryOption } from '../operator.ts'

type Input = DirectoryInput & { metricsPort?: number }

/** `peerhost worker start` */
export const workerStartCommand = createCommand<Input>({
  name: 'worker start',
  summary: 'run the worker of a directory; Ctrl-C drains it, a second one ends it at once',
  examples: ['peerhost worker start', 'PEERHOST_KEYSTORE_PASSWORD_FILE=/run/password peerhost worker start'],
  options: [
    directoryOption,
    {
      flags: '--metrics-port <port>',
      description: 'where metrics and status are served, on loopback',
      parse: parseInteger(1, 65_535),
    },
  ],
  run: async (context, { directory: named, metricsPort }) => {
    const { createWorkerLog, openConfig, runWorker, workerDirectory } = await import('@peerhost/worker')
    const directory = workerDirectory(named, context.env, context.cwd)
    const env = {
      ...context.env,
      PEERHOST_WORKER_DIR: directory.path,
      ...(metricsPort === undefined ? {} : { PEERHOST_METRICS_PORT: String(metricsPort) }),
    }
    const config = await openConfig(env, passwordSources(context))
    await runWorker(config, {
      // Standard output is the command's own.
      log: createWorkerLog(process.stderr, config.logLevel),
      signal: context.signal,
      onReady: (ready) =>
        context.emit(ready, `operator ${ready.operator} takes jobs with execution key ${ready.executionKey}`),
    })
    return undefined
  },
})

function passwordSources(context: CommandContext) {
  const { env, isInteractive, readLine } = context
  const canAsk = isInteractive || Boolean(env.PEERHOST_PASSWORD)
  const ask = async (question: string) => {
    const { readPassword } = await import('../account.ts')
    return readPassword(context, question)
  }
  return { ...(canAsk ? { ask } : {}), ...(readLine ? { readLine } : {}) }
}
