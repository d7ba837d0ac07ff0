import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import {
  confirmedLaneAbi,
  encodeCanonicalJson,
  environmentContext,
  fromBase64,
  hashEnvironmentEnvelope,
  pureSigning,
  toBase64,
} from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, type Hex, sha256 } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { changeSecret } from './changeSecret.ts'
import { newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { type Behaviour, type EnvironmentReply, type Seen, startAskingWorker, type TestWorker } from './testWorker.ts'

const secret = 'sk-live-0123456789abcdef'
const owner = newKey()
const log: string[] = []
const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

let network: TestNetwork
let gateway: TestGateway
const workers: TestWorker[] = []
let names = 0

beforeAll(async () => {
  network = await startNetwork()
  gateway = await startTestGateway({
    network,
    secretsKeys: [new Uint8Array(32).fill(3)],
    log: pino({ level: 'trace' }, { write: (line: string) => void log.push(line) }),
  })
  await network.rich(owner.account)
  await network.fund(owner.account, gateway.requester, 100_000_000n)
  await set('READ_KEY', secret)
  await set('OTHER_KEY', 'of another function')
})
afterAll(async () => {
  await gateway?.close()
  await network?.stop()
})
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop()
})

const set = (name: string, value: string) => changeSecret({ network, gateway, owner }, { name, value })

async function startWorker(
  behave: Parameters<typeof startAskingWorker>[1],
  { confirms = false } = {},
): Promise<TestWorker> {
  const worker = await startAskingWorker({ network, workerUrl: gateway.workerUrl, confirms }, behave)
  workers.push(worker)
  return worker
}

/** `flags`: 4 takes secrets, 8 its code reads them. */
async function publish({
  env = ['READ_KEY'],
  flags = 12,
  quorum = 1,
  trustedWorkers,
}: {
  env?: string[]
  flags?: number
  quorum?: number
  trustedWorkers?: Address[]
} = {}): Promise<string> {
  const name = `reads-${names++}`
  const document = { v: 1, name, description: '', methods: ['GET'], runtime: 'node24', bundleCid: 'none', env }
  const bytes = encodeCanonicalJson(trustedWorkers ? { ...document, trustedWorkers } : document)
  await gateway.store.put(bytes)
  const { path } = await network.publish(owner.account, {
    name,
    metadataDigest: sha256(bytes),
    flags,
    quorum,
    project: 'demo',
  })
  return `${gateway.url}${path}`
}

async function newSandboxKey() {
  const { privateKey, publicKey } = await suite.kem.generateKeyPair()
  const text = toBase64(new Uint8Array(await suite.kem.serializePublicKey(publicKey)))
  const open = async (reply: EnvironmentReply, requestId: Hex, operator: Address): Promise<string> => {
    if (reply.type === 'environment-failed') return reply.reason
    const { encapsulatedKey, sealed } = reply
    const info = buffer(environmentContext(requestId, operator))
    const enc = buffer(fromBase64(encapsulatedKey))
    return new TextDecoder().decode(
      await suite.open({ recipientKey: privateKey, enc, info }, buffer(fromBase64(sealed))),
    )
  }
  return { text, open }
}
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

/** A worker that asks for the environment of what it runs and answers with what it could open. */
const reader = async ({ requestId }: Seen, self: () => TestWorker): Promise<Behaviour> => {
  const key = await newSandboxKey()
  const operator = self().operator.account.address
  const reply = await self().askEnvironment(requestId, key.text)
  if (reply.type === 'environment-sealed') {
    const digest = hashEnvironmentEnvelope(network.domain, { requestId, operator, publicKey: key.text }, reply)
    const signer = await pureSigning.recover(digest, reply.signature)
    if (signer !== gateway.requester) return { do: 'answer', body: `The envelope is signed by ${signer}.` }
  }
  return { do: 'answer', body: await key.open(reply, requestId, operator) }
}

describe('a function whose code reads secrets', () => {
  test('has those that it names, sealed for the sandbox of each worker that runs it', async () => {
    const url = await publish({ quorum: 2 })
    for (let count = 0; count < 2; count++) await startWorker(reader)
    const response = await fetch(url)
    expect(await response.text()).toBe(`{"READ_KEY":"${secret}"}`)
    expect(log.join('')).toContain('environment sealed')
    expect(log.join('')).not.toContain(secret)
  })

  test('has the values of the version that its ticket names', async () => {
    const url = await publish({ env: ['CHANGING'] })
    await set('CHANGING', 'the first value')
    await startWorker(async (seen, self) => {
      await set('CHANGING', 'the second value')
      return reader(seen, self)
    })
    expect(await (await fetch(url)).json()).toEqual({ CHANGING: 'the first value' })
  })

  test('is refused before anybody pays or runs when one is not set', async () => {
    const url = await publish({ env: ['READ_KEY', 'NEVER_SET'] })
    const worker = await startWorker(reader)
    const response = await fetch(url)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      code: 'secret_missing',
      detail: expect.stringContaining('NEVER_SET'),
    })
    expect(worker.seen).toEqual([])
  })
})

