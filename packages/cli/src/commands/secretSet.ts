import { createCommand } from '../command.ts'
import { openAccount } from '../openConnection.ts'
import { type ProjectInput, projectOf, projectOptions } from '../secretProject.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & ProjectInput & { name: string }

/** `peerhost secret set <name>` */
export const secretSetCommand = createCommand<Input>({
  name: 'secret set',
  summary: 'give the gateway a secret for this project’s functions: for their calls, or for the code itself',
  examples: ['peerhost secret set API_KEY', 'peerhost secret set API_KEY --project weather < key.txt'],
  arguments: [{ name: 'name', description: 'as {{NAME}} or under env in the function’s settings', required: true }],
  options: [...projectOptions, ...connectionOptions, ...accountOptions],
  run: async (context, input) => {
    const { readSecretValue } = await import('../secretValue.ts')
    const project = await projectOf(context, input)
    const value = await readSecretValue(context, input.name, input)
    const connection = await openAccount(context, input, 'developer')
    const { setSecret } = await import('@peerhost/sdk')
    const set = await setSecret(connection, { ...project, name: input.name, value })
    return {
      data: { ...set, project: project.project },
      text: `${set.name} of ${project.project}, version ${set.version}`,
    }
  },
})
