/**
 * Completes package-lock.json with the optional platform packages that the registry in use did not serve, so that
 * `npm ci` accepts the lock on every platform. npm skips them by os, cpu and libc; nothing is fetched for them.
 */
import { readFileSync, writeFileSync } from 'node:fs'

type LockEntry = {
  version?: string
  dev?: boolean
  optional?: boolean
  optionalDependencies?: Record<string, string>
  os?: string[]
  cpu?: string[]
  libc?: string[]
}
type Lock = { packages: Record<string, LockEntry> }

const systems: [string, RegExp][] = [
  ['win32', /win32|windows|\bwin\b/],
  ['darwin', /darwin|macos|osx/],
  ['android', /android/],
  ['freebsd', /freebsd/],
  ['openbsd', /openbsd/],
  ['netbsd', /netbsd/],
  ['sunos', /sunos/],
  ['aix', /aix/],
  ['openharmony', /openharmony|ohos/],
  ['linux', /linux/],
]
const processors: [string, RegExp][] = [
  ['arm64', /arm64|aarch64/],
  ['arm', /arm(v7|-eabi|hf|-|$)|armeabi|gnueabihf|musleabihf/],
  ['x64', /x64|amd64|x86_64|-64$/],
  ['ia32', /ia32|x86(?!_)/],
  ['ppc64', /ppc64/],
  ['riscv64', /riscv64/],
  ['s390x', /s390x/],
  ['loong64', /loong64/],
  ['mips64el', /mips64/],
  ['wasm32', /wasm/],
]

const file = process.argv[2] ?? 'package-lock.json'
const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock
let added = 0
for (const [key, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(lock, key, name)) continue
    const os = systems.find(([, pattern]) => pattern.test(name))?.[0]
    const cpu = processors.find(([, pattern]) => pattern.test(name))?.[0]
    if (!os) throw new Error(`${name}, optional in ${key}, is missing from the lock and names no platform.`)
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~=]/, ''),
      ...(cpu && { cpu: [cpu] }),
      ...(entry.dev && { dev: true }),
      optional: true,
      os: [os],
      ...(/musl/.test(name) && { libc: ['musl'] }),
    }
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} placeholder entries added`)

/** npm looks for a dependency beside its dependent and then in every folder above it. */
function isLocked(lock: Lock, dependent: string, name: string): boolean {
  for (let folder = dependent; ; folder = parentFolder(folder)) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true
    if (folder === '') return false
  }
}

function parentFolder(folder: string): string {
  const at = folder.lastIndexOf('/node_modules/')
  return at === -1 ? '' : folder.slice(0, at)
}
