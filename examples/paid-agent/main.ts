/**
 * An agent's side of PeerHost: an MCP client that finds a priced tool, pays for one call within its budget, checks the
 * receipt, and is refused when the budget is used up. Asserts everything; exits non-zero when anything is wrong.
 *
 *   npm start                                  on a network of its own on this machine (needs Docker)
 *   npm start -- --gateway URL --key-file FILE on a running network that serves examples/weather
 *
 * PEERHOST_GATEWAY, PEERHOST_RPC_URL, PEERHOST_MCP_KEY and PEERHOST_MCP_KEY_FILE stand for the flags.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const { values: flags } = parseArgs({
  options: { gateway: { type: 'string' }, rpc: { type: 'string' }, 'key-file': { type: 'string' } },
})

type Network = { environment: Record<string, string>; stop: () => Promise<void> }
type Tool = Awaited<ReturnType<Client['listTools']>>['tools'][number]
type Result = Awaited<ReturnType<Client['callTool']>>
type Price = { amount: string; text: string }
type Call = {
  replayed: boolean
  http_status: number
  paid: { amount: string; text: string; transaction: string } | null
  receipt: { verified: string; level: string }
  left_today: string
}

const directory = await mkdtemp(join(tmpdir(), 'peerhost-paid-agent-'))
const gateway = flags.gateway ?? process.env.PEERHOST_GATEWAY
let network: Network | undefined
try {
  network = gateway === undefined ? await startNetwork(directory) : givenNetwork(gateway)
  await runAgent(network)
  console.log('\nAll as it should be.')
} finally {
  await network?.stop()
  await rm(directory, { recursive: true, force: true })
}

async function runAgent({ environment }: Network): Promise<void> {
  // The human's part: a file that says what the agent may spend. The agent can read it through a tool, never change it.
  const policy = join(directory, 'policy.json')
  await writeFile(policy, JSON.stringify({ version: 1, maxPerCall: '0.01', maxPerDay: '0.0015' }), { mode: 0o600 })

  // The agent's part: any MCP host starts the server like this, from its configuration.
  const client = new Client({ name: 'paid-agent', version: '1.0.0' })
  const { command, args } = mcpServer()
  await client.connect(
    new StdioClientTransport({
      command,
      args: [...args, '--policy', policy, '--data-dir', join(directory, 'mcp')],
      env: { PATH: process.env.PATH ?? '', ...environment },
      stderr: 'inherit',
    }),
  )
  try {
    await buyForecast(client)
  } finally {
    await client.close()
  }
}

async function buyForecast(client: Client): Promise<void> {
  const { tools } = await client.listTools()
  const priced = tools.filter((tool) => BigInt(priceOf(tool)?.amount ?? '0') > 0n)
  console.log(`${tools.length} tools, ${priced.length} with a price:`)
  for (const tool of priced) console.log(`  ${tool.name}  ${priceOf(tool)?.text}`)
  const forecast = priced.find(({ name }) => name.includes('forecast'))
  assert(forecast, 'there is no priced forecast among the tools; deploy examples/weather first')
  const price = priceOf(forecast)
  assert(price)
  assert.match(forecast.description ?? '', new RegExp(`^Costs ${price.text} per call`))

  const before = await balanceOf(client)
  const result = await client.callTool({ name: forecast.name, arguments: { city: 'Lisbon', days: 2 } })
  assert(!result.isError, textOf(result))
  const call = callOf(result)
  const weather = JSON.parse(textBlocks(result)[1] ?? '') as { city: string; days: { date: string; summary: string }[] }
  console.log(`\nThe weather in ${weather.city}:`)
  for (const { date, summary } of weather.days) console.log(`  ${date}  ${summary}`)
  console.log(`Paid ${call.paid?.text} in ${call.paid?.transaction}`)
  console.log(`Receipt verified: ${call.receipt.verified} (${call.receipt.level}); left today: ${call.left_today}`)
  assert.equal(call.http_status, 200)
  assert.equal(weather.city, 'Lisbon')
  assert.equal(weather.days.length, 2)
  assert.equal(call.paid?.amount, price.amount)
  assert.equal(call.receipt.verified, 'yes')
  assert(result._meta?.['dev.peerhost/receipt'], 'the result carries its receipt')
  assert.partialDeepStrictEqual(result._meta, { 'x402/payment-response': { success: true } })

  // The same question again is answered from what was paid for.
  const again = await client.callTool({ name: forecast.name, arguments: { city: 'Lisbon', days: 2 } })
  assert.equal(callOf(again).replayed, true)
  assert.equal(await balanceOf(client), before - BigInt(price.amount), 'the wallet paid exactly the price, once')

  // Another question would go over the day's budget, whatever the model says it may cost.
  const refused = await client.callTool({
    name: 'peer_call',
    arguments: { function: forecast.name, arguments: { city: 'Oslo' }, max_price: '1000' },
  })
  console.log(`\nThe next call is refused:\n  ${textOf(refused).split('\n').join('\n  ')}`)
  assert.equal(refused.isError, true)
  assert.partialDeepStrictEqual(refused._meta, { 'dev.peerhost/error': { code: 'budget_exceeded' } })
  assert.equal(await balanceOf(client), before - BigInt(price.amount), 'nothing was paid for it')
}

function priceOf(tool: Tool): Price | undefined {
  return tool._meta?.['dev.peerhost/price'] as Price | undefined
}

function callOf(result: Result): Call {
  return result._meta?.['dev.peerhost/call'] as Call
}

function textBlocks(result: Result): string[] {
  return result.content.flatMap((block) => (block.type === 'text' ? [block.text] : []))
}

function textOf(result: Result): string {
  return textBlocks(result).join('\n')
}

/** In atomic units: `1.5 USDC` → 1500000n. */
async function balanceOf(client: Client): Promise<bigint> {
  const wallet = await client.callTool({ name: 'peer_wallet', arguments: {} })
  const { balance } = wallet.structuredContent as { balance: string }
  const [whole = '0', fraction = ''] = (balance.split(' ')[0] ?? '0').split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

function mcpServer(): { command: string; args: string[] } {
  const main = fileURLToPath(import.meta.resolve('@peerhost/mcp-server/main'))
  const fromSources = main.endsWith('.ts') ? ['--conditions=@peerhost/source'] : []
  return { command: process.execPath, args: [...fromSources, main] }
}

function givenNetwork(gatewayUrl: string): Network {
  const keyFile = flags['key-file'] ?? process.env.PEERHOST_MCP_KEY_FILE
  const key = process.env.PEERHOST_MCP_KEY
  const rpc = flags.rpc ?? process.env.PEERHOST_RPC_URL
  assert(keyFile || key, 'give --key-file FILE (mode 600), or PEERHOST_MCP_KEY on a test network')
  return {
    environment: {
      PEERHOST_GATEWAY: gatewayUrl,
      ...(rpc && { PEERHOST_RPC_URL: rpc }),
      ...(keyFile ? { PEERHOST_MCP_KEY_FILE: keyFile } : { PEERHOST_MCP_KEY: key ?? '' }),
    },
    stop: async () => {},
  }
}

/** A whole network on this machine, with examples/weather deployed and a funded wallet for the agent. */
async function startNetwork(parent: string): Promise<Network> {
  const { requireDockerEngine, startDevnet } = await import('@peerhost/devnet')
  const { connect } = await import('@peerhost/sdk')
  const { deploy } = await import('@peerhost/sdk/node')
  const engine = await requireDockerEngine({ onStep: console.error })
  const devnet = await startDevnet({
    directory: join(parent, 'devnet'),
    dockerSocket: engine.socketPath,
    onEvent: (event) => console.error(event.type === 'step' ? event.text : `${event.name} ended: see ${event.logFile}`),
  })
  const stop = async () => {
    await devnet.stop()
    await engine.release()
  }
  try {
    const connection = await connect({
      gatewayUrl: devnet.gatewayUrl,
      rpcUrl: devnet.chain.rpcUrl,
      account: devnet.accounts.developer,
      pollingIntervalMs: 100,
    })
    await deploy(connection, {
      directory: join(import.meta.dirname, '../weather'),
      credit: { amount: '10', capPerEpoch: '10' },
    })
  } catch (error) {
    await stop()
    throw error
  }
  return {
    environment: {
      PEERHOST_GATEWAY: devnet.gatewayUrl,
      PEERHOST_RPC_URL: devnet.chain.rpcUrl,
      PEERHOST_MCP_KEY: devnet.accounts.agent.privateKey,
    },
    stop,
  }
}
