import { keccak256 } from 'viem'
import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { requestSecrets, type SecretProject } from '../secrets/requestSecrets.ts'
import { listSecrets } from './listSecrets.ts'

const schema = z.object({ name: z.string(), version: z.int().positive() })

/**
 * Sets a secret of a project on this gateway, for calls from now on. Nobody reads it back; the gateway adds it to calls of the
 * project's functions, and workers never see it. Throws `secret_unauthorized`, `secrets_unavailable`, `conflict` when the
 * secrets change at the same time.
 */
export async function setSecret(
  connection: Connection,
  parameters: setSecret.Parameters,
): Promise<setSecret.ReturnType> {
  const { version: fromVersion } = await listSecrets(connection, parameters)
  const value = new TextEncoder().encode(parameters.value)
  const action = { action: 'set', name: parameters.name, valueDigest: keccak256(value), fromVersion, value } as const
  return requestSecrets(connection, parameters, action, schema)
}

export declare namespace setSecret {
  type Parameters = SecretProject & {
    /** Upper-case letters, digits and _, as `{{NAME}}` in the settings of a function. */
    name: string
    /** Printable ASCII, 8 to 4,096 characters. */
    value: string
  }
  type ReturnType = { name: string; version: number }
}
