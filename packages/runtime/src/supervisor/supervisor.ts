import type { Frame } from '../frames.ts'
import { type FromHost, type Run, readToSupervisor, type Settings, type ToSupervisor } from '../messages.ts'
import { variationOf } from '../variations.ts'
import { createExecution, type Execution, type Verdict, verdictOfExit } from './execution.ts'
import type { Host, HostEvents, HostExit, StartHost } from './hostProcess.ts'

export type SupervisorDeps = {
  startHost: StartHost
  send: (header: object, body?: Uint8Array) => void
  now: () => number
  privateMemoryBytes: (pid: number) => number | undefined
  oomKills: () => number | undefined
  /** Called when hosts do not even start, with what the last ones wrote. */
  giveUp: (reason: string) => void
  /** Kills what is not in the set; absent where the other processes are not ours. */
  killStrays?: (known: ReadonlySet<number>) => number
}

type Seat = {
  host: Host
  state: 'starting' | 'ready' | 'running' | 'ending'
  execution?: Execution
  timer?: NodeJS.Timeout
  timeFactor: number
  /** The host has loaded itself and the bundle: from here on, what happens is the function's doing. */
  loaded: boolean
  logsClosed: boolean
}

const memoryCheckMs = 25
/** How long a host may take to load itself and the bundle. */
const loadWithinMs = 20_000
/** How long the log of an answered execution may take to come in before the host is killed for it. */
const logGraceMs = 50
/** Hosts that die before they are given anything are started again at most this often. */
const restartPauseMs = 250
const failedStartsAllowed = 8

type State = {
  readonly deps: SupervisorDeps
  readonly seats: Set<Seat>
  settings?: Settings
  bundle: Uint8Array
  announced: boolean
  worn: boolean
  stopped: boolean
  oomKillsSeen: number
  failedStarts: number
  startLog: string
}

/**
 * The first process of a sandbox. Keeps hosts started ahead, gives each execution one that has run nothing before, and
 * kills it with its whole group afterwards. One per container, for one bundle. `receive` throws for a broken message.
 */
export function createSupervisor(deps: SupervisorDeps): { receive: (frame: Frame) => void; stop: () => void } {
  const state: State = {
    deps,
    seats: new Set(),
    bundle: new Uint8Array(0),
    announced: false,
    worn: false,
    stopped: false,
    oomKillsSeen: deps.oomKills() ?? 0,
    failedStarts: 0,
    startLog: '',
  }
  const memoryTimer = setInterval(() => watchMemory(state), memoryCheckMs)
  memoryTimer.unref()
  return {
    receive: (frame) => handle(state, readToSupervisor(frame)),
    stop() {
      state.stopped = true
      clearInterval(memoryTimer)
      for (const seat of state.seats) seat.host.kill()
    },
  }
}

function handle(state: State, message: ToSupervisor): void {
  if (message.type === 'configure') {
    if (state.settings) throw new Error('A supervisor is configured once.')
    state.settings = message.settings
    state.bundle = message.bundle
    refill(state)
  } else if (message.type === 'run') {
    start(state, message.run, message.request)
  } else {
    for (const seat of state.seats)
      if (seat.state === 'running' && seat.execution?.id === message.id) decide(seat, { end: 'cancelled' })
  }
}

function start(state: State, run: Run, request: Uint8Array): void {
  const { settings, seats, deps } = state
  if (!settings) throw new Error('A supervisor was asked to run before it was configured.')
  const waiting = [...seats].filter(isWaiting)
  const seat = run.variation
    ? addSeat(state, settings, run.variation)
    : (waiting.find((candidate) => candidate.state === 'ready') ?? waiting[0] ?? addSeat(state, settings))
  seat.state = 'running'
  seat.execution = createExecution(run, settings, deps.now)
  if (seat.loaded) begin(seat, settings)
  else seat.timer = setTimeout(() => decide(seat, { end: 'lost' }), loadWithinMs)
  seat.host.send({ header: { type: 'run', run }, body: request })
  // Otherwise the next one is started when this execution has ended, so that it does not take its time.
  if (waiting.length <= 1) refill(state)
}

/** The function's time does not count before there is a process to run it: that would be the machine's slowness. */
function begin(seat: Seat, settings: Settings): void {
  clearTimeout(seat.timer)
  seat.execution?.begin()
  seat.timer = setTimeout(() => decide(seat, { end: 'timed-out' }), settings.timeoutMs * seat.timeFactor)
}

