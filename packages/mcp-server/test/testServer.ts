import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import type { McpServer } from '@modelcontextprotocol/server'
import { privateKeyToAccount } from 'viem/accounts'
import { createMcpServer, type McpServerOptions } from '../src/createMcpServer.ts'
import { createFakePeerHost, type FakePeerHost } from './fakePeerHost.ts'

export const testKey = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'
export const testAccount = privateKeyToAccount(testKey)

export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'peerhost-mcp-'))
}

export async function writePolicy(directory: string, policy: Record<string, unknown>): Promise<string> {
  const path = join(directory, 'policy.json')
  await writeFile(path, JSON.stringify({ version: 1, ...policy }), { mode: 0o600 })
  return path
}

export type TestServer = Awaited<ReturnType<typeof createMcpServer>> & {
  fake: FakePeerHost
  directory: string
  logs: string[]
}

/** The real server over a fake network. */
export async function createTestServer(
  options: Partial<McpServerOptions> & {
    fake?: FakePeerHost
    policy?: Record<string, unknown>
    readOnly?: boolean
  } = {},
): Promise<TestServer> {
  const { fake = createFakePeerHost(), policy, readOnly, ...rest } = options
  const directory = options.dataDirectory ?? (await temporaryDirectory())
  const logs: string[] = []
  const policyPath = policy && (await writePolicy(directory, policy))
  const server = await createMcpServer({
    port: fake.port,
    ...(readOnly ? {} : { key: { account: testAccount, source: 'file' as const, secret: testKey } }),
    ...(policyPath && { policyPath }),
    dataDirectory: directory,
    expose: 'auto',
    owners: [],
    projects: [],
    timeoutMs: 10_000,
    nowMs: () => Date.now(),
    log: (event, facts) => logs.push(JSON.stringify({ event, ...facts })),
    ...rest,
  })
  return { ...server, fake, directory, logs }
}

/** A client that is connected in memory. */
export async function connectInMemory(server: TestServer): Promise<Client> {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  const instance = (await server.factory({ era: 'legacy' })) as McpServer
  await instance.connect(serverSide as never)
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(clientSide)
  return client
}

export function textOf(result: unknown): string {
  const { content } = result as { content: { type: string; text?: string }[] }
  return content.flatMap(({ text }) => text ?? []).join('\n')
}
