import { functionRegistryAbi } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { zeroAddress } from 'viem'
import type { Connection } from '../connection.ts'
import { readChain } from './readChain.ts'

/** What may change about a function, as the registry has it. `payee` is resolved: the owner when none is set. */
export type FunctionState = {
  owner: Address
  currentVersion: number
  latestVersion: number
  paymentMode: number
  payee: Address
  /** The member as stored: zero means the owner. */
  storedPayee: Address
  /** Atomic units of the settlement token. */
  price: bigint
}

/** Reads a function of the registry. Throws `function_not_found` and `chain_unavailable`. */
export async function readFunction({ network, publicClient }: Connection, functionId: Hex): Promise<FunctionState> {
  const state = await readChain('read the function', () =>
    publicClient.readContract({
      address: network.registry,
      abi: functionRegistryAbi,
      functionName: 'getFunction',
      args: [functionId],
    }),
  )
  return {
    owner: state.owner,
    currentVersion: state.currentVersion,
    latestVersion: state.latestVersion,
    paymentMode: state.paymentMode,
    payee: state.payee === zeroAddress ? state.owner : state.payee,
    storedPayee: state.payee,
    price: state.price,
  }
}

/** Reads one immutable version of a function. Throws `function_not_found` and `chain_unavailable`. */
export async function readDeployment({ network, publicClient }: Connection, functionId: Hex, version: number) {
  return readChain('read the version', () =>
    publicClient.readContract({
      address: network.registry,
      abi: functionRegistryAbi,
      functionName: 'getDeployment',
      args: [functionId, version],
    }),
  )
}