function refill(state: State): void {
  if (!state.settings || state.stopped || state.worn) return
  const waiting = [...state.seats].filter(isWaiting).length
  for (let missing = state.settings.slots - waiting; missing > 0; missing -= 1) addSeat(state, state.settings)
}

function addSeat(state: State, settings: Settings, variation = 0): Seat {
  const host = { pid: undefined, send() {}, kill() {} }
  const { timeFactor = 1 } = variationOf(variation)
  const seat: Seat = { host, state: 'starting', timeFactor, loaded: false, logsClosed: false }
  state.seats.add(seat)
  const events: HostEvents = {
    message: (message) => onMessage(state, seat, message),
    violated: () => decide(seat, { end: 'threw' }),
    log: (chunk) => {
      if (!seat.execution) state.startLog = (state.startLog + Buffer.from(chunk).toString('utf8')).slice(-1_000)
      else if (!seat.execution.log(chunk)) seat.host.kill()
    },
    logsClosed: () => {
      seat.logsClosed = true
      if (seat.execution?.decided) end(state, seat)
    },
    closed: (exit) => onClosed(state, seat, exit),
  }
  seat.host = state.deps.startHost(settings, state.bundle, events, variation)
  return seat
}

function onMessage(state: State, seat: Seat, message: FromHost): void {
  if (message.type === 'ready') {
    const wasLoaded = seat.loaded
    seat.loaded = true
    state.failedStarts = 0
    if (seat.state === 'starting') seat.state = 'ready'
    else if (state.settings && seat.state === 'running' && !wasLoaded && !seat.execution?.decided)
      begin(seat, state.settings)
    if (!state.announced) state.deps.send({ type: 'ready' })
    state.announced = true
    return
  }
  if (seat.state !== 'running' || !seat.execution) return
  const decided =
    message.type === 'answer'
      ? seat.execution.decide({ end: 'completed', answer: message.answer, body: message.body })
      : seat.execution.decide({ end: message.end, reason: message.reason })
  if (!decided) return
  clearTimeout(seat.timer)
  if (seat.logsClosed) end(state, seat)
  else seat.timer = setTimeout(() => seat.host.kill(), logGraceMs)
}

/** A verdict of ours, not of the host: it is killed, and reported once it is dead. */
function decide(seat: Seat, verdict: Verdict): void {
  seat.execution?.decide(verdict)
  seat.host.kill()
}

function onClosed(state: State, seat: Seat, exit: HostExit): void {
  const wasWaiting = isWaiting(seat)
  if (seat.execution) {
    const kills = state.deps.oomKills() ?? 0
    const verdict = verdictOfExit(exit, kills > state.oomKillsSeen, seat.execution.logTail())
    seat.execution.decide(seat.loaded ? verdict : { end: 'lost' })
    state.oomKillsSeen = kills
  }
  end(state, seat)
  state.seats.delete(seat)
  sweep(state)
  if (!seat.loaded) state.failedStarts += 1
  if (state.failedStarts >= failedStartsAllowed && !state.stopped) state.deps.giveUp(state.startLog)
  if (wasWaiting) setTimeout(() => refill(state), restartPauseMs)
  else refill(state)
}

function end(state: State, seat: Seat): void {
  clearTimeout(seat.timer)
  if (seat.state === 'ending') return
  seat.state = 'ending'
  seat.host.kill()
  if (!seat.execution) return
  const { ended, body } = seat.execution.report()
  const { answer, ...rest } = ended
  state.deps.send({ type: 'ended', ...rest, ...answer }, body)
}

/** After every execution nothing may be left. What forked is thrown away with its container: PID 1 cannot reap it. */
function sweep(state: State): void {
  if (!state.deps.killStrays || state.stopped) return
  const known = new Set([process.pid])
  for (const { host } of state.seats) if (host.pid !== undefined) known.add(host.pid)
  if (state.deps.killStrays(known) === 0 || state.worn) return
  state.worn = true
  state.deps.send({ type: 'worn' })
}

function watchMemory({ deps, seats, settings }: State): void {
  if (!settings) return
  for (const seat of seats) {
    if (seat.state !== 'running' || seat.host.pid === undefined) continue
    const bytes = deps.privateMemoryBytes(seat.host.pid)
    if (bytes !== undefined && bytes > settings.memoryBytes) decide(seat, { end: 'out-of-memory' })
  }
}

function isWaiting(seat: Seat): boolean {
  return seat.state === 'starting' || seat.state === 'ready'
}
