import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWorkerDirectory, type WorkerDirectory, workerDirectory } from '../workerDirectory.ts'
import { keystoreAddress } from './keystore.ts'
import { replaceExecutionKey } from './replaceExecutionKey.ts'

const cost = { n: 1_024, r: 8, p: 1 }
const password = 'one for both'
const settings = {
  rpcUrls: ['http://one'],
  chainId: 1,
  coordinator: `0x${'c0'.repeat(20)}` as const,
  gateways: [],
  blockSources: [],
  capacity: 1,
  metricsPort: 9_464,
}
let root: string
let directory: WorkerDirectory
let old: Hex
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'peerhost-replace-'))
  directory = workerDirectory(join(root, 'worker'), {})
  old = (await createWorkerDirectory(directory, settings, { password, cost })).executionKey
})
afterEach(() => rm(root, { recursive: true, force: true }))

const current = async () => keystoreAddress(await readFile(directory.executionKeystore, 'utf8'))

describe('replaceExecutionKey', () => {
  it('puts the new key where the old one was, and keeps the old one', async () => {
    const bound = await replaceExecutionKey({ directory, password, cost, bind: async ({ address }) => address })
    expect(await current()).toBe(bound)
    expect(bound).not.toBe(old)
    expect(await readdir(directory.path)).toEqual(
      ['execution.keystore.json', `execution-${old}.keystore.json`, 'operator.keystore.json', 'worker.env'].sort(),
    )
  })

  it('has the key on disk before it is bound, and keeps it while the chain may know it', async () => {
    const seen: string[] = []
    const lost = replaceExecutionKey({
      directory,
      password,
      cost,
      bind: async () => {
        seen.push(...(await readdir(directory.path)))
        throw new PeerHostError('chain_unavailable', 'It went.')
      },
    })
    await expect(lost).rejects.toMatchObject({ code: 'chain_unavailable' })
    expect(seen).toContain('execution.next.keystore.json')
    expect(await readdir(directory.path)).toContain('execution.next.keystore.json')
    expect(await current()).toBe(old)
    await expect(replaceExecutionKey({ directory, password, cost, bind: async () => {} })).rejects.toMatchObject({
      code: 'conflict',
    })
  })

  it('leaves nothing behind when the contract refused, or the password is another', async () => {
    const before = await readdir(directory.path)
    const bind = async () => {
      throw new PeerHostError('transaction_failed', 'It was refused.')
    }
    await expect(replaceExecutionKey({ directory, password, cost, bind })).rejects.toMatchObject({
      code: 'transaction_failed',
    })
    await expect(replaceExecutionKey({ directory, password: 'other', cost, bind })).rejects.toMatchObject({
      code: 'keystore_locked',
    })
    expect(await readdir(directory.path)).toEqual(before)
    expect(await current()).toBe(old)
  })
})
