import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { createEnvelopeKey } from '../src/envelope/main.ts'
import type { FrameHeader } from '../src/frames.ts'
import { writePrograms } from '../src/programs.ts'
import { createStartHost, type HostEvents, type HostPrograms, type StartHost } from '../src/supervisor/hostProcess.ts'
import { createSupervisor, type SupervisorDeps } from '../src/supervisor/supervisor.ts'

const directory = await mkdtemp(join(tmpdir(), 'peerhost-programs-'))
await writePrograms({ directory })
afterAll(() => rm(directory, { recursive: true, force: true }))
const honestHosts = {
  node: join(directory, 'nodeHost.cjs'),
  realm: join(directory, 'realmHost.cjs'),
  realmScript: join(directory, 'realm.js'),
}
const liar = fileURLToPath(new URL('./lyingHost.cjs', import.meta.url))
const missing = join(directory, 'is-not-there.cjs')
const missingHosts = { node: missing, realm: missing, realmScript: missing }
const lyingHosts = { node: liar, realm: liar, realmScript: liar }

const settings = {
  isolation: 'process',
  slots: 1,
  timeoutMs: 3_000,
  memoryBytes: 64 << 20,
  logBytes: 1_000,
  responseBodyBytes: 1_000,
}
const requestFor = (path: string) =>
  Buffer.from(JSON.stringify({ method: 'GET', path, query: [], headers: [], body: { utf8: '' } }))

/** A supervisor in this process, with real hosts. `next` gives its messages one by one. */
function start(programs: HostPrograms, over: Partial<SupervisorDeps> = {}) {
  const messages: { header: FrameHeader; body: string }[] = []
  let wake = () => {}
  const supervisor = createSupervisor({
    startHost: createStartHost(programs),
    createKey: createEnvelopeKey,
    send: (header, body) => {
      messages.push({ header: JSON.parse(JSON.stringify(header)), body: Buffer.from(body ?? []).toString() })
      wake()
    },
    now: () => performance.now(),
    privateMemoryBytes: () => undefined,
    oomKills: () => undefined,
    giveUp: (reason) => {
      messages.push({ header: { type: 'gave-up' }, body: reason })
      wake()
    },
    ...over,
  })
  return {
    configure: (bundle: string, change = {}) =>
      supervisor.receive({
        header: { type: 'configure', settings: { ...settings, ...change } },
        body: Buffer.from(bundle),
      }),
    run: (id = 1, path = '/') =>
      supervisor.receive({
        header: { type: 'run', run: { id, clockMs: 0, seed: `0x${'00'.repeat(32)}` } },
        body: requestFor(path),
      }),
    cancel: (id: number) => supervisor.receive({ header: { type: 'cancel', id }, body: new Uint8Array(0) }),
    receive: supervisor.receive,
    stop: supervisor.stop,
    async next(type: string) {
      for (;;) {
        const message = messages.shift()
        if (message?.header.type === type) return message
        if (!message) await new Promise<void>((done) => (wake = done))
      }
    },
  }
}

describe('a host that lies', () => {
  test.each([
    ['the words of a supervisor', { end: 'threw' }],
    ['ready again', { end: 'completed', status: 200 }],
    ['two answers', { end: 'completed', status: 201 }],
    ['a huge frame', { end: 'threw' }],
    ['a body over the limit', { end: 'threw' }],
    ['half a frame, then death', { end: 'threw', reason: 'exited' }],
    ['garbage', { end: 'threw' }],
    ['frames on every descriptor', { end: 'threw' }],
  ])('with %s speaks for its own execution only', async (lie, expected) => {
    const supervisor = start(lyingHosts)
    supervisor.configure(lie)
    supervisor.run(7)
    expect((await supervisor.next('ended')).header).toMatchObject({ id: 7, ...expected })
    // Its place is taken by another process, and the supervisor still does its work.
    supervisor.run(8)
    expect((await supervisor.next('ended')).header).toMatchObject({ id: 8, ...expected })
    supervisor.stop()
  })
})

