import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Devnet, requireDockerEngine, startDevnet } from '@peerhost/devnet'
import { executionCoordinatorAbi, testUsdcAbi } from '@peerhost/protocol'
import { type Connection, connect } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { x402Client, x402HTTPClient } from '@x402/core/client'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { type Address, createPublicClient, http, type PublicClient } from 'viem'

/** A devnet with the project of this folder deployed, as the tests see it. */
export type TestNetwork = {
  devnet: Devnet
  chain: PublicClient
  developer: Connection
  payer: Connection
  url: (functionName: string) => string
  balanceOf: (account: Address) => Promise<bigint>
  earningsOf: (operator: Address) => Promise<bigint>
  /** The file in which the gateway keeps a function's bundle. */
  blockFile: (functionName: string) => string
  /** Signs the payment that `url` asks for and returns the header to send, without sending it. */
  signPayment: (url: string) => Promise<Record<string, string>>
  close: () => Promise<void>
}

/** Starts a whole network of its own for one test file. */
export async function startTestNetwork(options: { workers: number }): Promise<TestNetwork> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-e2e-'))
  const engine = await requireDockerEngine()
  const devnet = await startDevnet({ workers: options.workers, directory, dockerSocket: engine.socketPath })
  const chain = createPublicClient({ transport: http(devnet.chain.rpcUrl), pollingInterval: 50 })
  const developer = await connect({
    gatewayUrl: devnet.gatewayUrl,
    rpcUrl: devnet.chain.rpcUrl,
    account: devnet.accounts.developer,
  })
  const payer = await connect({
    gatewayUrl: devnet.gatewayUrl,
    rpcUrl: devnet.chain.rpcUrl,
    account: devnet.accounts.payer,
  })
  const deployed = await deploy(developer, {
    directory: join(import.meta.dirname, 'project'),
    credit: { amount: '5', capPerEpoch: '5' },
  })
  const client = new x402Client().register('eip155:*', new ExactEvmScheme(devnet.accounts.payer))
  const x402 = new x402HTTPClient(client)
  return {
    devnet,
    chain,
    developer,
    payer,
    url: (functionName) => `${devnet.gatewayUrl}/${devnet.accounts.developer.address}/e2e/${functionName}`,
    balanceOf: (account) =>
      chain.readContract({
        address: devnet.addresses.token,
        abi: testUsdcAbi,
        functionName: 'balanceOf',
        args: [account],
      }),
    earningsOf: async (operator) => {
      const { earnings } = await chain.readContract({
        address: devnet.addresses.coordinator,
        abi: executionCoordinatorAbi,
        functionName: 'getOperator',
        args: [operator],
      })
      return earnings
    },
    blockFile: (functionName) => {
      const cid = deployed.functions.find(({ name }) => name === functionName)?.cid
      const [file] = globSync(`gateway/**/${cid}*`, { cwd: directory })
      if (!file) throw new Error(`The gateway keeps no block of ${functionName}.`)
      return join(directory, file)
    },
    signPayment: async (url) => {
      const response = await fetch(url)
      const required = x402.getPaymentRequiredResponse((name) => response.headers.get(name), await response.json())
      return x402.encodePaymentSignatureHeader(await x402.createPaymentPayload(required))
    },
    close: async () => {
      await devnet.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Polls until `read` gives something other than `undefined`; throws with `what` when it does not in time. */
export async function eventually<T>(what: string, read: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const until = Date.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (value !== undefined) return value
    if (Date.now() > until) throw new Error(`${what} did not happen within ${timeoutMs} ms.`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
