import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevnetAccount, requireDockerEngine, startDevnet } from '@peerhost/devnet'
import { testUsdcAbi } from '@peerhost/protocol'
import { connect } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { type Address, createPublicClient, type Hex, http } from 'viem'
import { startTestGateway } from './testGateway.ts'
import { startTestNetwork } from './testNetwork.ts'

/** What a suite needs of a network that runs: two functions that echo their query as JSON, one free, one for 0.001. */
export type SuiteNetwork = {
  gatewayUrl: string
  /** Has enough tokens for some calls. */
  payer: DevnetAccount
  free: { functionId: Hex; url: string }
  priced: { functionId: Hex; url: string }
  payee: Address
  balanceOf: (address: Address) => Promise<bigint>
  /** Brings a request to chain, where that does not happen by itself. */
  settle: (requestId: Hex) => Promise<unknown>
  stop: () => Promise<void>
}

/** The small server of these tests: x402's primitives and a real chain. */
export async function startSmallNetwork(): Promise<SuiteNetwork> {
  const network = await startTestNetwork()
  const gateway = await startTestGateway(network)
  const { developer, payer } = network.accounts
  const urlOf = (name: string) => `${gateway.url}/${developer.address}/weather/${name}`
  return {
    gatewayUrl: gateway.url,
    payer,
    free: { functionId: network.functions.free, url: urlOf('now') },
    priced: { functionId: network.functions.priced, url: urlOf('forecast') },
    payee: developer.address,
    balanceOf: network.balanceOf,
    settle: gateway.settle,
    stop: async () => {
      await gateway.stop()
      await network.stop()
    },
  }
}

/** A devnet: the real gateway, and a worker that runs the functions in Docker. */
export async function startWholeNetwork(): Promise<SuiteNetwork> {
  const directory = await mkdtemp(join(tmpdir(), 'peerhost-sdk-gateway-'))
  const { socketPath } = await requireDockerEngine()
  const devnet = await startDevnet({ workers: 1, directory, dockerSocket: socketPath })
  const stop = async () => {
    await devnet.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const { developer, payer } = devnet.accounts
    const { rpcUrl } = devnet.chain
    const chain = createPublicClient({ transport: http(rpcUrl) })
    const owner = await connect({ gatewayUrl: devnet.gatewayUrl, rpcUrl, account: developer })
    const project = join(import.meta.dirname, 'project')
    const { functions } = await deploy(owner, { directory: project, credit: { amount: '5' } })
    const deployed = (name: string) => {
      const found = functions.find((each) => each.name === name)
      if (!found?.url) throw new Error(`${name} was not deployed.`)
      return { functionId: found.functionId, url: found.url }
    }
    const token = { address: devnet.addresses.token, abi: testUsdcAbi } as const
    return {
      gatewayUrl: devnet.gatewayUrl,
      payer,
      free: deployed('now'),
      priced: deployed('forecast'),
      payee: developer.address,
      balanceOf: (address) => chain.readContract({ ...token, functionName: 'balanceOf', args: [address] }),
      // The gateway settles by itself.
      settle: async () => undefined,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
