import type { z } from 'zod'
import { type FunctionSettings, functionSettingsSchema } from './configSchema.ts'
import { checkJsonSchema } from './jsonSchema.ts'
import { checkLocated, type Located, type Problem, problemAt } from './located.ts'
import { checkNetwork } from './networkSettings.ts'

/** Checks the settings of one function as written in its source. */
export function checkSourceSettings(located: Located): { settings: FunctionSettings; problems: Problem[] } {
  const { value, problems } = checkLocated<z.ZodType<FunctionSettings>>(functionSettingsSchema, located)
  return { settings: value ?? {}, problems: value ? [...problems, ...checkSchemas(located, [], value)] : problems }
}

/** What zod cannot see about settings that stand at `path`: the JSON schemas and hosts in them. */
export function checkSchemas(located: Located, path: readonly string[], settings: FunctionSettings): Problem[] {
  const problems = (['input', 'output'] as const).flatMap((key) =>
    settings[key] === undefined ? [] : checkJsonSchema(located, [...path, key], settings[key]),
  )
  if (settings.input !== undefined && settings.input.type !== 'object') {
    problems.push(problemAt(located, [...path, 'input'], 'its type must be "object": agents pass named arguments.'))
  }
  if (settings.network) problems.push(...checkNetwork(located, [...path, 'network'], settings.network))
  return problems
}

/** What does not go together, whichever of the two was written where. */
export function checkTogether(file: string, settings: FunctionSettings): Problem[] {
  const problems: Problem[] = []
  if (settings.trustedWorkers && !settings.env) problems.push({ file, message: trustedForNothing })
  if (!settings.deterministic) return problems
  if (settings.network) problems.push({ file, message: onNetwork })
  if (settings.env) problems.push({ file, message: withSecrets })
  return problems
}

const trustedForNothing = '`trustedWorkers` is for functions that read secrets: name them in `env`, or remove it.'
const onNetwork =
  'a function that uses the network cannot be deterministic: nobody can run it again and get the same. Remove `deterministic` or `network`.'
const withSecrets =
  'a function that reads secrets cannot be deterministic: no jury may have them to run it again. Remove `deterministic` or `env`.'
