import { setTimeout as sleep } from 'node:timers/promises'
import { collectPay } from './collectPay.ts'
import type { WorkerEvents } from './events.ts'
import { createGatewaySession, type SessionDeps } from './gatewaySession.ts'
import { isPayable } from './laneAnswers.ts'
import { receiveGatewayMessage } from './receiveGatewayMessage.ts'
import { startBackground } from './startBackground.ts'
import { createWorkerParts, defaultTimes, type WorkerDeps, type WorkerParts } from './workerParts.ts'

/**
 * idle      made, not started.
 * running   connected or connecting to its gateways, takes jobs.
 * draining  finishes what runs, declines what comes, still answers from its journal and signs rolls.
 * stopped   no job runs, no connection is open. It does not start again.
 */
export type WorkerState = 'idle' | 'running' | 'draining' | 'stopped'

export type Worker = {
  state: () => WorkerState
  /** How many jobs run now. */
  running: () => number
  /** How many requests were run and are not settled yet. */
  owed: () => number
  /** Opens the sessions and begins. Resolves when the chain was asked for the operator; sessions follow by themselves. */
  start: () => Promise<void>
  /** Finishes what runs, then stops. */
  drain: () => Promise<void>
  /** Aborts what runs and stops. Safe to call in any state, also during `drain`. */
  stop: () => Promise<void>
}

const stopWithinMs = 5_000
export function createWorker(deps: WorkerDeps): Worker {
  const { events } = deps
  let state: WorkerState = 'idle'
  let operatorActive = false
  let stopped: Promise<void> | undefined
  const background: Promise<void>[] = []
  const isTaking = () => state === 'running' && !deps.journal.isBroken()
  const parts = createWorkerParts(deps, () => ({ draining: !isTaking(), operatorActive }))
  const { jobs, sessions, stopping } = parts
  const capacity = () => (isTaking() && operatorActive ? deps.capacity : 0)
  let announced = capacity()

  function announce(): void {
    if (capacity() === announced) return
    announced = capacity()
    for (const session of sessions) session.send({ type: 'capacity', capacity: announced })
  }

  async function checkOperator(): Promise<void> {
    await deps.journal.mend()
    const now = Math.floor(deps.now() / 1_000)
    const active = await deps.operators.isActive(deps.operator, deps.executionKey.address, now)
    if (active !== operatorActive) {
      operatorActive = active
      events.emit('operator:active', { active })
    }
    announce()
  }

  async function shutDown(): Promise<void> {
    const aborted = jobs.running()
    state = 'stopped'
    jobs.abort()
    stopping.abort()
    await jobs.idle()
    await Promise.all(sessions.map((session) => session.close()))
    // A transaction that waits for its block is found again after the next start.
    await Promise.race([Promise.all(background), sleep(stopWithinMs, undefined, { ref: false })])
    events.emit('worker:stopped', { aborted })
  }

  return {
    state: () => state,
    running: jobs.running,
    owed: () => deps.journal.entries().filter((entry) => !entry.settledBy && isPayable(entry)).length,
    start: async () => {
      if (state !== 'idle') return
      state = 'running'
      for (const entry of deps.journal.entries())
        if (!entry.settledBy && isPayable(entry)) parts.facts.reserve(entry.requestId, entry.ticket)
      await checkOperator()
      for (const url of deps.gateways) sessions.push(createGatewaySession(sessionDeps(parts, capacity), url))
      background.push(...startBackground(parts, checkOperator, () => operatorActive))
      events.emit('worker:started', introduce(deps))
    },
    drain: async () => {
      if (state === 'running') {
        state = 'draining'
        events.emit('worker:draining', { running: jobs.running() })
        announce()
        await finish(parts)
      }
      stopped ??= shutDown()
      await stopped
    },
    stop: () => {
      stopped ??= shutDown()
      return stopped
    },
  }
}

function sessionDeps(parts: WorkerParts, capacity: () => number): SessionDeps {
  const { domain, executionKey, signing, agent, sandbox, events, sessionTimes } = parts.deps
  return {
    domain,
    executionKey,
    signing,
    agent,
    runtimeDigests: [sandbox.runtimeDigest],
    capacity,
    emit: events.emit,
    onMessage: (session, message) => void receiveGatewayMessage(parts, session, message),
    onClosed: (session) => {
      parts.egress.lost(session)
      parts.environments.lost(session)
    },
    times: sessionTimes ?? {},
  }
}

/** What must be over before the connections end. */
async function finish({ deps, jobs, answers, own, stopping }: WorkerParts): Promise<void> {
  const { drainPayMs } = { ...defaultTimes, ...deps.times }
  await jobs.idle()
  await answers.idle()
  await collectPay({ ...deps, own, signal: stopping.signal }, drainPayMs)
  await flushed()
}

function introduce({ operator, executionKey, sandbox, capacity }: WorkerDeps): WorkerEvents['worker:started'] {
  return { operator, executionKey: executionKey.address, runtimeDigest: sandbox.runtimeDigest, capacity }
}

/** What the last jobs sent must have left the process before its connections end. */
function flushed(): Promise<void> {
  return sleep(0)
}
