import { assertProjectName } from '@peerhost/protocol'
import { throwProblems } from './located.ts'
import { defaultProjectName } from './projectName.ts'
import { readProjectConfig } from './readProjectConfig.ts'

/** The name that a folder's functions are deployed under. Throws `config_invalid`. */
export async function projectNameOf(directory: string): Promise<string> {
  const { config, problems } = await readProjectConfig(directory)
  throwProblems(problems)
  const name = config.name ?? (await defaultProjectName(directory))
  assertProjectName(name)
  return name
}
