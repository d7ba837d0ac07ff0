import { zeroBytes32 } from '@peerhost/protocol'
import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { requestSecrets, type SecretProject } from '../secrets/requestSecrets.ts'
import { listSecrets } from './listSecrets.ts'

const schema = z.object({ name: z.string(), version: z.int().positive() })

/**
 * Deletes a secret of a project on this gateway. Functions that name it are refused from now on; calls under way keep it for as
 * long as their tickets live, then the gateway erases it. Throws `secret_missing`, `secret_unauthorized`, `conflict`.
 */
export async function deleteSecret(
  connection: Connection,
  parameters: deleteSecret.Parameters,
): Promise<deleteSecret.ReturnType> {
  const { version: fromVersion } = await listSecrets(connection, parameters)
  const action = { action: 'delete', name: parameters.name, valueDigest: zeroBytes32, fromVersion } as const
  return requestSecrets(connection, parameters, action, schema)
}

export declare namespace deleteSecret {
  type Parameters = SecretProject & { name: string }
  type ReturnType = { name: string; version: number }
}
