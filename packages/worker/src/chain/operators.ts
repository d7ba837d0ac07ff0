import { operatorRegistryAbi, sameHex } from '@peerhost/protocol'
import { type Address, type Hex, type PublicClient, zeroAddress } from 'viem'
import { operatorStatuses } from '../operator.ts'
import { suiteErrors } from './contractErrors.ts'
import { needSender } from './coordinator.ts'
import type { Sender } from './sender.ts'
import type { Suite } from './suite.ts'

/** What an epoch is drawn with. The seed is zero until it is captured; the other numbers are fixed before it begins. */
export type EpochFacts = { seed: Hex; capturedAt: number; totalStake: bigint; operatorCount: number }

/** What a worker asks the operators' registry. Reads throw viem's errors; writes throw `PeerHostError`. */
export type Operators = {
  /** The operator that an execution key was registered for, whatever its status. */
  readKeyHolder: (executionKey: Address) => Promise<Address | undefined>
  /** Whether the operator is active and the key may sign a ticket of that time for it. */
  isActive: (operator: Address, executionKey: Address, atSeconds: number) => Promise<boolean>
  readEpoch: (epoch: number) => Promise<EpochFacts>
  /** Stake of the operator that counts in the epoch. */
  readStake: (operator: Address, epoch: number) => Promise<bigint>
  /** The block whose hash becomes the seed, zero while it is not scheduled; and the newest block. */
  readSeedBlock: (epoch: number) => Promise<{ seedBlock: bigint; head: bigint }>
  /** Schedules the seed of an epoch, or captures it. */
  captureSeed: (epoch: number) => Promise<Hex>
}

const abi = [...operatorRegistryAbi.filter(({ type }) => type !== 'error'), ...suiteErrors]

export function createOperators({
  client,
  suite,
  sender,
}: {
  client: PublicClient
  suite: Suite
  sender: Sender | undefined
}): Operators {
  const contract = { address: suite.operators, abi: operatorRegistryAbi } as const
  return {
    readKeyHolder: async (executionKey) => {
      const args = [executionKey] as const
      const { operator } = await client.readContract({ ...contract, functionName: 'getExecutionKey', args })
      return operator === zeroAddress ? undefined : operator
    },
    isActive: async (operator, executionKey, atSeconds) => {
      const args = [executionKey, atSeconds] as const
      const [holder, { status }] = await Promise.all([
        client.readContract({ ...contract, functionName: 'operatorForKey', args }),
        client.readContract({ ...contract, functionName: 'getOperator', args: [operator] }),
      ])
      return sameHex(holder, operator) && operatorStatuses[status] === 'active'
    },
    readEpoch: (epoch) => client.readContract({ ...contract, functionName: 'getEpoch', args: [epoch] }),
    readStake: (operator, epoch) =>
      client.readContract({ ...contract, functionName: 'stakeAt', args: [operator, epoch] }),
    readSeedBlock: async (epoch) => {
      const [seedBlock, head] = await Promise.all([
        client.readContract({ ...contract, functionName: 'seedBlockOf', args: [epoch] }),
        client.getBlockNumber({ cacheTime: 0 }),
      ])
      return { seedBlock, head }
    },
    captureSeed: async (epoch) => {
      const call = { address: suite.operators, abi, functionName: 'captureSeed', args: [epoch] }
      return (await needSender(sender).send(call)).transaction
    },
  }
}