describe('an execution', () => {
  test('without memory left is killed for it', async () => {
    const supervisor = start(honestHosts, { privateMemoryBytes: () => settings.memoryBytes + 1 })
    supervisor.configure(`exports.default = () => { for (;;); }`)
    supervisor.run()
    expect((await supervisor.next('ended')).header).toMatchObject({ end: 'out-of-memory' })
    supervisor.stop()
  })

  test("that is killed by its own signal threw; by the kernel's, with its count, it was out of memory", async () => {
    for (const [kills, end] of [
      [() => 0, 'threw'],
      [
        (() => {
          let count = 0
          return () => count++
        })(),
        'out-of-memory',
      ],
    ] as const) {
      const pids: number[] = []
      const supervisor = start(honestHosts, {
        oomKills: kills,
        startHost: (...values) => {
          const host = createStartHost(honestHosts)(...values)
          if (host.pid) pids.push(host.pid)
          return host
        },
      })
      supervisor.configure(`exports.default = () => { for (;;); }`)
      await supervisor.next('ready')
      supervisor.run()
      process.kill(pids[0]!, 'SIGKILL')
      expect((await supervisor.next('ended')).header).toMatchObject({ end })
      supervisor.stop()
    }
  })

  test('that the kernel killed for memory is named so, though another one was killed for it before either was heard of', async () => {
    const hosts: HostEvents[] = []
    const startHost: StartHost = (_, events) => {
      hosts.push(events)
      return { pid: undefined, load() {}, send() {}, kill() {} }
    }
    let kills = 0
    const supervisor = start(honestHosts, { startHost, oomKills: () => kills })
    supervisor.configure('', { slots: 3 })
    for (const { message } of hosts.slice(0, 3)) for (const type of ['ready', 'prepared'] as const) message({ type })
    for (const id of [1, 2, 3]) supervisor.run(id)
    kills = 2
    const ends = []
    for (const { closed } of hosts.slice(0, 3)) {
      closed({ code: null, signal: 'SIGKILL' })
      ends.push((await supervisor.next('ended')).header.end)
    }
    expect(ends).toEqual(['out-of-memory', 'out-of-memory', 'threw'])
    supervisor.stop()
  })

  test('is not given to a host that is being killed because its scope did not end in time', async () => {
    const hosts: { sent: string[]; events: HostEvents }[] = []
    const killed = Promise.withResolvers<void>()
    const startHost: StartHost = (_, events) => {
      const sent: string[] = []
      hosts.push({ sent, events })
      return { pid: undefined, load() {}, send: ({ header }) => sent.push(String(header.type)), kill: killed.resolve }
    }
    const supervisor = start(honestHosts, { startHost })
    supervisor.configure('for (;;);', { timeoutMs: 20 })
    hosts[0]?.events.message({ type: 'ready' })
    await killed.promise
    supervisor.run()
    expect(hosts.slice(0, 2).map(({ sent }) => sent)).toEqual([[], ['run']])
    supervisor.stop()
  })

  test('that is given to a host that dies of its scope has the log of it, and the name of what it died of', async () => {
    const isDead = Promise.withResolvers<void>()
    const isHeard = Promise.withResolvers<void>()
    const supervisor = start(honestHosts, {
      startHost: (order, events) =>
        createStartHost(honestHosts)(order, {
          ...events,
          closed: (exit) => {
            isDead.resolve()
            isHeard.promise.then(() => events.closed(exit))
          },
        }),
    })
    supervisor.configure(`const all = []; for (;;) all.push(new Array(1e6).fill(1))`, {
      ...{ isolation: 'context', timeoutMs: 20_000, logBytes: 100_000 },
    })
    await isDead.promise
    supervisor.run()
    isHeard.resolve()
    const { header, body } = await supervisor.next('ended')
    expect(header).toMatchObject({ id: 1, end: 'out-of-memory' })
    expect(body).toContain('heap out of memory')
    supervisor.stop()
  })

  test('is cancelled by its id, and only by that', async () => {
    const supervisor = start(honestHosts)
    supervisor.configure(`exports.default = () => { for (;;); }`)
    supervisor.run(3)
    supervisor.cancel(4)
    supervisor.cancel(3)
    expect((await supervisor.next('ended')).header).toMatchObject({ id: 3, end: 'cancelled' })
    supervisor.stop()
  })

  test('has its whole time, however long its host took to start', async () => {
    const slowly = (message: () => void) => setTimeout(message, 1_500)
    const supervisor = start(honestHosts, {
      startHost: (order, events) =>
        createStartHost(honestHosts)(order, {
          ...events,
          message: (message) => slowly(() => events.message(message)),
          logsClosed: () => slowly(events.logsClosed),
          closed: (exit) => slowly(() => events.closed(exit)),
        }),
    })
    supervisor.configure(`exports.default = () => new Response('in time')`, { timeoutMs: 1_000 })
    supervisor.run()
    expect(await supervisor.next('ended')).toMatchObject({ header: { end: 'completed' }, body: 'in time' })
    supervisor.stop()
  })

  test('whose host never loaded says nothing about the function', async () => {
    const supervisor = start(missingHosts)
    supervisor.configure('')
    supervisor.run()
    expect((await supervisor.next('ended')).header).toMatchObject({ end: 'lost' })
    supervisor.stop()
  })
})

