import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Hex } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import type { SpendRequest } from '../src/spending/decideSpend.ts'
import { createGuardedAccount } from '../src/spending/guardedAccount.ts'
import { readPolicy } from '../src/spending/policy.ts'
import { createSpendEngine, type SpendEngine } from '../src/spending/spendEngine.ts'
import { sign, token } from './fakePeerHost.ts'
import { temporaryDirectory, testAccount, writePolicy } from './testServer.ts'

const payTo = '0x2222222222222222222222222222222222222222'
const providers = ['0x1111111111111111111111111111111111111111', '0x4444444444444444444444444444444444444444'] as const
const id = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`

let unique = 0
function request(amount: bigint, change: Partial<SpendRequest> = {}): SpendRequest {
  unique += 1
  return {
    callKey: `call ${unique}`,
    functionId: id(1),
    provider: providers[0],
    network: 'eip155:84532',
    asset: token,
    payTo,
    amount,
    ...change,
  }
}

const authorization = (amount: bigint, nonce = 1) => ({
  from: testAccount.address,
  to: payTo as Hex,
  value: amount,
  validAfter: 0n,
  validBefore: 2_000_000_000n,
  nonce: id(nonce),
})

const engines: SpendEngine[] = []
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close()
})

async function setUp(policy: Record<string, unknown> = {}, nowMs: () => number = () => Date.now()) {
  const directory = await temporaryDirectory()
  const policyPath = await writePolicy(directory, policy)
  const engine = () => {
    const made = createSpendEngine({ directory: join(directory, 'spending'), policyPath, nowMs })
    engines.push(made)
    return made
  }
  return { directory, policyPath, engine, ledger: join(directory, 'spending', 'ledger.jsonl') }
}

describe('limits', () => {
  test('are never exceeded by one unit, by whatever many processes do at once', async () => {
    const step = fc.record({
      process: fc.nat({ max: 2 }),
      provider: fc.nat({ max: 1 }),
      amount: fc.bigInt({ min: 1n, max: 60n }),
      end: fc.constantFrom('settle', 'release', 'unsettled', 'unknown', 'unsigned', 'reserved'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { engine } = await setUp({
          maxPerCall: '0.00005',
          maxPerDay: '0.000100',
          maxPerProcess: '0.000070',
          maxPerProviderPerDay: '0.000080',
          maxCallsPerMinute: 1_000,
        })
        const processes = [engine(), engine(), engine()]
        const spent: { amount: bigint; process: number; provider: number }[] = []
        const check = () => {
          const sum = (keep: (one: (typeof spent)[number]) => boolean) =>
            spent.filter(keep).reduce((total, { amount }) => total + amount, 0n)
          expect(sum(() => true)).toBeLessThanOrEqual(100n)
          for (const index of [0, 1, 2]) expect(sum(({ process }) => process === index)).toBeLessThanOrEqual(70n)
          for (const index of [0, 1]) expect(sum(({ provider }) => provider === index)).toBeLessThanOrEqual(80n)
        }
        await Promise.all(
          steps.map(async ({ process, provider, amount, end }, index) => {
            const mine = processes[process]!
            const got = await mine.reserve(request(amount, { provider: providers[provider]! }))
            if (got.type !== 'reserved') return
            expect(amount).toBeLessThanOrEqual(50n)
            const entry = { amount, process, provider }
            spent.push(entry)
            check()
            const { callId } = got.call
            const forget = () => spent.splice(spent.indexOf(entry), 1)
            if (end === 'reserved') return
            if (end === 'unsigned') {
              // The model forgets before the ledger does: the sums it checks may only be too low by what is being released.
              forget()
              return mine.release(callId, 'not signed')
            }
            await mine.recordSignature(callId, authorization(amount, index))
            if (end === 'settle') await mine.settle(callId)
            else if (end === 'unsettled') await mine.markUnsettled(callId, 'no')
            else if (end === 'unknown') await mine.markUnknown(callId, 'lost')
            else {
              forget()
              await mine.release(callId, 'ran out')
            }
          }),
        )
        check()
        const summary = await processes[0]!.summary()
        expect(summary.today.used).toBe(spent.reduce((total, { amount }) => total + amount, 0n))
        for (const made of processes) made.close()
      }),
      { numRuns: 25 },
    )
  }, 120_000)

  test('let exactly the limit through, and not one unit more', async () => {
    const { engine } = await setUp({
      maxPerCall: '1',
      maxPerDay: '0.00001',
      maxPerProviderPerDay: '1',
      maxPerProcess: '1',
    })
    const one = engine()
    expect((await one.reserve(request(10n))).type).toBe('reserved')
    expect(await one.reserve(request(1n))).toMatchObject({ type: 'deny', rule: 'maxPerDay', code: 'budget_exceeded' })
  })

  test('follow the policy file as its owner changes it, and close when it breaks', async () => {
    const { engine, policyPath } = await setUp({ maxPerCall: '0.00001' })
    const one = engine()
    expect(await one.reserve(request(11n))).toMatchObject({ type: 'deny', rule: 'maxPerCall' })
    await writeFile(policyPath, JSON.stringify({ version: 1, maxPerCall: '0.000011' }))
    expect((await one.reserve(request(11n))).type).toBe('reserved')
    await writeFile(policyPath, '{')
    expect(await one.reserve(request(1n))).toMatchObject({ type: 'deny', code: 'config_invalid' })
  })

  test('slow a loop down', async () => {
    const { engine } = await setUp({ maxCallsPerMinute: 3 })
    const one = engine()
    for (let call = 0; call < 3; call++) expect((await one.reserve(request(1n))).type).toBe('reserved')
    expect(await one.reserve(request(1n))).toMatchObject({ type: 'deny', code: 'rate_limited' })
  })

  test('do not open again when the clock is set back', async () => {
    let now = Date.UTC(2026, 10, 21, 12)
    const { engine } = await setUp({ maxPerDay: '0.00001', maxPerCall: '1' }, () => now)
    const one = engine()
    expect((await one.reserve(request(10n))).type).toBe('reserved')
    now -= 86_400_000
    expect(await one.reserve(request(1n))).toMatchObject({ type: 'deny', rule: 'maxPerDay' })
    now += 2 * 86_400_000
    expect((await one.reserve(request(1n))).type).toBe('reserved')
  })
})

describe('the policy file', () => {
  test.each([
    ['writable by the group', 0o620],
    ['writable by others', 0o602],
  ])('is refused when it is %s', async (_, mode) => {
    const path = await writePolicy(await temporaryDirectory(), {})
    await chmod(path, mode)
    expect(await readPolicy(path)).toMatchObject({ type: 'invalid' })
  })

  test('is refused when it is missing, and says every problem at once', async () => {
    expect(await readPolicy('/nowhere/policy.json')).toMatchObject({
      type: 'invalid',
      problems: ['cannot be read (ENOENT)'],
    })
    const path = await writePolicy(await temporaryDirectory(), { maxPerDay: -1, maxPerCall: '1e3', surprise: true })
    const reading = await readPolicy(path)
    expect(reading.type === 'invalid' && reading.problems).toHaveLength(3)
  })
})

describe('identical calls', () => {
  test('are replayed within the window, and paid anew after it', async () => {
    let now = Date.UTC(2026, 10, 21, 12)
    const { engine } = await setUp({ replayWindowSeconds: 60 }, () => now)
    const one = engine()
    const ask = request(5n)
    const first = await one.reserve(ask)
    if (first.type !== 'reserved') throw new Error('not reserved')
    expect(await one.reserve(ask)).toMatchObject({ type: 'blocked', code: 'payment_in_progress' })
    await one.recordSignature(first.call.callId, authorization(5n))
    await one.settle(first.call.callId)
    expect(await one.reserve(ask)).toMatchObject({ type: 'replay' })
    now += 61_000
    expect((await one.reserve(ask)).type).toBe('reserved')
  })

  test('are blocked across processes while one is unknown, for ever if need be', async () => {
    let now = Date.UTC(2026, 10, 21, 12)
    const { engine } = await setUp({}, () => now)
    const [one, two] = [engine(), engine()]
    const ask = request(5n)
    const first = await one.reserve(ask)
    if (first.type !== 'reserved') throw new Error('not reserved')
    await one.recordSignature(first.call.callId, authorization(5n))
    await one.markUnknown(first.call.callId, 'lost')
    now += 30 * 86_400_000
    expect(await two.reserve(ask)).toMatchObject({ type: 'blocked', code: 'payment_settlement_unknown' })
  })
})

describe('the ledger', () => {
  test('allows one signature per reservation, of the reserved amount', async () => {
    const { engine } = await setUp()
    const one = engine()
    const got = await one.reserve(request(5n))
    if (got.type !== 'reserved') throw new Error('not reserved')
    const { callId } = got.call
    await expect(one.recordSignature(callId, authorization(6n))).rejects.toMatchObject({ code: 'conflict' })
    await one.recordSignature(callId, authorization(5n))
    await expect(one.recordSignature(callId, authorization(5n, 2))).rejects.toMatchObject({ code: 'conflict' })
    await one.settle(callId)
    await expect(one.release(callId, 'no')).rejects.toMatchObject({ code: 'conflict' })
  })

  test.each([
    ['a changed line', (text: string) => text.replace('"amount":"5"', '"amount":"4"')],
    ['a missing line', (text: string) => text.split('\n').slice(1).join('\n')],
    ['a repeated line', (text: string) => text + text],
    ['something else', () => 'hello\n'],
  ])('pays nothing when it finds %s', async (_, change) => {
    const { engine, ledger } = await setUp()
    const one = engine()
    await one.reserve(request(5n))
    await one.reserve(request(6n))
    one.close()
    await writeFile(ledger, change(await readFile(ledger, 'utf8')))
    await expect(engine().reserve(request(1n))).rejects.toMatchObject({ code: 'config_invalid' })
  })

  test('notices that it got shorter', async () => {
    const { engine, ledger } = await setUp()
    const one = engine()
    await one.reserve(request(5n))
    await truncate(ledger, 0)
    await expect(one.reserve(request(1n))).rejects.toMatchObject({ code: 'config_invalid' })
  })

  test('forgets a line that was never finished, and goes on', async () => {
    const { engine, ledger } = await setUp()
    await engine().reserve(request(5n))
    const whole = await readFile(ledger, 'utf8')
    await writeFile(ledger, `${whole}{"seq":1,"at":`)
    const next = engine()
    expect((await next.reserve(request(6n))).type).toBe('reserved')
    expect((await next.summary()).denied).toBe(0)
    expect(
      (await readFile(ledger, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    ).toEqual([0, 1])
  })
})

describe('the guarded account', () => {
  const terms = { network: 'eip155:84532', asset: token, amount: 5n, payTo: payTo as Hex }
  const guarded = (reserved: typeof terms | undefined, recorded: unknown[] = []) =>
    createGuardedAccount({
      account: testAccount,
      reserved: () => reserved,
      record: async (one) => void recorded.push(one),
      nowMs: () => Date.now(),
    })

  test('signs what was reserved, after it was recorded', async () => {
    const recorded: unknown[] = []
    const { signature } = await sign(guarded(terms, recorded), terms)
    expect(signature).toMatch(/^0x[0-9a-f]{130}$/)
    expect(recorded).toHaveLength(1)
  })

  test.each([
    ['without a reservation', undefined, terms, {}],
    ['another amount', terms, { ...terms, amount: 6n }, {}],
    ['a smaller amount', terms, { ...terms, amount: 4n }, {}],
    ['another payee', terms, { ...terms, payTo: providers[1] as Hex }, {}],
    ['another token', terms, { ...terms, asset: providers[1] as Hex }, {}],
    ['another chain', terms, { ...terms, network: 'eip155:1' }, {}],
    ['another wallet', terms, terms, { from: providers[1] }],
    [
      'a payment that stays valid for a day',
      terms,
      terms,
      { validBefore: BigInt(Math.floor(Date.now() / 1_000) + 86_400) },
    ],
  ])('refuses %s', async (_, reserved, asked, change) => {
    const recorded: unknown[] = []
    await expect(sign(guarded(reserved, recorded), asked, change)).rejects.toMatchObject({ code: 'payment_rejected' })
    expect(recorded).toEqual([])
  })

  test('signs no message, no transaction, no permit, and nothing when the record fails', async () => {
    const account = guarded(terms)
    await expect(account.signMessage({ message: 'hello' })).rejects.toMatchObject({ code: 'payment_rejected' })
    await expect(account.signTransaction({ to: payTo, chainId: 1, type: 'eip1559' })).rejects.toMatchObject({
      code: 'payment_rejected',
    })
    await expect(
      account.signTypedData({
        domain: { chainId: 84_532, verifyingContract: token },
        types: { Permit: [{ name: 'owner', type: 'address' }] },
        primaryType: 'Permit',
        message: { owner: payTo },
      }),
    ).rejects.toMatchObject({ code: 'payment_rejected' })
    const failing = createGuardedAccount({
      account: testAccount,
      reserved: () => terms,
      record: async () => {
        throw new Error('disk full')
      },
      nowMs: () => Date.now(),
    })
    await expect(sign(failing, terms)).rejects.toThrow('disk full')
  })
})

describe('a process that is killed', () => {
  const child = join(import.meta.dirname, 'spendChild.ts')

  async function killAt(point: 'reserved' | 'signed', directory: string, policyPath: string): Promise<string> {
    const process_ = spawn(process.execPath, ['--conditions=@peerhost/source', child, point, directory, policyPath], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(process_.stdout, 'data')) as [Buffer]
    process_.kill('SIGKILL')
    await once(process_, 'exit')
    return line.toString().trim()
  }

  test('between reservation and signature leaves a hold that nobody can use, released when seen', async () => {
    const { engine, directory, policyPath } = await setUp()
    const callId = await killAt('reserved', join(directory, 'spending'), policyPath)
    const next = engine()
    expect(await next.call(callId)).toMatchObject({ status: 'reserved' })
    const summary = await next.summary()
    expect(summary.today).toMatchObject({ used: 0n, held: 0n })
    expect(await next.call(callId)).toMatchObject({ status: 'released' })
  })

  test('between signature and answer leaves the call unknown, held and blocking', async () => {
    const { engine, directory, policyPath } = await setUp()
    const callId = await killAt('signed', join(directory, 'spending'), policyPath)
    const next = engine()
    expect(await next.reserve(request(7n, { callKey: 'child' }))).toMatchObject({
      type: 'blocked',
      code: 'payment_settlement_unknown',
    })
    expect((await next.summary()).today).toMatchObject({ used: 7n, held: 7n })
    expect(await next.call(callId)).toMatchObject({ status: 'unknown' })
  })

  test('leaves no lock behind: many processes killed at random, the limit holds', async () => {
    const { engine, directory, policyPath } = await setUp({
      maxPerDay: '0.000030',
      maxPerCall: '1',
      maxCallsPerMinute: 1_000,
    })
    const children = Array.from({ length: 4 }, () =>
      spawn(
        process.execPath,
        ['--conditions=@peerhost/source', child, 'race', join(directory, 'spending'), policyPath],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      ),
    )
    let signed = 0
    const exits = children.map((one, index) => {
      one.stdout.on('data', (bytes: Buffer) => {
        signed += bytes
          .toString()
          .split('\n')
          .filter((line) => line === 'signed').length
        if (index % 2 === 0) one.kill('SIGKILL')
      })
      return once(one, 'exit')
    })
    await Promise.all(exits)
    expect(signed).toBeGreaterThan(0)
    expect(signed).toBeLessThanOrEqual(30)
    const { today } = await engine().summary()
    expect(today.used).toBeLessThanOrEqual(30n)
    expect(today.used).toBeGreaterThanOrEqual(BigInt(signed))
  }, 60_000)
})
