import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerHostError } from '@peerhost/protocol'
import { dockerApi } from './dockerApi.ts'
import { lastLines } from './managedProcess.ts'

/** A Docker engine that answers, or why there is none and exactly what to type. */
export type DockerEngine = ReadyDockerEngine | { status: 'unavailable'; reason: string; commands: readonly string[] }

export type ReadyDockerEngine = {
  status: 'ready'
  socketPath: string
  version: string
  /** Ends the engine when we started it by hand and nobody's container runs on it; else does nothing. */
  release: () => Promise<void>
}

export type EnsureDockerOptions = {
  /** Asks on a terminal before anything is installed or started. Without it, root does it without asking. */
  confirm?: ((question: string) => Promise<boolean>) | undefined
  /** Only this socket; default `DOCKER_HOST`, else the usual ones. */
  socketPath?: string
  /** Says what is being done, for people. */
  onStep?: (text: string) => void
  signal?: AbortSignal | undefined
}

const defaultSocket = '/var/run/docker.sock'
const pidFile = '/var/run/docker.pid'
const startTimeoutMs = 60_000
const installTimeoutMs = 600_000

/** Finds the engine; when there is none and we may, installs and starts it. */
export async function ensureDockerEngine(options: EnsureDockerOptions = {}): Promise<DockerEngine> {
  const found = await findDockerEngine(options.socketPath)
  // An engine that `DOCKER_HOST` names is somebody else's to start.
  const mayStart =
    process.platform === 'linux' && process.getuid?.() === 0 && (options.socketPath || !process.env.DOCKER_HOST)
  if (found.status === 'ready' || !mayStart) return found
  const installed = findProgram('dockerd') !== undefined
  const canInstall = findProgram('apt-get') !== undefined
  if (!installed && !canInstall) return found
  const question = installed
    ? 'The Docker engine is not running. Start it?'
    : 'Functions run in Docker containers, and Docker is not installed. Install it now (apt-get install docker.io)?'
  if (options.confirm && !(await options.confirm(question))) return found
  if (!installed) {
    options.onStep?.('Installing the Docker engine (docker.io)')
    const failed = await installDocker(options.signal)
    if (failed) return unavailable(failed)
    const startedByPackage = await findDockerEngine(options.socketPath)
    if (startedByPackage.status === 'ready') return startedByPackage
  }
  options.onStep?.('Starting the Docker engine')
  return startEngine(options.socketPath ?? defaultSocket, options.signal)
}

/** As `ensureDockerEngine`, but throws `sandbox_unavailable` with what to type when there is no engine. */
export async function requireDockerEngine(options: EnsureDockerOptions = {}): Promise<ReadyDockerEngine> {
  const engine = await ensureDockerEngine(options)
  if (engine.status === 'ready') return engine
  throw new PeerHostError('sandbox_unavailable', engine.reason, { hint: `Type: ${engine.commands.join(' && ')}` })
}

/** The engine that answers now, on `DOCKER_HOST` or one of the usual sockets. Changes nothing. */
export async function findDockerEngine(only?: string): Promise<DockerEngine> {
  let denied: string | undefined
  for (const socketPath of only ? [only] : candidateSockets()) {
    const version = await engineVersion(socketPath).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES') denied = socketPath
      return undefined
    })
    if (version) return { status: 'ready', socketPath, version, release: async () => {} }
  }
  if (denied)
    return {
      status: 'unavailable',
      reason: `The Docker engine runs, but this user may not use ${denied}.`,
      commands: ['sudo usermod -aG docker "$USER"', 'newgrp docker'],
    }
  return unavailable('No Docker engine answers on this machine.')
}

function unavailable(reason: string): DockerEngine {
  return { status: 'unavailable', reason, commands: installCommands() }
}

function installCommands(): string[] {
  if (process.platform === 'darwin') return ['brew install --cask docker', 'open -a Docker']
  if (process.platform !== 'linux') return ['Install Docker Desktop: https://docs.docker.com/desktop/']
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  const start = existsSync('/run/systemd/system') ? `${sudo}systemctl start docker` : `${sudo}service docker start`
  if (findProgram('dockerd')) return [start]
  if (findProgram('apt-get')) return [`${sudo}apt-get update && ${sudo}apt-get install -y docker.io`, start]
  return ['Install the Docker engine: https://docs.docker.com/engine/install/', start]
}

