import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Devnet, requireDockerEngine, startDevnet } from '@peerhost/devnet'
import {
  executionCoordinatorAbi,
  functionId,
  operatorRegistryAbi,
  type ProtocolParameters,
  type ProtocolTimes,
  testUsdcAbi,
} from '@peerhost/protocol'
import { type Connection, connect } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { x402Client, x402HTTPClient } from '@x402/core/client'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import {
  type Address,
  createPublicClient,
  createTestClient,
  createWalletClient,
  type Hex,
  http,
  type PublicClient,
} from 'viem'

/** A devnet with the project of this folder deployed, as the tests see it. */
export type TestNetwork = {
  devnet: Devnet
  chain: PublicClient
  developer: Connection
  payer: Connection
  url: (functionName: string) => string
  functionIdOf: (functionName: string) => Hex
  /** Waits for the epoch in which the stake of this many operators counts. */
  untilCounted: (operators: number) => Promise<void>
  balanceOf: (account: Address) => Promise<bigint>
  earningsOf: (operator: Address) => Promise<bigint>
  /** The file in which the gateway keeps a function's bundle. */
  blockFile: (functionName: string) => string
  /** Signs the payment that `url` asks for and returns the header to send, without sending it. */
  signPayment: (url: string) => Promise<Record<string, string>>
  close: () => Promise<void>
}

export type TestNetworkOptions = {
  workers: number
  /** Folder beside this file whose functions are deployed. */
  project?: 'project' | 'disputed'
  times?: Partial<ProtocolTimes>
  parameters?: Partial<ProtocolParameters>
}

/** Times in which a test can wait for a verdict. */
export const disputeTimes = {
  epochSeconds: 5,
  maximumTicketLifetime: 60,
  settlementGrace: 30,
  conflictWindow: 3,
  challengeWindow: 240,
  juryPhase: 50,
  unbondingPeriod: 1_200,
  parameterDelay: 600,
} as const satisfies ProtocolTimes

/** Ten operators are few: all of them sit in every jury. */
export const everyoneJudges = { committeeSize: 16, jurySize: 16, minimumVotes: 4 } as const

/** Starts a whole network of its own for one test file. */
export async function startTestNetwork(options: TestNetworkOptions): Promise<TestNetwork> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-e2e-'))
  const engine = await requireDockerEngine()
  const { workers, project = 'project', times, parameters } = options
  const devnet = await startDevnet({
    workers,
    directory,
    dockerSocket: engine.socketPath,
    ...(times ? { times } : {}),
    ...(parameters ? { parameters } : {}),
  })
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
  const projectName = project === 'project' ? 'e2e' : project
  const deployed = await deploy(developer, {
    directory: join(import.meta.dirname, project),
    credit: { amount: '5', capPerEpoch: '5' },
  })
  const client = new x402Client().register('eip155:*', new ExactEvmScheme(devnet.accounts.payer))
  const x402 = new x402HTTPClient(client)
  return {
    devnet,
    chain,
    developer,
    payer,
    url: (functionName) => `${devnet.gatewayUrl}/${devnet.accounts.developer.address}/${projectName}/${functionName}`,
    functionIdOf: (functionName) => functionId(devnet.accounts.developer.address, projectName, functionName),
    untilCounted: (count) => untilCounted(chain, devnet, count),
    balanceOf: (account) =>
      chain.readContract({
        address: devnet.addresses.token,
        abi: testUsdcAbi,
        functionName: 'balanceOf',
        args: [account],
      }),
    earningsOf: (operator) =>
      chain.readContract({
        address: devnet.addresses.coordinator,
        abi: executionCoordinatorAbi,
        functionName: 'earningsOf',
        args: [operator],
      }),
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

async function untilCounted(chain: PublicClient, { addresses }: Devnet, count: number): Promise<void> {
  const registry = { address: addresses.operators, abi: operatorRegistryAbi } as const
  await eventually(`an epoch of ${count} operators`, async () => {
    const epoch = await chain.readContract({ ...registry, functionName: 'currentEpoch' })
    const { operatorCount } = await chain.readContract({ ...registry, functionName: 'getEpoch', args: [epoch] })
    return operatorCount >= count || undefined
  })
}

/** Gives an account of a test money for gas and stake. */
export async function devnetPurse(
  { devnet, chain }: TestNetwork,
  account: Address,
  { ether, tokens }: { ether: bigint; tokens: bigint },
): Promise<void> {
  const transport = http(devnet.chain.rpcUrl)
  await createTestClient({ mode: 'anvil', transport }).setBalance({ address: account, value: ether })
  const wallet = createWalletClient({ account: devnet.accounts.treasury, transport })
  const hash = await wallet.writeContract({
    address: devnet.addresses.token,
    abi: testUsdcAbi,
    functionName: 'mint',
    args: [account, tokens],
    chain: null,
  })
  await chain.waitForTransactionReceipt({ hash })
}
