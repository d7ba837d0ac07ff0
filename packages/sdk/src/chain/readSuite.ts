import { executionCoordinatorAbi } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Connection } from '../connection.ts'
import { readChain } from './readChain.ts'

/** Every contract of the coordinator's version, by the coordinator's own word. */
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

const suites = new WeakMap<object, Promise<Suite>>()

/** Asks the coordinator once per connection. No gateway is believed about it. Throws `chain_unavailable`. */
export function readSuite(connection: Connection): Promise<Suite> {
  const { network, publicClient } = connection
  const known = suites.get(network)
  if (known) return known
  const suite = readChain('read the contracts of the coordinator', () =>
    publicClient.readContract({ address: network.coordinator, abi: executionCoordinatorAbi, functionName: 'suite' }),
  )
  suites.set(network, suite)
  suite.catch(() => suites.delete(network))
  return suite
}
