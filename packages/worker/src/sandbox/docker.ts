import { type Duplex, PassThrough } from 'node:stream'
import { PeerHostError } from '@peerhost/protocol'
import Docker from 'dockerode'
import type { ContainerSettings } from './hostConfig.ts'
import { sandboxLabels } from './hostConfig.ts'
import type { Transport } from './transport.ts'

/** What the sandbox needs of a container engine. Everything rejects with `sandbox_unavailable` when the engine fails. */
export type Engine = {
  /** Cores that a container may be given. */
  cpus: () => Promise<number>
  /** What the engine can do for isolation. */
  describe: () => Promise<EngineDescription>
  /** Id and layers of an image, or undefined when there is none. */
  image: (reference: string) => Promise<{ id: string; layers: readonly string[] } | undefined>
  /** Makes an image with one layer out of a tar file. */
  importImage: (path: string, repository: string, tag: string) => Promise<void>
  start: (settings: ContainerSettings) => Promise<Transport>
  /** Removes what this owner left running, and what is dead whoever owned it. Returns how many. */
  removeLeftovers: (owner: string) => Promise<number>
}

export type EngineDescription = {
  version: string
  runtimes: readonly string[]
  defaultRuntime: string
  /** Such as `name=seccomp,profile=default`. */
  securityOptions: readonly string[]
  /** Whether it can limit these. */
  limits: { memory: boolean; swap: boolean; cpu: boolean; pids: boolean }
}

type EngineInfo = {
  NCPU: number
  ServerVersion: string
  Runtimes: Record<string, unknown>
  DefaultRuntime: string
  SecurityOptions?: string[]
  MemoryLimit: boolean
  SwapLimit: boolean
  CpuCfsQuota: boolean
  PidsLimit?: boolean
}

const callWithinMs = 30_000
const importWithinMs = 180_000
/** A container that was made and not started for this long has no worker that is about to start it. */
const abandonedMs = 60_000
const keptStderrCharacters = 2_000

/** The Docker engine at `socketPath` (default: dockerode's, so DOCKER_HOST counts). */
export function connectDocker({ socketPath }: { socketPath?: string }): Engine {
  const docker = new Docker(socketPath === undefined ? undefined : { socketPath })
  return {
    cpus: () => call('ask for the number of cores', async () => ((await docker.info()) as { NCPU: number }).NCPU),
    describe: () =>
      call('describe itself', async () => {
        const info = (await docker.info()) as EngineInfo
        return {
          version: info.ServerVersion,
          runtimes: Object.keys(info.Runtimes),
          defaultRuntime: info.DefaultRuntime,
          securityOptions: info.SecurityOptions ?? [],
          limits: {
            memory: info.MemoryLimit,
            swap: info.SwapLimit,
            cpu: info.CpuCfsQuota,
            pids: info.PidsLimit ?? false,
          },
        }
      }),
    image: (reference) =>
      call('look for the runtime image', async () => {
        const found = await docker.getImage(reference).inspect().catch(ignoring(404))
        return found && { id: found.Id, layers: found.RootFS.Layers ?? [] }
      }),
    importImage: (path, repository, tag) =>
      call(
        'import the runtime image',
        async () => {
          const progress = await docker.importImage(path, { repo: repository, tag })
          await new Promise<void>((done, failed) =>
            docker.modem.followProgress(progress, (error) => (error ? failed(error) : done())),
          )
        },
        importWithinMs,
      ),
    start: (settings) => call('start a container', () => start(docker, settings)),
    removeLeftovers: (owner) => call('remove old containers', () => removeLeftovers(docker, owner)),
  }
}

async function start(docker: Docker, settings: ContainerSettings): Promise<Transport> {
  const container = await docker.createContainer(settings)
  let stream: Duplex | undefined
  const kill = () => removeContainer(container).finally(() => stream?.destroy())
  try {
    const options = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true }
    // What comes out of a hijacked connection is its socket, whatever the types say.
    stream = (await container.attach(options)) as Duplex
    const output = new PassThrough()
    const errors = new PassThrough()
    docker.modem.demuxStream(stream, output, errors)
    let stderr = ''
    errors.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-keptStderrCharacters)
    })
    const closed = new Promise<string>((done) => {
      const end = () => done(`The container ended. ${stderr}`.trim())
      stream?.once('end', end).once('close', end).on('error', end)
    })
    await container.start()
    return { input: stream, output, closed, kill }
  } catch (error) {
    await kill().catch(() => {})
    throw error
  }
}

async function removeContainer(container: Docker.Container): Promise<void> {
  await call('remove a container', async () => {
    // 409: the engine is already at it.
    await container.remove({ force: true }).catch(ignoring(404, 409))
  })
}

async function removeLeftovers(docker: Docker, owner: string): Promise<number> {
  const all = await docker.listContainers({ all: true, filters: { label: [`${sandboxLabels.sandbox}=1`] } })
  const leftovers = all.filter(
    ({ Labels, State, Created }) =>
      Labels[sandboxLabels.owner] === owner ||
      State === 'exited' ||
      State === 'dead' ||
      (State === 'created' && Date.now() - Created * 1_000 > abandonedMs),
  )
  const removals = leftovers.map(async ({ Id, Labels }) => {
    const removal = removeContainer(docker.getContainer(Id))
    // What is dead and another's may be removed by others at this moment, in any state: the next start finds what stays.
    await (Labels[sandboxLabels.owner] === owner ? removal : removal.catch(() => {}))
  })
  await Promise.all(removals)
  return leftovers.length
}

async function call<T>(what: string, work: () => Promise<T>, withinMs = callWithinMs): Promise<T> {
  const overdue = Promise.withResolvers<never>()
  const timer = setTimeout(() => overdue.reject(new Error(`No answer within ${withinMs / 1_000} s.`)), withinMs)
  try {
    return await Promise.race([work(), overdue.promise])
  } catch (cause) {
    throw new PeerHostError('sandbox_unavailable', `The Docker engine could not ${what}.`, {
      cause,
      details: [cause instanceof Error ? cause.message : String(cause)],
      hint: 'Check that the Docker engine runs and that this user may use it: `docker info`.',
    })
  } finally {
    clearTimeout(timer)
  }
}

function ignoring(...codes: number[]) {
  return (error: unknown): undefined => {
    if (!codes.includes((error as { statusCode?: number }).statusCode ?? 0)) throw error
  }
}
