import {
  canonicalEgressCall,
  decodeEgressAnswer,
  encodeCanonicalJson,
  encodeEgressCall,
  fromBase64,
  hashEgressAnswer,
  hashEgressCall,
  hashEgressTranscript,
  pureSigning,
} from '@peerhost/protocol'
import { pino } from 'pino'
import { type Hex, keccak256, sha256, stringToHex } from 'viem'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Change, changeSecret, secretsVersion } from './changeSecret.ts'
import { newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { type Outside, outsideAddress, startOutside, testNetwork } from './outside.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { type Behaviour, type EgressReply, type Seen, startAskingWorker, type TestWorker } from './testWorker.ts'

const secret = 'sk-live-0123456789abcdef'
const secretsKeys = [new Uint8Array(32).fill(3)]
const owner = newKey()
const log: string[] = []

let network: TestNetwork
let gateway: TestGateway
let outside: Outside
const workers: TestWorker[] = []
let names = 0

beforeAll(async () => {
  network = await startNetwork()
  outside = await startOutside((seen, response) => response.end(`for ${seen.url}, ${outside.seen.length}`))
  gateway = await startTestGateway({
    network,
    secretsKeys,
    egressNetwork: testNetwork({ 'api.test': [outsideAddress] }),
    log: pino({ level: 'trace' }, { write: (line: string) => void log.push(line) }),
  })
  await network.rich(owner.account)
  await network.fund(owner.account, gateway.requester, 100_000_000n)
})
afterAll(async () => {
  await gateway?.close()
  await outside?.stop()
  await network?.stop()
})
beforeEach(() => {
  outside.seen.length = 0
})
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop()
})

async function startWorker(behave: Parameters<typeof startAskingWorker>[1]): Promise<TestWorker> {
  const worker = await startAskingWorker({ network, workerUrl: gateway.workerUrl }, behave)
  workers.push(worker)
  return worker
}

type Published = { quorum?: number; flags?: number; secretName?: string; project?: string; price?: bigint }

async function publish({
  quorum = 1,
  flags = 6,
  secretName = 'API_KEY',
  project = 'demo',
  price = 0n,
}: Published = {}) {
  const headers = (flags & 4) === 0 ? {} : { authorization: `Bearer {{${secretName}}}` }
  const document = {
    v: 1,
    name: `calls-${names++}`,
    description: '',
    methods: ['GET'],
    runtime: 'node24',
    bundleCid: 'none',
    network: { hosts: [{ host: `api.test:${outside.port}`, headers }], maxCalls: 2 },
  }
  const bytes = encodeCanonicalJson(document)
  await gateway.store.put(bytes)
  const metadataDigest = sha256(bytes)
  return network.publish(owner.account, { name: document.name, metadataDigest, flags, quorum, project, price })
}

function callTo(path: string): Uint8Array {
  const url = `https://api.test:${outside.port}${path}`
  const made = canonicalEgressCall({ method: 'GET', url, headers: [], body: new Uint8Array() })
  if (!made.ok) throw new Error(made.message)
  return encodeEgressCall(made.call)
}

function readReply(reply: EgressReply): string {
  if (reply.type === 'egress-failed') return reply.reason
  const answer = decodeEgressAnswer(fromBase64(reply.answer))
  return answer.type === 'refused' ? answer.code : new TextDecoder().decode(fromBase64(answer.body))
}

const change = (options: Change = {}, at = gateway) =>
  changeSecret({ network, gateway: at, owner }, { value: secret, ...options })
const versionOf = (project: string) => secretsVersion({ network, gateway, owner }, project)
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code

