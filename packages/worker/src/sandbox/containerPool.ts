import { type LimitsClass, PeerHostError } from '@peerhost/protocol'
import type { Isolation, Settings } from '@peerhost/runtime'
import type { SandboxJob } from './sandbox.ts'
import { connectSupervisor, type Ending, type SupervisorLink } from './supervisorLink.ts'
import type { Transport } from './transport.ts'

/** What a container is made for. */
export type ContainerOrder = { readonly deployment: string; readonly limits: LimitsClass; readonly slots: number }

/** What names the containers that an execution may run in. */
type Deployed = Pick<SandboxJob, 'deployment' | 'bundle' | 'limits' | 'isolation'>

export type ContainerPoolDeps = {
  /** Starts a supervisor. Rejects with `sandbox_unavailable`. */
  start: (order: ContainerOrder) => Promise<Transport>
  settings: (limits: LimitsClass, slots: number, isolation: Isolation) => Settings
  /** Executions at one time in one container, but for level `container`: there it is one, and the only one. */
  slots: number
  maxContainers: number
  /** A container that ran nothing for this long is removed. */
  idleMs: number
  now: () => number
  /** One line about something an operator may want to know. */
  log: (line: string) => void
}

export type ContainerPool = {
  run: (job: SandboxJob, signal: AbortSignal) => Promise<{ ending: Ending & { type: 'ended' }; queueMs: number }>
  warm: (job: Deployed) => Promise<void>
  close: () => Promise<void>
}

type Container = {
  readonly deployment: string
  readonly isolation: Isolation
  readonly bundle: Uint8Array
  link: Promise<SupervisorLink>
  active: number
  /** Executions that it was given. */
  uses: number
  lastUsedMs: number
  retired: boolean
  idleTimer?: NodeJS.Timeout
}

type Waiter = {
  readonly isUse: boolean
  readonly job: Deployed
  readonly take: (container: Container) => void
  readonly refuse: (error: unknown) => void
}

type Pool = {
  readonly deps: ContainerPoolDeps
  /** Containers that take executions. */
  readonly containers: Set<Container>
  /** Retired ones that are not gone yet: they still hold memory, so they count. */
  readonly leaving: Set<Container>
  readonly waiters: Set<Waiter>
  closing: boolean
}

/** A container that dies under an execution says nothing about the function, so the execution gets one more. */
const attempts = 2
/** How long an execution at level `container` runs before the container of the next one is started beside it. */
const spareAfterMs = 50
/** How long `warm` waits for a place among containers that are all busy. */
const warmWithinMs = 60_000

/**
 * Keeps one container per deployment: started by its first execution, shared by up to `slots` at one time, removed when
 * idle or when another deployment needs its place. Executions that find no place wait in order of arrival.
 */
export function createContainerPool(deps: ContainerPoolDeps): ContainerPool {
  const pool: Pool = { deps, containers: new Set(), leaving: new Set(), waiters: new Set(), closing: false }
  return {
    run: (job, signal) => untilAborted(run(pool, job, signal), signal),
    async warm(job) {
      const container = await lease(pool, job, AbortSignal.timeout(warmWithinMs), false)
      try {
        await (await container.link).ready
      } catch (cause) {
        retire(pool, container)
        throw unavailable('A container did not start.', cause)
      } finally {
        release(pool, container)
      }
    },
    async close() {
      pool.closing = true
      for (const waiter of pool.waiters) waiter.refuse(shuttingDown())
      pool.waiters.clear()
      const all = [...pool.containers, ...pool.leaving]
      for (const container of all) container.active = 0
      await Promise.all(all.map((container) => retire(pool, container)))
    },
  }
}

async function run(pool: Pool, job: SandboxJob, signal: AbortSignal) {
  const arrivedMs = pool.deps.now()
  let reason = ''
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const container = await lease(pool, job, signal)
    try {
      const link = await container.link
      const queueMs = pool.deps.now() - arrivedMs
      const ending = await link.run(termsOf(job), job, signal)
      if (ending.type === 'ended' && ending.ended.end !== 'lost') return { ending, queueMs }
      reason = ending.type === 'lost' ? ending.reason : 'A host died before it ran anything.'
      pool.deps.log(`The sandbox of ${job.deployment} was lost: ${reason}`)
      retire(pool, container)
    } catch (error) {
      if (!signal.aborted) retire(pool, container)
      throw error
    } finally {
      release(pool, container)
    }
  }
  throw unavailable('The sandbox died under the execution, twice.', new Error(reason))
}

function termsOf({ issuedAt, seed, variation, egress }: SandboxJob) {
  return {
    ...{ clockMs: issuedAt * 1_000, seed },
    ...(variation ? { variation } : {}),
    ...(egress ? { hasNetwork: true } : {}),
  }
}

