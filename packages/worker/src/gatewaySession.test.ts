import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  createDigestSigner,
  decodeWorkerMessage,
  encodeWire,
  type GatewayMessage,
  hashWorkerHello,
  LIMITS,
  PROTOCOL_VERSION,
  pureSigning,
  type Signing,
  type WorkerMessage,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { afterEach, describe, expect, it, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { domain, executionKey, runtimeDigest } from '../test/fixture/tickets.ts'
import { welcomeBy } from '../test/fixture/welcomeBy.ts'
import { createWorkerEvents, type WorkerEvents } from './events.ts'
import { createGatewaySession, type GatewaySession, retryDelayMs, sessionsOf, sessionTimes } from './gatewaySession.ts'

const gateway = createDigestSigner(`0x${'c3'.repeat(32)}`)
const challenge: Hex = `0x${'5a'.repeat(32)}`
const requestId: Hex = `0x${'6b'.repeat(32)}`
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A gateway's side of the wire, as a real WebSocket server. */
async function startGateway(
  options: {
    challenge?: Partial<Extract<GatewayMessage, { type: 'challenge' }>>
    silent?: boolean
    /** What it answers a hello with. Default: a welcome by the gateway that it says it is. */
    welcome?: (hello: Extract<WorkerMessage, { type: 'hello' }>) => Promise<GatewayMessage[]>
  } = {},
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: !options.silent })
  await once(server, 'listening')
  const received: WorkerMessage[] = []
  const sockets: WebSocket[] = []
  const waiting: { type: string; resolve: (message: WorkerMessage) => void }[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('message', (data) => {
      const message = decodeWorkerMessage(String(data))
      received.push(message)
      for (const waiter of waiting.filter(({ type }) => type === message.type)) {
        waiting.splice(waiting.indexOf(waiter), 1)
        waiter.resolve(message)
      }
      if (message.type === 'hello') void greet(message, socket)
    })
    send({ type: 'challenge', gateway: gateway.address, ...domain, challenge, ...options.challenge }, socket)
  })
  const greet = async (hello: Extract<WorkerMessage, { type: 'hello' }>, socket: WebSocket) => {
    const answers = await (options.welcome?.(hello) ?? [await welcomeBy(gateway, domain, hello)])
    for (const answer of answers) send(answer, socket)
  }
  const send = (message: GatewayMessage, socket = sockets.at(-1)) => socket?.send(encodeWire(message))
  cleanups.push(async () => {
    for (const socket of sockets) socket.terminate()
    server.close()
  })
  const next = <T extends WorkerMessage['type']>(type: T) =>
    new Promise<Extract<WorkerMessage, { type: T }>>((resolve) => {
      waiting.push({ type, resolve: resolve as (message: WorkerMessage) => void })
    })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, received, sockets, send, next, server }
}

function startSession(
  url: string,
  onMessage: (message: GatewayMessage) => void = () => {},
  { heartbeatMs = 15_000, signing = pureSigning }: { heartbeatMs?: number; signing?: Signing } = {},
) {
  const events = createWorkerEvents()
  const session = createGatewaySession(
    {
      domain,
      executionKey,
      signing,
      runtimeDigests: [runtimeDigest],
      agent: 'test',
      capacity: () => 3,
      emit: events.emit,
      onMessage: (_, message) => onMessage(message),
      times: { retryMinimumMs: 5, retryMaximumMs: 20, heartbeatMs },
    },
    url,
  )
  cleanups.push(() => session.close())
  const next = <N extends keyof WorkerEvents>(name: N) =>
    new Promise<WorkerEvents[N]>((resolve) => {
      const off = events.on(name, (event) => {
        off()
        resolve(event)
      })
    })
  return { session, next }
}

function attestedMessage(id = requestId): Extract<WorkerMessage, { type: 'attested' }> {
  const attestation = { protocolVersion: 1, requestId: id, resultSeal: challenge, outcome: 1, status: 200, seat: 1 }
  const usage = { durationMs: 1, queueMs: 0, logBytes: 0 }
  return { type: 'attested', requestId: id, attestation, signature: '0x00', result: '', usage }
}

