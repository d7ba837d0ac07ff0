import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveHttp } from '../src/serveHttp.ts'
import { createTestServer, type TestServer, temporaryDirectory, testKey, textOf } from './testServer.ts'

const token = 'a-token-of-more-than-twenty-characters'
const main = join(import.meta.dirname, '../src/main.ts')
const fakeMain = join(import.meta.dirname, 'fakeMain.ts')

type AnyClient = {
  listTools: () => Promise<{ tools: { name: string }[] }>
  callTool: (call: { name: string; arguments: Record<string, unknown> }) => Promise<unknown>
  close: () => Promise<void>
}

const modern = (transport: never, versionNegotiation?: object): Promise<AnyClient> =>
  connectWith(
    new Client({ name: 'modern', version: '1' }, { ...(versionNegotiation && { versionNegotiation }) } as never),
    transport,
  )
const legacy = (transport: never): Promise<AnyClient> =>
  connectWith(new LegacyClient({ name: 'legacy', version: '1' }), transport)

async function connectWith<T extends { connect: (transport: never) => Promise<void> }>(client: T, transport: never) {
  await client.connect(transport)
  return client as unknown as AnyClient
}

/** What every client must be able to do over every transport. */
async function walk(client: AnyClient): Promise<void> {
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('weather_forecast')
  const paid = await client.callTool({ name: 'weather_forecast', arguments: { city: `Oslo ${Math.random()}` } })
  expect(textOf(paid)).toContain('Paid 0.002 USDC')
  const direct = await client.callTool({
    name: 'peer_call',
    arguments: { function: 'weather/forecast', arguments: { city: `Rome ${Math.random()}` } },
  })
  expect((direct as { structuredContent: unknown }).structuredContent).toMatchObject({
    http_status: 200,
    replayed: false,
  })
  const refused = (await client.callTool({ name: 'peer_call', arguments: { function: 'nothing', arguments: {} } })) as {
    isError: boolean
  }
  expect(refused.isError).toBe(true)
  const spending = await client.callTool({ name: 'peer_spending', arguments: {} })
  expect((spending as { structuredContent: unknown }).structuredContent).toHaveProperty('today')
  await client.close()
}

describe('streamable HTTP', () => {
  let server: TestServer
  let http: Awaited<ReturnType<typeof serveHttp>>
  beforeAll(async () => {
    server = await createTestServer()
    addForecast(server)
    http = await serveHttp({ factory: server.factory, log: () => {} }, { host: '127.0.0.1', port: 0, token })
  })
  afterAll(async () => {
    await http.close()
    await server.close()
  })

  const headers = { authorization: `Bearer ${token}` }
  test('serves a client of 2026-07-28', async () => {
    const transport = new StreamableHTTPClientTransport(new URL(http.url), { requestInit: { headers } })
    await walk(await modern(transport as never, { mode: { pin: '2026-07-28' } }))
  })
  test('serves a current client that negotiates', async () => {
    const transport = new StreamableHTTPClientTransport(new URL(http.url), { requestInit: { headers } })
    await walk(await modern(transport as never))
  })
  test('serves a client of 2025', async () => {
    await walk(await legacy(new LegacyHttp(new URL(http.url), { requestInit: { headers } }) as never))
  })

  const post = async (change: Record<string, string | undefined>, path = '/mcp', body = '{}') => {
    const { hostname, port } = new URL(http.url)
    const all = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
      ...change,
    }
    const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >
    const request = httpRequest({ hostname, port, path, method: 'POST', headers: present })
    request.on('error', () => {})
    request.end(body)
    const [response] = (await once(request, 'response')) as [{ statusCode: number; resume: () => void }]
    response.resume()
    return response.statusCode
  }
  test.each([
    ['without a token', { authorization: undefined }, 401],
    ['with another token', { authorization: `Bearer ${token}x` }, 401],
    ['with another scheme', { authorization: `Basic ${token}` }, 401],
    ['for another host (DNS rebinding)', { host: 'evil.example' }, 403],
    ['from a web page of another origin', { origin: 'https://evil.example' }, 403],
    ['from an opaque origin', { origin: 'null' }, 403],
  ])('refuses requests %s', async (_, change, status) => {
    expect(await post(change)).toBe(status)
  })
  test('refuses other paths and bodies over the limit', async () => {
    expect(await post({}, '/')).toBe(404)
    expect(await post({}, '/mcp', `"${'x'.repeat(2_200_000)}"`)).toBe(413)
  })
})