function candidateSockets(): string[] {
  const host = process.env.DOCKER_HOST
  if (host) return host.startsWith('unix://') ? [host.slice('unix://'.length)] : []
  const runtime = process.env.XDG_RUNTIME_DIR
  return [
    defaultSocket,
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(homedir(), '.docker/run/docker.sock'),
    join(homedir(), '.colima/default/docker.sock'),
  ]
}

async function engineVersion(socketPath: string): Promise<string | undefined> {
  const { status, body } = await dockerApi(socketPath, 'GET', '/version')
  return status === 200 ? ((JSON.parse(body) as { Version?: string }).Version ?? 'unknown') : undefined
}

/** Resolves to what went wrong, or nothing. A package list that cannot be fetched matters only when the install fails. */
async function installDocker(signal?: AbortSignal): Promise<string | undefined> {
  const log = join(tmpdir(), 'peerhost-docker-install.log')
  await run('apt-get', ['-q', 'update'], log, signal)
  const code = await run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', 'docker.io'], log, signal)
  return code === 0 ? undefined : `apt-get install docker.io failed (${log}): ${lastLines(log, 3).join(' | ')}`
}

function run(program: string, args: readonly string[], logFile: string, signal?: AbortSignal): Promise<number | null> {
  const log = openSync(logFile, 'a')
  const timeout = AbortSignal.timeout(installTimeoutMs)
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    child.once('error', () => resolve(null))
    child.once('exit', resolve)
  })
}

/** By systemd where it runs, else by hand: a container or a minimal machine has no service manager. */
async function startEngine(socketPath: string, signal?: AbortSignal): Promise<DockerEngine> {
  const log = join(tmpdir(), 'peerhost-dockerd.log')
  if (existsSync('/run/systemd/system')) {
    await run('systemctl', ['start', 'docker'], log, signal)
    return waitForEngine({ socketPath, logFile: log }, signal)
  }
  const plain = await startByHand(socketPath, [], log, signal)
  if (plain.status === 'ready') return plain
  // Sandboxes have no network: an engine that may not touch the firewall or the file system's layers still serves.
  return startByHand(
    socketPath,
    ['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs'],
    log,
    signal,
  )
}

async function startByHand(
  socketPath: string,
  flags: readonly string[],
  logFile: string,
  signal?: AbortSignal,
): Promise<DockerEngine> {
  const log = openSync(logFile, 'a')
  // The engine outlives who starts it, and so must the folder that it keeps its passing files in.
  const { TMPDIR: _ours, ...env } = process.env
  const daemon = spawn('dockerd', ['--host', `unix://${socketPath}`, '--pidfile', pidFile, ...flags], {
    detached: true,
    env,
    stdio: ['ignore', log, log],
  })
  daemon.once('error', () => {})
  daemon.unref()
  return waitForEngine({ socketPath, logFile, pid: daemon.pid }, signal)
}

type Starting = { socketPath: string; logFile: string; pid?: number | undefined }

async function waitForEngine({ socketPath, logFile, pid }: Starting, signal?: AbortSignal): Promise<DockerEngine> {
  const deadline = Date.now() + startTimeoutMs
  while (Date.now() < deadline && !signal?.aborted && (pid === undefined || isAlive(pid))) {
    const version = await engineVersion(socketPath).catch(() => undefined)
    if (version) {
      const release = async () => {
        if (pid !== undefined) await releaseEngine(socketPath, pid)
      }
      return { status: 'ready', socketPath, version, release }
    }
    await sleep(200)
  }
  if (pid !== undefined && isAlive(pid)) await stopDaemon(pid)
  return unavailable(`The Docker engine did not start (${logFile}): ${lastLines(logFile, 3).join(' | ')}`)
}

async function releaseEngine(socketPath: string, pid: number): Promise<void> {
  const containers = await dockerApi(socketPath, 'GET', '/containers/json').catch(() => undefined)
  if (containers?.status !== 200 || containers.body.trim() !== '[]') return
  if (readPid() === pid) await stopDaemon(pid)
}

async function stopDaemon(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  const deadline = Date.now() + 15_000
  while (isAlive(pid) && Date.now() < deadline) await sleep(100)
}

function readPid(): number | undefined {
  try {
    return Number(readFileSync(pidFile, 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function findProgram(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
}