describe('a function whose owner names whom it trusts', () => {
  test.each([1, 2])('is run by nobody else (quorum %i)', async (quorum) => {
    const strangers = [await startWorker(reader), await startWorker(reader)]
    const trusted = []
    for (let count = 0; count < quorum; count++) trusted.push(await startWorker(reader))
    const trustedWorkers = trusted.map(({ operator }) => operator.account.address)
    const url = await publish({ quorum, trustedWorkers })
    expect(await (await fetch(url)).text()).toBe(`{"READ_KEY":"${secret}"}`)
    expect(trusted.map(({ seen }) => seen.length)).toEqual(Array(quorum).fill(1))
    for (const { seen } of strangers) expect(seen).toEqual([])
  })

  test('is run by nobody else on the confirmed lane either, and nobody else sees the request there', async () => {
    const stranger = await startWorker(reader, { confirms: true })
    const trusted = await startWorker(reader, { confirms: true })
    const url = await publish({ trustedWorkers: [trusted.operator.account.address] })
    const response = await fetch(url, { headers: { 'peerhost-lane': 'confirmed' } })
    expect(await response.text()).toBe(`{"READ_KEY":"${secret}"}`)
    expect([trusted.seen.length, stranger.seen.length]).toEqual([1, 0])
  })

  test('is not put on chain while none of them is there', async () => {
    await startWorker(reader, { confirms: true })
    const url = await publish({ trustedWorkers: [newKey().account.address] })
    const before = await network.client.getBlockNumber({ cacheTime: 0 })
    const response = await fetch(url, { headers: { 'peerhost-lane': 'confirmed' } })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'no_worker', detail: expect.stringContaining('trusts') })
    const posted = await network.client.getContractEvents({
      address: network.addresses.confirmedLane,
      abi: confirmedLaneAbi,
      eventName: 'ExecutionRequested',
      fromBlock: before,
    })
    expect(posted).toEqual([])
  })

  test('says how many of a quorum’s operators are missing', async () => {
    const trusted = await startWorker(reader)
    await startWorker(reader)
    const url = await publish({
      quorum: 2,
      trustedWorkers: [trusted.operator.account.address, newKey().account.address],
    })
    const response = await fetch(url)
    expect(await response.json()).toMatchObject({
      code: 'no_worker',
      detail: expect.stringContaining('connected: 1, needed: 2'),
    })
    expect(trusted.seen).toEqual([])
  })

  test('waits for nobody when none of them is there, and charges nothing', async () => {
    const stranger = await startWorker(reader)
    const response = await fetch(await publish({ trustedWorkers: [newKey().account.address] }))
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'no_worker', detail: expect.stringContaining('trusts') })
    expect(stranger.seen).toEqual([])
  })
})

describe('an envelope', () => {
  test('opens with no other key, for no other request and no other operator', async () => {
    const url = await publish()
    let attempts: Promise<string>[] = []
    await startWorker(async ({ requestId }, self) => {
      const [key, other] = [await newSandboxKey(), await newSandboxKey()]
      const operator = self().operator.account.address
      const reply = await self().askEnvironment(requestId, key.text)
      attempts = [
        key.open(reply, requestId, operator),
        other.open(reply, requestId, operator),
        key.open(reply, `0x${'11'.repeat(32)}`, operator),
        key.open(reply, requestId, owner.account.address),
      ]
      await Promise.allSettled(attempts)
      return { do: 'answer' }
    })
    await fetch(url)
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
  })

  test.each([
    ['a worker that does not run the request', undefined, 'does not run the request'],
    ['a key that is none', toBase64(new Uint8Array(32)), 'The gateway failed.'],
  ])('is not made for %s', async (_, publicKey, reason) => {
    const url = await publish()
    const key = await newSandboxKey()
    const bystander = await startWorker(async () => ({ do: 'decline', reason: 'at-capacity' }))
    await startWorker(async ({ requestId }, self) => {
      const reply = publicKey
        ? await self().askEnvironment(requestId, publicKey)
        : await bystander.askEnvironment(requestId, key.text)
      return { do: 'answer', body: reply.type === 'environment-failed' ? reply.reason : 'an envelope' }
    })
    expect(await (await fetch(url)).text()).toContain(reason)
  })

  test('is not made for a function whose deployment does not say on chain that it reads them', async () => {
    const url = await publish({ flags: 4 })
    await startWorker(reader)
    expect(await (await fetch(url)).text()).toBe('The function reads no environment.')
  })
})
