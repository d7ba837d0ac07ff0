import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A Docker engine of a test's own, beside the machine's: it may be stopped, and started again on what it kept. */
export type OwnEngine = {
  readonly socketPath: string
  start: () => Promise<void>
  /** Ends it, with its containers. */
  stop: () => Promise<void>
  /** Ends it for good and removes what it kept. */
  remove: () => Promise<void>
}

/** Only root starts an engine, and only where one is installed. */
export const canOwnEngine = process.getuid?.() === 0 && spawnSync('dockerd', ['--version']).status === 0

export async function createOwnEngine(): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'peerhost-engine-'))
  const socketPath = join(folder, 'docker.sock')
  const flags = [
    ...['--host', `unix://${socketPath}`, '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['--pidfile', join(folder, 'docker.pid'), '--iptables=false', '--ip6tables=false', '--bridge=none'],
  ]
  let daemon: ChildProcess | undefined
  const isAlive = () => daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null

  async function stop(): Promise<void> {
    if (!daemon || !isAlive()) return
    const exited = once(daemon, 'exit')
    daemon.kill('SIGTERM')
    await exited
  }

  return {
    socketPath,
    async start() {
      daemon = spawn('dockerd', flags, { stdio: 'ignore' })
      for (let attempt = 0; attempt < 300; attempt += 1) {
        if (await answers(socketPath)) return
        if (!isAlive()) break
        await sleep(200)
      }
      throw new Error('The engine did not start.')
    },
    stop,
    async remove() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const outgoing = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume()
      done(response.statusCode === 200)
    })
    outgoing.on('error', () => done(false))
    outgoing.end()
  })
}
