import { createCommand } from '../command.ts'
import { openAccount } from '../openConnection.ts'
import { type ProjectInput, projectOf, projectOptions } from '../secretProject.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Input = ConnectionInput & AccountInput & ProjectInput

/** `peerhost secret list` */
export const secretListCommand = createCommand<Input>({
  name: 'secret list',
  summary: 'show names, versions and times of a project’s secrets; never their values',
  examples: ['peerhost secret list', 'peerhost secret list --project weather --json'],
  options: [...projectOptions, ...connectionOptions, ...accountOptions],
  run: async (context, input) => {
    const project = await projectOf(context, input)
    const connection = await openAccount(context, input, 'developer')
    const { listSecrets } = await import('@peerhost/sdk')
    const { version, secrets } = await listSecrets(connection, project)
    const header = ['secret', 'version', 'set'].map((title) => context.colors.dim(title))
    const rows = secrets.map((one) => [one.name, String(one.version), new Date(one.setAtMs).toISOString()])
    return {
      data: { project: project.project, version, secrets },
      text: secrets.length === 0 ? `No secrets of ${project.project}.` : formatTable([header, ...rows]),
    }
  },
})
