import { executionCoordinatorAbi, protocolParametersAbi, testUsdcAbi } from '@peerhost/protocol'
import type { Address, PublicClient, Transport, Chain as ViemChain } from 'viem'
import type { ChainParameters } from './chain.ts'

/** The contracts of one version of the protocol. Who knows the coordinator finds the others. */
export type Suite = {
  token: Address
  treasury: Address
  parameters: Address
  functions: Address
  operators: Address
  coordinator: Address
  confirmedLane: Address
  escrow: Address
  court: Address
}

type Client = PublicClient<Transport, ViemChain>

/** Asks the coordinator which contracts it works with. */
export async function readSuite(client: Client, coordinator: Address): Promise<Suite> {
  return client.readContract({ address: coordinator, abi: executionCoordinatorAbi, functionName: 'suite' })
}

/** Reads what stays the same while the process lives. */
export async function readChainParameters(client: Client, suite: Suite): Promise<ChainParameters> {
  const token = { address: suite.token, abi: testUsdcAbi } as const
  const [times, name, version, symbol, decimals] = await Promise.all([
    client.readContract({ address: suite.parameters, abi: protocolParametersAbi, functionName: 'times' }),
    client.readContract({ ...token, functionName: 'name' }),
    client.readContract({ ...token, functionName: 'version' }),
    client.readContract({ ...token, functionName: 'symbol' }),
    client.readContract({ ...token, functionName: 'decimals' }),
  ])
  return { times, token: { address: suite.token, name, version, symbol, decimals } }
}
