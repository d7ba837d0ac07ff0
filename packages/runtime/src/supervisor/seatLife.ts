import { type Fetch, type Fetched, type FromHost, type Settings, supervisorLimits } from '../messages.ts'
import { variationOf } from '../variations.ts'
import { createExecution, type Execution, verdictOfExit } from './execution.ts'
import type { HostEvents, HostExit } from './hostProcess.ts'
import {
  decide,
  isReusable,
  isWaiting,
  type Job,
  mayBeOthersFault,
  programOf,
  runsScopeAhead,
  type Seat,
  type State,
} from './seat.ts'
import { sweep } from './watch.ts'

/** How long a host may take to load itself and the bundle. */
const loadWithinMs = 20_000
/** How long the log of an answered execution may take to come in before the host is killed for it. */
const logGraceMs = 50
/** Hosts that die before they are given anything are started again at most this often. */
const restartPauseMs = 250
const failedStartsAllowed = 8
/** A process that has run this many executions makes place for a new one. */
const usesOfHost = 500
/** So does one that kept more than this share of the memory that one execution may use. */
const keptMemoryShare = 0.5

/** Gives a host the bundle. */
export function load({ bundle, isEager }: State, seat: Seat, settings: Settings): void {
  seat.isEager = isEager
  seat.host.load({ settings, bundle, isEager })
}

/** Gives a host what came back for an outgoing call. */
export function passOn(seat: Seat, { call, text, error, body }: Fetched): void {
  seat.host.send({ header: { type: 'fetched', call, text, error }, body })
}

/** Gives a seat an execution, whose time begins when its host is loaded. */
export function assign(state: State, settings: Settings, seat: Seat, job: Job): void {
  clearTimeout(seat.timer)
  seat.state = 'running'
  seat.job = job
  seat.uses += 1
  seat.execution = createExecution(job.run, settings, state.deps.now)
  if (seat.loaded) begin(seat, settings)
  else seat.timer = setTimeout(() => decide(seat, { end: 'lost' }), loadWithinMs)
  seat.host.send({ header: { type: 'run', run: job.run }, body: job.request })
}

/** The function's time does not count before there is a process to run it: that would be the machine's slowness. */
function begin(seat: Seat, settings: Settings): void {
  clearTimeout(seat.timer)
  seat.execution?.begin()
  seat.timer = setTimeout(() => decide(seat, { end: 'timed-out' }), settings.timeoutMs * seat.timeFactor)
}

/** Starts hosts until as many wait as there are slots. */
export function refill(state: State): void {
  if (!state.settings || state.stopped || state.worn || state.spent) return
  // Where hosts go on after an execution, the one that runs will wait again.
  const isThere = isReusable(state) ? (seat: Seat) => seat.state !== 'ending' && !seat.isVaried : isWaiting
  const there = [...state.seats].filter(isThere).length
  for (let missing = state.settings.slots - there; missing > 0; missing -= 1) addSeat(state, state.settings)
}

/** Starts a host, and does what has to be done at each thing that is heard of it. */
export function addSeat(state: State, settings: Settings, variation = 0, program = programOf(state)): Seat {
  const host = { pid: undefined, load() {}, send() {}, kill() {} }
  const { timeFactor = 1 } = variationOf(variation)
  const seat: Seat = {
    ...{ host, state: 'starting', timeFactor, uses: 0, isVaried: variation > 0 },
    ...{ loaded: false, isEager: false, isPrepared: false, logsClosed: false },
  }
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
  seat.host = state.deps.startHost({ settings, program, variation }, events)
  if (state.settings) load(state, seat, settings)
  return seat
}

function onMessage(state: State, seat: Seat, message: FromHost): void {
  const { execution } = seat
  if (message.type === 'ready') {
    onLoaded(state, seat)
  } else if (message.type === 'prepared') {
    onPrepared(state, seat)
  } else if (seat.state !== 'running' || !execution) {
    // Its execution is over: it has nothing to say.
  } else if (message.type === 'log') {
    if (!execution.log(message.chunk)) seat.host.kill()
  } else if (message.type === 'fetch') {
    if (seat.job?.run.hasNetwork) onFetch(state, seat, execution.id, message.fetch)
  } else {
    onVerdict(state, seat, execution, message)
  }
}

/** What the worker would take for a broken container is refused here. */
function onFetch({ deps, settings }: State, seat: Seat, id: number, { call, head, body }: Fetch): void {
  if (settings && body.length > supervisorLimits(settings).bodyBytes) {
    const text = 'fetch failed: the body of the request is too large.'
    passOn(seat, { call, text, error: 'TypeError', body: new Uint8Array(0) })
  } else {
    deps.send({ type: 'fetch', id, call, head }, body)
  }
}

function onLoaded(state: State, seat: Seat): void {
  const wasLoaded = seat.loaded
  seat.loaded = true
  state.failedStarts = 0
  if (!state.settings || wasLoaded) return
  if (seat.state === 'running' && !seat.execution?.decided) begin(seat, state.settings)
  if (seat.state === 'starting') watchPreparation(state, seat, state.settings)
}

