import { randomBytes } from 'node:crypto'
import {
  type DigestSigner,
  hashGatewayWelcome,
  hashWorkerHello,
  LIMITS,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Signing,
  sameHex,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import { type Address, bytesToHex, type Hex } from 'viem'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Chain } from '../chain/chain.ts'
import type { AttestedMessage, CommittedMessage, WorkerLink, WorkerPool } from './workerLink.ts'
import { runWorkerSession, type SessionDeps, type WorkerHello } from './workerSession.ts'

export type WorkerHubDeps = {
  log: Logger
  chain: Pick<Chain, 'operatorForKey' | 'operatorIsActive'>
  signing: Signing
  domain: ProtocolDomain
  /** The gateway's key: hellos are bound to its address, and it signs every welcome. */
  signer: DigestSigner
  /** Where workers find this gateway: `wss://gateway.example`. A hello for another place was passed on by somebody between. */
  origins: () => readonly string[]
  onUnasked: (link: WorkerLink, message: AttestedMessage) => void
  onUnaskedCommitment: (link: WorkerLink, message: CommittedMessage) => void
  inputFor: (operator: Address, requestId: Hex) => Promise<{ salt: Hex; input: string } | undefined>
  egress: SessionDeps['egress']
  environment: SessionDeps['environment']
  nowSeconds: () => number
}

/** The workers that are connected now. */
export type WorkerHub = WorkerPool & {
  server: WebSocketServer
  /** Never gives work to this key again while the process lives. */
  ban: (executionKey: Address, reason: string) => void
  /** True while the chain lets the key sign for tickets issued at this time. Cached until the operator changes. */
  maySign: (executionKey: Address, operator: Address, issuedAt: number) => Promise<boolean>
  operatorChanged: (operator: Address) => Promise<void>
  close: () => Promise<void>
}

const heartbeatMs = 10_000
const helloTimeoutMs = 5_000

export function createWorkerHub(deps: WorkerHubDeps): WorkerHub {
  const links = new Set<WorkerLink>()
  const banned = new Set<string>()
  const standing = createStanding(deps.chain)
  const watchers = new Set<() => void>()
  const changed = () => {
    for (const watcher of [...watchers]) watcher()
  }
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.wireFrameBytes,
    perMessageDeflate: false,
    clientTracking: true,
  })
  const stopHeartbeat = keepAlive(server)
  server.on('connection', (socket: WebSocket) => {
    const challenge = bytesToHex(randomBytes(32))
    runWorkerSession(
      {
        log: deps.log,
        challenge: { type: 'challenge', gateway: deps.signer.address, ...deps.domain, challenge },
        admit: (hello) => admit(deps, challenge, hello, banned, standing),
        onWelcome: (link) => {
          // A worker that comes back before its old connection is known to be dead takes its place.
          for (const other of links) if (sameHex(other.executionKey, link.executionKey)) other.close('replaced')
          links.add(link)
          deps.log.info({ operator: link.operator, executionKey: link.executionKey }, 'worker connected')
          changed()
        },
        onChange: changed,
        onClose: (link) => {
          links.delete(link)
          deps.log.info({ operator: link.operator }, 'worker disconnected')
          changed()
        },
        onUnasked: deps.onUnasked,
        onUnaskedCommitment: deps.onUnaskedCommitment,
        inputFor: deps.inputFor,
        egress: deps.egress,
        environment: deps.environment,
        helloTimeoutMs,
      },
      socket,
    )
  })
  return {
    server,
    links: () => [...links],
    withRuntime: (runtimeDigest) => [...links].filter((link) => hasRuntime(link, runtimeDigest)).sort(byLoad),
    supports: (runtimeDigest) => [...links].some((link) => hasRuntime(link, runtimeDigest)),
    acquire: (options) => acquire(() => [...links], watchers, options),
    ban: (executionKey, reason) => {
      banned.add(executionKey.toLowerCase())
      deps.log.error({ executionKey, reason }, 'worker banned')
      for (const link of links) if (sameHex(link.executionKey, executionKey)) link.close(reason)
    },
    maySign: standing.maySign,
    operatorChanged: async (operator) => {
      standing.forget(operator)
      for (const link of links) {
        if (!sameHex(link.operator, operator)) continue
        if (!(await standing.maySign(link.executionKey, operator, deps.nowSeconds())))
          link.close('the operator is not active any more')
      }
    },
    close: async () => {
      stopHeartbeat()
      for (const socket of server.clients) socket.close(1001, 'the gateway stops')
      const cut = setTimeout(() => {
        for (const socket of server.clients) socket.terminate()
      }, 1_000)
      await new Promise<void>((resolve) => server.close(() => resolve()))
      clearTimeout(cut)
    },
  }
}

