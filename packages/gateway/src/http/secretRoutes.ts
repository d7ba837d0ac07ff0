import {
  assertProjectName,
  fromBase64,
  hashSecretAction,
  isSecretName,
  LIMITS,
  PeerHostError,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type SecretAction,
  type Signing,
  sameHex,
  zeroBytes32,
} from '@peerhost/protocol'
import type { Request } from 'express'
import { type Address, getAddress, type Hex, keccak256 } from 'viem'
import { z } from 'zod'
import type { Environments } from '../secrets/environments.ts'
import type { SecretScope } from '../secrets/secretTable.ts'
import { readBody } from './readBody.ts'
import { type Exchange, writeJson } from './write.ts'

export type SecretRouteDeps = {
  environments: Pick<Environments, 'set' | 'remove' | 'list'>
  signing: Signing
  protocolDomain: ProtocolDomain
  /** This gateway's signing address: what is signed for another one does not count here. */
  requester: Address
  nowSeconds: () => number
  bodyTimeoutMs: number
  mayUpload: ((address: Address) => boolean) | undefined
}

const longestDeadlineSeconds = 300
const noStore = [['cache-control', 'no-store']] as const

/** `GET /v1/secrets/:creator/:project`: names, versions and times of the signer's secrets. Never a value. */
export async function listSecretsRoute(deps: SecretRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const { scope } = await authorise(deps, request, { action: 'list', name: '', valueDigest: zeroBytes32 })
  const { version, secrets } = await deps.environments.list(scope)
  const cards = secrets.map(({ name, version: since, setAtMs }) => ({ name, version: since, setAtMs }))
  writeJson(exchange, 200, { version, secrets: cards }, noStore)
}

/** `PUT /v1/secrets/:creator/:project/:name` with the value as body. Throws `secret_unauthorized`, `conflict`, `request_invalid`. */
export async function putSecretRoute(deps: SecretRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const bytes = await readBody(request, { maxBytes: LIMITS.secretCharacters, timeoutMs: deps.bodyTimeoutMs })
  const name = nameOf(request)
  const signed = { action: 'set', name, valueDigest: keccak256(bytes) } as const
  const { scope, fromVersion } = await authorise(deps, request, signed)
  const version = await deps.environments.set(scope, { name, value: secretValue(bytes), fromVersion })
  writeJson(exchange, 200, { name, version }, noStore)
}

/** `DELETE /v1/secrets/:creator/:project/:name`. Throws `secret_unauthorized`, `conflict`, `secret_missing`. */
export async function deleteSecretRoute(deps: SecretRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const name = nameOf(request)
  const signed = { action: 'delete', name, valueDigest: zeroBytes32 } as const
  const { scope, fromVersion } = await authorise(deps, request, signed)
  const version = await deps.environments.remove(scope, { name, fromVersion })
  writeJson(exchange, 200, { name, version }, noStore)
}

const authorization = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  fromVersion: z.int().nonnegative().max(0xffff_ffff),
  deadline: z.int().nonnegative(),
  signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/),
})

async function authorise(
  deps: SecretRouteDeps,
  request: Request,
  signed: Pick<SecretAction, 'action' | 'name' | 'valueDigest'>,
): Promise<{ scope: SecretScope; fromVersion: number }> {
  const creator = String(request.params.creator)
  const project = String(request.params.project)
  if (!/^0x[0-9a-fA-F]{40}$/.test(creator)) throw new PeerHostError('request_invalid', 'The creator is no address.')
  assertProjectName(project)
  const { address, fromVersion, deadline, signature } = parseAuthorization(request.headers.authorization)
  const now = deps.nowSeconds()
  if (deadline < now || deadline > now + longestDeadlineSeconds)
    throw unauthorised(`The signature’s deadline is over or more than ${longestDeadlineSeconds} seconds away.`)
  const message = {
    ...signed,
    protocolVersion: PROTOCOL_VERSION,
    gateway: deps.requester,
    creator: creator as Address,
    project,
    fromVersion,
    deadline,
  }
  const signer = await deps.signing.recover(hashSecretAction(deps.protocolDomain, message), signature as Hex)
  if (!signer || !sameHex(signer, address as Hex)) throw unauthorised('The signature is not of this wallet and action.')
  const owner = getAddress(address.toLowerCase())
  if (deps.mayUpload && !deps.mayUpload(owner)) throw unauthorised('This wallet may not keep secrets here.')
  return { scope: { owner, creator: getAddress(creator.toLowerCase()), project }, fromVersion }
}

function nameOf(request: Request): string {
  const name = String(request.params.name)
  if (isSecretName(name)) return name
  throw new PeerHostError('request_invalid', 'A secret’s name is upper-case letters, digits and _, 64 at most.')
}

/** A value that can stand in a header: anything else could not be sent. */
function secretValue(bytes: Uint8Array): string {
  const value = new TextDecoder('latin1').decode(bytes)
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value))
    throw new PeerHostError('request_invalid', 'A secret is printable ASCII on one line, without space around it.')
  if (value.length < LIMITS.secretLeastCharacters)
    throw new PeerHostError('request_invalid', `A secret has at least ${LIMITS.secretLeastCharacters} characters.`)
  return value
}

function parseAuthorization(header: string | undefined): z.output<typeof authorization> {
  const [, encoded] = /^PeerHost ([A-Za-z0-9+/=]{1,2000})$/.exec(header ?? '') ?? []
  if (encoded === undefined) throw unauthorised('The request is not signed.')
  try {
    return authorization.parse(JSON.parse(new TextDecoder().decode(fromBase64(encoded))))
  } catch {
    throw unauthorised('The authorization is not base64 of address, fromVersion, deadline and signature.')
  }
}

function unauthorised(message: string): PeerHostError {
  return new PeerHostError('secret_unauthorized', message, {
    hint: 'Sign a SecretAction with the owner’s wallet and send it as “Authorization: PeerHost …”.',
  })
}
