import {
  canonicalEgressCall,
  createDigestSigner,
  decodeEgressAnswer,
  encodeEgressCall,
  hashEgressAnswer,
  hashEgressCall,
  hashEgressTranscript,
  type NetworkAccess,
  pureSigning,
  sameHex,
  secretsOf,
  type Ticket,
} from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, getAddress, type Hex, keccak256, stringToHex } from 'viem'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { type BrokerDeps, createEgressBroker, type Transcript } from '../src/egress/broker.ts'
import { findCall, forgetCalls } from '../src/egress/egressTable.ts'
import { saveExecuted } from '../src/requests/requestTable.ts'
import { createEnvironments, type Environments } from '../src/secrets/environments.ts'
import { createVault } from '../src/secrets/vault.ts'
import { kinds } from './databases.ts'
import { type Outside, outsideAddress, startOutside, testNetwork } from './outside.ts'
import { recordedJob } from './recordedJob.ts'
import { until } from './until.ts'

const secret = 'sk-live-0123456789abcdef'
const signer = createDigestSigner(`0x${'7a'.repeat(32)}`)
const domain = { chainId: 1, coordinator: getAddress(`0x${'c0'.repeat(20)}`) } as const
const owner = getAddress(`0x${'0a'.repeat(20)}`)
const scope = { owner, creator: owner, project: 'demo' }
const first: Address = getAddress(`0x${'01'.repeat(20)}`)
const second: Address = getAddress(`0x${'02'.repeat(20)}`)
const hash = (text: string): Hex => keccak256(stringToHex(text))

let count = 0
/** No two tests share a request. */
const newRequest = (): Hex => hash(`request ${count++}`)

