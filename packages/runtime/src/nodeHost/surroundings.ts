import { Readable, Writable } from 'node:stream'
import { inspect } from 'node:util'
import { writeFully } from '../hostPipe.ts'
import { requireBuiltin } from './builtins.ts'
import { createFetch } from './fetch.ts'

/** Doors of Node that a function has no use for. The wall is the container; this keeps honest code from leaning on them. */
const doors = [
  '_debugEnd',
  '_debugProcess',
  '_getActiveHandles',
  '_getActiveRequests',
  '_kill',
  '_linkedBinding',
  '_rawDebug',
  'abort',
  'binding',
  'chdir',
  'cpuUsage',
  'dlopen',
  'execve',
  'getegid',
  'geteuid',
  'getgid',
  'getgroups',
  'getuid',
  'initgroups',
  'kill',
  'loadEnvFile',
  'mainModule',
  'openStdin',
  'permission',
  'report',
  'resourceUsage',
  'setegid',
  'seteuid',
  'setgid',
  'setgroups',
  'setuid',
  'threadCpuUsage',
]

/**
 * Makes this process look the same on every machine: no environment, no machine's numbers, no network clients, and
 * standard streams that are written at once, so that a log is complete when the function's answer is.
 */
export function installSurroundings(): void {
  const fixed = {
    argv: ['node', 'function'],
    env: {},
    execArgv: [],
    execPath: '/bin/node',
    pid: 1,
    ppid: 0,
    title: 'function',
    cwd: () => '/',
    memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), {
      rss: () => 0,
    }),
    availableMemory: () => 0,
    constrainedMemory: () => 0,
    getBuiltinModule: (id: string) => {
      try {
        return requireBuiltin(id)
      } catch {
        return undefined
      }
    },
    // Node's own would be a socket, and from a socket one gets to all of them.
    stdin: Readable.from([]),
    stdout: createLogStream(1),
    stderr: createLogStream(2),
  }
  for (const [name, value] of Object.entries(fixed))
    Object.defineProperty(process, name, { value, configurable: true, writable: true, enumerable: true })
  for (const name of doors) Reflect.deleteProperty(process, name)
  for (const name of ['WebSocket', 'EventSource', 'navigator']) Reflect.deleteProperty(globalThis, name)
  Object.defineProperty(globalThis, 'fetch', {
    value: async () => {
      throw new TypeError('fetch failed: a function has no network.')
    },
    configurable: true,
    writable: true,
  })
}

/** Gives the function a network: its calls go to the broker. Not in the module's scope, which belongs to no request. */
export function allowFetch(): void {
  Object.defineProperty(globalThis, 'fetch', { value: createFetch(), configurable: true, writable: true })
}

/** Writes what went wrong to the function's own log. Never throws: user code may have made the error. */
export function logFailure(error: unknown): void {
  let text = 'A value that cannot be shown was thrown.'
  try {
    text = error instanceof Error && typeof error.stack === 'string' ? error.stack : `Thrown: ${inspect(error)}`
  } catch {}
  try {
    writeFully(2, Buffer.from(`${text}\n`))
  } catch {}
}

function createLogStream(descriptor: 1 | 2): Writable & { fd: number } {
  const stream = new Writable({
    decodeStrings: true,
    write(chunk: Uint8Array, _encoding, done) {
      try {
        writeFully(descriptor, chunk)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
  stream.on('error', () => {})
  return Object.assign(stream, { fd: descriptor })
}
