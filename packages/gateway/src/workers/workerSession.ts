import {
  type DeclineReason,
  decodeWorkerMessage,
  encodeWire,
  type GatewayMessage,
  isPeerHostError,
  type Ticket,
  toBase64,
  type WorkerMessage,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { WebSocket } from 'ws'
import type { Transcript } from '../egress/broker.ts'
import type { GivenEnvironment } from '../secrets/giveEnvironment.ts'
import type {
  AttestedMessage,
  CommitReply,
  CommittedMessage,
  EgressMessage,
  EnvironmentMessage,
  Unanswered,
  WorkerLink,
  WorkerReply,
} from './workerLink.ts'

export type WorkerHello = Extract<WorkerMessage, { type: 'hello' }>

export type SessionDeps = {
  log: Logger
  /** Sent first; the worker's hello signs it. */
  challenge: Extract<GatewayMessage, { type: 'challenge' }>
  /** The operator of a hello and the answer to its challenge, or why it is refused. */
  admit: (hello: WorkerHello) => Promise<{ operator: Address; signature: Hex } | { refused: string }>
  onWelcome: (link: WorkerLink) => void
  onChange: () => void
  onClose: (link: WorkerLink) => void
  /** Results of tickets that were not given over this session: posted on chain, or late. */
  onUnasked: (link: WorkerLink, message: AttestedMessage) => void
  /** A commitment for a ticket that was not given over this session: it stands on chain. */
  onUnaskedCommitment: (link: WorkerLink, message: CommittedMessage) => void
  /** Salt and input of a request, for who may have them. */
  inputFor: (operator: Address, requestId: Hex) => Promise<{ salt: Hex; input: string } | undefined>
  /** Makes an outgoing call of a request that this worker runs; without a ticket it was not given that request here. */
  egress: (link: WorkerLink, message: EgressMessage, ticket: Ticket | undefined) => Promise<Transcript>
  /** Seals the environment of a request that this worker runs for its sandbox. */
  environment: (link: WorkerLink, message: EnvironmentMessage, ticket: Ticket | undefined) => Promise<GivenEnvironment>
  helloTimeoutMs: number
}

type Waiter<T> = (reply: T) => void

/** One connection while it lives. */
type Session = {
  deps: SessionDeps
  socket: WebSocket
  jobs: Map<Hex, Waiter<WorkerReply | CommitReply>>
  rolls: Map<string, Waiter<Hex | undefined>>
  /** The tickets of jobs that are out now. */
  tickets: Map<Hex, Ticket>
  capacity: number
  isGreeting: boolean
  link: WorkerLink | undefined
  helloTimer: NodeJS.Timeout
}

/** Drives one WebSocket from challenge to close. Whatever the other side sends, it ends in a reply or a close, never in a throw. */
export function runWorkerSession(deps: SessionDeps, socket: WebSocket): void {
  const session: Session = {
    deps,
    socket,
    jobs: new Map(),
    rolls: new Map(),
    tickets: new Map(),
    capacity: 0,
    isGreeting: false,
    link: undefined,
    helloTimer: setTimeout(() => close(session, 1008, 'no hello'), deps.helloTimeoutMs),
  }
  socket.on('message', (data, isBinary) => {
    // What comes after we closed is nobody's.
    if (socket.readyState !== socket.OPEN) return
    if (isBinary) return close(session, 1003, 'binary frame')
    receive(session, data.toString())
  })
  // Emitted for frames over the limit and broken UTF-8; the close event follows.
  socket.on('error', (error) =>
    deps.log.warn({ err: error, operator: session.link?.operator }, 'a worker connection failed'),
  )
  socket.on('close', () => {
    clearTimeout(session.helloTimer)
    if (session.link) deps.onClose(session.link)
    for (const waiter of session.jobs.values()) waiter({ type: 'disconnected' })
    for (const waiter of session.rolls.values()) waiter(undefined)
    session.jobs.clear()
    session.rolls.clear()
  })
  send(session, deps.challenge)
}

function receive(session: Session, frame: string): void {
  const { deps, link } = session
  let message: WorkerMessage
  try {
    message = decodeWorkerMessage(frame)
  } catch (error) {
    deps.log.warn({ operator: link?.operator, reason: String(error) }, 'a worker sent a frame of no protocol')
    close(session, 1008, isPeerHostError(error) ? error.message : 'not a message')
    return
  }
  if (link) handle(session, link, message)
  else if (message.type !== 'hello') close(session, 1008, 'hello first')
  else startGreeting(session, message)
}

function startGreeting(session: Session, hello: WorkerHello): void {
  greet(session, hello).catch((error: unknown) => {
    session.deps.log.warn({ err: error }, 'a hello could not be checked')
    close(session, 1011, 'the chain does not answer')
  })
}

async function greet(session: Session, hello: WorkerHello): Promise<void> {
  const { deps, socket } = session
  if (session.isGreeting) return close(session, 1008, 'a second hello')
  session.isGreeting = true
  const admitted = await deps.admit(hello)
  clearTimeout(session.helloTimer)
  if ('refused' in admitted) {
    send(session, { type: 'refused', reason: admitted.refused })
    return close(session, 1008, admitted.refused)
  }
  if (socket.readyState !== socket.OPEN) return
  session.capacity = hello.capacity
  session.link = createLink(session, admitted.operator, hello)
  send(session, { type: 'welcome', ...admitted })
  deps.onWelcome(session.link)
}

function handle(session: Session, link: WorkerLink, message: WorkerMessage): void {
  const { deps, jobs, rolls } = session
  if (message.type === 'attested') {
    const waiter = take(jobs, message.requestId)
    if (waiter) waiter({ type: 'attested', message })
    else deps.onUnasked(link, message)
  } else if (message.type === 'committed') {
    const waiter = take(jobs, message.requestId)
    if (waiter) waiter({ type: 'committed', message })
    else deps.onUnaskedCommitment(link, message)
  } else if (message.type === 'declined') {
    take(jobs, message.requestId)?.({ type: 'declined', reason: message.reason })
  } else if (message.type === 'rolled') {
    take(rolls, message.batchId)?.(message.signature)
  } else if (message.type === 'roll-refused') {
    take(rolls, message.batchId)?.(undefined)
  } else if (message.type === 'capacity') {
    session.capacity = message.capacity
  } else if (message.type === 'input') {
    giveInput(session, link, message.requestId)
  } else if (message.type === 'egress') {
    giveEgress(session, link, message)
  } else if (message.type === 'environment') {
    passEnvironment(session, link, message)
  } else {
    close(session, 1008, 'a second hello')
  }
  deps.onChange()
}

function giveInput(session: Session, link: WorkerLink, requestId: Hex): void {
  const { deps } = session
  deps.inputFor(link.operator, requestId).then(
    (input) =>
      send(session, input ? { type: 'input-given', requestId, ...input } : { type: 'input-unknown', requestId }),
    // No answer: the worker asks again.
    (error: unknown) => deps.log.warn({ err: error, requestId }, 'an input could not be given'),
  )
}

function giveEgress(session: Session, link: WorkerLink, message: EgressMessage): void {
  const { deps, tickets } = session
  const { index } = message
  const requestId = message.requestId.toLowerCase() as Hex
  deps.egress(link, { ...message, requestId }, tickets.get(requestId)).then(
    ({ answer, signature }) =>
      send(session, { type: 'egress-answer', requestId, index, answer: toBase64(answer), signature }),
    (error: unknown) => {
      deps.log.warn({ err: error, requestId, index, operator: link.operator }, 'an outgoing call has no answer')
      send(session, { type: 'egress-failed', requestId, index, reason: reasonOf(error) })
    },
  )
}

function passEnvironment(session: Session, link: WorkerLink, message: EnvironmentMessage): void {
  const { deps, tickets } = session
  const requestId = message.requestId.toLowerCase() as Hex
  deps.environment(link, { ...message, requestId }, tickets.get(requestId)).then(
    (sealed) => send(session, { type: 'environment-sealed', requestId, ...sealed }),
    (error: unknown) => {
      deps.log.warn({ err: error, requestId, operator: link.operator }, 'an environment was not given')
      send(session, { type: 'environment-failed', requestId, reason: reasonOf(error) })
    },
  )
}

function reasonOf(error: unknown): string {
  return isPeerHostError(error) ? error.message : 'The gateway failed.'
}

function send({ socket }: Session, message: GatewayMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(encodeWire(message))
}

function close({ socket }: Session, code: number, reason: string): void {
  // A close reason has at most 123 bytes.
  socket.close(code, reason.replace(/[^\x20-\x7e]/g, '').slice(0, 120))
  // A peer that does not answer the close is cut off.
  setTimeout(() => socket.terminate(), 1_000).unref()
}

function createLink(session: Session, operator: Address, hello: WorkerHello): WorkerLink {
  const { jobs, rolls } = session
  let claims = 0
  return {
    operator,
    executionKey: hello.executionKey,
    runtimeDigests: hello.runtimeDigests,
    capacity: () => session.capacity,
    inFlight: () => jobs.size + claims,
    claim: () => {
      claims++
    },
    run: async (job, timeoutMs) => {
      claims = Math.max(0, claims - 1)
      const reply = await ask(session, job, timeoutMs)
      return reply.type === 'committed' ? { type: 'late' } : reply
    },
    commit: async (job, timeoutMs) => {
      const reply = await ask(session, job, timeoutMs)
      return reply.type === 'attested' ? { type: 'late' } : reply
    },
    open: async (set, timeoutMs) => {
      const reply = await ask(session, set, timeoutMs)
      return reply.type === 'committed' ? { type: 'late' } : reply
    },
    roll: (batchId, requestIds, timeoutMs) =>
      awaitReply<string, Hex | undefined>(rolls, batchId, timeoutMs, undefined, () =>
        send(session, { type: 'roll', batchId, requestIds: [...requestIds] }),
      ),
    send: (message) => send(session, message),
    close: (reason) => close(session, 1008, reason),
  }
}

/** Sends a job, or the set that opens it, and waits for what the worker says about it. */
async function ask(
  session: Session,
  message: Extract<GatewayMessage, { type: 'job' | 'open' }>,
  timeoutMs: number,
): Promise<WorkerReply | CommitReply> {
  const { jobs, socket } = session
  if (socket.readyState !== socket.OPEN) return { type: 'disconnected' }
  const { requestId } = message
  const late: Unanswered = { type: 'late' }
  if (message.type === 'job') session.tickets.set(requestId, message.ticket)
  const reply = await awaitReply<Hex, WorkerReply | CommitReply>(jobs, requestId, timeoutMs, late, () =>
    send(session, message),
  )
  session.tickets.delete(requestId)
  if (reply.type === 'late') send(session, { type: 'cancel', requestId })
  return reply
}

function awaitReply<K, T>(
  waiters: Map<K, Waiter<T>>,
  key: K,
  timeoutMs: number,
  late: T,
  send: () => void,
): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      waiters.delete(key)
      resolve(late)
    }, timeoutMs)
    waiters.set(key, (reply) => {
      clearTimeout(timer)
      resolve(reply)
    })
    send()
  })
}

function take<K, T>(waiters: Map<K, T>, key: K): T | undefined {
  const waiter = waiters.get(key)
  waiters.delete(key)
  return waiter
}

/** A reason that says “in a moment”, not “not me”. */
export function isTemporaryDecline(reason: DeclineReason): boolean {
  return reason === 'at-capacity'
}
