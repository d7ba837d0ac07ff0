import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { domain, executionKey } from '../test/fixture/tickets.ts'
import { openDataDirectory } from './dataDirectory.ts'

const genesis: Hex = `0x${'e1'.repeat(32)}`
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-data-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const open = (changes: { genesis?: Hex } = {}) =>
  openDataDirectory({ directory, ...domain, genesis, executionKey: executionKey.address, ...changes })

describe('openDataDirectory', () => {
  it('keeps two chains apart, also when one has the id of the other', async () => {
    const one = await open()
    const other = await open({ genesis: `0x${'e2'.repeat(32)}` })
    expect(one.journal).not.toBe(other.journal)
    expect(one.journal.startsWith(directory)).toBe(true)
  })

  it('refuses while another process has it, and not once that one is gone', async () => {
    const { path, release } = await open()
    await release()
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    await once(child, 'spawn')
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '')
    const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    await writeFile(join(path, 'worker.lock'), `${child.pid} ${began}`)
    try {
      await expect(open()).rejects.toMatchObject({ code: 'conflict' })
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await (await open()).release()
  })

  it('takes over from a process whose id was given to another one', async () => {
    const { path, release } = await open()
    await release()
    await writeFile(join(path, 'worker.lock'), '1 1')
    expect((await open()).path).toBe(path)
  })
})
