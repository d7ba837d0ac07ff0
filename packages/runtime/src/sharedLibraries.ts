import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Absolute paths of what the program at `path` is linked to, its loader included, sorted. Linux only. */
export async function sharedLibraries(path: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [path], { timeout: 10_000 })
  if (/not found/.test(stdout)) throw new Error(`A shared library of ${path} is missing:\n${stdout}`)
  const paths = [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] ?? '')
  return [...new Set(paths)].sort()
}
