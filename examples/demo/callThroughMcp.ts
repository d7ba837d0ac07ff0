import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { type Devnet, nodeConditions } from '@peerhost/devnet'
import { receiptFromJson } from '@peerhost/protocol'
import type { Answered } from './calls.ts'

/** Starts the MCP server as an agent's host would, finds the forecast among its tools and calls it; the server pays. */
export async function callThroughMcp(devnet: Devnet, dataDirectory: string): Promise<Answered> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...nodeConditions, fileURLToPath(import.meta.resolve('@peerhost/mcp-server/main'))],
    env: {
      PATH: process.env.PATH ?? '',
      PEERHOST_GATEWAY: devnet.gatewayUrl,
      PEERHOST_RPC_URL: devnet.chain.rpcUrl,
      PEERHOST_MCP_KEY: devnet.accounts.agent.privateKey,
      PEERHOST_MCP_DATA_DIR: dataDirectory,
    },
    stderr: 'ignore',
  })
  const client = new Client({ name: 'peerhost-demo', version: '0.0.0' })
  await client.connect(transport)
  try {
    const { tools } = await client.listTools()
    const tool = tools.find(({ name }) => name === 'weather_forecast')
    if (!tool) throw new Error(`No tool for the forecast among ${tools.map(({ name }) => name).join(', ')}.`)
    const startedAt = performance.now()
    const result = await client.callTool({ name: tool.name, arguments: { city: 'Lisbon', days: 2 } })
    const latencyMs = performance.now() - startedAt
    const meta = result._meta ?? {}
    const receipt = meta['dev.peerhost/receipt']
    const { http_status: status = 0 } = (meta['dev.peerhost/call'] ?? {}) as { http_status?: number }
    const detail = JSON.stringify(result.content)
    return { status, receipt: receipt === undefined ? undefined : receiptFromJson(receipt), detail, latencyMs }
  } finally {
    await client.close()
  }
}
