import type { Database } from '../src/database/database.ts'
import { openPglite } from '../src/database/pglite.ts'
import { openPostgres } from '../src/database/postgres.ts'
import { startPostgres } from './postgres.ts'

/** Both databases that a gateway may have, real, each started for one file of tests. */
export const kinds: [string, () => Promise<{ open: () => Promise<Database>; stop: () => Promise<void> }>][] = [
  [
    'PGlite',
    async () => {
      const database = await openPglite()
      return { open: async () => database, stop: () => database.close() }
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const server = await startPostgres()
      const databases: Database[] = []
      return {
        open: async () => {
          const database = await openPostgres({ url: server.url, onError: () => undefined })
          databases.push(database)
          return database
        },
        stop: async () => {
          await Promise.all(databases.map((database) => database.close()))
          await server.stop()
        },
      }
    },
  ],
]
