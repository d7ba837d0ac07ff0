import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
export const root = join(import.meta.dirname, '../..')

/** Every package that is published, in the order of their dependencies. */
export const publishedPackages = [
  'protocol',
  'storage',
  'bundler',
  'sdk',
  'runtime',
  'worker',
  'gateway',
  'mcp-server',
  'devnet',
  'cli',
] as const

type PublishedPackage = (typeof publishedPackages)[number]

export type PackedPackage = { name: PublishedPackage; tarball: string; files: string[] }

/** Runs a tool of the workspace; what it prints is in the error when it fails. */
export async function tool(
  cwd: string,
  program: string,
  ...args: string[]
): Promise<{ stdout: string; stderr: string }> {
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  try {
    return await run(program, args, {
      cwd,
      env: { ...process.env, PATH: path, NO_COLOR: '1' },
      maxBuffer: 64 * 1024 * 1024,
      timeout: 300_000,
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')} failed in ${cwd}:\n${stdout ?? ''}\n${stderr ?? error}`)
  }
}

/** Builds one package and packs it as `npm publish` would. */
async function pack(name: PublishedPackage, destination: string): Promise<PackedPackage> {
  const folder = join(root, 'packages', name)
  await tool(folder, 'tsup', '--silent')
  const { stdout } = await tool(folder, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', destination)
  const [packed] = packedOf(JSON.parse(stdout))
  if (!packed) throw new Error(`npm pack said nothing about ${name}.`)
  return { name, tarball: join(destination, packed.filename), files: packed.files.map(({ path }) => path) }
}

/** npm 11 gives a list, npm 12 an object by package name. */
function packedOf(output: unknown): { filename: string; files: { path: string }[] }[] {
  return Object.values(output as Record<string, { filename: string; files: { path: string }[] }>)
}

/** Packs all packages, two at a time. */
export async function packAll(destination: string): Promise<PackedPackage[]> {
  const packed: PackedPackage[] = []
  const waiting: PublishedPackage[] = [...publishedPackages]
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) packed.push(await pack(name, destination))
  }
  await Promise.all([worker(), worker()])
  return packed
}