describe('a process that goes on', () => {
  const pidsOf = (pids: number[]): StartHost => {
    const startHost = createStartHost(honestHosts)
    return (order, events) => {
      const host = startHost(order, events)
      if (host.pid) pids.push(host.pid)
      return host
    }
  }
  const answer = `exports.default = () => new Response('x')`

  test('runs one execution after the other, and is replaced when it keeps memory', async () => {
    const pids: number[] = []
    let keptBytes = 0
    const supervisor = start(honestHosts, { startHost: pidsOf(pids), privateMemoryBytes: () => keptBytes })
    supervisor.configure(answer, { isolation: 'context' })
    for (let id = 1; id <= 5; id += 1) {
      supervisor.run(id)
      expect((await supervisor.next('ended')).header).toMatchObject({ id, end: 'completed' })
    }
    expect(pids).toHaveLength(1)
    keptBytes = settings.memoryBytes * 0.6
    supervisor.run(6)
    await supervisor.next('ended')
    supervisor.run(7)
    expect((await supervisor.next('ended')).header).toMatchObject({ id: 7, end: 'completed' })
    expect(pids.length).toBeGreaterThan(1)
    supervisor.stop()
  })

  test('is not believed when it dies: the execution is run once more in a new one', async () => {
    const pids: number[] = []
    const supervisor = start(honestHosts, { startHost: pidsOf(pids) })
    supervisor.configure(
      `exports.default = (r) => { if (r.url.endsWith('/slow')) { const until = 3e8; for (let n = 0; n < until; n += 1); } return new Response('x') }`,
      { isolation: 'context', timeoutMs: 20_000 },
    )
    supervisor.run(1)
    await supervisor.next('ended')
    supervisor.run(2, '/slow')
    process.kill(pids[0]!, 'SIGKILL')
    expect(await supervisor.next('ended')).toMatchObject({ header: { id: 2, end: 'completed' }, body: 'x' })
    expect(pids.length).toBeGreaterThan(1)
    supervisor.stop()
  })

  test('that was prepared before there was a bundle takes the one that comes', async () => {
    const pids: number[] = []
    const supervisor = start(honestHosts, { startHost: pidsOf(pids) })
    const prepare = { type: 'prepare', settings: { ...settings, isolation: 'context' } }
    supervisor.receive({ header: prepare, body: new Uint8Array(0) })
    expect(pids).toHaveLength(1)
    supervisor.configure(answer, { isolation: 'context' })
    supervisor.run(1)
    expect(await supervisor.next('ended')).toMatchObject({ header: { end: 'completed' }, body: 'x' })
    expect(pids).toHaveLength(1)
    expect(() => supervisor.receive({ header: prepare, body: new Uint8Array(0) })).toThrow('once')
    supervisor.stop()
  })
})

describe('the supervisor', () => {
  test('gives up, with what the hosts wrote, when none of them starts', async () => {
    const supervisor = start(missingHosts)
    supervisor.configure('', { slots: 8 })
    expect((await supervisor.next('gave-up')).body).toContain('is-not-there.cjs')
    supervisor.stop()
  })

  test('says that it is worn when something outlived its process group', async () => {
    const sweeps: number[][] = []
    const supervisor = start(honestHosts, {
      killStrays: (known) => {
        sweeps.push([...known])
        return 1
      },
    })
    supervisor.configure(`exports.default = () => new Response('x')`)
    supervisor.run()
    await supervisor.next('ended')
    await supervisor.next('worn')
    expect(sweeps[0]).toContain(process.pid)
    supervisor.stop()
  })

  test('refuses what does not come from a worker', () => {
    const supervisor = start(honestHosts)
    expect(() => supervisor.run()).toThrow('configured')
    expect(() => supervisor.receive({ header: { type: 'shutdown' }, body: new Uint8Array(0) })).toThrow('does not know')
    expect(() => supervisor.configure('', { slots: 0 })).toThrow('integer')
    supervisor.stop()
  })
})