/** `isUse`: an execution, and not only a look whether the container stands. */
async function lease(pool: Pool, job: Deployed, signal: AbortSignal, isUse = true): Promise<Container> {
  signal.throwIfAborted()
  if (pool.closing) throw shuttingDown()
  const place = Promise.withResolvers<Container>()
  const waiter: Waiter = { job, isUse, take: place.resolve, refuse: place.reject }
  const onAbort = () => {
    if (pool.waiters.delete(waiter)) waiter.refuse(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  pool.waiters.add(waiter)
  serve(pool)
  try {
    return await place.promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function serve(pool: Pool): void {
  const full = new Set<string>()
  for (const waiter of pool.waiters) {
    const { deployment } = waiter.job
    const present = [...pool.containers].find((container) => isFor(container, waiter.job))
    if (present && Buffer.compare(present.bundle, waiter.job.bundle) !== 0) {
      pool.waiters.delete(waiter)
      waiter.refuse(mismatch(deployment))
      continue
    }
    const key = `${deployment} ${levelOf(waiter.job)}`
    const container = full.has(key) ? undefined : place(pool, waiter.job)
    if (!container) {
      full.add(key)
      continue
    }
    pool.waiters.delete(waiter)
    clearTimeout(container.idleTimer)
    container.active += 1
    if (waiter.isUse) container.uses += 1
    waiter.take(container)
    // Not at once: to start a container takes the machine's time, which belongs to this execution.
    if (waiter.isUse && container.isolation === 'container')
      setTimeout(() => startSpare(pool, waiter.job), spareAfterMs).unref()
  }
}

function levelOf({ isolation = 'context' }: Pick<Deployed, 'isolation'>): Isolation {
  return isolation
}

function isFor(container: Container, job: Deployed): boolean {
  return container.deployment === job.deployment && container.isolation === levelOf(job)
}

function hasPlace({ deps }: Pool, container: Container): boolean {
  if (container.isolation === 'container') return container.uses === 0 && container.active === 0
  return container.active < deps.slots
}

/** Has the next execution's container ready, where there is room for it without taking another's. */
function startSpare(pool: Pool, job: Deployed): void {
  const { containers, leaving, deps } = pool
  const hasSpare = [...containers].some((container) => isFor(container, job) && container.uses === 0)
  if (hasSpare || pool.closing || containers.size + leaving.size >= deps.maxContainers) return
  rest(pool, create(pool, job))
}

/** Nobody is in it: it goes when that lasts. */
function rest(pool: Pool, container: Container): void {
  container.idleTimer = setTimeout(() => retire(pool, container), pool.deps.idleMs)
  container.idleTimer.unref()
}

function place(pool: Pool, job: Deployed): Container | undefined {
  const { containers, leaving, deps } = pool
  const present = [...containers].filter((container) => isFor(container, job))
  const free = present.find((container) => hasPlace(pool, container))
  if (free) return free
  if (present.length > 0 && levelOf(job) !== 'container') return undefined
  if (containers.size + leaving.size >= deps.maxContainers) {
    const idle = [...containers].filter((candidate) => candidate.active === 0)
    const oldest = idle.sort((a, b) => a.lastUsedMs - b.lastUsedMs)[0]
    // Its place is free when it is gone; `retire` serves the waiting again then.
    if (oldest && leaving.size === 0) void retire(pool, oldest)
    return undefined
  }
  return create(pool, job)
}

function create(pool: Pool, job: Deployed): Container {
  const { deps } = pool
  const { deployment, bundle, limits } = job
  const isolation = levelOf(job)
  const slots = isolation === 'container' ? 1 : deps.slots
  const settings = deps.settings(limits, slots, isolation)
  const container: Container = {
    deployment,
    isolation,
    bundle,
    active: 0,
    uses: 0,
    lastUsedMs: deps.now(),
    retired: false,
    link: deps.start({ deployment, limits, slots }).then((transport) => {
      const link = connectSupervisor(transport, { settings, bundle, onWorn: () => retire(pool, container) })
      link.closed.then(() => retire(pool, container))
      return link
    }),
  }
  container.link.catch(() => retire(pool, container))
  pool.containers.add(container)
  return container
}

function release(pool: Pool, container: Container): void {
  container.active = Math.max(0, container.active - 1)
  container.lastUsedMs = pool.deps.now()
  const isUsedUp = container.isolation === 'container' && container.uses > 0
  if (container.retired || isUsedUp) void retire(pool, container)
  else if (container.active === 0) rest(pool, container)
  serve(pool)
}

/** Takes a container out of use at once, and away when the executions in it have ended. */
async function retire(pool: Pool, container: Container): Promise<void> {
  if (pool.containers.delete(container)) pool.leaving.add(container)
  container.retired = true
  clearTimeout(container.idleTimer)
  if (container.active > 0) return
  await container.link
    .then((link) => link.kill())
    .catch((error) => pool.deps.log(`A container could not be removed: ${String(error)}`))
  if (pool.leaving.delete(container)) serve(pool)
}

/** Gives up waiting as soon as the signal says so; the execution's place is given back when it has really ended. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function mismatch(deployment: string): PeerHostError {
  return new PeerHostError('bundle_mismatch', `Two different bundles were given for the deployment ${deployment}.`)
}

function shuttingDown(): PeerHostError {
  return new PeerHostError('shutting_down', 'The sandbox is closing.')
}

function unavailable(message: string, cause: unknown): PeerHostError {
  return new PeerHostError('sandbox_unavailable', message, {
    cause,
    details: [cause instanceof Error ? cause.message : String(cause)],
    hint: 'Look at the worker log and at `docker info`.',
  })
}
