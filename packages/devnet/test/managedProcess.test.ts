import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { startManagedProcess } from '../src/managedProcess.ts'

const directory = mkdtempSync(join(tmpdir(), 'peerhost-managed-'))
const logFile = join(directory, 'child.log')

afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ready = (message: unknown) =>
  (message as { type?: string } | null)?.type === 'ready' ? (message as { pid: number }) : undefined

const common = { logFile, parseReady: ready, readyTimeoutMs: 10_000 }

describe('a managed process', () => {
  it('is gone after stop, with the program that it runs', async () => {
    const managed = await startManagedProcess({ ...common, name: 'sleeper', entry: 'guard', args: ['sleep', '600'] })
    expect(isAlive(managed.ready.pid)).toBe(true)
    await managed.stop()
    expect(managed.isRunning()).toBe(false)
    await waitUntilGone(managed.ready.pid)
  })

  it('is killed when it does not obey', async () => {
    const stubborn = 'trap "" TERM; echo armed; while :; do sleep 0.1; done'
    const args = ['bash', '-c', stubborn]
    const log = join(directory, 'stubborn.log')
    const managed = await startManagedProcess({ ...common, name: 'stubborn', entry: 'guard', args, logFile: log })
    await until(() => readFileSync(log, 'utf8').includes('armed') || undefined)
    await managed.stop()
    await waitUntilGone(managed.ready.pid)
  })

  it('explains with its log why it did not become ready, and leaves nothing', async () => {
    const failing = startManagedProcess({ ...common, name: 'gateway', entry: 'launch', args: ['@peerhost/nowhere'] })
    await expect(failing).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('The gateway ended before it was ready'),
      details: expect.arrayContaining([expect.stringContaining('@peerhost/nowhere')]),
    })
  })

  it('is stopped when the start is cancelled', async () => {
    const abort = new AbortController()
    const module = 'data:text/javascript,setInterval(()=>{},1000);console.log("pid "+process.pid)'
    const log = join(directory, 'cancelled.log')
    const options = { ...common, name: 'silent', entry: 'launch', args: [module], logFile: log } as const
    const starting = startManagedProcess({ ...options, signal: abort.signal })
    const pid = await until(() => Number(/pid (\d+)/.exec(readFileSync(log, 'utf8'))?.[1]) || undefined)
    abort.abort()
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' })
    await waitUntilGone(pid)
  })

  it.each(['guard', 'launch'])('ends with its parent when that is killed: %s', async (entry) => {
    const script = fileURLToPath(new URL('./startAndWait.ts', import.meta.url))
    const args = ['--conditions=@peerhost/source', script, entry, join(directory, `${entry}.log`)]
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const pids = await new Promise<number[]>((resolve) => {
      parent.stdout.setEncoding('utf8').once('data', (text: string) => resolve(JSON.parse(text)))
    })
    expect(pids.every(isAlive)).toBe(true)
    parent.kill('SIGKILL')
    for (const pid of pids) await waitUntilGone(pid)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function waitUntilGone(pid: number): Promise<void> {
  await until(() => (isAlive(pid) ? undefined : true))
}

async function until<T>(read: () => T | undefined): Promise<T> {
  const deadline = Date.now() + 15_000
  while (Date.now() < deadline) {
    const value = read()
    if (value !== undefined) return value
    await sleep(20)
  }
  throw new Error('It did not happen in time.')
}
