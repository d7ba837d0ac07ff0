import { randomBytes } from 'node:crypto'
import {
  type DigestSigner,
  decodeGatewayMessage,
  encodeWire,
  type GatewayMessage,
  hashGatewayWelcome,
  hashWorkerHello,
  LIMITS,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Signing,
  sameHex,
  type WorkerMessage,
} from '@peerhost/protocol'
import { type Address, bytesToHex, type Hex } from 'viem'
import { WebSocket } from 'ws'

export type ConnectionTimes = {
  /** From opening the socket to `welcome`. */
  handshakeTimeoutMs: number
  /** A ping goes out this often; a gateway that did not answer the last one is gone. */
  heartbeatMs: number
}

export type ConnectionDeps = {
  domain: ProtocolDomain
  executionKey: DigestSigner
  signing: Signing
  runtimeDigests: readonly Hex[]
  agent: string
  /** How many jobs this worker runs at once, now. */
  capacity: () => number
  times: ConnectionTimes
}

export type ConnectionHandlers = {
  /** `gateway` has signed what it is. `announced` is the capacity that the hello said. */
  onWelcome: (gateway: Address, announced: number) => void
  onMessage: (message: GatewayMessage) => void
  onClosed: (reason: string) => void
}

type Challenge = Extract<GatewayMessage, { type: 'challenge' }>
type Welcome = Extract<GatewayMessage, { type: 'welcome' }>

/** What the worker has said in its hello, and to whom. */
type Greeting = { gateway: Address; challenge: Hex; announced: number }

/** One connection, from handshake to end: each side signs the other's challenge. Never throws: what goes wrong ends it, with a reason. */
export function connectToGateway(deps: ConnectionDeps, url: string, handlers: ConnectionHandlers): WebSocket {
  const { times } = deps
  const socket = new WebSocket(url, {
    maxPayload: LIMITS.wireFrameBytes,
    perMessageDeflate: false,
    handshakeTimeout: times.handshakeTimeoutMs,
  })
  const handshake = setTimeout(() => end('The handshake took too long.'), times.handshakeTimeoutMs)
  let greeting: Greeting | undefined
  let isOpen = false
  let reason = 'The gateway closed the connection.'
  let heartbeat: NodeJS.Timeout | undefined
  let before: Promise<void> = Promise.resolve()

  function end(why: string): void {
    reason = why
    socket.terminate()
  }

  async function shakeHands(message: GatewayMessage): Promise<void> {
    if (message.type === 'refused') return end(`The gateway refused: ${message.reason}`)
    if (message.type === 'challenge' && !greeting) {
      const wrong = wrongNetwork(deps.domain, message)
      if (wrong) return end(wrong)
      greeting = { gateway: message.gateway, challenge: bytesToHex(randomBytes(32)), announced: deps.capacity() }
      return socket.send(encodeWire(await hello(deps, new URL(url).origin, message, greeting)))
    }
    if (message.type !== 'welcome' || !greeting)
      return end(`The gateway sent “${message.type}” before the handshake was over.`)
    if (!(await isWelcome(deps, greeting, message)))
      return end(`The gateway has not signed that it is ${greeting.gateway}.`)
    if (socket.readyState !== WebSocket.OPEN) return
    clearTimeout(handshake)
    heartbeat = startHeartbeat(socket, times.heartbeatMs, () => end('The gateway did not answer a ping.'))
    isOpen = true
    handlers.onWelcome(greeting.gateway, greeting.announced)
  }

  /** In the order of their coming: what follows the welcome waits until that is checked. */
  function take(message: GatewayMessage): void {
    before = before
      .then(async () => {
        if (isOpen) handlers.onMessage(message)
        else if (socket.readyState === WebSocket.OPEN) await shakeHands(message)
      })
      .catch((error: unknown) => end(`What the gateway sent could not be taken: ${String(error)}`))
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) return end('The gateway sent a binary frame.')
    try {
      take(decodeGatewayMessage(String(data)))
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

function wrongNetwork(domain: ProtocolDomain, { chainId, coordinator }: Challenge): string | undefined {
  if (chainId !== domain.chainId) return `The gateway is on chain ${chainId}, not ${domain.chainId}.`
  if (!sameHex(coordinator, domain.coordinator))
    return `The gateway uses coordinator ${coordinator}, not ${domain.coordinator}.`
  return undefined
}

async function hello(
  { domain, executionKey, runtimeDigests, agent }: ConnectionDeps,
  origin: string,
  { gateway, challenge }: Challenge,
  greeting: Greeting,
): Promise<WorkerMessage> {
  const digest = hashWorkerHello(domain, { protocolVersion: PROTOCOL_VERSION, gateway, origin, challenge })
  return {
    type: 'hello',
    executionKey: executionKey.address,
    signature: await executionKey.sign(digest),
    origin,
    challenge: greeting.challenge,
    capacity: greeting.announced,
    runtimeDigests: [...runtimeDigests],
    agent,
  }
}

async function isWelcome(
  { domain, executionKey, signing }: ConnectionDeps,
  { gateway, challenge }: Greeting,
  { signature }: Welcome,
): Promise<boolean> {
  const message = { protocolVersion: PROTOCOL_VERSION, executionKey: executionKey.address, challenge }
  const signer = await signing.recover(hashGatewayWelcome(domain, message), signature)
  return signer !== undefined && sameHex(signer, gateway)
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
