/** A value of a row, as both databases give it: big integers may come as number, bigint or string. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null

/** One row by column name. The table files turn it into their noun. */
export type SqlRow = Readonly<Record<string, SqlValue>>

/** Runs one statement with `$1`-style parameters. */
export type Querier = { query: (sql: string, parameters?: readonly SqlValue[]) => Promise<SqlRow[]> }

/** The gateway's database: embedded PGlite or PostgreSQL. `transaction` commits when `work` resolves and rolls back when it throws. */
export type Database = Querier & {
  kind: 'pglite' | 'postgres'
  transaction: <T>(work: (transaction: Querier) => Promise<T>) => Promise<T>
  close: () => Promise<void>
}
