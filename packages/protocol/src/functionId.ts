import { type Address, encodeAbiParameters, type Hex, keccak256, stringToBytes } from 'viem'
import { PeerHostError } from './errors.ts'
import { LIMITS } from './limits.ts'

/** Lower-case letters, digits and inner hyphens; function names may nest with `/`. Safe in URLs, file names and tool names. */
const projectPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
const functionPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\/[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/**
 * The name of a function for ever, through versions and owners.
 * Twin: `Hashes.functionId`. Vectors: `functionId.json`.
 */
export function functionId(creator: Address, project: string, functionName: string): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'address' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [creator, keccak256(stringToBytes(project)), keccak256(stringToBytes(functionName))],
    ),
  )
}

/** Throws `config_invalid` unless `name` may name a project. */
export function assertProjectName(name: string): void {
  assertName(name, projectPattern, 'project')
}

/** Throws `config_invalid` unless `name` may name a function. */
export function assertFunctionName(name: string): void {
  assertName(name, functionPattern, 'function')
}

function assertName(name: string, pattern: RegExp, noun: string): void {
  if (name.length <= LIMITS.nameCharacters && pattern.test(name)) return
  throw new PeerHostError('config_invalid', `“${name}” cannot name a ${noun}.`, {
    hint: `Use lower-case letters, digits and inner hyphens, at most ${LIMITS.nameCharacters} characters.`,
  })
}
