import { encodeWire, type GatewayMessage, sameHex, type WorkerMessage } from '@peerhost/protocol'
import type { Address } from 'viem'
import { WebSocket } from 'ws'
import type { WorkerEmit } from './events.ts'
import { type ConnectionDeps, type ConnectionTimes, connectToGateway } from './gatewayConnection.ts'

export type SessionTimes = ConnectionTimes & {
  retryMinimumMs: number
  retryMaximumMs: number
}

export const sessionTimes: SessionTimes = {
  handshakeTimeoutMs: 10_000,
  heartbeatMs: 15_000,
  retryMinimumMs: 100,
  retryMaximumMs: 5_000,
}

export type SessionDeps = Omit<ConnectionDeps, 'times'> & {
  emit: WorkerEmit
  onMessage: (session: GatewaySession, message: GatewayMessage) => void
  /** The connection is gone: what was asked over it has no answer any more. */
  onClosed?: (session: GatewaySession) => void
  times?: Partial<SessionTimes>
}

/** A standing connection to one gateway: it comes back by itself until it is closed. */
export type GatewaySession = {
  url: string
  /** The address that the gateway signs tickets with; `undefined` while there is no session. */
  gateway: () => Address | undefined
  /** False when there is no session; a result or commitment is then sent as soon as there is one again. */
  send: (message: WorkerMessage) => boolean
  close: () => Promise<void>
}

/** The open sessions with one requester, beginning with those that `comesFirst`. */
export function sessionsOf(
  sessions: readonly GatewaySession[],
  requester: Address,
  comesFirst: (session: GatewaySession) => boolean = () => false,
): GatewaySession[] {
  const isWith = (session: GatewaySession) => {
    const gateway = session.gateway()
    return gateway !== undefined && sameHex(gateway, requester)
  }
  return sessions.filter(isWith).sort((a, b) => Number(comesFirst(b)) - Number(comesFirst(a)))
}

const mostUnsentCharacters = 67_108_864

/** Opens a session and keeps it open. Never throws: what goes wrong is an event and another attempt. */
export function createGatewaySession(deps: SessionDeps, url: string): GatewaySession {
  const times = { ...sessionTimes, ...deps.times }
  const unsent = createUnsent()
  let open: { socket: WebSocket; gateway: Address } | undefined
  let socket: WebSocket | undefined
  let closing = false
  let failures = 0
  let retry: NodeJS.Timeout | undefined

  const session: GatewaySession = {
    url,
    gateway: () => open?.gateway,
    send: (message) => {
      if (open && open.socket.readyState === WebSocket.OPEN) {
        open.socket.send(encodeWire(message))
        return true
      }
      if (message.type === 'attested' || message.type === 'committed') unsent.keep(message)
      return false
    },
    close: async () => {
      closing = true
      clearTimeout(retry)
      if (socket) await closeSocket(socket)
    },
  }

  function welcomed(active: WebSocket, gateway: Address, announced: number): void {
    open = { socket: active, gateway }
    failures = 0
    deps.emit('session:open', { url, gateway })
    // It may have changed while the hello was under way.
    if (deps.capacity() !== announced) session.send({ type: 'capacity', capacity: deps.capacity() })
    for (const message of unsent.take()) session.send(message)
  }

  function connect(): void {
    const active = connectToGateway({ ...deps, times }, url, {
      onWelcome: (gateway, announced) => welcomed(active, gateway, announced),
      onMessage: (message) => deps.onMessage(session, message),
      onClosed: (reason) => {
        open = undefined
        deps.onClosed?.(session)
        if (closing) return
        const retryInMs = retryDelayMs(failures++, times, Math.random())
        deps.emit('session:closed', { url, reason, retryInMs })
        retry = setTimeout(connect, retryInMs)
      },
    })
    socket = active
  }

  connect()
  return session
}

type Unsent = Extract<WorkerMessage, { type: 'attested' | 'committed' }>

/** Results for a gateway that is away, up to a size: their pay does not depend on it, and the gateway can ask again. */
function createUnsent() {
  const messages = new Map<string, Unsent>()
  let characters = 0
  return {
    keep(message: Unsent): void {
      const key = `${message.type}:${message.requestId}`
      const length = message.type === 'attested' ? message.result.length : 0
      if (messages.has(key) || characters + length > mostUnsentCharacters) return
      messages.set(key, message)
      characters += length
    },
    take(): WorkerMessage[] {
      const taken = [...messages.values()]
      messages.clear()
      characters = 0
      return taken
    },
  }
}

/** Exponential with full jitter, so that a gateway that comes back is not met by every worker at once. */
export function retryDelayMs(
  failures: number,
  { retryMinimumMs, retryMaximumMs }: Pick<SessionTimes, 'retryMinimumMs' | 'retryMaximumMs'>,
  random: number,
): number {
  const ceiling = Math.min(retryMaximumMs, retryMinimumMs * 2 ** Math.min(failures, 30))
  return Math.round(retryMinimumMs + random * Math.max(0, ceiling - retryMinimumMs))
}

const closeTimeoutMs = 2_000

function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve()
  return new Promise((resolve) => {
    const force = setTimeout(() => socket.terminate(), closeTimeoutMs)
    socket.once('close', () => {
      clearTimeout(force)
      resolve()
    })
    socket.close(1000, 'The worker stops.')
  })
}
