import { executionCoordinatorAbi } from '@peerhost/protocol'
import type { Address, PublicClient } from 'viem'

/** Every contract of one version of the protocol. Who knows the coordinator finds the rest. */
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

/** Asks the coordinator for its suite. Throws viem's errors. */
export function readSuite(client: Pick<PublicClient, 'readContract'>, coordinator: Address): Promise<Suite> {
  return client.readContract({ address: coordinator, abi: executionCoordinatorAbi, functionName: 'suite' })
}
