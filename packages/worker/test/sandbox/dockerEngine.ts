import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDockerSandbox, type DockerSandboxDeps } from '../../src/sandbox/dockerSandbox.ts'

/** Shared by all test files: the root file system is the same for all, and large. */
export const runtimeDirectory = join(tmpdir(), 'peerhost-test-runtime')

/** A sandbox on the real engine, with an owner of its own. */
export function createTestSandbox(over: Partial<DockerSandboxDeps> = {}) {
  return createDockerSandbox({
    directory: runtimeDirectory,
    owner: `test-${randomUUID()}`,
    slots: 2,
    spareContainers: 0,
    ...over,
  })
}

const socketPath = process.env.PEERHOST_DOCKER_SOCKET ?? '/var/run/docker.sock'

/** One call to the engine's own interface, beside the code under test. */
export async function engineCall(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; bytes: Buffer }> {
  return new Promise((done, failed) => {
    const headers = body ? { 'content-type': 'application/json' } : {}
    const outgoing = request({ socketPath, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => done({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
    })
    outgoing.on('error', failed)
    outgoing.end(body ? JSON.stringify(body) : undefined)
  })
}

export async function engineJson<T>(method: string, path: string, body?: object): Promise<T> {
  return JSON.parse((await engineCall(method, path, body)).bytes.toString('utf8')) as T
}

/** Ids of the containers with this label, running or not. */
export async function containersWith(label: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
  const found = await engineJson<{ Id: string }[]>('GET', `/containers/json?all=1&filters=${filters}`)
  return found.map(({ Id }) => Id)
}

/**
 * Runs a script inside a container as the functions' own user: what code could do that broke out of Node altogether.
 * Resolves with what it wrote.
 */
export async function runInside(container: string, script: string): Promise<string> {
  const { Id } = await engineJson<{ Id: string }>('POST', `/containers/${container}/exec`, {
    AttachStdout: true,
    AttachStderr: true,
    Cmd: ['/bin/node', '-e', script],
  })
  const { bytes } = await engineCall('POST', `/exec/${Id}/start`, { Detach: false, Tty: false })
  return withoutStreamHeaders(bytes)
}

function withoutStreamHeaders(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at + 8 <= bytes.length; at += 8 + bytes.readUInt32BE(at + 4))
    text += bytes.toString('utf8', at + 8, at + 8 + bytes.readUInt32BE(at + 4))
  return text
}
