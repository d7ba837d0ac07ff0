import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { loadPrograms, programFiles } from './programs.ts'
import { sharedLibraries } from './sharedLibraries.ts'

/** A root file system for `docker import`. `digest` is sha2-256 of the tar: the diff id of the image's one layer. */
export type RuntimeRootfs = { path: string; digest: `0x${string}` }

/** Where things lie inside. */
export const runtimePaths = {
  node: '/bin/node',
  programs: '/runtime',
  supervisor: `/runtime/${programFiles.supervisor}`,
} as const

type Entry = { name: string; mode: number } & ({ file: string } | { bytes: Uint8Array } | { directory: true })

const supportedMajor = 24

/**
 * Builds the root file system of the sandbox's image: this process's own Node and its shared libraries, the two programs
 * and an empty /tmp; no shell, no users, nothing else. The same inputs give the same bytes, so the file is written once
 * and found by its digest afterwards. Throws on anything but Node 24 on Linux.
 */
export async function createRuntimeRootfs({ directory }: { directory: string }): Promise<RuntimeRootfs> {
  if (process.platform !== 'linux') throw new Error('The runtime image can be built on Linux only.')
  if (Number(process.versions.node.split('.')[0]) !== supportedMajor)
    throw new Error(`The runtime image is made of Node ${supportedMajor}, this is ${process.version}: start with that.`)
  const entries = await rootfsEntries()
  const digest = await digestOf(entries)
  const path = join(directory, `runtime-${digest.slice(2)}.tar`)
  if ((await stat(path).catch(() => undefined)) !== undefined) return { path, digest }
  await mkdir(directory, { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w')
    await writeTar(entries, file.createWriteStream())
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  return { path, digest }
}

async function rootfsEntries(): Promise<Entry[]> {
  const programs = await loadPrograms()
  const files: Entry[] = [
    { name: runtimePaths.node, mode: 0o755, file: process.execPath },
    ...Object.entries(programFiles).map(([name, file]) => ({
      name: `${runtimePaths.programs}/${file}`,
      mode: 0o644,
      bytes: programs[name as keyof typeof programs],
    })),
  ]
  for (const library of await sharedLibraries(process.execPath))
    files.push({ name: library, mode: 0o755, file: library })
  const directories = new Set<string>(['/tmp', '/dev', '/proc', '/sys', '/etc'])
  for (const { name } of files) for (let at = dirname(name); at !== '/'; at = dirname(at)) directories.add(at)
  const entries: Entry[] = [...directories].map((name) => ({ name, mode: 0o755, directory: true }))
  return [...entries, ...files].sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function digestOf(entries: readonly Entry[]): Promise<`0x${string}`> {
  const hash = createHash('sha256')
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk)
      done()
    },
  })
  await writeTar(entries, sink)
  return `0x${hash.digest('hex')}`
}

async function writeTar(entries: readonly Entry[], target: NodeJS.WritableStream): Promise<void> {
  const tar = pack()
  const written = pipeline(tar as unknown as NodeJS.ReadableStream, target)
  const filled = (async () => {
    for (const entry of entries) await addEntry(tar, entry)
    tar.finalize()
  })()
  await Promise.all([written, filled])
}

async function addEntry(tar: ReturnType<typeof pack>, entry: Entry): Promise<void> {
  const name = entry.name.slice(1)
  const header = { mode: entry.mode, mtime: new Date(0), uid: 0, gid: 0, uname: '', gname: '' }
  if ('directory' in entry) {
    tar.entry({ ...header, name: `${name}/`, type: 'directory', size: 0 })
    return
  }
  const size = 'bytes' in entry ? entry.bytes.length : (await stat(entry.file)).size
  const source = 'bytes' in entry ? [entry.bytes] : createReadStream(entry.file, { highWaterMark: 1_048_576 })
  const sink = tar.entry({ ...header, name, type: 'file', size })
  for await (const chunk of source)
    await new Promise<void>((done) => (sink.write(chunk) ? done() : void sink.once('drain', done)))
  sink.end(undefined)
}
