import { zeroBytes32 } from '@peerhost/protocol'
import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { requestSecrets, type SecretProject } from '../secrets/requestSecrets.ts'

const schema = z.object({
  version: z.int().nonnegative(),
  secrets: z.array(z.object({ name: z.string(), version: z.int().positive(), setAtMs: z.number() })),
})

/** Names, versions and times of a project's secrets on this gateway. Values are never given back. Throws `secret_unauthorized`. */
export async function listSecrets(
  connection: Connection,
  parameters: listSecrets.Parameters,
): Promise<listSecrets.ReturnType> {
  const action = { action: 'list', name: '', valueDigest: zeroBytes32, fromVersion: 0 } as const
  return requestSecrets(connection, parameters, action, schema)
}

export declare namespace listSecrets {
  type Parameters = SecretProject
  type ReturnType = {
    /** Of the whole environment: every change makes a new one, and tickets name it. 0 before the first. */
    version: number
    secrets: { name: string; version: number; setAtMs: number }[]
  }
}
