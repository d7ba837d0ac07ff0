import { hashSecretAction, PROTOCOL_VERSION, type SecretAction, toBase64, zeroBytes32 } from '@peerhost/protocol'
import { type Address, keccak256, stringToHex } from 'viem'
import type { Keyed, TestNetwork } from './fixture.ts'
import type { TestGateway } from './testGateway.ts'

export type Change = {
  by?: Keyed
  action?: SecretAction['action']
  name?: string
  value?: string
  project?: string
} & Partial<Pick<SecretAction, 'gateway' | 'fromVersion' | 'deadline' | 'valueDigest' | 'creator'>>

type Where = { network: TestNetwork; gateway: TestGateway; owner: Keyed }

/** A signed request to the secrets API, made by hand. */
export async function changeSecret(where: Where, options: Change): Promise<Response> {
  const { network, gateway, owner } = where
  const { by = owner, action = 'set', name = 'API_KEY', value = '', project = 'demo' } = options
  const creator: Address = options.creator ?? owner.account.address
  const deadline = options.deadline ?? Math.floor(Date.now() / 1_000) + 60
  const fromVersion = options.fromVersion ?? (action === 'list' ? 0 : await secretsVersion(where, project))
  const message: SecretAction = {
    protocolVersion: PROTOCOL_VERSION,
    gateway: options.gateway ?? gateway.requester,
    action,
    creator,
    project,
    name: action === 'list' ? '' : name,
    valueDigest: options.valueDigest ?? (action === 'set' ? keccak256(stringToHex(value)) : zeroBytes32),
    fromVersion,
    deadline,
  }
  const signature = await by.account.sign({ hash: hashSecretAction(network.domain, message) })
  const header = JSON.stringify({ address: by.account.address, fromVersion, deadline, signature })
  const path = `/v1/secrets/${creator}/${project}${action === 'list' ? '' : `/${name}`}`
  return fetch(`${gateway.url}${path}`, {
    method: { set: 'PUT', delete: 'DELETE', list: 'GET' }[action],
    headers: { authorization: `PeerHost ${toBase64(new TextEncoder().encode(header))}` },
    ...(action === 'set' ? { body: value } : {}),
  })
}

/** The newest version of a project's secrets. */
export async function secretsVersion(where: Where, project: string): Promise<number> {
  return ((await (await changeSecret(where, { action: 'list', project })).json()) as { version: number }).version
}