describe('a function that calls out', () => {
  test('gets the answer through its worker, with a secret that only the host sees', async () => {
    const set = (await (await change()).json()) as { version: number }
    const { path } = await publish()
    const worker = await startWorker(async ({ requestId }, self) => {
      const reply = await self().callOut(requestId, 0, callTo('/weather'))
      return { do: 'answer', body: readReply(reply) }
    })
    const response = await fetch(`${gateway.url}${path}`)
    expect(await response.text()).toBe('for /weather, 1')
    expect(worker.seen[0]?.ticket.envVersion).toBe(set.version)
    expect(outside.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`)
    expect(log.join('')).toContain('"msg":"egress"')
    expect(log.join('')).not.toContain(secret)
  })

  test('in a quorum is answered once for all, with the requester’s signature', async () => {
    await change()
    const { path } = await publish({ quorum: 2 })
    const replies: EgressReply[] = []
    for (let count = 0; count < 2; count++)
      await startWorker(async ({ requestId }, self) => {
        const reply = await self().callOut(requestId, 0, callTo('/once'))
        replies.push(reply)
        return { do: 'answer', body: readReply(reply) }
      })
    const response = await fetch(`${gateway.url}${path}`)
    expect(response.status, await response.clone().text()).toBe(200)
    expect(await response.text()).toBe('for /once, 1')
    expect(outside.seen).toHaveLength(1)
    expect(replies[0]).toEqual(replies[1])
    const [reply] = replies
    if (reply?.type !== 'egress-answer') throw new Error('no transcript')
    const digest = hashEgressTranscript(network.domain, {
      protocolVersion: 1,
      requestId: reply.requestId,
      index: 0,
      callDigest: hashEgressCall(callTo('/once')),
      answerDigest: hashEgressAnswer(fromBase64(reply.answer)),
    })
    expect(await pureSigning.recover(digest, reply.signature)).toBe(gateway.requester)
  })

  test('is repeated by another worker from the record, when the first one is gone', async () => {
    await change()
    const { path } = await publish()
    const replies: string[] = []
    let runs = 0
    const behave = async ({ requestId }: Seen, self: () => TestWorker): Promise<Behaviour> => {
      const body = readReply(await self().callOut(requestId, 0, callTo('/again')))
      replies.push(`${requestId} ${body}`)
      return runs++ === 0 ? { do: 'disconnect' } : { do: 'answer', body }
    }
    await startWorker(behave)
    await startWorker(behave)
    expect(await (await fetch(`${gateway.url}${path}`)).text()).toBe('for /again, 1')
    expect(replies).toHaveLength(2)
    expect(replies[0]).toBe(replies[1])
    expect(outside.seen).toHaveLength(1)
  })

  test('is held to what it declares', async () => {
    await change()
    const { path } = await publish()
    await startWorker(async ({ requestId }, self) => {
      const port = outside.port
      const elsewhere = canonicalEgressCall({
        method: 'GET',
        url: `https://127.0.0.1:${port}/`,
        headers: [],
        body: new Uint8Array(),
      })
      if (!elsewhere.ok) throw new Error(elsewhere.message)
      const replies = [
        await self().callOut(requestId, 0, encodeEgressCall(elsewhere.call)),
        await self().callOut(requestId, 0, callTo('/other')),
        await self().callOut(requestId, 2, callTo('/too-many')),
        await self().callOut(requestId, 1, new TextEncoder().encode('no call')),
      ]
      return { do: 'answer', body: JSON.stringify(replies.map(readReply)) }
    })
    expect(await (await fetch(`${gateway.url}${path}`)).json()).toEqual([
      'egress_host_not_allowed',
      'egress_diverged',
      'egress_too_many_calls',
      expect.stringContaining('not JSON'),
    ])
    expect(outside.seen).toEqual([])
  })

  test('whose deployment has no such flag calls nobody', async () => {
    const { path } = await publish({ flags: 0 })
    await startWorker(async ({ requestId }, self) => ({
      do: 'answer',
      body: readReply(await self().callOut(requestId, 0, callTo('/'))),
    }))
    expect(await (await fetch(`${gateway.url}${path}`)).text()).toBe('egress_not_declared')
    expect(outside.seen).toEqual([])
  })

  test('is not called for by a worker that does not run it, or not any more', async () => {
    await change()
    const { path } = await publish()
    const bystander = await startWorker(async () => ({ do: 'decline', reason: 'at-capacity' }))
    let running: Hex | undefined
    const runner = await startWorker(async ({ requestId }) => {
      running = requestId
      const reply = await bystander.callOut(requestId, 0, callTo('/stolen'))
      return { do: 'answer', body: readReply(reply) }
    })
    expect(await (await fetch(`${gateway.url}${path}`)).text()).toContain('does not run the request')
    if (!running) throw new Error('nothing ran')
    expect(readReply(await runner.callOut(running, 0, callTo('/late')))).toContain('does not run the request')
    expect(outside.seen).toEqual([])
  })

  test('without its secret is refused before anybody pays or runs', async () => {
    const { path } = await publish({ secretName: 'NEVER_SET' })
    const worker = await startWorker(async () => ({ do: 'answer' }))
    const response = await fetch(`${gateway.url}${path}`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      code: 'secret_missing',
      detail: expect.stringContaining('NEVER_SET'),
    })
    expect(worker.seen).toEqual([])
  })
})

