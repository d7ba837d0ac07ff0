import { mkdir } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import type { Database, Querier, SqlRow, SqlValue } from './database.ts'
import { migrate } from './migrations.ts'

type PgliteQuerier = { query: (sql: string, parameters?: unknown[]) => Promise<{ rows: unknown[] }> }

/** The embedded database in `directory`, or in memory without one; migrated. One process at a time may open a directory. */
export async function openPglite(options: { directory?: string | undefined } = {}): Promise<Database> {
  if (options.directory !== undefined) await mkdir(options.directory, { recursive: true })
  const pglite = await PGlite.create(options.directory ?? 'memory://')
  const database: Database = {
    kind: 'pglite',
    ...querierOf(pglite),
    transaction: (work) => pglite.transaction((transaction) => work(querierOf(transaction))),
    close: () => pglite.close(),
  }
  await migrate(database)
  return database
}

function querierOf(pglite: PgliteQuerier): Querier {
  return {
    query: async (sql: string, parameters: readonly SqlValue[] = []) =>
      (await pglite.query(sql, [...parameters])).rows as SqlRow[],
  }
}
