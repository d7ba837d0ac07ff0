import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerHostError } from '@peerhost/protocol'
import { defineChain } from 'viem'
import { DEVNET_MNEMONIC } from './accounts.ts'
import { freePort } from './freePort.ts'
import { type ManagedProcess, startManagedProcess } from './managedProcess.ts'

/** Base Sepolia's id: stock x402 clients of both generations know it, its name and its USDC. */
export const DEVNET_CHAIN_ID = 84_532

/** The chain as viem clients want it; the URL comes with the transport. */
export const devnetChain = defineChain({
  id: DEVNET_CHAIN_ID,
  name: 'PeerHost devnet',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [] } },
  contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
})

/** The chain of a devnet: anvil as a child process. */
export type DevnetChain = {
  id: number
  rpcUrl: string
  webSocketUrl: string
  process: ManagedProcess
}

export type StartChainOptions = {
  directory: string
  /** Keep the chain in the directory and continue it on the next start. */
  persist?: boolean
  port?: number
  /** Default `DEVNET_CHAIN_ID`. */
  chainId?: number
  signal?: AbortSignal | undefined
}

const readyTimeoutMs = 15_000

/** Starts anvil on the loopback interface and waits until it answers. */
export async function startChain(options: StartChainOptions): Promise<DevnetChain> {
  const port = options.port ?? (await freePort())
  const chainId = options.chainId ?? DEVNET_CHAIN_ID
  const rpcUrl = `http://127.0.0.1:${port}`
  const { program, args } = anvilCommand()
  const state = options.persist ? ['--state', join(options.directory, 'chain.json'), '--state-interval', '5'] : []
  const settings = {
    'chain-id': chainId,
    'block-time': 0.2,
    'gas-limit': 300_000_000,
    host: '127.0.0.1',
    port,
    mnemonic: DEVNET_MNEMONIC,
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const managed = await startManagedProcess({
    name: 'chain',
    entry: 'guard',
    args: [program, ...args, ...flags, '--silent', ...state],
    logFile: join(options.directory, 'chain.log'),
    parseReady: (message) => ((message as { type?: unknown } | null)?.type === 'ready' ? true : undefined),
    readyTimeoutMs,
    signal: options.signal,
  })
  try {
    await waitUntilAnswering({ rpcUrl, chainId }, managed, options.signal)
  } catch (error) {
    await managed.stop()
    throw error
  }
  return { id: chainId, rpcUrl, webSocketUrl: `ws://127.0.0.1:${port}`, process: managed }
}

/** The binary of this platform's package, or npm's shim, which says what is missing. */
function anvilCommand(): { program: string; args: string[] } {
  const shim = createRequire(import.meta.url).resolve('@foundry-rs/anvil/bin.mjs')
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const suffix = process.platform === 'win32' ? '.exe' : ''
  try {
    const binary = `@foundry-rs/anvil-${process.platform}-${architecture}/bin/anvil${suffix}`
    return { program: createRequire(shim).resolve(binary), args: [] }
  } catch {
    return { program: process.execPath, args: [shim] }
  }
}

async function waitUntilAnswering(
  { rpcUrl, chainId }: { rpcUrl: string; chainId: number },
  managed: ManagedProcess,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs
  while (Date.now() < deadline && managed.isRunning()) {
    signal?.throwIfAborted()
    if ((await chainIdAt(rpcUrl)) === chainId) return
    await sleep(20)
  }
  throw new PeerHostError('chain_unavailable', 'The local chain did not answer.', {
    hint: `Its log is ${managed.logFile}.`,
  })
}

async function chainIdAt(rpcUrl: string): Promise<number | undefined> {
  try {
    const response = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(1_000),
    })
    const { result } = (await response.json()) as { result?: string }
    return result === undefined ? undefined : Number(result)
  } catch {
    return undefined
  }
}