describe('gateway session', () => {
  it('proves its key to the gateway that asked, and says what it can run', async () => {
    const server = await startGateway()
    const { session, next } = startSession(server.url)
    const hello = server.next('hello')
    expect(await next('session:open')).toEqual({ url: server.url, gateway: gateway.address })
    const { signature, ...rest } = await hello
    const digest = hashWorkerHello(domain, {
      protocolVersion: PROTOCOL_VERSION,
      gateway: gateway.address,
      origin: server.url,
      challenge,
    })
    expect(await pureSigning.recover(digest, signature)).toBe(executionKey.address)
    const { address } = executionKey
    expect(rest).toEqual({
      type: 'hello',
      executionKey: address,
      origin: server.url,
      challenge: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      capacity: 3,
      runtimeDigests: [runtimeDigest],
      agent: 'test',
    })
    expect(session.gateway()).toBe(gateway.address)
  })

  it.each([
    ['chain', { chainId: 1 }],
    ['coordinator', { coordinator: '0x00000000000000000000000000000000000000C9' as const }],
  ])('signs nothing for a gateway of another %s', async (word, wrong) => {
    const server = await startGateway({ challenge: wrong })
    const { next } = startSession(server.url)
    expect((await next('session:closed')).reason).toContain(word)
    expect(server.received).toEqual([])
  })

  it('comes back when the gateway goes away, and then sends the result that it could not', async () => {
    const server = await startGateway()
    const { session, next } = startSession(server.url)
    await next('session:open')
    const closed = next('session:closed')
    server.sockets[0]?.terminate()
    await closed
    expect(session.gateway()).toBeUndefined()
    const delivered = server.next('attested')
    expect(session.send(attestedMessage())).toBe(false)
    expect(session.send({ type: 'capacity', capacity: 1 })).toBe(false)
    expect((await delivered).requestId).toBe(requestId)
    expect(server.received.filter(({ type }) => type === 'capacity')).toEqual([])
  })

  it.each([
    ['no message of the protocol', (socket: WebSocket) => socket.send('{"type":"surprise"}')],
    ['a frame that is not JSON', (socket: WebSocket) => socket.send('hello')],
    ['a binary frame', (socket: WebSocket) => socket.send(new Uint8Array([1, 2, 3]))],
    ['a frame over the limit', (socket: WebSocket) => socket.send('x'.repeat(LIMITS.wireFrameBytes + 1))],
  ])('ends a connection that sends %s, and connects again', async (_, misbehave) => {
    const server = await startGateway()
    const { next } = startSession(server.url)
    await next('session:open')
    const closed = next('session:closed')
    const again = next('session:open')
    misbehave(server.sockets[0]!)
    await closed
    await again
    expect(server.sockets.length).toBe(2)
  })

  it('takes no job before the handshake is over', async () => {
    const server = await startGateway()
    const messages: GatewayMessage[] = []
    server.server.prependListener('connection', (socket: WebSocket) =>
      socket.send(encodeWire({ type: 'cancel', requestId })),
    )
    const { next } = startSession(server.url, (message) => messages.push(message))
    expect((await next('session:closed')).reason).toContain('before the handshake')
    expect(messages).toEqual([])
  })

  it.each([
    ['by another key', executionKey, {}],
    ['for another worker', gateway, { executionKey: gateway.address }],
    ['for another challenge', gateway, { challenge }],
  ])('does not stay with a gateway whose welcome is signed %s', async (_, signer, changes) => {
    const server = await startGateway({
      welcome: async (hello) => [
        await welcomeBy(signer, domain, { ...hello, ...changes }),
        { type: 'cancel', requestId },
      ],
    })
    const messages: GatewayMessage[] = []
    const { session, next } = startSession(server.url, (message) => messages.push(message))
    expect((await next('session:closed')).reason).toContain('has not signed')
    expect(session.gateway()).toBeUndefined()
    expect(messages).toEqual([])
  })

  it('opens no session on a connection that ended while the welcome was checked', async () => {
    const server = await startGateway({
      welcome: async (hello) => {
        const answer = await welcomeBy(gateway, domain, hello)
        setImmediate(() => server.sockets[0]?.terminate())
        return [answer]
      },
    })
    const signing = {
      ...pureSigning,
      recover: async (...signed: Parameters<typeof pureSigning.recover>) => {
        const signer = await pureSigning.recover(...signed)
        await closed
        return signer
      },
    }
    const { session, next } = startSession(server.url, () => {}, { signing })
    const closed = next('session:closed')
    await closed
    expect(session.gateway()).toBeUndefined()
    expect(session.send({ type: 'capacity', capacity: 1 })).toBe(false)
  })

  it('hears what comes right behind the welcome, in its order', async () => {
    const others: Hex[] = [requestId, challenge]
    const server = await startGateway({
      welcome: async (hello) => [
        await welcomeBy(gateway, domain, hello),
        ...others.map((id) => ({ type: 'cancel', requestId: id }) as const),
      ],
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    const messages: GatewayMessage[] = []
    startSession(server.url, (message) => messages.push(message) === 2 && resolve())
    await promise
    expect(messages.map((message) => 'requestId' in message && message.requestId)).toEqual(others)
  })

  it('gives up a gateway that does not answer pings', async () => {
    const server = await startGateway({ silent: true })
    const { next } = startSession(server.url, () => {}, { heartbeatMs: 20 })
    await next('session:open')
    expect((await next('session:closed')).reason).toContain('ping')
  })

  it('waits for a gateway that is not there yet', async () => {
    const server = await startGateway()
    const { port } = server.server.address() as AddressInfo
    await new Promise((resolve) => server.server.close(resolve))
    const { next } = startSession(server.url)
    expect((await next('session:closed')).reason).toContain('ECONNREFUSED')
    const opened = next('session:open')
    const late = new WebSocketServer({ port, host: '127.0.0.1' })
    cleanups.push(async () => {
      for (const socket of late.clients) socket.terminate()
      late.close()
    })
    late.on('connection', (socket) => {
      socket.send(encodeWire({ type: 'challenge', gateway: gateway.address, ...domain, challenge }))
      socket.on('message', (data) => {
        const message = decodeWorkerMessage(String(data))
        if (message.type === 'hello')
          void welcomeBy(gateway, domain, message).then((answer) => socket.send(encodeWire(answer)))
      })
    })
    expect((await opened).gateway).toBe(gateway.address)
  })

  it('ends for good when it is closed', async () => {
    const server = await startGateway()
    const { session, next } = startSession(server.url)
    await next('session:open')
    const gone = once(server.sockets[0]!, 'close')
    await (session as GatewaySession).close()
    expect((await gone)[0]).toBe(1000)
    expect(session.gateway()).toBeUndefined()
  })
})

test('the sessions with a requester are those that are open, and who asked comes first', () => {
  const sessionWith = (url: string, address: Address | undefined): GatewaySession => ({
    url,
    gateway: () => address,
    send: () => true,
    close: async () => undefined,
  })
  const other: Address = `0x${'0e'.repeat(20)}`
  const one = sessionWith('ws://one', gateway.address)
  const two = sessionWith('ws://two', gateway.address.toLowerCase() as Address)
  const three = sessionWith('ws://three', gateway.address)
  const all = [one, sessionWith('ws://other', other), two, sessionWith('ws://closed', undefined), three]
  expect(sessionsOf(all, gateway.address)).toEqual([one, two, three])
  expect(sessionsOf(all, gateway.address, (session) => session === three)).toEqual([three, one, two])
})

describe('retryDelayMs', () => {
  it.each([
    [0, 0.99, 100],
    [1, 0.5, 150],
    [3, 1, 800],
    [5, 1, 3_200],
    [6, 1, 5_000],
    [1_000, 0.5, 2_550],
    [1_000, 0, 100],
  ])('after %i failures, with %f of the jitter: %i ms', (failures, random, expected) => {
    expect(retryDelayMs(failures, sessionTimes, random)).toBe(expected)
  })
})
