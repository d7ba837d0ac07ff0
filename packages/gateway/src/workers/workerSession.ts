import {
  type DeclineReason,
  decodeWorkerMessage,
  encodeWire,
  type GatewayMessage,
  isPeerHostError,
  type WorkerMessage,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { WebSocket } from 'ws'
import type { AttestedMessage, WorkerLink, WorkerReply } from './workerLink.ts'

export type WorkerHello = Extract<WorkerMessage, { type: 'hello' }>

export type SessionDeps = {
  log: Logger
  /** Sent first; the worker's hello signs it. */
  challenge: Extract<GatewayMessage, { type: 'challenge' }>
  /** The operator of a hello, or why it is refused. */
  admit: (hello: WorkerHello) => Promise<{ operator: Address } | { refused: string }>
  onWelcome: (link: WorkerLink) => void
  onChange: () => void
  onClose: (link: WorkerLink) => void
  /** Results of tickets that were not given over this session: posted on chain, or late. */
  onUnasked: (link: WorkerLink, message: AttestedMessage) => void
  /** Salt and input of a posted ticket. */
  inputOf: (requestId: Hex) => { salt: Hex; input: string } | undefined
  helloTimeoutMs: number
}

type Waiter<T> = (reply: T) => void

/** Drives one WebSocket from challenge to close. Whatever the other side sends, it ends in a reply or a close, never in a throw. */
export function runWorkerSession(deps: SessionDeps, socket: WebSocket): void {
  const jobs = new Map<Hex, Waiter<WorkerReply>>()
  const rolls = new Map<string, Waiter<Hex | undefined>>()
  let link: WorkerLink | undefined
  let capacity = 0
  let isGreeting = false
  const close = (code: number, reason: string) => {
    socket.close(code, reason.slice(0, 120))
    // A peer that does not answer the close is cut off.
    setTimeout(() => socket.terminate(), 1_000).unref()
  }
  const send = (message: GatewayMessage) => {
    if (socket.readyState === socket.OPEN) socket.send(encodeWire(message))
  }
  const helloTimer = setTimeout(() => close(1008, 'no hello'), deps.helloTimeoutMs)

  const greet = async (hello: WorkerHello): Promise<void> => {
    if (isGreeting) return close(1008, 'a second hello')
    isGreeting = true
    const admitted = await deps.admit(hello)
    clearTimeout(helloTimer)
    if ('refused' in admitted) {
      send({ type: 'refused', reason: admitted.refused })
      return close(1008, admitted.refused)
    }
    if (socket.readyState !== socket.OPEN) return
    capacity = hello.capacity
    link = createLink({
      ...admitted,
      hello,
      jobs,
      rolls,
      capacity: () => capacity,
      isClosed: () => socket.readyState !== socket.OPEN,
      send,
      close,
    })
    send({ type: 'welcome', operator: admitted.operator })
    deps.onWelcome(link)
  }

  const handle = (from: WorkerLink, message: WorkerMessage): void => {
    if (message.type === 'attested') {
      const waiter = take(jobs, message.requestId)
      if (waiter) waiter({ type: 'attested', message })
      else deps.onUnasked(from, message)
    } else if (message.type === 'declined') {
      take(jobs, message.requestId)?.({ type: 'declined', reason: message.reason })
    } else if (message.type === 'rolled') {
      take(rolls, message.batchId)?.(message.signature)
    } else if (message.type === 'roll-refused') {
      take(rolls, message.batchId)?.(undefined)
    } else if (message.type === 'capacity') {
      capacity = message.capacity
    } else if (message.type === 'input') {
      const { requestId } = message
      const input = deps.inputOf(requestId)
      send(input ? { type: 'input-given', requestId, ...input } : { type: 'input-unknown', requestId })
    } else {
      close(1008, 'a second hello')
    }
    deps.onChange()
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) return close(1003, 'binary frame')
    let message: WorkerMessage
    try {
      message = decodeWorkerMessage(data.toString())
    } catch (error) {
      deps.log.warn({ operator: link?.operator, reason: String(error) }, 'a worker sent a frame of no protocol')
      return close(1008, isPeerHostError(error) ? error.message : 'not a message')
    }
    if (link) return handle(link, message)
    if (message.type !== 'hello') return close(1008, 'hello first')
    greet(message).catch((error: unknown) => {
      deps.log.warn({ err: error }, 'a hello could not be checked')
      close(1011, 'the chain does not answer')
    })
  })
  // Emitted for frames over the limit and broken UTF-8; the close event follows.
  socket.on('error', (error) => deps.log.warn({ err: error, operator: link?.operator }, 'a worker connection failed'))
  socket.on('close', () => {
    clearTimeout(helloTimer)
    if (link) deps.onClose(link)
    for (const waiter of jobs.values()) waiter({ type: 'disconnected' })
    for (const waiter of rolls.values()) waiter(undefined)
    jobs.clear()
    rolls.clear()
  })
  send(deps.challenge)
}

function createLink(parts: {
  operator: Address
  hello: WorkerHello
  jobs: Map<Hex, Waiter<WorkerReply>>
  rolls: Map<string, Waiter<Hex | undefined>>
  capacity: () => number
  isClosed: () => boolean
  send: (message: GatewayMessage) => void
  close: (code: number, reason: string) => void
}): WorkerLink {
  const { hello, jobs, rolls, send } = parts
  let claims = 0
  return {
    operator: parts.operator,
    executionKey: hello.executionKey,
    runtimeDigests: hello.runtimeDigests,
    capacity: parts.capacity,
    inFlight: () => jobs.size + claims,
    claim: () => {
      claims++
    },
    run: async (job, timeoutMs) => {
      claims = Math.max(0, claims - 1)
      if (parts.isClosed()) return { type: 'disconnected' }
      const late: WorkerReply = { type: 'late' }
      const reply = await awaitReply<Hex, WorkerReply>(jobs, job.requestId, timeoutMs, late, () => send(job))
      if (reply.type === 'late') send({ type: 'cancel', requestId: job.requestId })
      return reply
    },
    roll: (batchId, requestIds, timeoutMs) =>
      awaitReply<string, Hex | undefined>(rolls, batchId, timeoutMs, undefined, () =>
        send({ type: 'roll', batchId, requestIds: [...requestIds] }),
      ),
    send,
    close: (reason) => parts.close(1008, reason),
  }
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

/** Reasons that say “later”, not “never”. */
export function isTemporaryDecline(reason: DeclineReason): boolean {
  return reason === 'at-capacity' || reason === 'draining' || reason === 'sandbox-failed'
}