function onPrepared(state: State, seat: Seat): void {
  if (!seat.loaded) return
  seat.isPrepared = true
  if (seat.state === 'starting') {
    clearTimeout(seat.timer)
    seat.state = 'ready'
  }
  if (!state.announced) state.deps.send({ type: 'ready' })
  state.announced = true
}

/** A module's scope that does not end in the time of an execution will not be run ahead of one any more. */
function watchPreparation(state: State, seat: Seat, settings: Settings): void {
  seat.timer = setTimeout(() => {
    state.isEager = false
    // It takes no execution while it dies: that one would seem to have died of itself.
    seat.state = 'ending'
    seat.host.kill()
  }, settings.timeoutMs)
}

function onVerdict(
  state: State,
  seat: Seat,
  execution: Execution,
  message: FromHost & { type: 'answer' | 'failed' },
): void {
  const { settings } = state
  if (!settings) return
  if (message.type === 'answer' && message.body.length > settings.responseBodyBytes) {
    decide(seat, { end: 'threw' })
    return
  }
  const decided =
    message.type === 'answer'
      ? execution.decide({ end: 'completed', answer: message.answer, body: message.body })
      : execution.decide({ end: message.end, reason: message.reason })
  if (!decided) return
  clearTimeout(seat.timer)
  if (isReusable(state) && !seat.isVaried) reuse(state, seat, settings)
  else if (seat.logsClosed || programOf(state) === 'realm') end(state, seat)
  else seat.timer = setTimeout(() => seat.host.kill(), logGraceMs)
}

/** A realm's log came in order with its verdict, so the execution is over, and the host goes on unless it is worn. */
function reuse(state: State, seat: Seat, settings: Settings): void {
  if (seat.execution) report(state, seat.execution)
  const keptBytes = seat.host.pid === undefined ? undefined : state.deps.privateMemoryBytes(seat.host.pid)
  if (seat.uses >= usesOfHost || (keptBytes ?? 0) > settings.memoryBytes * keptMemoryShare) {
    seat.state = 'ending'
    seat.host.kill()
    refill(state)
    return
  }
  seat.execution = undefined
  seat.isPrepared = false
  seat.state = 'starting'
  watchPreparation(state, seat, settings)
  sweep(state)
}

function onClosed(state: State, seat: Seat, exit: HostExit): void {
  const wasWaiting = isWaiting(seat)
  const diedOfScope = runsScopeAhead(seat)
  const killedForMemory = isKilledForMemory(state, seat, exit)
  state.seats.delete(seat)
  if (diedOfScope) state.isEager = false
  if (seat.state === 'running' && seat.execution) {
    const verdict = verdictOfExit(exit, killedForMemory, seat.execution.logTail())
    seat.execution.decide(seat.loaded ? verdict : { end: 'lost' })
    // The scope is a part of the execution: run from its start, its log is there and what it died of is known.
    if (diedOfScope || mayBeOthersFault(seat)) {
      again(state, seat)
      return
    }
  }
  end(state, seat)
  sweep(state)
  if (!seat.loaded) state.failedStarts += 1
  if (state.failedStarts >= failedStartsAllowed && !state.stopped)
    state.deps.giveUp(`Hosts do not start. ${state.startLog}`)
  if (wasWaiting) setTimeout(() => refill(state), restartPauseMs)
  else refill(state)
}

/** Whether the kernel killed a host for memory. Each kill that it counted explains one death, whichever is heard of first. */
function isKilledForMemory(state: State, { state: seatState, execution }: Seat, exit: HostExit): boolean {
  const end = execution?.verdict?.end
  const isOurs = seatState === 'ending' || (end !== undefined && end !== 'out-of-memory')
  if (exit.signal !== 'SIGKILL' || isOurs || (state.deps.oomKills() ?? 0) <= state.oomKillsSeen) return false
  state.oomKillsSeen += 1
  return true
}

/** Runs the execution once more, in a host that has run nothing and runs nothing ahead if that was fatal: what comes out there counts. */
function again(state: State, seat: Seat): void {
  clearTimeout(seat.timer)
  seat.state = 'ending'
  sweep(state)
  if (!state.settings || !seat.job || state.stopped) return
  assign(state, state.settings, addSeat(state, state.settings, seat.job.run.variation), seat.job)
}

function end(state: State, seat: Seat): void {
  clearTimeout(seat.timer)
  if (seat.state === 'ending') return
  seat.state = 'ending'
  seat.host.kill()
  if (seat.execution) report(state, seat.execution)
}

/** Tells the worker how an execution ended. */
export function report(state: State, execution: Execution): void {
  const { ended, body } = execution.report()
  const { answer, ...rest } = ended
  state.deps.send({ type: 'ended', ...rest, ...answer }, body)
}