type Standing = Pick<WorkerHub, 'maySign'> & {
  isActive: (operator: Address) => Promise<boolean>
  forget: (operator: Address) => void
}

/** What the chain says about operators and their keys, remembered until an event of theirs says that it changed. */
function createStanding(chain: WorkerHubDeps['chain']): Standing {
  const active = new Map<string, Promise<boolean>>()
  const owners = new Map<string, Promise<Address | undefined>>()
  const isActive = (operator: Address) =>
    remember(active, operator.toLowerCase(), () => chain.operatorIsActive(operator))
  return {
    isActive,
    maySign: async (executionKey, operator, issuedAt) => {
      if (!(await isActive(operator))) return false
      const ask = () => chain.operatorForKey(executionKey, issuedAt)
      const owner = await remember(owners, executionKey.toLowerCase(), ask)
      return owner !== undefined && sameHex(owner, operator)
    },
    forget: (operator) => {
      active.delete(operator.toLowerCase())
      owners.clear()
    },
  }
}

/** The value, asked for once. A failure is not remembered. */
function remember<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const before = known.get(key)
  if (before) return before
  const asked = ask()
  known.set(key, asked)
  asked.catch(() => known.delete(key))
  return asked
}

async function admit(
  deps: WorkerHubDeps,
  challenge: Hex,
  hello: WorkerHello,
  banned: ReadonlySet<string>,
  standing: Standing,
): Promise<{ operator: Address; signature: Hex } | { refused: string }> {
  const { signing, domain, signer: gateway, chain, nowSeconds } = deps
  const { origin } = hello
  const said = { protocolVersion: PROTOCOL_VERSION, gateway: gateway.address, origin, challenge }
  const digest = hashWorkerHello(domain, said)
  const signer = await signing.recover(digest, hello.signature)
  if (!signer || !sameHex(signer, hello.executionKey))
    return { refused: 'The hello is not signed by its execution key.' }
  const origins = deps.origins()
  if (!origins.includes(origin))
    return { refused: `The worker has dialled ${origin}, and this gateway is ${origins.join(', ')}.` }
  if (banned.has(hello.executionKey.toLowerCase()))
    return { refused: 'This execution key signed two different results.' }
  const operator = await chain.operatorForKey(hello.executionKey, nowSeconds())
  if (!operator) return { refused: 'The execution key is of no operator on this network.' }
  if (!(await standing.isActive(operator))) return { refused: 'The operator is not active.' }
  const { executionKey } = hello
  const welcome = { protocolVersion: PROTOCOL_VERSION, executionKey, challenge: hello.challenge }
  return { operator, signature: await gateway.sign(hashGatewayWelcome(domain, welcome)) }
}

function hasRuntime(link: WorkerLink, runtimeDigest: Hex): boolean {
  return link.runtimeDigests.some((digest) => sameHex(digest, runtimeDigest))
}

function byLoad(a: WorkerLink, b: WorkerLink): number {
  return a.inFlight() / a.capacity() - b.inFlight() / b.capacity()
}

async function acquire(
  links: () => WorkerLink[],
  watchers: Set<() => void>,
  { runtimeDigest, except, waitMs }: Parameters<WorkerPool['acquire']>[0],
): Promise<WorkerLink | undefined> {
  const best = (): WorkerLink | undefined =>
    links()
      .filter((link) => hasRuntime(link, runtimeDigest) && !except(link) && link.inFlight() < link.capacity())
      .sort(byLoad)[0]
  const now = best()
  now?.claim()
  if (now || waitMs <= 0) return now
  return new Promise((resolve) => {
    const finish = (link: WorkerLink | undefined) => {
      clearTimeout(timer)
      watchers.delete(look)
      resolve(link)
    }
    const look = () => {
      const link = best()
      if (!link) return
      link.claim()
      finish(link)
    }
    const timer = setTimeout(() => finish(undefined), waitMs)
    watchers.add(look)
  })
}

/** Finds peers that are gone without a word. */
function keepAlive(server: WebSocketServer): () => void {
  const alive = new WeakSet<WebSocket>()
  server.on('connection', (socket) => {
    alive.add(socket)
    socket.on('pong', () => alive.add(socket))
  })
  const timer = setInterval(() => {
    for (const socket of server.clients) {
      if (!alive.has(socket)) socket.terminate()
      else {
        alive.delete(socket)
        socket.ping()
      }
    }
  }, heartbeatMs)
  timer.unref()
  return () => clearInterval(timer)
}