describe('the secrets of a project', () => {
  test('are set, listed and deleted, and never shown', async () => {
    expect((await change({ project: 'life', name: 'A_KEY' })).status).toBe(200)
    expect((await change({ project: 'life', name: 'B_KEY', value: 'another value' })).status).toBe(200)
    const listed = await (await change({ action: 'list', project: 'life' })).text()
    expect(JSON.parse(listed)).toEqual({
      version: expect.any(Number),
      secrets: ['A_KEY', 'B_KEY'].map((name) => ({ name, version: expect.any(Number), setAtMs: expect.any(Number) })),
    })
    expect(listed).not.toContain(secret)
    expect((await change({ action: 'delete', project: 'life', name: 'A_KEY' })).status).toBe(200)
    expect(await codeOf(await change({ action: 'delete', project: 'life', name: 'A_KEY' }))).toBe('secret_missing')
    const after = (await (await change({ action: 'list', project: 'life' })).json()) as { secrets: { name: string }[] }
    expect(after.secrets.map(({ name }) => name)).toEqual(['B_KEY'])
  })

  test('are their owner’s: another wallet has its own under the same name', async () => {
    await change({ project: 'mine' })
    const stranger = newKey()
    const theirs = await change({ by: stranger, action: 'list', project: 'mine' })
    expect(await theirs.json()).toEqual({ version: 0, secrets: [] })
    expect((await change({ by: stranger, project: 'mine', value: 'a strange value', fromVersion: 0 })).status).toBe(200)
    const { path } = await publish({ project: 'mine' })
    await startWorker(async ({ requestId }, self) => ({
      do: 'answer',
      body: readReply(await self().callOut(requestId, 0, callTo('/'))),
    }))
    expect((await fetch(`${gateway.url}${path}`)).status).toBe(200)
    expect(outside.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`)
  })

  test.each([
    [
      'with the signature of another value',
      { valueDigest: keccak256(stringToHex('other value')) },
      'secret_unauthorized',
    ],
    ['signed for another gateway', { gateway: `0x${'99'.repeat(20)}` }, 'secret_unauthorized'],
    ['with a deadline that is over', { deadline: 1 }, 'secret_unauthorized'],
    ['with a deadline far away', { deadline: Math.floor(Date.now() / 1_000) + 86_400 }, 'secret_unauthorized'],
    ['from a version that is not the newest', { fromVersion: 999_999 }, 'conflict'],
    ['that is too short', { value: '1234567' }, 'request_invalid'],
    ['that holds a line break', { value: 'a value\nof lines' }, 'request_invalid'],
    ['that holds letters no header has', { value: 'a välue of letters' }, 'request_invalid'],
    ['that is too long', { value: 'a'.repeat(4_097) }, 'request_too_large'],
    ['with a name that is none', { name: 'api-key' }, 'request_invalid'],
  ] as [string, Change, string][])('are not set %s', async (_, options, code) => {
    expect(await codeOf(await change(options))).toBe(code)
  })

  test('are not set twice by one message', async () => {
    const fromVersion = await versionOf('replay')
    const deadline = Math.floor(Date.now() / 1_000) + 60
    expect((await change({ project: 'replay', fromVersion, deadline })).status).toBe(200)
    expect(await codeOf(await change({ project: 'replay', fromVersion, deadline }))).toBe('conflict')
  })

  test('are not listed without a signature', async () => {
    const response = await fetch(`${gateway.url}/v1/secrets/${owner.account.address}/demo`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('PeerHost')
    expect(await codeOf(response)).toBe('secret_unauthorized')
  })

  test('are not kept by a gateway without a key', async () => {
    const keyless = await startTestGateway({ network })
    const response = await change({ fromVersion: 0 }, keyless)
    expect(response.status).toBe(501)
    expect(await codeOf(response)).toBe('secrets_unavailable')
    await keyless.close()
  })
})
