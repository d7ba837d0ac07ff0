import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDockerSandbox, type DockerSandboxDeps } from '../../src/sandbox/dockerSandbox.ts'

/** Shared by all test files: the root file system is the same for all, and large. */
export const runtimeDirectory = join(tmpdir(), 'peerhost-test-runtime')

/** A sandbox on the real engine, with an owner of its own. */
export function createTestSandbox(over: Partial<DockerSandboxDeps> = {}) {
  return createDockerSandbox({ directory: runtimeDirectory, owner: `test-${randomUUID()}`, slots: 2, ...over })
}
