import { LIMITS, PeerHostError, type Ticket } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address } from 'viem'
import type { Database, Querier } from '../database/database.ts'
import {
  countProjects,
  endSecret,
  eraseEnded,
  findScope,
  insertEnvironment,
  insertSecret,
  latestVersion,
  listOfOtherKeys,
  listSecrets,
  resealSecret,
  type SecretCard,
  type SecretScope,
  type StoredSecret,
  secretsAt,
} from './secretTable.ts'
import type { Vault } from './vault.ts'

export type EnvironmentsDeps = {
  database: Database
  /** Absent: this gateway keeps no secrets. */
  vault: Vault | undefined
  log: Logger
  now: () => number
  /** How long values that were replaced stay: as long as tickets that name their version. */
  keepEndedMs: number
}

/** The secrets of projects. Every change makes a new version; a ticket names the one that it runs with. */
export type Environments = {
  /** Throws `conflict` when the environment is not at `fromVersion`, `request_too_large`, `secrets_unavailable`. */
  set: (scope: SecretScope, change: { name: string; value: string; fromVersion: number }) => Promise<number>
  /** Throws `conflict`, `secret_missing`, `secrets_unavailable`. */
  remove: (scope: SecretScope, change: { name: string; fromVersion: number }) => Promise<number>
  list: (scope: SecretScope) => Promise<{ version: number; secrets: SecretCard[] }>
  /** The version for a ticket of a function that takes these; 0 when it takes none. Throws `secret_missing`, naming each. */
  versionFor: (scope: SecretScope, names: readonly string[]) => Promise<number>
  /** Values of these, from the version that the ticket names. Only for functions of that creator and project. */
  secretsFor: (
    ticket: Pick<Ticket, 'envVersion'>,
    of: { creator: Address; project: string },
    names: readonly string[],
  ) => Promise<Map<string, string>>
  /** Erases what ended, and brings everything under the newest key. */
  tidy: () => Promise<void>
}

const mostResealed = 200

export function createEnvironments(deps: EnvironmentsDeps): Environments {
  const { database, vault, now } = deps
  return {
    set: async (scope, { name, value, fromVersion }) => {
      const { seal } = vaultOf(vault)
      return change(deps, scope, fromVersion, async (transaction, sinceVersion) => {
        await endSecret(transaction, scope, { name, version: sinceVersion, nowMs: now() })
        const sealed = seal(aboutOf({ ...scope, name, sinceVersion }), value)
        await insertSecret(transaction, { ...scope, ...sealed, name, sinceVersion }, now())
        await assertWithinLimits(transaction, scope)
      })
    },
    remove: async (scope, { name, fromVersion }) => {
      vaultOf(vault)
      return change(deps, scope, fromVersion, async (transaction, version) => {
        if (!(await endSecret(transaction, scope, { name, version, nowMs: now() }))) throw missingSecrets([name])
      })
    },
    list: async (scope) => ({
      version: await latestVersion(database, scope),
      secrets: await listSecrets(database, scope),
    }),
    versionFor: async (scope, names) => {
      if (names.length === 0) return 0
      const version = await latestVersion(database, scope)
      const set = new Set((await secretsAt(database, scope, version)).map(({ name }) => name))
      const absent = names.filter((name) => !set.has(name))
      if (absent.length > 0) throw missingSecrets(absent)
      return version
    },
    secretsFor: async ({ envVersion }, { creator, project }, names) => {
      const scope = names.length === 0 || envVersion === 0 ? undefined : await findScope(database, envVersion)
      const isOwn = scope?.creator.toLowerCase() === creator.toLowerCase() && scope.project === project
      if (!scope || !isOwn) return new Map()
      const stored = await secretsAt(database, scope, envVersion)
      const wanted = stored.filter(({ name }) => names.includes(name))
      return new Map(wanted.map((secret) => [secret.name, vaultOf(vault).open(aboutOf(secret), secret)]))
    },
    tidy: () => tidy(deps),
  }
}

/** One change makes one version, whole or not at all. */
async function change(
  { database, now }: EnvironmentsDeps,
  scope: SecretScope,
  fromVersion: number,
  apply: (transaction: Querier, version: number) => Promise<void>,
): Promise<number> {
  return database.transaction(async (transaction) => {
    const latest = await latestVersion(transaction, scope)
    const version =
      latest === fromVersion
        ? await insertEnvironment(transaction, scope, { previous: fromVersion, nowMs: now() })
        : undefined
    if (version === undefined)
      throw new PeerHostError('conflict', 'The secrets of this project have changed meanwhile.', {
        details: [`Version: ${latest}`],
        hint: 'List them, and make the change again.',
      })
    await apply(transaction, version)
    return version
  })
}

async function assertWithinLimits(transaction: Querier, scope: SecretScope): Promise<void> {
  const { length } = await listSecrets(transaction, scope)
  if (length > LIMITS.secretsPerProject)
    throw new PeerHostError('request_too_large', `A project has at most ${LIMITS.secretsPerProject} secrets.`)
  if ((await countProjects(transaction, scope.owner)) > LIMITS.secretProjectsPerOwner)
    throw new PeerHostError(
      'request_too_large',
      `A wallet has secrets of at most ${LIMITS.secretProjectsPerOwner} projects.`,
    )
}

async function tidy({ database, vault, log, now, keepEndedMs }: EnvironmentsDeps): Promise<void> {
  await eraseEnded(database, now() - keepEndedMs)
  if (!vault) return
  const others = await listOfOtherKeys(database, vault.keyId, mostResealed)
  for (const secret of others) {
    const about = aboutOf(secret)
    await resealSecret(database, { ...secret, ...vault.seal(about, vault.open(about, secret)) })
  }
  if (others.length > 0) log.info({ secrets: others.length }, 'secrets are under the newest key')
}

/** What a sealed value is bound to: moved to another row, it does not open. */
function aboutOf({ owner, creator, project, name, sinceVersion }: Omit<StoredSecret, 'keyId' | 'sealed'>): string {
  return JSON.stringify([owner.toLowerCase(), creator.toLowerCase(), project, name, sinceVersion])
}

function vaultOf(vault: Vault | undefined): Vault {
  if (vault) return vault
  throw new PeerHostError('secrets_unavailable', 'This gateway keeps no secrets.', {
    hint: 'Its operator has to set PEERHOST_SECRETS_KEY.',
  })
}

/** The error about secrets that a function needs and that are not set. */
export function missingSecrets(names: readonly string[]): PeerHostError {
  return new PeerHostError('secret_missing', 'A secret that the function needs is not set.', {
    details: names.map((name) => `Secret: ${name}.`),
    hint: 'The owner sets it with “peerhost secret set”.',
  })
}
