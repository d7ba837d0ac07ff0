import { createHash } from 'node:crypto'
import { isPeerHostError, LIMITS } from '@peerhost/protocol'
import { type Isolation, variations } from '@peerhost/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JURY_RUNS } from '../../src/sandbox/juryRuns.ts'
import { runVaried } from '../../src/sandbox/runVaried.ts'
import type { Sandbox, SandboxJob } from '../../src/sandbox/sandbox.ts'
import { jobOf as anyJobOf, read, requestOf, smallLimits, soon } from './jobs.ts'

/** What every sandbox does at a level of isolation, whatever stands around the function. */
export function describeSandbox(name: string, isolation: Isolation, create: () => Promise<Sandbox>): void {
  describe(`sandbox: ${name}, level ${isolation}`, () => {
    let sandbox: Sandbox
    beforeAll(async () => {
      sandbox = await create()
    })
    afterAll(() => sandbox.close())

    const jobOf = (source: string, over: Partial<SandboxJob> = {}) => anyJobOf(source, { isolation, ...over })
    const answerOf = async (source: string, over: Partial<SandboxJob> = {}) =>
      read(await sandbox.run(jobOf(source, over), soon()))

    test('names itself', () => {
      expect(sandbox.kind).toBe(name)
      expect(sandbox.isolated).toBe(name === 'docker')
      expect(sandbox.runtimeDigest).toMatch(/^0x[0-9a-f]{64}$/)
    })

    describe('the request', () => {
      test('comes in with method, address, headers and the exact bytes', async () => {
        const body = Uint8Array.from([0xef, 0xbb, 0xbf, 0, 255, 13, 10])
        const source = `exports.default = async (request) => Response.json({
          method: request.method, url: request.url, type: request.headers.get('content-type'),
          tags: request.headers.get('x-tag'), body: [...new Uint8Array(await request.arrayBuffer())] })`
        const request = requestOf({
          method: 'POST',
          path: '/a%2Fb/%C3%A9',
          query: 'q=a+b&q=%26&empty',
          headers: [
            ['Content-Type', 'application/octet-stream'],
            ['X-Tag', 'one'],
            ['X-Tag', 'two'],
          ],
          body,
        })
        expect(JSON.parse((await answerOf(source, { request })).text)).toEqual({
          method: 'POST',
          url: 'https://function.peerhost.internal/a%2Fb/%C3%A9?q=a%20b&q=%26&empty=',
          type: 'application/octet-stream',
          tags: 'one, two',
          body: [...body],
        })
      })

      test('a text body keeps its byte order mark', async () => {
        const request = requestOf({ method: 'PUT', body: new TextEncoder().encode('\uFEFFhé') })
        const source = `exports.PUT = async (r) => new Response(await r.arrayBuffer())`
        expect([...(await answerOf(source, { request })).bytes]).toEqual([0xef, 0xbb, 0xbf, 0x68, 0xc3, 0xa9])
      })
    })

    describe('a tool', () => {
      const source = `exports.tool = ({ a = 0, b = 0, ...rest }, { waitUntil }) =>
        'as' in rest ? (rest.as === 'nothing' ? undefined : new Response('own', { status: 201 })) : { sum: a + b, typeof: typeof waitUntil }`
      const call = (body: string, method = 'POST') =>
        answerOf(source, { request: requestOf({ method, body: new TextEncoder().encode(body) }) })

      test('takes named arguments and gives a value', async () => {
        const { status, text } = await call('{"a":40,"b":2}')
        expect({ status, body: JSON.parse(text) }).toEqual({ status: 200, body: { sum: 42, typeof: 'function' } })
      })

      test('takes no arguments, gives nothing, or a response of its own', async () => {
        expect(JSON.parse((await call('')).text)).toMatchObject({ sum: 0 })
        expect((await call('{"as":"nothing"}')).status).toBe(204)
        expect(await call('{"as":"response"}')).toMatchObject({ status: 201, text: 'own' })
      })

      test.each(['[1]', '"text"', 'null', '{'])('refuses %s as arguments', async (body) => {
        const { status, text } = await call(body)
        expect({ status, body: JSON.parse(text) }).toMatchObject({ status: 400, body: { code: 'request_invalid' } })
      })

      test('answers POST only', async () => {
        expect((await call('', 'GET')).status).toBe(405)
      })
    })

    describe('the handler', () => {
      test.each([
        [
          'an object with fetch',
          `module.exports = { default: { fetch(r, env, ctx) { return new Response(typeof env + typeof ctx.waitUntil) } } }`,
          'objectfunction',
        ],
        ['fetch keeps its this', `exports.default = { name: 'me', fetch() { return new Response(this.name) } }`, 'me'],
        ['a bare default function', `exports.default = (r, ctx) => new Response(typeof ctx.waitUntil)`, 'function'],
        ['a function as the exports', `module.exports = () => new Response('bare')`, 'bare'],
        ['an export named after the method', `exports.GET = async () => new Response('got')`, 'got'],
      ])('%s', async (_, source, text) => {
        expect(await answerOf(source)).toMatchObject({ outcome: 'completed', status: 200, text })
      })

      test('HEAD is GET without its body', async () => {
        const source = `exports.GET = () => new Response('long', { headers: { etag: '"1"' } })`
        const answer = await answerOf(source, { request: requestOf({ method: 'HEAD' }) })
        expect(answer).toMatchObject({ outcome: 'completed', status: 200, text: '', headers: { etag: '"1"' } })
      })

      test('OPTIONS says what there is, unless the function says it', async () => {
        const request = requestOf({ method: 'OPTIONS' })
        expect(await answerOf(`exports.GET = exports.POST = () => {}`, { request })).toMatchObject({
          status: 204,
          headers: { allow: 'GET, HEAD, OPTIONS, POST' },
        })
        expect(await answerOf(`exports.OPTIONS = () => new Response('own')`, { request })).toMatchObject({
          text: 'own',
        })
      })

      test.each(['DELETE', 'PROPFIND', 'TRACE'])('%s that is not there completes as 405', async (method) => {
        const answer = await answerOf(`exports.GET = () => {}`, { request: requestOf({ method }) })
        expect(answer).toMatchObject({ outcome: 'completed', status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } })
        expect(JSON.parse(answer.text)).toMatchObject({ code: 'method_not_allowed', status: 405 })
      })

      test('waitUntil is waited for', async () => {
        const source = `exports.default = (r, ctx) => { ctx.waitUntil(new Promise((done) => setTimeout(() => { console.log('late'); done() }, 20))); return new Response('ok') }`
        const run = await sandbox.run(jobOf(source), soon())
        expect(run).toMatchObject({ outcome: 'completed', log: 'late\n' })
      })
    })

    describe('the response', () => {
      test('leaves with status, allowed headers and exact bytes', async () => {
        const source = `exports.default = () => new Response(Uint8Array.from([0, 254, 255]), { status: 418, headers: {
          'content-type': 'image/png', 'x-mine': 'yes', 'set-cookie': 'a=b', 'payment-response': 'forged' } })`
        const answer = await answerOf(source)
        expect(answer).toMatchObject({ outcome: 'completed', status: 418 })
        expect(answer.headers).toEqual({ 'content-type': 'image/png', 'x-mine': 'yes' })
        expect([...answer.bytes]).toEqual([0, 254, 255])
      })

      test('may be exactly as large as the limit', async () => {
        const source = `exports.default = () => new Response('a'.repeat(${LIMITS.responseBodyBytes}))`
        expect(await answerOf(source)).toMatchObject({
          outcome: 'completed',
          bytes: { length: LIMITS.responseBodyBytes },
        })
      })

      test('one byte more is output-too-large', async () => {
        const source = `exports.default = () => new Response('a'.repeat(${LIMITS.responseBodyBytes + 1}))`
        expect(await answerOf(source)).toMatchObject({ outcome: 'output-too-large', status: 500 })
      })

      test('a body that grows past the limit when it is encoded is output-too-large', async () => {
        const source = `exports.default = () => new Response('\\u0001'.repeat(${LIMITS.responseBodyBytes - 1}))`
        expect(await answerOf(source)).toMatchObject({ outcome: 'output-too-large' })
      })

      test('more headers than the limit are output-too-large', async () => {
        const source = `exports.default = () => new Response('', { headers: Array.from({ length: 40000 }, (_, i) => ['x-' + i, 'v'.repeat(30)]) })`
        expect(await answerOf(source)).toMatchObject({ outcome: 'output-too-large' })
      })

      test.each(['undefined', '"text"', '{ status: 200 }', 'Response.error()'])('%s is none', async (value) => {
        const answer = await answerOf(`exports.default = () => (${value})`)
        expect(answer).toMatchObject({ outcome: 'threw', status: 500 })
        expect(JSON.parse(answer.text).detail).toBe('The handler did not give a Response.')
      })

      test('a handler that nothing can settle any more ends at once', async () => {
        expect(await answerOf(`exports.default = () => new Promise(() => {})`)).toMatchObject({ outcome: 'threw' })
      })
    })

    describe('the module', () => {
      test.each([
        ['does not parse', 'this is not JavaScript'],
        ['throws while it loads', 'throw new Error("no")'],
        ['exports nothing', ''],
        ['exports no handler', 'exports.answer = 42'],
        ['requires a file', 'require("./other")'],
        ['requires files', 'require("node:fs")'],
        ['requires processes', 'require("child_process")'],
        ['requires sockets', 'require("node:net")'],
        ['requires threads', 'require("worker_threads")'],
        ['requires contexts', 'require("vm")'],
      ])('that %s is a bad module', async (_, source) => {
        expect(await answerOf(source)).toMatchObject({ outcome: 'bad-module', status: 500 })
      })

      test('may require what computes', async () => {
        const source = `"use node"; const { createHash } = require('node:crypto'); const zlib = require('zlib'); const util = require('util')
          exports.default = async () => new Response(createHash('sha256').update(
            (await util.promisify(zlib.gunzip)(zlib.gzipSync('x'))).toString()).digest('hex'))`
        expect((await answerOf(source)).text).toBe(createHash('sha256').update('x').digest('hex'))
      })

      test('may make code of strings, as validators do', async () => {
        expect(
          (await answerOf(`exports.default = () => new Response(String(new Function('return 6 * 7')()))`)).text,
        ).toBe('42')
      })

      test('sees no network', async () => {
        const source = `exports.default = () => fetch('http://127.0.0.1:1').catch((error) => new Response(error.name + error.message))`
        expect((await answerOf(source)).text).toBe('TypeErrorfetch failed: a function has no network.')
      })
    })

    describe('failures', () => {
      test('an error is written to the log and not to the result', async () => {
        const run = await sandbox.run(jobOf(`exports.default = () => { throw new Error('secret detail') }`), soon())
        expect(run).toMatchObject({ outcome: 'threw', status: 500 })
        expect(run.log).toContain('secret detail')
        expect(read(run).text).not.toContain('secret')
      })

      test('two runs of the same failure give the same bytes', async () => {
        const source = `exports.default = () => { throw new Error(String(Math.random()) + process.pid) }`
        const [first, second] = [await sandbox.run(jobOf(source), soon()), await sandbox.run(jobOf(source), soon())]
        expect(first.result).toEqual(second.result)
      })

      test('time is up: timed-out', async () => {
        const limits = { ...smallLimits, timeoutMs: 300 }
        const run = await sandbox.run(jobOf(`exports.default = () => { for (;;); }`, { limits }), soon())
        expect(run).toMatchObject({ outcome: 'timed-out', status: 504 })
        expect(run.durationMs).toBeGreaterThanOrEqual(300)
      })

      test('the heap is full: out-of-memory', async () => {
        const source = `exports.default = () => { const all = []; for (;;) all.push({ a: [all.length] }) }`
        expect(await answerOf(source, { limits: { ...smallLimits, timeoutMs: 30_000 } })).toMatchObject({
          outcome: 'out-of-memory',
          status: 507,
        })
      })
    })

    describe('the log', () => {
      test('holds what was written, in the order it was written', async () => {
        const source = `exports.default = () => { console.log('one'); console.log({ two: 2 }); return new Response('') }`
        expect(await sandbox.run(jobOf(source), soon())).toMatchObject({ log: 'one\n{ two: 2 }\n', logBytes: 15 })
      })

      test('is complete when a function writes right up to the limit', async () => {
        const source = `exports.default = () => { console.log('a'.repeat(${LIMITS.logBytes - 3})); console.error('b'); return new Response('') }`
        const run = await sandbox.run(jobOf(source), soon())
        expect(run).toMatchObject({ outcome: 'completed', logBytes: LIMITS.logBytes })
        expect(run.log).toHaveLength(LIMITS.logBytes)
      })

      test('one byte over the limit is output-too-large, with the first bytes kept', async () => {
        const source = `exports.default = () => { console.log('a'.repeat(${LIMITS.logBytes})); return new Response('') }`
        const run = await sandbox.run(jobOf(source), soon())
        expect(run).toMatchObject({ outcome: 'output-too-large' })
        expect(run.log).toHaveLength(LIMITS.logBytes)
      })
    })

    describe('time and chance', () => {
      const web = `const scope = [Date.now(), Math.random(), crypto.randomUUID()]
        exports.default = async () => {
        const started = Date.now(); const steps = [performance.now()]
        await new Promise((done) => setTimeout(done, 30)); steps.push(Date.now() - started, performance.now())
        return Response.json({ scope, started, date: new Date(started).toString(), call: typeof Date(), same: new Date() instanceof Date, steps,
          zone: Intl.DateTimeFormat().resolvedOptions().timeZone, locale: (1234.5).toLocaleString(),
          random: [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(4)).join()] }) }`
      const node = `"use node"; const scope = [Date.now(), Math.random(), crypto.randomUUID()]
        exports.default = async () => {
        const started = Date.now(); const steps = [performance.now()]
        await new Promise((done) => setTimeout(done, 30)); steps.push(Date.now() - started, performance.now())
        await require('timers/promises').setTimeout(5); steps.push(new Date().getTime() - started)
        const crypto2 = require('crypto')
        return Response.json({ scope, started, date: new Date(started).toString(), call: typeof Date(), same: new Date() instanceof Date, steps,
          zone: Intl.DateTimeFormat().resolvedOptions().timeZone, locale: (1234.5).toLocaleString(),
          random: [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(4)).join(), crypto2.randomBytes(4).toString('hex'), crypto2.randomInt(1000)],
          env: process.env, up: process.uptime(), hr: process.hrtime.bigint().toString() }) }`

      test.each([
        ['the web platform', web, { steps: [0, 30, 30] }],
        ['Node', node, { steps: [0, 30, 30, 35], env: {}, up: 0.035, hr: '35000000' }],
      ])('come from the ticket and are the same in every run: %s', async (_, source, particular) => {
        const job = jobOf(source)
        const [first, second] = [await sandbox.run(job, soon()), await sandbox.run(job, soon())]
        expect(first.result).toEqual(second.result)
        const seen = JSON.parse(read(first).text)
        expect(seen).toMatchObject({
          started: 1_700_000_000_000,
          date: 'Tue Nov 14 2023 22:13:20 GMT+0000 (Coordinated Universal Time)',
          call: 'string',
          same: true,
          zone: 'UTC',
          locale: '1,234.5',
          ...particular,
        })
        // The module's scope is the deployment's, and knows no ticket.
        expect(seen.scope[0]).toBe(0)
        expect(seen.random[0]).toBeGreaterThanOrEqual(0)
        expect(seen.random[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      })

      test.each([
        ['the web platform', web],
        ['Node', node],
      ])('another seed gives other numbers, another clock another time: %s', async (_, source) => {
        const first = JSON.parse((await answerOf(source)).text)
        const second = JSON.parse(
          (await answerOf(source, { seed: `0x${'ab'.repeat(32)}`, issuedAt: 1_800_000_000 })).text,
        )
        expect(second.started).toBe(1_800_000_000_000)
        for (const [index, value] of first.random.entries()) expect(second.random[index]).not.toEqual(value)
        expect(second.scope).toEqual(first.scope)
      })

      test('a timer that is due after the time limit has timed out, and nobody waits for it', async () => {
        const source = `exports.default = () => new Promise((done) => setTimeout(() => done(new Response('late')), 3_600_000))`
        const limits = { ...smallLimits, timeoutMs: 60_000 }
        expect((await answerOf(source, { limits })).outcome).toBe('timed-out')
      })

      test('timers repeat, stop and pass their values', async () => {
        const timers = `exports.default = () => new Promise((done) => { const seen = []; const never = setTimeout(() => seen.push('never'), 1); clearTimeout(never)
          const handle = setInterval((tag) => { seen.push(tag + Date.now() % 1000); if (seen.length === 3) { clearInterval(handle); done(new Response(seen.join())) } }, 10, 't') })`
        expect((await answerOf(timers)).text).toBe('t10,t20,t30')
      })
    })

    describe('executions of one deployment', () => {
      test('leave nothing behind in the web platform', async () => {
        const job = jobOf(`let calls = 0
          exports.default = () => { calls += 1; globalThis.left = (globalThis.left ?? 0) + 1; const seen = Array.prototype.seen
            Array.prototype.seen = 'yes'; Response.json = () => { throw new Error('mine') }; Response.prototype.left = 1
            return new Response([calls, globalThis.left, seen, typeof crypto.left].join()) }`)
        for (let call = 0; call < 6; call += 1) expect(read(await sandbox.run(job, soon())).text).toBe('1,1,,undefined')
      })

      test('leave nothing behind in Node', async () => {
        const job = jobOf(`"use node"; let calls = 0
          exports.default = () => { calls += 1; globalThis.left = (globalThis.left ?? 0) + 1; const seen = Array.prototype.seen
            Array.prototype.seen = 'yes'; Response.json = () => { throw new Error('mine') }; process.env.LEFT = 'x'; require('crypto').left = 1
            return new Response([calls, globalThis.left, seen, typeof require('util').left].join()) }`)
        for (let call = 0; call < 6; call += 1) expect(read(await sandbox.run(job, soon())).text).toBe('1,1,,undefined')
      })

      test('run beside each other and each gets its own answer', async () => {
        const job = jobOf(
          `exports.default = async (r) => { await new Promise((done) => setTimeout(done, 20)); return new Response(new URL(r.url).searchParams.get('n')) }`,
        )
        const numbers = Array.from({ length: 12 }, (_, index) => String(index))
        const runs = await Promise.all(
          numbers.map((n) => sandbox.run({ ...job, request: requestOf({ query: `n=${n}` }) }, soon())),
        )
        expect(runs.map((run) => read(run).text)).toEqual(numbers)
      })

      test('a deployment keeps its bundle', async () => {
        const job = jobOf(`exports.default = () => new Response('one')`)
        await sandbox.run(job, soon())
        const other = { ...job, bundle: new TextEncoder().encode('exports.default = () => new Response("two")') }
        await expect(sandbox.run(other, soon())).rejects.toSatisfy(
          (error) => isPeerHostError(error) && error.code === 'bundle_mismatch',
        )
      })

      test('a cancelled execution is killed and its place is free again', async () => {
        const job = jobOf(
          `exports.default = (r) => { if (r.url.endsWith('loop')) for (;;); return new Response('free') }`,
        )
        const controllers = Array.from({ length: 4 }, () => new AbortController())
        const looping = { ...job, request: requestOf({ path: '/loop' }) }
        const runs = controllers.map((controller) => sandbox.run(looping, controller.signal))
        const settled = Promise.allSettled(runs)
        await sandbox.warm(jobOf(`exports.default = () => new Response('')`))
        for (const controller of controllers) controller.abort(new Error('not wanted any more'))
        for (const result of await settled) expect(result).toMatchObject({ reason: { message: 'not wanted any more' } })
        expect(read(await sandbox.run(job, soon())).text).toBe('free')
      })

      test('an aborted signal is refused before anything starts', async () => {
        await expect(sandbox.run(jobOf(''), AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
      })
    })

    describe('varied runs', () => {
      const depth = `exports.default = () => { let depth = 0; const dive = () => { depth += 1; dive() }
        try { dive() } catch {} return new Response(String(depth)) }`

      test.each([...variations.entries()])(
        '%i: what follows from the request is the same',
        async (variation, { name }) => {
          const source = `exports.default = async (r) => { await new Promise((done) => setTimeout(done, 5))
          return Response.json([Date.now(), Math.random(), 'b,a'.split(',').sort()]) }`
          const job = jobOf(source, { deployment: `${name}:1` })
          expect(read(await sandbox.run({ ...job, variation }, soon()))).toEqual(read(await sandbox.run(job, soon())))
        },
      )

      test('show a result that depends on the machine, and leave ordinary runs as they were', async () => {
        const job = jobOf(depth)
        const before = await sandbox.run(job, soon())
        expect((await runVaried(sandbox, job, JURY_RUNS, soon())).type).toBe('differs')
        expect((await sandbox.run(job, soon())).result).toEqual(before.result)
      })

      test('have more time where the conditions are slow', async () => {
        const source = `"use node"; exports.default = () => new Promise((done) => setTimeout(() => done(new Response('late')), 600))`
        const job = jobOf(source, { limits: { ...smallLimits, timeoutMs: 400 } })
        const slow = variations.findIndex(({ timeFactor }) => timeFactor !== undefined)
        expect((await sandbox.run(job, soon())).outcome).toBe('timed-out')
        expect((await sandbox.run({ ...job, variation: slow }, soon())).outcome).toBe('completed')
      })

      test('at the edge of memory are no difference', async () => {
        const source = `exports.default = () => { const kept = []
          for (let i = 0; i < 80; i += 1) kept.push(new Array(131072).fill(i)); return new Response(String(kept.length)) }`
        const verdict = await runVaried(sandbox, jobOf(source), JURY_RUNS, soon())
        expect(['same', 'unavailable']).toContain(verdict.type)
      })
    })
  })
}
