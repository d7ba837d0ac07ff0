import {
  type Attestation,
  canonicalResult,
  commitment,
  confirmedLaneAbi,
  type DeclineReason,
  decodeGatewayMessage,
  decodeRequest,
  encodeResult,
  encodeWire,
  failedResult,
  fromBase64,
  type GatewayMessage,
  hashAttestation,
  hashBatchRoll,
  hashGatewayWelcome,
  hashResult,
  hashSignedCommitment,
  hashWorkerHello,
  isResourceOutcome,
  type Outcome,
  outcomeNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  rollRoot,
  type Seat,
  seal,
  seatNumber,
  type Ticket,
  toBase64,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Address, type Hex, recoverAddress, toHex } from 'viem'
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
  /** Commits, and then does not open. */
  | { do: 'withhold' }
  /** Opens another result than it committed to. */
  | { do: 'switch' }
  /** Sends what the hook makes of an honest answer. */
  | { do: 'forge'; forge: (honest: Attested) => Attested }

export type Attested = {
  type: 'attested'
  requestId: Hex
  attestation: Attestation
  signature: Hex
  result: string
  usage: { durationMs: number; queueMs: number; logBytes: number }
  commitmentSalt?: Hex
}

export type EgressReply = Extract<GatewayMessage, { type: 'egress-answer' | 'egress-failed' }>
export type EnvironmentReply = Extract<GatewayMessage, { type: 'environment-sealed' | 'environment-failed' }>

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
  /** Where it says that it has dialled. Default: where it has. */
  origin?: string
  /** How it says that it is seated. Default: all are. */
  seat?: Seat
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
  const failures: unknown[] = []
  const attestations = new Map<Hex, Attestation>()
  const welcome = Promise.withResolvers<void>()
  const ownChallenge = toHex(crypto.getRandomValues(new Uint8Array(32)))
  const closed = Promise.withResolvers<string>()
  welcome.promise.catch(() => undefined)
  let claimed: Address | undefined
  const origin = options.origin ?? new URL(options.workerUrl).origin
  const state = { behave: options.behave ?? ((): Behaviour => ({ do: 'answer' })) }
  const { domain } = network
  const socket = new WebSocket(options.workerUrl)
  const send = (message: object) => {
    if (socket.readyState === socket.OPEN) socket.send(encodeWire(message as never))
  }
  const behaviours = new Map<Hex, Behaviour>()
  const inputs = new Map<Hex, (given: { salt: Hex; input: string }) => void>()

  const egress = new Map<string, (message: EgressReply) => void>()
  /** Asks for an outgoing call, as a sandbox would. */
  const callOut = (requestId: Hex, index: number, call: Uint8Array) =>
    new Promise<EgressReply>((resolve) => {
      egress.set(`${requestId}:${index}`, resolve)
      send({ type: 'egress', requestId, index, call: toBase64(call) })
    })

  const environments = new Map<Hex, (message: EnvironmentReply) => void>()
  /** Asks for the environment of a request, as a sandbox would. */
  const askEnvironment = (requestId: Hex, publicKey: string) =>
    new Promise<EnvironmentReply>((resolve) => {
      environments.set(requestId, resolve)
      send({ type: 'environment', requestId, publicKey })
    })

  const answers = new Map<Hex, Attested & { commitmentSalt: Hex; isKept: boolean }>()
  const sets = new Map<Hex, (set: { commitments: Hex[]; signature: Hex }) => void>()
  /** Hides a result behind a commitment, and remembers it for the opening. */
  const commit = async (honest: Attested, salt: Hex, behaviour: Behaviour | undefined) => {
    const { requestId, attestation } = honest
    const commitmentSalt = toHex(crypto.getRandomValues(new Uint8Array(32)))
    const hidden = commitment(requestId, execution.account.address, attestation.resultSeal, commitmentSalt)
    const digest = hashSignedCommitment(domain, { protocolVersion: PROTOCOL_VERSION, requestId, commitment: hidden })
    const other = encodeResult(failedResult('threw'))
    const opened = behaviour?.do === 'switch' ? await attest(domain, execution, { requestId, salt }, other) : honest
    answers.set(requestId, { ...opened, commitmentSalt, isKept: behaviour?.do === 'withhold' })
    attestations.set(requestId, opened.attestation)
    return {
      type: 'committed',
      requestId,
      commitment: hidden,
      signature: await execution.account.sign({ hash: digest }),
    }
  }

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
    behaviours.set(job.requestId, behaviour)
    if ('delayMs' in behaviour && behaviour.delayMs) await new Promise((done) => setTimeout(done, behaviour.delayMs))
    const result = encodeResult(resultOf(behaviour, one))
    const honest = await attest(domain, execution, job, result, options.seat)
    const message = behaviour.do === 'forge' ? behaviour.forge(honest) : honest
    attestations.set(job.requestId, message.attestation)
    return message
  }

  const handle = async (message: GatewayMessage): Promise<void> => {
    if (message.type === 'challenge') {
      const { gateway, challenge } = message
      claimed = gateway
      const digest = hashWorkerHello(domain, { protocolVersion: PROTOCOL_VERSION, gateway, origin, challenge })
      send({
        type: 'hello',
        executionKey: options.claimKey ?? execution.account.address,
        signature: await execution.account.sign({ hash: digest }),
        origin,
        challenge: ownChallenge,
        capacity: options.capacity ?? 8,
        runtimeDigests: options.runtimeDigests ?? [runtimeDigest],
        agent: 'test',
      })
    } else if (message.type === 'welcome') {
      const { address: executionKey } = execution.account
      const said = { protocolVersion: PROTOCOL_VERSION, executionKey, challenge: ownChallenge }
      const hash = hashGatewayWelcome(domain, said)
      const signer = await recoverAddress({ hash, signature: message.signature })
      if (signer === claimed) welcome.resolve()
      else welcome.reject(new Error(`The welcome of ${claimed} is signed by ${signer}.`))
    } else if (message.type === 'refused') welcome.reject(new Error(message.reason))
    else if (message.type === 'job') {
      const answer = await work(message)
      if (!answer) return
      send(message.ticket.quorum > 1 ? await commit(answer, message.salt, behaviours.get(message.requestId)) : answer)
    } else if (message.type === 'open') {
      const { isKept, ...answer } = answers.get(message.requestId) ?? {}
      if (!isKept) send(answer)
      sets.get(message.requestId)?.(message)
    } else if (message.type === 'settled') settled.push(message)
    else if (message.type === 'environment-sealed' || message.type === 'environment-failed')
      environments.get(message.requestId)?.(message)
    else if (message.type === 'egress-answer' || message.type === 'egress-failed')
      egress.get(`${message.requestId}:${message.index}`)?.(message)
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

  /** A posted ticket: with a quorum of one against the requester's set, else with a commitment on chain. */
  const answerPosted = async (requestId: Hex, ticket: Ticket): Promise<void> => {
    const given = new Promise<{ salt: Hex; input: string }>((resolve) => inputs.set(requestId, resolve))
    send({ type: 'input', requestId })
    const { salt, input } = await given
    const answer = await work({ requestId, ticket, salt, input })
    if (!answer) return
    const isPayable = ticket.quorum > 1 || !isResourceOutcome(outcomeName(answer.attestation.outcome))
    if (!isPayable) return send(answer)
    const committed = await commit(answer, salt, undefined)
    const { attestation, signature } = answer
    const commitmentSalt = answers.get(requestId)?.commitmentSalt
    const lane = (name: string, args: unknown[]) =>
      network.call(operator.account, confirmedLaneAbi, network.addresses.confirmedLane, name, args)
    if (ticket.quorum > 1) {
      await lane('commit', [ticket, committed.commitment])
      await openInTurn(requestId, ticket, () =>
        lane('open', [ticket, attestation, signature, commitmentSalt, zeroBytes32, '0x']),
      )
      send({ ...answer, commitmentSalt })
      return
    }
    const set = new Promise<{ commitments: Hex[]; signature: Hex }>((resolve) => sets.set(requestId, resolve))
    send(committed)
    const closed = await set
    await lane('submit', [
      ticket,
      attestation,
      signature,
      commitmentSalt,
      closed.commitments,
      closed.signature,
      zeroBytes32,
      '0x',
    ])
  }

  const openInTurn = async (requestId: Hex, ticket: Ticket, open: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      const [atBlock, head] = await Promise.all([
        network.client.readContract({
          address: network.addresses.confirmedLane,
          abi: confirmedLaneAbi,
          functionName: 'opensAtBlock',
          args: [ticket, operator.account.address],
        }),
        network.client.getBlockNumber({ cacheTime: 0 }),
      ])
      if (atBlock !== 0n && head + 1n >= atBlock) break
      if (stopped.signal.aborted) throw new Error(`stopped before ${requestId} was opened`)
      await new Promise((done) => setTimeout(done, 50))
    }
    await open()
  }

  const stopped = new AbortController()
  const unwatch = options.confirms
    ? network.client.watchContractEvent({
        address: network.addresses.confirmedLane,
        abi: confirmedLaneAbi,
        eventName: 'ExecutionRequested',
        strict: true,
        pollingInterval: 50,
        onLogs: (logs) => {
          for (const { args } of logs)
            answerPosted(args.requestId, args.ticket).catch((error: unknown) => failures.push(error))
        },
      })
    : () => undefined

  return {
    operator,
    execution,
    seen,
    settled,
    rolls,
    /** What went wrong with posted tickets. */
    failures,
    state,
    ready: welcome.promise,
    closed: closed.promise,
    socket,
    send,
    callOut,
    askEnvironment,
    stop: async () => {
      stopped.abort()
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
  seat: Seat = 'all-seated',
): Promise<Attested> {
  const decoded = JSON.parse(new TextDecoder().decode(result)) as { outcome: Outcome; status: number }
  const attestation: Attestation = {
    protocolVersion: PROTOCOL_VERSION,
    requestId,
    resultSeal: seal(hashResult(result), salt),
    outcome: outcomeNumber(decoded.outcome),
    status: decoded.status,
    seat: seatNumber(seat),
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

/** A connected worker whose behaviour may ask the gateway for things by itself. */
export async function startAskingWorker(
  where: Pick<Parameters<typeof startTestWorker>[0], 'network' | 'workerUrl' | 'confirms'>,
  behave: (seen: Seen, self: () => TestWorker) => Promise<Behaviour>,
): Promise<TestWorker> {
  const worker: TestWorker = await startTestWorker({ ...where, behave: (seen) => behave(seen, () => worker) })
  await worker.ready
  return worker
}
