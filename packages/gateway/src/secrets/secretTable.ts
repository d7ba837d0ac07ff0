import type { Address } from 'viem'
import type { Querier, SqlRow } from '../database/database.ts'
import type { SealedValue } from './vault.ts'

/** Whose secrets, of which project. The creator is part of it: a project that was taken over reads nothing of one's own. */
export type SecretScope = { owner: Address; creator: Address; project: string }

export type StoredSecret = SecretScope & SealedValue & { name: string; sinceVersion: number }

/** Name and time, for its owner. */
export type SecretCard = { name: string; version: number; setAtMs: number }

const inScope = 'owner = $1 and creator = $2 and project = $3'

/** The newest version of an environment, 0 before the first. */
export async function latestVersion(querier: Querier, scope: SecretScope): Promise<number> {
  const [row] = await querier.query(
    `select coalesce(max(version), 0) as version from environments where ${inScope}`,
    keyOf(scope),
  )
  return Number(row?.version ?? 0)
}

/** A new version after `previous`; `undefined` when there is one already. */
export async function insertEnvironment(
  querier: Querier,
  scope: SecretScope,
  { previous, nowMs }: { previous: number; nowMs: number },
): Promise<number | undefined> {
  const [row] = await querier.query(
    `insert into environments (owner, creator, project, previous, created_at_ms) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning version`,
    [...keyOf(scope), previous, nowMs],
  )
  return row && Number(row.version)
}

/** Whose environment a version is. */
export async function findScope(querier: Querier, version: number): Promise<SecretScope | undefined> {
  const [row] = await querier.query('select owner, creator, project from environments where version = $1', [version])
  return row && scopeOf(row)
}

/** How many projects a wallet has environments for. */
export async function countProjects(querier: Querier, owner: Address): Promise<number> {
  const [row] = await querier.query(
    'select count(distinct (creator, project)) as projects from environments where owner = $1',
    [owner.toLowerCase()],
  )
  return Number(row?.projects ?? 0)
}

/** Ends the value that a name has; false when it has none. */
export async function endSecret(
  querier: Querier,
  scope: SecretScope,
  { name, version, nowMs }: { name: string; version: number; nowMs: number },
): Promise<boolean> {
  const rows = await querier.query(
    `update secrets set until_version = $5, until_ms = $6 where ${inScope} and name = $4 and until_version is null
     returning name`,
    [...keyOf(scope), name, version, nowMs],
  )
  return rows.length > 0
}

export async function insertSecret(querier: Querier, secret: StoredSecret, nowMs: number): Promise<void> {
  const { name, sinceVersion, keyId, sealed } = secret
  await querier.query(
    `insert into secrets (owner, creator, project, name, since_version, key_id, sealed, created_at_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [...keyOf(secret), name, sinceVersion, keyId, sealed, nowMs],
  )
}

/** Names and times of what is set now. */
export async function listSecrets(querier: Querier, scope: SecretScope): Promise<SecretCard[]> {
  const rows = await querier.query(
    `select name, since_version, created_at_ms from secrets where ${inScope} and until_version is null order by name`,
    keyOf(scope),
  )
  return rows.map((row) => ({
    name: String(row.name),
    version: Number(row.since_version),
    setAtMs: Number(row.created_at_ms),
  }))
}

/** The sealed values that stood in one version. */
export async function secretsAt(querier: Querier, scope: SecretScope, version: number): Promise<StoredSecret[]> {
  const rows = await querier.query(
    `select * from secrets where ${inScope} and since_version <= $4 and (until_version is null or until_version > $4)`,
    [...keyOf(scope), version],
  )
  return rows.map(toSecret)
}

/** Erases values that ended before a time: no ticket of theirs is alive. */
export async function eraseEnded(querier: Querier, beforeMs: number): Promise<void> {
  await querier.query('delete from secrets where until_ms < $1', [beforeMs])
}

/** Values that are sealed by another key than this. */
export async function listOfOtherKeys(querier: Querier, keyId: string, limit: number): Promise<StoredSecret[]> {
  return (await querier.query('select * from secrets where key_id <> $1 limit $2', [keyId, limit])).map(toSecret)
}

/** Puts the same value down under another key. */
export async function resealSecret(querier: Querier, secret: StoredSecret): Promise<void> {
  await querier.query(
    `update secrets set key_id = $6, sealed = $7 where ${inScope} and name = $4 and since_version = $5`,
    [...keyOf(secret), secret.name, secret.sinceVersion, secret.keyId, secret.sealed],
  )
}

function keyOf({ owner, creator, project }: SecretScope): [string, string, string] {
  return [owner.toLowerCase(), creator.toLowerCase(), project]
}

function scopeOf(row: SqlRow): SecretScope {
  return { owner: row.owner as Address, creator: row.creator as Address, project: String(row.project) }
}

function toSecret(row: SqlRow): StoredSecret {
  return {
    ...scopeOf(row),
    name: String(row.name),
    sinceVersion: Number(row.since_version),
    keyId: String(row.key_id),
    sealed: new Uint8Array(row.sealed as Uint8Array),
  }
}
