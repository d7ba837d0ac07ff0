import { createCommand } from '../command.ts'
import { openAccount } from '../openConnection.ts'
import { type ProjectInput, projectOf, projectOptions } from '../secretProject.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & ProjectInput & { name: string }

/** `peerhost secret delete <name>` */
export const secretDeleteCommand = createCommand<Input>({
  name: 'secret delete',
  summary: 'take a secret back; functions that name it are refused from then on',
  examples: ['peerhost secret delete API_KEY'],
  arguments: [{ name: 'name', description: 'the secret', required: true }],
  options: [...projectOptions, ...connectionOptions, ...accountOptions],
  run: async (context, input) => {
    const project = await projectOf(context, input)
    const connection = await openAccount(context, input, 'developer')
    const { deleteSecret } = await import('@peerhost/sdk')
    const gone = await deleteSecret(connection, { ...project, name: input.name })
    return { data: { ...gone, project: project.project }, text: `${gone.name} of ${project.project} is deleted` }
  },
})
