import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import { containersWith, createTestSandbox, engineJson } from './dockerEngine.ts'
import { jobOf, read } from './jobs.ts'

const source = 'exports.default = () => Response.json({ answers: true })'

it('runs every container with the runtime that is named', async () => {
  const owner = `test-${randomUUID()}`
  const sandbox = await createTestSandbox({ owner, containerRuntime: 'runc' })
  try {
    const run = await sandbox.run(jobOf(source), new AbortController().signal)
    expect(read(run).outcome).toBe('completed')
    const containers = await containersWith(`${sandboxLabels.owner}=${owner}`)
    expect(containers.length).toBeGreaterThan(0)
    for (const id of containers) {
      const { HostConfig } = await engineJson<{ HostConfig: { Runtime: string } }>('GET', `/containers/${id}/json`)
      expect(HostConfig.Runtime).toBe('runc')
    }
  } finally {
    await sandbox.close()
  }
})

it('is refused by the engine when it has no such runtime, and nothing runs with another', async () => {
  const owner = `test-${randomUUID()}`
  const sandbox = await createTestSandbox({ owner, containerRuntime: 'no-such-runtime' })
  try {
    const refused = await sandbox.run(jobOf(source), new AbortController().signal).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'sandbox_unavailable' })
    expect(JSON.stringify((refused as { details: unknown }).details)).toContain('no-such-runtime')
    expect(await containersWith(`${sandboxLabels.owner}=${owner}`)).toEqual([])
  } finally {
    await sandbox.close()
  }
})
