import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { createFrameDecoder, encodeFrame, type Frame } from '../frames.ts'
import { type FromHost, hostLimits, readFromHost, type Settings } from '../messages.ts'
import { drawAtRandom, type Variation, variationOf } from '../variations.ts'
import { disturb } from './disturb.ts'

/** What a host process tells while it lives. `closed` comes last, when it is dead and its pipes are empty. */
export type HostEvents = {
  message: (message: FromHost) => void
  /** The host broke the rules of its pipe. */
  violated: () => void
  log: (chunk: Uint8Array) => void
  logsClosed: () => void
  closed: (exit: HostExit) => void
}

export type HostExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** One Node process that runs one execution. */
export type Host = {
  readonly pid: number | undefined
  /** Gives it its bundle, once. */
  load: (load: HostLoad) => void
  send: (frame: Frame) => void
  /** Kills the host and everything in its process group. */
  kill: () => void
}

/** What a host is started for. `variation` is the number of the conditions that it runs under; 0: ordinary ones. */
export type HostOrder = {
  readonly settings: Pick<Settings, 'memoryBytes' | 'logBytes' | 'responseBodyBytes'>
  /** Which program: Node's own modules, or the web platform. */
  readonly program: 'node' | 'realm'
  readonly variation: number
}

/** What a host is told first, once it is known. */
export type HostLoad = {
  readonly settings: Settings
  readonly bundle: Uint8Array
  /** Whether the module's scope runs before there is an execution. */
  readonly isEager: boolean
}

export type StartHost = (order: HostOrder, events: HostEvents) => Host

/** Where the programs of hosts are. `realm` runs bundles of the web platform, `node` those that say "use node". */
export type HostPrograms = { readonly node: string; readonly realm: string; readonly realmScript: string }

const MiB = 1_048_576
/** What Node needs beside the user's heap: the rest of the memory limit. */
const nodeOverheadMiB = 32
/** Below the supervisor's, which is 0. Lowering it needs no right. */
const hostPriority = 10
/** How long pipes may stay open after their process is gone. */
const pipeGraceMs = 200

/** Starts hosts, each in its own process group, with nothing in its environment. */
export function createStartHost(programs: HostPrograms): StartHost {
  return ({ settings, program, variation: number }, events) => {
    const variation = variationOf(number)
    const child = spawn(process.execPath, hostArguments(programs, program, settings.memoryBytes, variation), {
      cwd: '/',
      detached: true,
      env: { LANG: 'en_US.UTF-8', TZ: 'UTC' },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    })
    preferForOomKiller(child.pid)
    giveWay(child.pid)
    listen(child, settings, events)
    disturb(child, variation)
    const input = child.stdin
    // A host that died has no reader; its exit is what counts.
    input?.on('error', () => {})
    return {
      pid: child.pid,
      load({ settings: { responseBodyBytes, logBytes, timeoutMs, isolation }, bundle, isEager }) {
        input?.write(encodeFrame({ type: 'load', responseBodyBytes, logBytes, timeoutMs, isolation, isEager }, bundle))
      },
      send: ({ header, body }) => input?.write(encodeFrame(header, body)),
      kill: () => {
        if (child.exitCode === null && child.signalCode === null) killGroup(child)
      },
    }
  }
}

function hostArguments(
  programs: HostPrograms,
  program: HostOrder['program'],
  memoryBytes: number,
  { flags, heapShare = 1 }: Variation,
): string[] {
  const heapMiB = Math.max(32, Math.floor((memoryBytes / MiB - nodeOverheadMiB) * heapShare))
  const files = program === 'node' ? [programs.node] : [programs.realm, programs.realmScript]
  return [
    '--permission',
    ...files.map((file) => `--allow-fs-read=${file}`),
    // Realms may make code of strings; the host around them has no reason to. It answers `import()` itself: Node's own error
    // would be an object of the host.
    ...(program === 'node' ? [] : ['--disallow-code-generation-from-strings', '--experimental-vm-modules']),
    '--disable-sigusr1',
    '--no-warnings',
    '--v8-pool-size=1',
    `--max-old-space-size=${heapMiB}`,
    ...flags(drawAtRandom),
    ...files.slice(0, 1),
  ]
}

function listen(child: ChildProcess, settings: HostOrder['settings'], events: HostEvents): void {
  const decoder = createFrameDecoder(hostLimits(settings))
  let violated = false
  child.stdio[3]?.on('error', () => {})
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    if (violated) return
    try {
      for (const frame of decoder.push(chunk)) events.message(readFromHost(frame))
    } catch {
      violated = true
      events.violated()
    }
  })
  let open = 2
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('error', () => {})
    stream?.on('data', events.log)
    stream?.once('end', () => {
      open -= 1
      if (open === 0) events.logsClosed()
    })
  }
  let closed = false
  const close = (exit: HostExit) => {
    if (closed) return
    closed = true
    events.closed(exit)
  }
  child.once('error', () => child.pid === undefined && close({ code: null, signal: null }))
  child.once('close', (code, signal) => close({ code, signal }))
  child.once('exit', (code, signal) => {
    // The last moment at which the group is surely still its own: a process id can be given out again.
    killGroup(child)
    // Whoever inherited the pipes must not keep the execution from ending.
    setTimeout(() => close({ code, signal }), pipeGraceMs).unref()
  })
}

/** The kernel then takes the host, never the supervisor. Raising this needs no right. */
function preferForOomKiller(pid: number | undefined): void {
  if (pid === undefined || process.platform !== 'linux') return
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  } catch {}
}

/** A host that makes the next realm ready must not hold up the answer of the last one, which its supervisor passes on. */
function giveWay(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    setPriority(pid, hostPriority)
  } catch {}
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}
