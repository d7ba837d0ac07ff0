import { operatorRegistryAbi, type ProtocolParameters, protocolParametersAbi } from '@peerhost/protocol'
import { type Address, encodeFunctionData, type Hex, zeroAddress } from 'viem'
import type { Sent } from './chain.ts'
import type { Suite } from './suite.ts'
import { sendAndWait, type TransactDeps } from './transact.ts'

/** What an epoch is drawn with. The seed is zero until it is captured. */
export type Epoch = { seed: Hex; capturedAt: number; totalStake: bigint; operatorCount: number }

/** Operators, epochs and the parameters that seats are drawn by. */
export type OperatorChain = {
  /** The operator whose key this is for tickets issued at this time, in seconds. */
  operatorForKey: (executionKey: Address, issuedAt: number) => Promise<Address | undefined>
  operatorIsActive: (operator: Address) => Promise<boolean>
  epoch: (epoch: number) => Promise<Epoch>
  /** Stake that counts in this epoch. */
  stakeAt: (operator: Address, epoch: number) => Promise<bigint>
  /** Schedules the seed of an epoch, or captures it. */
  captureSeed: (epoch: number) => Promise<Sent>
  /** The parameters of tickets issued at this time. */
  parametersAt: (issuedAt: number) => Promise<ProtocolParameters>
}

const operatorActive = 1

export function createOperatorChain(deps: TransactDeps & { suite: Suite }): OperatorChain {
  const { client, suite } = deps
  const operators = { address: suite.operators, abi: operatorRegistryAbi } as const
  return {
    operatorForKey: async (key, issuedAt) => {
      const operator = await client.readContract({
        ...operators,
        functionName: 'operatorForKey',
        args: [key, issuedAt],
      })
      return operator === zeroAddress ? undefined : operator
    },
    operatorIsActive: async (operator) =>
      (await client.readContract({ ...operators, functionName: 'getOperator', args: [operator] })).status ===
      operatorActive,
    epoch: (epoch) => client.readContract({ ...operators, functionName: 'getEpoch', args: [epoch] }),
    stakeAt: (operator, epoch) =>
      client.readContract({ ...operators, functionName: 'stakeAt', args: [operator, epoch] }),
    captureSeed: (epoch) =>
      sendAndWait(deps, {
        to: suite.operators,
        data: encodeFunctionData({ ...operators, functionName: 'captureSeed', args: [epoch] }),
      }),
    parametersAt: (issuedAt) =>
      client.readContract({
        address: suite.parameters,
        abi: protocolParametersAbi,
        functionName: 'inForceAt',
        args: [BigInt(issuedAt)],
      }),
  }
}
