import { createCommand, UsageError } from '../command.ts'
import { type DirectoryInput, directoryOption } from '../operator.ts'
import { formatTable } from '../table.ts'

/** `peerhost worker doctor` */
export const workerDoctorCommand = createCommand<DirectoryInput>({
  name: 'worker doctor',
  summary: 'check engine, isolation, RPC, clock, disk, keys, storage and gateways of a worker',
  examples: ['peerhost worker doctor', 'peerhost worker doctor --directory /var/lib/peerhost --json'],
  options: [directoryOption],
  run: async (context, { directory: named }) => {
    const { readWorkerSettings, runDoctor, workerDirectory } = await import('@peerhost/worker')
    const directory = workerDirectory(named, context.env, context.cwd)
    const settings = await readWorkerSettings(directory, context.env)
    if (!settings) throw new UsageError(`There is no worker in ${directory.path}.`, 'peerhost worker init makes one.')
    const checks = await runDoctor(settings)
    const { colors } = context
    const mark = { ok: colors.green('ok'), warn: colors.yellow('warn'), fail: colors.red('fail') }
    const rows = checks.map(({ name, status, detail }) => [mark[status], name, detail])
    const steps = checks.flatMap(({ name, next }) => (next ? [`${colors.cyan(name)}  ${next}`] : []))
    return {
      data: { checks },
      text: [formatTable(rows), ...(steps.length > 0 ? ['', ...steps] : [])].join('\n'),
      failed: checks.some(({ status }) => status === 'fail'),
    }
  },
})
