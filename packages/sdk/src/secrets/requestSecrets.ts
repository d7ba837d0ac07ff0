import { eip712Domain, PROTOCOL_VERSION, type SecretAction, secretActionTypes, toBase64 } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { z } from 'zod'
import { chainError } from '../chain/chainError.ts'
import { type Connection, requireAccount } from '../connection.ts'
import { requestGateway } from '../requestGateway.ts'

const signatureSeconds = 120
const methods = { set: 'PUT', delete: 'DELETE', list: 'GET' } as const

/** Which project of which wallet; the creator is the account itself unless the project was taken over. */
export type SecretProject = { project: string; creator?: Address | undefined; signal?: AbortSignal | undefined }

/** One request to a gateway's secrets, signed by the connection's account for this gateway, project and action only. */
export async function requestSecrets<T extends z.ZodType>(
  connection: Connection,
  { project, creator, signal }: SecretProject,
  action: Pick<SecretAction, 'action' | 'name' | 'valueDigest' | 'fromVersion'> & { value?: Uint8Array },
  schema: T,
): Promise<z.output<T>> {
  const { account, walletClient } = requireAccount(connection, 'A secret')
  const { chainId, coordinator, requester } = connection.network
  const { value, ...signed } = action
  const message: SecretAction = {
    ...signed,
    protocolVersion: PROTOCOL_VERSION,
    gateway: requester,
    creator: creator ?? account.address,
    project,
    deadline: Math.floor(Date.now() / 1_000) + signatureSeconds,
  }
  const signature = await walletClient
    .signTypedData({
      account,
      domain: eip712Domain({ chainId, coordinator }),
      types: secretActionTypes,
      primaryType: 'SecretAction',
      message,
    })
    .catch((cause: unknown) => {
      throw chainError(cause, 'sign for the secret')
    })
  const { fromVersion, deadline } = message
  const header = JSON.stringify({ address: account.address, fromVersion, deadline, signature })
  const path = `/v1/secrets/${message.creator}/${project}${action.name === '' ? '' : `/${action.name}`}`
  return requestGateway(connection, {
    path,
    method: methods[action.action],
    headers: { authorization: `PeerHost ${toBase64(new TextEncoder().encode(header))}` },
    ...(value ? { body: value } : {}),
    schema,
    signal,
  })
}
