import type { EnvelopeKey } from '../envelope/main.ts'
import type { Frame } from '../frames.ts'
import { readToSupervisor, type Settings, type ToSupervisor } from '../messages.ts'
import { usesNode } from '../usesNode.ts'
import { createEnvelopes } from './envelopes.ts'
import { createExecution } from './execution.ts'
import type { StartHost } from './hostProcess.ts'
import { decide, isReusable, isWaiting, type Job, type State } from './seat.ts'
import { addSeat, assign, load, passOn, refill, report } from './seatLife.ts'
import { watchMemory } from './watch.ts'

export type SupervisorDeps = {
  startHost: StartHost
  /** Makes a key for the environment of one execution. */
  createKey: () => Promise<EnvelopeKey>
  send: (header: object, body?: Uint8Array) => void
  now: () => number
  privateMemoryBytes: (pid: number) => number | undefined
  oomKills: () => number | undefined
  /** Called when it can run nothing any more: hosts do not even start, or no key can be made. */
  giveUp: (reason: string) => void
  /** Kills what is not in the set; absent where the other processes are not ours. */
  killStrays?: (known: ReadonlySet<number>) => number
}

/** How long an execution runs before the host that takes its place is started beside it. */
const refillAfterMs = 100

/**
 * The first process of a sandbox. Keeps hosts started ahead and gives each execution one: at the levels `context` and
 * `shared` one that may have run others before, else one that has run nothing, which is killed with its whole group
 * afterwards. One supervisor per container, for one bundle. `receive` throws for a broken message.
 */
export function createSupervisor(deps: SupervisorDeps): { receive: (frame: Frame) => void; stop: () => void } {
  const state: State = {
    deps,
    seats: new Set(),
    envelopes: createEnvelopes(deps.createKey),
    bundle: new Uint8Array(0),
    isEager: true,
    announced: false,
    worn: false,
    spent: false,
    stopped: false,
    oomKillsSeen: deps.oomKills() ?? 0,
    failedStarts: 0,
    startLog: '',
  }
  const stopWatching = watchMemory(state)
  return {
    receive: (frame) => handle(state, readToSupervisor(frame)),
    stop() {
      state.stopped = true
      stopWatching()
      for (const seat of state.seats) seat.host.kill()
    },
  }
}

function handle(state: State, message: ToSupervisor): void {
  if (message.type === 'prepare') {
    if (state.settings || state.seats.size > 0) throw new Error('A supervisor is prepared once, and before its bundle.')
    for (let slot = 0; slot < message.settings.slots; slot += 1) addSeat(state, message.settings, 0, 'realm')
  } else if (message.type === 'configure') {
    if (state.settings) throw new Error('A supervisor is configured once.')
    configure(state, message.settings, message.bundle)
  } else if (message.type === 'key') {
    giveKey(state, message.id)
  } else if (message.type === 'run') {
    if (message.run.envelope) void startSealed(state, message)
    else start(state, message)
  } else {
    if (message.type === 'cancel') state.envelopes.cancel(message.id)
    const seat = [...state.seats].find(({ state, execution }) => state === 'running' && execution?.id === message.id)
    if (seat && message.type === 'cancel') decide(seat, { end: 'cancelled' })
    else if (seat && message.type === 'fetched') passOn(seat, message.fetched)
  }
}

/** Gives the bundle to the hosts that waited for one, unless it needs others. */
function configure(state: State, settings: Settings, bundle: Uint8Array): void {
  state.settings = settings
  state.bundle = bundle
  for (const seat of state.seats) {
    if (usesNode(bundle)) seat.host.kill()
    else load(state, seat, settings)
  }
  if (usesNode(bundle)) state.seats.clear()
  refill(state)
}

function giveKey({ deps, envelopes }: State, id: number): void {
  envelopes.keyFor(id).then(
    (publicKey) => deps.send({ type: 'key', id, publicKey }),
    (error: unknown) => deps.giveUp(`No key could be made. ${error}`),
  )
}

async function startSealed(state: State, { run, request }: Job): Promise<void> {
  const opened = await state.envelopes.open(run)
  if (state.stopped || !state.settings) return
  if (opened.type === 'opened') {
    start(state, { run: opened.run, request })
    return
  }
  const execution = createExecution(run, state.settings, state.deps.now)
  execution.decide({ end: opened.type })
  report(state, execution)
}

function start(state: State, job: Job): void {
  const { settings, seats } = state
  if (!settings) throw new Error('A supervisor was asked to run before it was configured.')
  const waiting = [...seats].filter(isWaiting)
  const seat = job.run.variation
    ? addSeat(state, settings, job.run.variation)
    : (waiting.find((candidate) => candidate.state === 'ready') ?? waiting[0] ?? addSeat(state, settings))
  assign(state, settings, seat, job)
  state.spent = settings.isolation === 'container'
  // Not at once: to start a process takes the machine's time, which belongs to this execution.
  if (!isReusable(state)) setTimeout(() => refill(state), refillAfterMs).unref()
}
