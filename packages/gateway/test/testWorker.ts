import {
  type Attestation,
  canonicalResult,
  type DeclineReason,
  decodeGatewayMessage,
  decodeRequest,
  encodeResult,
  encodeWire,
  executionCoordinatorAbi,
  failedResult,
  fromBase64,
  type GatewayMessage,
  hashAttestation,
  hashBatchRoll,
  hashResult,
  hashWorkerHello,
  isResourceOutcome,
  type Outcome,
  outcomeNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  rollRoot,
  seal,
  seatNumber,
  type Ticket,
  toBase64,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import WebSocket from 'ws'
import { type Keyed, newKey, runtimeDigest, type TestNetwork } from './fixture.ts'

export type Seen = { requestId: Hex; ticket: Ticket; salt: Hex; method: string; path: string; body: unknown }

/** What the worker does with a job. A number is an HTTP status. */
export type Behaviour =
  | { do: 'answer'; status?: number; body?: string; headers?: [string, string][]; delayMs?: number }
  | { do: 'fail'; outcome: Exclude<Outcome, 'completed'>; delayMs?: number }
  | { do: 'decline'; reason: DeclineReason }
  | { do: 'hang' }
  | { do: 'disconnect' }
  /** Sends what the hook makes of an honest answer. */
  | { do: 'forge'; forge: (honest: Attested) => Attested }

export type Attested = {
  type: 'attested'
  requestId: Hex
  attestation: Attestation
  signature: Hex
  result: string
  usage: { durationMs: number; queueMs: number; logBytes: number }
}

export type TestWorker = Awaited<ReturnType<typeof startTestWorker>>

/**
 * A worker of the tests: speaks the real wire over a real WebSocket with a real registered key, and gives canned results
 * instead of running code.
 */
export async function startTestWorker(options: {
  network: TestNetwork
  workerUrl: string
  behave?: (seen: Seen) => Behaviour | Promise<Behaviour>
  operator?: Keyed
  execution?: Keyed
  register?: boolean
  capacity?: number
  runtimeDigests?: Hex[]
  /** Default: signs them. */
  onRoll?: 'sign' | 'refuse' | 'wrong' | 'silent'
  /** Says in its hello that it is this key. */
  claimKey?: Address
  /** Follows the chain for tickets of the confirmed lane. */
  confirms?: boolean
}) {
  const { network } = options
  const operator = options.operator ?? newKey()
  const execution = options.execution ?? newKey()
  if (options.register !== false) await network.register(operator, execution)
  const seen: Seen[] = []
  const settled: { transaction: Hex; requestIds: readonly Hex[] }[] = []
  const rolls: number[] = []
  const attestations = new Map<Hex, Attestation>()
  const welcome = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<string>()
  welcome.promise.catch(() => undefined)
  const state = { behave: options.behave ?? ((): Behaviour => ({ do: 'answer' })) }
  const { domain } = network
  const socket = new WebSocket(options.workerUrl)
  const send = (message: object) => {
    if (socket.readyState === socket.OPEN) socket.send(encodeWire(message as never))
  }
  const inputs = new Map<Hex, (given: { salt: Hex; input: string }) => void>()

  const work = async (job: {
    requestId: Hex
    ticket: Ticket
    salt: Hex
    input: string
  }): Promise<Attested | undefined> => {
    const request = decodeRequest(fromBase64(job.input))
    const one: Seen = { ...job, method: request.method, path: request.path, body: request.body }
    seen.push(one)
    const behaviour = await state.behave(one)
    if (behaviour.do === 'hang') return undefined
    if (behaviour.do === 'disconnect') {
      socket.terminate()
      return undefined
    }
    if (behaviour.do === 'decline') {
      send({ type: 'declined', requestId: job.requestId, reason: behaviour.reason })
      return undefined
    }
    if ('delayMs' in behaviour && behaviour.delayMs) await new Promise((done) => setTimeout(done, behaviour.delayMs))
    const result = encodeResult(resultOf(behaviour, one))
    const honest = await attest(domain, execution, job, result)
    const message = behaviour.do === 'forge' ? behaviour.forge(honest) : honest
    attestations.set(job.requestId, message.attestation)
    return message
  }

  const handle = async (message: GatewayMessage): Promise<void> => {
    if (message.type === 'challenge') {
      const { gateway, challenge } = message
      const digest = hashWorkerHello(domain, { protocolVersion: PROTOCOL_VERSION, gateway, challenge })
      send({
        type: 'hello',
        executionKey: options.claimKey ?? execution.account.address,
        signature: await execution.account.sign({ hash: digest }),
        capacity: options.capacity ?? 8,
        runtimeDigests: options.runtimeDigests ?? [runtimeDigest],
        agent: 'test',
      })
    } else if (message.type === 'welcome') welcome.resolve()
    else if (message.type === 'refused') welcome.reject(new Error(message.reason))
    else if (message.type === 'job') {
      const answer = await work(message)
      if (answer) send(answer)
    } else if (message.type === 'settled') settled.push(message)
    else if (message.type === 'input-given') inputs.get(message.requestId)?.(message)
    else if (message.type === 'roll') {
      rolls.push(message.requestIds.length)
      const { batchId } = message
      if (options.onRoll === 'silent') return
      if (options.onRoll === 'refuse') return send({ type: 'roll-refused', batchId, reason: 'no' })
      if (options.onRoll === 'wrong') return send({ type: 'rolled', batchId, signature: `0x${'11'.repeat(64)}1b` })
      const digests = message.requestIds.map((id) => hashAttestation(domain, attestations.get(id) as Attestation))
      const roll = { protocolVersion: PROTOCOL_VERSION, count: digests.length, root: rollRoot(digests) }
      const signature = await execution.account.sign({ hash: hashBatchRoll(domain, roll) })
      send({ type: 'rolled', batchId, signature })
    }
  }
  socket.on('message', (data) => {
    handle(decodeGatewayMessage(data.toString())).catch((error: unknown) => welcome.reject(error))
  })
  socket.on('error', (error) => welcome.reject(error))
  socket.on('close', (code, reason) => {
    welcome.reject(new Error(`closed: ${code} ${reason}`))
    closed.resolve(`${code} ${reason}`)
  })

  const unwatch = options.confirms
    ? network.client.watchContractEvent({
        address: network.addresses.coordinator,
        abi: executionCoordinatorAbi,
        eventName: 'ExecutionRequested',
        strict: true,
        pollingInterval: 50,
        onLogs: async (logs) => {
          for (const { args } of logs) {
            const given = new Promise<{ salt: Hex; input: string }>((resolve) => inputs.set(args.requestId, resolve))
            send({ type: 'input', requestId: args.requestId })
            const { salt, input } = await given
            const answer = await work({ requestId: args.requestId, ticket: args.ticket, salt, input })
            if (!answer) continue
            send(answer)
            if (isResourceOutcome(outcomeName(answer.attestation.outcome))) continue
            const argsOf = [args.ticket, answer.attestation, answer.signature, '0x']
            await network.call(
              operator.account,
              executionCoordinatorAbi,
              network.addresses.coordinator,
              'submit',
              argsOf,
            )
          }
        },
      })
    : () => undefined

  return {
    operator,
    execution,
    seen,
    settled,
    rolls,
    state,
    ready: welcome.promise,
    closed: closed.promise,
    socket,
    send,
    stop: async () => {
      unwatch()
      socket.close()
      await closed.promise
    },
  }
}

/** An honest attestation of a result. */
export async function attest(
  domain: ProtocolDomain,
  execution: Keyed,
  { requestId, salt }: { requestId: Hex; salt: Hex },
  result: Uint8Array,
): Promise<Attested> {
  const decoded = JSON.parse(new TextDecoder().decode(result)) as { outcome: Outcome; status: number }
  const attestation: Attestation = {
    protocolVersion: PROTOCOL_VERSION,
    requestId,
    resultSeal: seal(hashResult(result), salt),
    outcome: outcomeNumber(decoded.outcome),
    status: decoded.status,
    seat: seatNumber('all-seated'),
  }
  return {
    type: 'attested',
    requestId,
    attestation,
    signature: await execution.account.sign({ hash: hashAttestation(domain, attestation) }),
    result: toBase64(result),
    usage: { durationMs: 1, queueMs: 0, logBytes: 0 },
  }
}

function resultOf(behaviour: Behaviour, seen: Seen) {
  if (behaviour.do === 'fail') return failedResult(behaviour.outcome)
  const { status = 200, body, headers } = behaviour.do === 'answer' ? behaviour : {}
  const text = body ?? JSON.stringify({ method: seen.method, path: seen.path })
  return canonicalResult({
    outcome: 'completed',
    status,
    headers: headers ?? [['content-type', 'application/json']],
    body: new TextEncoder().encode(text),
  })
}

function outcomeName(number: number): Outcome {
  return number === 5 ? 'timed-out' : number === 6 ? 'out-of-memory' : 'completed'
}
