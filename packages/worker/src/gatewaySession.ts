import {
  type DigestSigner,
  decodeGatewayMessage,
  encodeWire,
  type GatewayMessage,
  hashWorkerHello,
  LIMITS,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  sameHex,
  type WorkerMessage,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { WebSocket } from 'ws'
import type { WorkerEmit } from './events.ts'

export type SessionTimes = {
  /** From opening the socket to `welcome`. */
  handshakeTimeoutMs: number
  /** A ping goes out this often; a gateway that did not answer the last one is gone. */
  heartbeatMs: number
  retryMinimumMs: number
  retryMaximumMs: number
}

export const sessionTimes: SessionTimes = {
  handshakeTimeoutMs: 10_000,
  heartbeatMs: 15_000,
  retryMinimumMs: 100,
  retryMaximumMs: 5_000,
}

export type SessionDeps = {
  domain: ProtocolDomain
  executionKey: DigestSigner
  runtimeDigests: readonly Hex[]
  agent: string
  /** How many jobs this worker runs at once, now. */
  capacity: () => number
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

/** The sessions with one requester. */
export function sessionsOf(sessions: readonly GatewaySession[], requester: Address): GatewaySession[] {
  return sessions.filter((session) => {
    const gateway = session.gateway()
    return gateway !== undefined && sameHex(gateway, requester)
  })
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
    const active = connectOnce({ ...deps, times }, url, {
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

type ConnectionHandlers = {
  /** `announced` is the capacity that the hello said. */
  onWelcome: (gateway: Address, announced: number) => void
  onMessage: (message: GatewayMessage) => void
  onClosed: (reason: string) => void
}

/** One connection, from handshake to end. */
function connectOnce(
  deps: SessionDeps & { times: SessionTimes },
  url: string,
  handlers: ConnectionHandlers,
): WebSocket {
  const { times } = deps
  const socket = new WebSocket(url, {
    maxPayload: LIMITS.wireFrameBytes,
    perMessageDeflate: false,
    handshakeTimeout: times.handshakeTimeoutMs,
  })
  const handshake = setTimeout(() => end('The handshake took too long.'), times.handshakeTimeoutMs)
  let challenged: Address | undefined
  let announced = 0
  let welcome = false
  let reason = 'The gateway closed the connection.'
  let heartbeat: NodeJS.Timeout | undefined

  function end(why: string): void {
    reason = why
    socket.terminate()
  }

  async function take(message: GatewayMessage): Promise<void> {
    if (message.type === 'challenge' && !challenged) {
      const wrong = wrongNetwork(deps.domain, message)
      if (wrong) return end(wrong)
      challenged = message.gateway
      announced = deps.capacity()
      return socket.send(encodeWire(await hello(deps, message, announced)))
    }
    if (message.type === 'refused') return end(`The gateway refused: ${message.reason}`)
    if (message.type === 'welcome' && challenged && !welcome) {
      welcome = true
      clearTimeout(handshake)
      heartbeat = startHeartbeat(socket, times.heartbeatMs, () => end('The gateway did not answer a ping.'))
      return handlers.onWelcome(challenged, announced)
    }
    if (!welcome) return end(`The gateway sent “${message.type}” before the handshake was over.`)
    handlers.onMessage(message)
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) return end('The gateway sent a binary frame.')
    try {
      const message = decodeGatewayMessage(String(data))
      void take(message).catch((error: unknown) => end(`The handshake failed: ${String(error)}`))
    } catch (error) {
      end(error instanceof Error ? error.message : String(error))
    }
  })
  socket.on('error', (error) => {
    reason = error.message
  })
  socket.on('close', () => {
    clearTimeout(handshake)
    clearInterval(heartbeat)
    handlers.onClosed(reason)
  })
  return socket
}

function wrongNetwork(
  domain: ProtocolDomain,
  challenge: { chainId: number; coordinator: Address },
): string | undefined {
  if (challenge.chainId !== domain.chainId)
    return `The gateway is on chain ${challenge.chainId}, not ${domain.chainId}.`
  if (!sameHex(challenge.coordinator, domain.coordinator))
    return `The gateway uses coordinator ${challenge.coordinator}, not ${domain.coordinator}.`
  return undefined
}

async function hello(
  { domain, executionKey, runtimeDigests, agent }: SessionDeps,
  { gateway, challenge }: { gateway: Address; challenge: Hex },
  capacity: number,
): Promise<WorkerMessage> {
  const digest = hashWorkerHello(domain, { protocolVersion: PROTOCOL_VERSION, gateway, challenge })
  return {
    type: 'hello',
    executionKey: executionKey.address,
    signature: await executionKey.sign(digest),
    capacity,
    runtimeDigests: [...runtimeDigests],
    agent,
  }
}

function startHeartbeat(socket: WebSocket, everyMs: number, onLost: () => void): NodeJS.Timeout {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  return setInterval(() => {
    if (!answered) return onLost()
    answered = false
    socket.ping()
  }, everyMs)
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
