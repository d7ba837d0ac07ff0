import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createProcessSandbox } from '../../src/sandbox/processSandbox.ts'
import { describeSandbox } from './sandbox.suite.ts'

const directory = await mkdtemp(join(tmpdir(), 'peerhost-sandbox-'))
const lines: string[] = []
afterAll(() => rm(directory, { recursive: true, force: true }))

// The supervisor and its hosts are those of the containers, where both levels run.
describeSandbox('process', 'context', () =>
  createProcessSandbox({ directory, slots: 2, log: (line) => lines.push(line) }),
)

test('the process sandbox says loudly that nothing is isolated', () => {
  expect(lines[0]).toMatch(/^NOT ISOLATED/)
})
