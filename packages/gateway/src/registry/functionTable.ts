import type { Address, Hex } from 'viem'
import type { Deployment } from '../chain/chain.ts'
import type { Querier, SqlRow } from '../database/database.ts'
import type { FunctionRecord, TermsEvent } from './functionRecord.ts'
import { type Metadata, parseMetadata } from './metadata.ts'

/** Stores what the chain says about a function now. */
export async function saveFunction(
  querier: Querier,
  { functionId, creator, project, name, state, deployment }: FunctionRecord,
): Promise<void> {
  await querier.query(
    `insert into functions (function_id, creator, project, name, owner, current_version, latest_version, payment_mode,
       payee, price, deployment)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (function_id) do update set owner = excluded.owner, current_version = excluded.current_version,
       latest_version = excluded.latest_version, payment_mode = excluded.payment_mode, payee = excluded.payee,
       price = excluded.price, deployment = excluded.deployment`,
    [
      functionId,
      creator,
      project,
      name,
      state.owner,
      state.currentVersion,
      state.latestVersion,
      state.paymentMode,
      state.payee,
      state.price.toString(),
      JSON.stringify({ ...deployment, fee: deployment.fee.toString() }),
    ],
  )
}

/** Stores one price event; the same event again changes nothing. */
export async function saveTerms(querier: Querier, functionId: Hex, terms: TermsEvent): Promise<void> {
  await querier.query(
    `insert into function_terms (function_id, block_number, log_index, since_seconds, payment_mode, payee, price)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [
      functionId,
      terms.blockNumber,
      terms.logIndex,
      terms.sinceSeconds,
      terms.paymentMode,
      terms.payee,
      terms.price.toString(),
    ],
  )
}

/** Stores a metadata document by its digest. */
export async function saveMetadata(querier: Querier, digest: Hex, metadata: Metadata): Promise<void> {
  await querier.query('insert into metadata (digest, document) values ($1, $2) on conflict do nothing', [
    digest,
    JSON.stringify(metadata),
  ])
}

/** Every function that is stored, with its terms and metadata. */
export async function loadFunctions(querier: Querier): Promise<FunctionRecord[]> {
  const rows = await querier.query('select * from functions order by creator, project, name')
  const terms = await querier.query('select * from function_terms order by block_number, log_index')
  const documents = await querier.query('select * from metadata')
  const termsById = Map.groupBy(terms, (row) => row.function_id as Hex)
  const metadata = new Map(
    documents.map((row) => [row.digest as Hex, parseMetadata(new TextEncoder().encode(String(row.document)))]),
  )
  return rows.map((row) => {
    const deployment = toDeployment(String(row.deployment))
    return {
      functionId: row.function_id as Hex,
      creator: row.creator as Address,
      project: String(row.project),
      name: String(row.name),
      state: {
        owner: row.owner as Address,
        currentVersion: Number(row.current_version),
        latestVersion: Number(row.latest_version),
        paymentMode: Number(row.payment_mode),
        payee: row.payee as Address,
        price: BigInt(String(row.price)),
      },
      deployment,
      termsEvents: (termsById.get(row.function_id as Hex) ?? []).map(toTermsEvent),
      metadata: metadata.get(deployment.metadataDigest),
    }
  })
}

/** First block that was not read, or `undefined` before the first run. */
export async function loadCursor(querier: Querier, name: string): Promise<bigint | undefined> {
  const [row] = await querier.query('select block_number from cursors where name = $1', [name])
  return row && BigInt(String(row.block_number))
}

export async function saveCursor(querier: Querier, name: string, blockNumber: bigint): Promise<void> {
  await querier.query(
    `insert into cursors (name, block_number) values ($1, $2)
     on conflict (name) do update set block_number = excluded.block_number`,
    [name, blockNumber],
  )
}

function toDeployment(text: string): Deployment {
  const value = JSON.parse(text) as Omit<Deployment, 'fee'> & { fee: string }
  return { ...value, fee: BigInt(value.fee) }
}

function toTermsEvent(row: SqlRow): TermsEvent {
  return {
    blockNumber: BigInt(String(row.block_number)),
    logIndex: Number(row.log_index),
    sinceSeconds: Number(row.since_seconds),
    price: BigInt(String(row.price)),
    payee: row.payee as Address,
    paymentMode: Number(row.payment_mode),
  }
}