describe('stdio', () => {
  const spawnFake = {
    command: process.execPath,
    args: ['--conditions=@peerhost/source', fakeMain],
    stderr: 'ignore' as const,
  }
  test('serves a client of 2026-07-28', async () => {
    await walk(await modern(new StdioClientTransport(spawnFake) as never, { mode: { pin: '2026-07-28' } }))
  })
  test('serves a client of 2025', async () => {
    await walk(await legacy(new LegacyStdio(spawnFake) as never))
  })
})

describe('the binary', () => {
  const start = async (args: string[], env: Record<string, string> = {}) => {
    const directory = await temporaryDirectory()
    const child = spawn(
      process.execPath,
      ['--conditions=@peerhost/source', main, '--gateway', 'http://127.0.0.1:9', '--data-dir', directory, ...args],
      { env: { PATH: process.env.PATH, HOME: directory, ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
    )
    const seen = { out: '', error: '' }
    child.stdout.on('data', (bytes: Buffer) => {
      seen.out += bytes
    })
    child.stderr.on('data', (bytes: Buffer) => {
      seen.error += bytes
    })
    return { child, seen, directory }
  }

  test('writes nothing but the protocol to stdout, and ends with its client', async () => {
    const { child, seen } = await start([], { PEERHOST_MCP_KEY: testKey })
    child.stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } } })}\n`,
    )
    while (!seen.out.includes('\n')) await once(child.stdout, 'data')
    child.stdin.end()
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    const lines = seen.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([{ jsonrpc: '2.0', id: 1, result: { serverInfo: { name: 'peerhost' } } }])
    expect(seen.error).toContain('"event":"start"')
    expect((seen.out + seen.error).toLowerCase()).not.toContain(testKey.slice(2))
  })

  test('makes a token for HTTP when a wallet is loaded, and stops on SIGTERM', async () => {
    const { child, seen } = await start(['--http', '127.0.0.1:0'], { PEERHOST_MCP_KEY: testKey })
    while (!seen.error.includes('listening')) await once(child.stderr, 'data')
    const made = /^PeerHost MCP token: (\S+)$/m.exec(seen.error)?.[1] ?? ''
    const url = /"url":"([^"]+)"/.exec(seen.error)?.[1] ?? ''
    expect(made.length).toBeGreaterThanOrEqual(32)
    expect((await fetch(url, { method: 'POST' })).status).toBe(401)
    const client = await legacy(
      new LegacyHttp(new URL(url), { requestInit: { headers: { authorization: `Bearer ${made}` } } }) as never,
    )
    expect((await client.listTools()).tools).toHaveLength(8)
    await client.close()
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  })

  test.each([
    ['a key file that others can read', ['--key-file', 'KEY'], {}, 'chmod 600'],
    ['two keys', ['--key-file', 'KEY'], { PEERHOST_MCP_KEY: testKey }, 'Two wallet keys'],
    ['an address that is not loopback', ['--http', '0.0.0.0:1'], {}, 'only loopback'],
    ['an unknown flag', ['--limit', '1000'], {}, 'Unknown option'],
    ['an unknown mode', ['--expose', 'some'], {}, '--expose'],
  ])('refuses %s', async (_, args, env, message) => {
    const directory = await temporaryDirectory()
    const keyFile = join(directory, 'key')
    await writeFile(keyFile, testKey)
    await chmod(keyFile, 0o644)
    const { child, seen } = await start(
      args.map((arg) => (arg === 'KEY' ? keyFile : arg)),
      env,
    )
    expect((await once(child, 'exit'))[0]).toBe(2)
    expect(seen.error).toContain(message)
    expect(seen.error).not.toContain(testKey.slice(2))
    expect(seen.out).toBe('')
  })
})

function addForecast(server: TestServer): void {
  server.fake.add({
    name: 'forecast',
    price: 2_000n,
    input: { type: 'object', properties: { city: { type: 'string' } } },
  })
}
