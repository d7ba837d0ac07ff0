import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createInputArchive } from './inputArchive.ts'

let directory: string
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'peerhost-inputs-')), 'inputs')
})
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }))

const id = (digit: string): Hex => `0x${digit.repeat(64)}`
const salt = id('5')

test('finds an input again after a restart, also behind a line that a crash tore', async () => {
  const archive = createInputArchive(directory)
  expect(await archive.find(id('1'))).toBeUndefined()
  await archive.keep({ requestId: id('1'), epoch: 7, salt, input: new Uint8Array([1]) })
  await archive.keep({ requestId: id('2'), epoch: 8, salt, input: new Uint8Array([2]) })
  await appendFile(join(directory, '8.log'), `${id('3')} 0x`)
  const again = createInputArchive(directory)
  expect(await again.find(id('1'))).toEqual({ salt, input: new Uint8Array([1]) })
  expect(await again.find(id('2'))).toEqual({ salt, input: new Uint8Array([2]) })
  expect(await again.find(id('3'))).toBeUndefined()
})

test('keeps nothing that is too large to be answered on chain, and drops what is old', async () => {
  const archive = createInputArchive(directory)
  const large = new Uint8Array(LIMITS.calldataInputBytes + 1)
  await archive.keep({ requestId: id('1'), epoch: 7, salt, input: large })
  await archive.keep({ requestId: id('2'), epoch: 7, salt, input: large.subarray(1) })
  await archive.keep({ requestId: id('3'), epoch: 8, salt, input: new Uint8Array() })
  expect(await archive.find(id('1'))).toBeUndefined()
  expect((await archive.find(id('2')))?.input.length).toBe(LIMITS.calldataInputBytes)
  await archive.dropBefore(8)
  expect(await readdir(directory)).toEqual(['8.log'])
  expect(await archive.find(id('3'))).toEqual({ salt, input: new Uint8Array() })
})
