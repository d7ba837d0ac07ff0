import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, expect, test } from 'vitest'
import { createFrameDecoder, encodeFrame, type FrameHeader } from '../src/frames.ts'
import { downwardLimits } from '../src/messages.ts'
import { writePrograms } from '../src/programs.ts'

const directory = await mkdtemp(join(tmpdir(), 'peerhost-programs-'))
await writePrograms({ directory })
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The real program, with this test as its supervisor. */
function startHost(bundle: string, { isEager = true, isolation = 'context' } = {}) {
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', join(directory, 'realmHost.cjs')],
    {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    },
  )
  const decoder = createFrameDecoder(downwardLimits)
  const frames: { header: FrameHeader; text: string }[] = []
  let wake = () => {}
  const output = child.stdio[3] as Readable
  output.on('data', (chunk: Buffer) => {
    for (const { header, body } of decoder.push(chunk)) frames.push({ header, text: Buffer.from(body).toString() })
    wake()
  })
  const tell = (header: object, body = '') => child.stdin?.write(encodeFrame(header, Buffer.from(body)))
  const limits = { responseBodyBytes: 1_000, timeoutMs: 1_000, logBytes: 1_000 }
  tell({ type: 'load', ...limits, isolation, isEager }, bundle)
  return {
    tell,
    run: (id: number, path = '/') =>
      tell(
        { type: 'run', run: { id, clockMs: 0, seed: `0x${'00'.repeat(32)}`, hasNetwork: true } },
        JSON.stringify({ method: 'GET', path, query: [], headers: [], body: { utf8: '' } }),
      ),
    /** What it has said and nobody has looked at. */
    said: () => frames.map(({ header }) => header.type),
    async next(...types: string[]) {
      for (;;) {
        const frame = frames.shift()
        if (types.includes(frame?.header.type as string)) return frame as NonNullable<typeof frame>
        if (!frame) await new Promise<void>((done) => (wake = done))
      }
    },
    stop: () => child.kill('SIGKILL'),
  }
}

test('what comes back for an execution that is over reaches no other one', async () => {
  const host = startHost(`exports.default = async () => {
    const answer = await fetch('https://a.example')
    return new Response(await answer.text()) }`)
  const head = JSON.stringify({ status: 200, headers: [], url: 'https://a.example', redirected: false })
  await host.next('prepared')
  // It comes after its own execution and before the next one, as when the supervisor passed it on a moment too late.
  host.tell({ type: 'fetched', call: 0, text: head, error: '' }, 'of before')
  host.run(1)
  expect((await host.next('fetch')).header).toMatchObject({ call: 0 })
  host.tell({ type: 'fetched', call: 0, text: head, error: '' }, 'its own')
  expect((await host.next('answer')).text).toBe('its own')
  host.stop()
})

/** Does something long after the microtasks that an answer takes. */
const later = `const later = (act, hops = 5_000) => hops === 0 ? act() : Promise.resolve().then(() => later(act, hops - 1))`

/** What a function may leave behind when it answers. */
const careless: Record<string, string> = {
  'a promise that is rejected': `Promise.reject(new Error('nobody cares'))`,
  'a promise that will be rejected': `Promise.resolve().then(() => null.x)`,
  'an import that is refused': `import('node:fs')`,
  'imports without end': `const again = () => import('node:fs').catch(again); again()`,
  'a rejection that follows a refused import': `import('node:fs').catch(() => null.x)`,
  'an operation that fails': `crypto.subtle.digest('none', new Uint8Array(1))`,
  'a call that nobody answers': `fetch('https://a.example')`,
  'a stream that breaks': `new ReadableStream({ pull() { throw new Error('broken') } }).getReader().read()`,
  'microtasks that log and call out': `later(() => { console.log('late'); fetch('https://a.example') })`,
  'a timer that throws': `setTimeout(() => { throw new Error('nobody waits') }, 1)`,
}

test.each(Object.entries(careless))(
  '%s is left behind, and the next execution hears nothing of it',
  async (_, code) => {
    for (const [isEager, isolation] of [
      [true, 'context'],
      [false, 'context'],
      [true, 'shared'],
    ] as const) {
      const bundle = `${later}
      exports.default = async (request) => {
      if (request.url.endsWith('/careless')) {
        ${code}
        return new Response('careless')
      }
      await new Promise((done) => setTimeout(done, 5))
      return new Response('careful') }`
      const host = startHost(bundle, { isEager, isolation })
      const ends = []
      for (const [id, path] of ['/careless', '/careful', '/careless', '/careful'].entries()) {
        host.run(id, path)
        ends.push((await host.next('answer', 'failed')).text)
      }
      expect(ends).toEqual(['careless', 'careful', 'careless', 'careful'])
      host.stop()
    }
  },
)

test('what microtasks do after the answer is done before it is given, and counts for nothing', async () => {
  const host = startHost(`${later}
    exports.default = async () => {
      later(() => { console.log('late'); fetch('https://a.example'); crypto.subtle.digest('SHA-256', new Uint8Array(1)) })
      console.log('in time')
      return new Response('done') }`)
  await host.next('prepared')
  host.run(1)
  expect((await host.next('log')).text).toBe('in time\n')
  expect((await host.next('answer', 'log', 'fetch')).text).toBe('done')
  expect((await host.next('prepared', 'log', 'fetch')).header).toEqual({ type: 'prepared' })
  host.stop()
})

test('microtasks that never end take the time of their own execution: there is no answer before', async () => {
  const host = startHost(`exports.default = async () => {
      const again = () => Promise.resolve().then(again)
      again()
      console.log('running')
      return new Response('done') }`)
  host.run(1)
  await host.next('log')
  await new Promise((done) => setTimeout(done, 300))
  expect(host.said()).toEqual([])
  host.stop()
})
