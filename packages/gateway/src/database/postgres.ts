import pg from 'pg'
import type { Database, Querier, SqlRow, SqlValue } from './database.ts'
import { migrate } from './migrations.ts'

/** A PostgreSQL by its URL, migrated. Several gateways may share it. */
export async function openPostgres(options: {
  url: string
  onError: (error: Error) => void
  connections?: number
}): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections ?? 10,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
  })
  // Without a listener, a connection that dies while idle would end the process.
  pool.on('error', options.onError)
  const database: Database = {
    kind: 'postgres',
    ...querierOf(pool),
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  }
  await migrate(database)
  return database
}

async function inTransaction<T>(pool: pg.Pool, work: (transaction: Querier) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    await client.query('begin')
    const value = await work(querierOf(client))
    await client.query('commit')
    return value
  } catch (error) {
    // A connection that cannot even roll back is broken: the pool drops it and the server rolls back.
    await client.query('rollback').catch((cause: Error) => {
      failure = cause
    })
    throw error
  } finally {
    client.release(failure)
  }
}

function querierOf(client: pg.Pool | pg.PoolClient): Querier {
  return {
    query: async (sql: string, parameters: readonly SqlValue[] = []) =>
      (await client.query(sql, parameters.map(toParameter))).rows as SqlRow[],
  }
}

function toParameter(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return typeof value === 'bigint' ? value.toString() : value
}