describe.each(kinds)('%s', (_, start) => {
  let database: Database
  let stop: (() => Promise<void>) | undefined
  let outside: Outside
  let environments: Environments
  let envVersion: number
  let answers: number
  let held: (() => void)[]
  let log: string[]

  beforeAll(async () => {
    const server = await start()
    stop = server.stop
    database = await server.open()
    outside = await startOutside((seen, response) => {
      const reply = () => response.setHeader('x-count', String(++answers)).end(`answer ${answers}: ${seen.body}`)
      if (seen.url === '/held') held.push(reply)
      else if (seen.url === '/large') response.end(Buffer.alloc(2_000_000))
      else reply()
    })
  })
  afterAll(async () => {
    await outside?.stop()
    await stop?.()
  })
  beforeEach(async () => {
    outside.seen.length = 0
    answers = 0
    held = []
    log = []
    environments = createEnvironments({
      database,
      vault: createVault([new Uint8Array(32).fill(7)]),
      log: pino({ level: 'silent' }),
      now: Date.now,
      keepEndedMs: 1_000,
    })
    const { version } = await environments.list(scope)
    envVersion = await environments.set(scope, { name: 'API_KEY', value: secret, fromVersion: version })
  })
  afterEach(() => {
    for (const reply of held) reply()
  })

  const access = (): NetworkAccess => ({
    hosts: [{ host: `api.test:${outside.port}`, headers: { authorization: 'Bearer {{API_KEY}}' } }],
    maxCalls: 6,
  })

  function broker(changes: Partial<BrokerDeps> = {}) {
    const stream = { write: (line: string) => void log.push(line) }
    return createEgressBroker({
      database,
      domain,
      signer,
      log: pino({ level: 'trace' }, stream),
      network: testNetwork({ 'api.test': [outsideAddress] }),
      accessOf: async () => access(),
      secretsFor: (ticket, list) =>
        environments.secretsFor(ticket, { creator: owner, project: 'demo' }, secretsOf(list)),
      now: Date.now,
      ...changes,
    })
  }

  function asked(
    requestId: Hex,
    options: { index?: number; path?: string; method?: string; body?: string; worker?: Address } = {},
  ) {
    const { index = 0, path = '/', method = 'POST', body = 'hello', worker = first } = options
    const url = `https://api.test:${outside.port}${path}`
    const bytes = new TextEncoder().encode(method === 'GET' ? '' : body)
    const made = canonicalEgressCall({ method, url, headers: [], body: bytes })
    if (!made.ok) throw new Error(made.message)
    const ticket = { envVersion } as Ticket
    return { requestId, ticket, worker, index, call: encodeEgressCall(made.call) }
  }

  const never = new AbortController().signal
  const codeOf = ({ answer }: Transcript) => {
    const decoded = decodeEgressAnswer(answer)
    return decoded.type === 'refused' ? decoded.code : decoded.status
  }

  const readable = ({ answer }: Transcript) => {
    const decoded = decodeEgressAnswer(answer)
    return decoded.type === 'answered' ? { ...decoded, body: atob(decoded.body) } : { ...decoded, body: '' }
  }

  test('a transcript is the requester’s word for this call of this request', async () => {
    const one = asked(newRequest(), { index: 3 })
    const { answer, signature } = await broker().answer(one, never)
    const digest = hashEgressTranscript(domain, {
      protocolVersion: 1,
      requestId: one.requestId,
      index: 3,
      callDigest: hashEgressCall(one.call),
      answerDigest: hashEgressAnswer(answer),
    })
    expect(await pureSigning.recover(digest, signature)).toSatisfy((by: Hex) => sameHex(by, signer.address))
    expect(outside.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`)
  })

  test('two workers at once make one outgoing call, and get the same bytes', async () => {
    const one = broker()
    const requestId = newRequest()
    const a = one.answer(asked(requestId, { path: '/held' }), never)
    const b = one.answer(asked(requestId, { path: '/held', worker: second }), never)
    await until(async () => held.length > 0)
    held.pop()?.()
    expect(await a).toEqual(await b)
    expect(codeOf(await a)).toBe(200)
    expect(outside.seen).toHaveLength(1)
    expect(await findCall(database, requestId, 0)).toMatchObject({ worker: first })
  })

  test('a later worker gets the recorded bytes, also from a gateway that was started again', async () => {
    const requestId = newRequest()
    const before = await broker().answer(asked(requestId), never)
    expect(await broker().answer(asked(requestId, { worker: second }), never)).toEqual(before)
    expect(outside.seen).toHaveLength(1)
    await broker().answer(asked(newRequest()), never)
    expect(outside.seen).toHaveLength(2)
  })

  test('another call at a place that is taken is refused, and reaches nobody', async () => {
    const requestId = newRequest()
    const one = broker()
    await one.answer(asked(requestId), never)
    expect(codeOf(await one.answer(asked(requestId, { body: 'other' }), never))).toBe('egress_diverged')
    const running = one.answer(asked(requestId, { index: 1, path: '/held' }), never)
    await until(async () => held.length > 0)
    expect(codeOf(await one.answer(asked(requestId, { index: 1, body: 'other' }), never))).toBe('egress_diverged')
    held.pop()?.()
    expect(codeOf(await running)).toBe(200)
    expect(outside.seen).toHaveLength(2)
  })

  test('a gateway that stopped in the middle asks again only what is safe to ask again', async () => {
    const stopping = new AbortController()
    const requestId = newRequest()
    const begun = ['POST', 'GET'].map((method, index) =>
      broker().answer(asked(requestId, { index, method, path: '/held' }), stopping.signal),
    )
    const ended = Promise.allSettled(begun)
    await until(async () => held.length === 2)
    stopping.abort()
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const after = broker()
    const again = asked(requestId, { index: 0, path: '/held' })
    expect(codeOf(await after.answer(again, never))).toBe('egress_interrupted')
    expect(codeOf(await after.answer(again, never))).toBe('egress_interrupted')
    expect(outside.seen).toHaveLength(2)
    const repeated = after.answer(asked(requestId, { index: 1, method: 'GET', path: '/held' }), never)
    await until(async () => held.length === 3)
    held.pop()?.()
    expect(codeOf(await repeated)).toBe(200)
  })

  test('calls and bytes of a request are counted, and what was refused stays refused', async () => {
    const requestId = newRequest()
    const one = broker()
    expect(codeOf(await one.answer(asked(requestId, { index: 6 }), never))).toBe('egress_too_many_calls')
    expect(await findCall(database, requestId, 6)).toBeUndefined()
    for (let index = 0; index < 4; index++)
      expect(codeOf(await one.answer(asked(requestId, { index, method: 'GET', path: '/large' }), never))).toBe(200)
    const last = asked(requestId, { index: 4, method: 'GET', path: '/large' })
    const spent = await one.answer(last, never)
    expect(codeOf(spent)).toBe('egress_budget_spent')
    expect(await broker().answer(last, never)).toEqual(spent)
    expect(codeOf(await broker().answer(asked(requestId, { index: 5 }), never))).toBe('egress_budget_spent')
    // Eight megabytes through an embedded database, on a machine that may have other work.
  }, 180_000)

  test('a function that declares nothing calls nobody', async () => {
    const one = broker({ accessOf: async () => undefined })
    expect(codeOf(await one.answer(asked(newRequest()), never))).toBe('egress_not_declared')
    expect(outside.seen).toEqual([])
  })

  test('bytes that are no call are refused', async () => {
    const one = { ...asked(newRequest()), call: new TextEncoder().encode('{"v":1}') }
    await expect(broker().answer(one, never)).rejects.toMatchObject({ code: 'request_invalid' })
  })

  test('what is recorded goes with its request', async () => {
    const kept = recordedJob('a request that is kept', 990n)
    const gone = newRequest()
    await saveExecuted(database, { ...kept, keepUntilMs: 10_000_000_000_000 })
    for (const requestId of [kept.requestId, gone]) await broker().answer(asked(requestId), never)
    await forgetCalls(database, { beforeMs: Date.now() - 60_000, nowMs: Date.now() })
    expect(await findCall(database, gone, 0)).toBeDefined()
    await forgetCalls(database, { beforeMs: Date.now() + 60_000, nowMs: Date.now() })
    expect(await findCall(database, gone, 0)).toBeUndefined()
    expect(await findCall(database, kept.requestId, 0)).toBeDefined()
  })

  test('the secret is in no row, no log line and no transcript', async () => {
    const requestId = newRequest()
    const transcript = await broker().answer(asked(requestId), never)
    expect(outside.seen[0]?.headers.authorization).toContain(secret)
    const rows = await Promise.all(
      ['egress_calls', 'secrets', 'environments'].map((table) => database.query(`select * from ${table}`)),
    )
    const bytes = rows
      .flat()
      .flatMap((row) => Object.values(row))
      .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))
    expect(bytes.length).toBeGreaterThan(10)
    expect(bytes.join('\n')).not.toContain(secret)
    expect(log.join('')).toContain(requestId)
    expect(log.join('')).not.toContain(secret)
    expect(JSON.stringify(readable(transcript))).not.toContain(secret)
    expect(readable(transcript).body).toContain('answer 1')
  })

  describe('secrets', () => {
    const other = { owner, creator: owner, project: 'other' }
    const at = (version: number, creator = owner, project = 'demo') =>
      environments.secretsFor({ envVersion: version }, { creator, project }, secretsOf(access()))

    test('a ticket names the version that it runs with', async () => {
      const next = await environments.set(scope, { name: 'API_KEY', value: 'another value', fromVersion: envVersion })
      expect(next).toBeGreaterThan(envVersion)
      expect(await at(envVersion)).toEqual(new Map([['API_KEY', secret]]))
      expect(await at(next)).toEqual(new Map([['API_KEY', 'another value']]))
      expect(await environments.versionFor(scope, secretsOf(access()))).toBe(next)
      const last = await environments.remove(scope, { name: 'API_KEY', fromVersion: next })
      expect(await at(last)).toEqual(new Map())
      expect(await at(next)).toEqual(new Map([['API_KEY', 'another value']]))
      await expect(environments.versionFor(scope, secretsOf(access()))).rejects.toMatchObject({
        code: 'secret_missing',
        details: ['Secret: API_KEY.'],
      })
    })

    test('a function of another creator or project gets nothing of it', async () => {
      expect(await at(envVersion, second)).toEqual(new Map())
      expect(await at(envVersion, owner, 'other')).toEqual(new Map())
      expect(await at(0)).toEqual(new Map())
    })

    test('only what the function’s hosts name is opened', async () => {
      const next = await environments.set(scope, { name: 'OTHER_KEY', value: 'not asked for', fromVersion: envVersion })
      expect([...(await at(next)).keys()]).toEqual(['API_KEY'])
    })

    test('one change is made once, and of two at the same time one', async () => {
      const change = () => environments.set(scope, { name: 'API_KEY', value: 'changed once', fromVersion: envVersion })
      const results = await Promise.allSettled([change(), change()])
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      await expect(change()).rejects.toMatchObject({ code: 'conflict' })
      await expect(
        environments.set(other, { name: 'A', value: 'not its version', fromVersion: envVersion }),
      ).rejects.toMatchObject({ code: 'conflict' })
      await expect(environments.remove(other, { name: 'A', fromVersion: 0 })).rejects.toMatchObject({
        code: 'secret_missing',
      })
      expect((await environments.list(other)).version).toBe(0)
    })

    test('a value that was replaced is erased when no ticket can name it', async () => {
      await environments.set(scope, { name: 'API_KEY', value: 'the next value', fromVersion: envVersion })
      await environments.tidy()
      expect((await at(envVersion)).size).toBe(1)
      const later = createEnvironments({
        database,
        vault: undefined,
        log: pino({ level: 'silent' }),
        now: () => Date.now() + 2_000,
        keepEndedMs: 1_000,
      })
      await later.tidy()
      expect((await at(envVersion)).size).toBe(0)
      expect((await environments.list(scope)).secrets.map(({ name }) => name)).toContain('API_KEY')
      await expect(later.set(scope, { name: 'A', value: 'no key here', fromVersion: 0 })).rejects.toMatchObject({
        code: 'secrets_unavailable',
      })
    })

    test('a new key takes over everything, then the old one can go', async () => {
      const keys = [new Uint8Array(32).fill(9), new Uint8Array(32).fill(7)] as const
      const make = (vault: ReturnType<typeof createVault>) =>
        createEnvironments({ database, vault, log: pino({ level: 'silent' }), now: Date.now, keepEndedMs: 1e9 })
      const onlyNew = make(createVault([keys[0]]))
      const open = (from: Environments) =>
        from.secretsFor({ envVersion }, { creator: owner, project: 'demo' }, secretsOf(access()))
      await expect(open(onlyNew)).rejects.toThrow('is not configured')
      await make(createVault(keys)).tidy()
      expect((await open(onlyNew)).get('API_KEY')).toBe(secret)
      await make(createVault([keys[1], keys[0]])).tidy()
      expect((await open(environments)).get('API_KEY')).toBe(secret)
    })

    test('a sealed value opens in its own row only', async () => {
      const next = await environments.set(scope, {
        name: 'OTHER_KEY',
        value: 'what is not sent',
        fromVersion: envVersion,
      })
      const [row] = await database.query(`select sealed from secrets where name = 'OTHER_KEY' and since_version = $1`, [
        next,
      ])
      await database.query(`update secrets set sealed = $1 where name = 'API_KEY' and until_version is null`, [
        row?.sealed as Uint8Array,
      ])
      await expect(at(next)).rejects.toThrow()
      await environments.set(scope, { name: 'API_KEY', value: secret, fromVersion: next })
    })
  })
})
