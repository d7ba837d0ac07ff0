import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { ensureDockerEngine, findDockerEngine, requireDockerEngine } from '../src/dockerEngine.ts'

const directory = mkdtempSync(join(tmpdir(), 'peerhost-engine-'))

afterEach(() => vi.unstubAllEnvs())
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('finding the Docker engine', () => {
  it('takes the one that DOCKER_HOST names', async () => {
    const socketPath = join(directory, 'docker.sock')
    const server = createServer((_, response) => response.end(JSON.stringify({ Version: '99.0' })))
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    vi.stubEnv('DOCKER_HOST', `unix://${socketPath}`)
    try {
      expect(await findDockerEngine()).toMatchObject({ status: 'ready', socketPath, version: '99.0' })
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('says what to type when none answers', async () => {
    vi.stubEnv('DOCKER_HOST', `unix://${join(directory, 'nobody.sock')}`)
    const engine = await findDockerEngine()
    expect(engine.status).toBe('unavailable')
    if (engine.status === 'unavailable') expect(engine.commands.join('\n')).toMatch(/docker/i)
  })

  it('starts nothing where DOCKER_HOST names an engine', async () => {
    vi.stubEnv('DOCKER_HOST', `unix://${join(directory, 'nobody.sock')}`)
    const confirm = vi.fn(async () => true)
    expect((await ensureDockerEngine({ confirm })).status).toBe('unavailable')
    expect(confirm).not.toHaveBeenCalled()
  })

  it('asks before it starts anything, and takes no for an answer', async () => {
    const confirm = vi.fn(async () => false)
    const asked = requireDockerEngine({ confirm, socketPath: join(directory, 'nobody.sock') })
    await expect(asked).rejects.toMatchObject({ code: 'sandbox_unavailable', hint: expect.stringContaining('Type:') })
    const mayStart = process.platform === 'linux' && process.getuid?.() === 0
    expect(confirm).toHaveBeenCalledTimes(mayStart ? 1 : 0)
  })
})
