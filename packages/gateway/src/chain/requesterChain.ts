import { executionCoordinatorAbi, testUsdcAbi } from '@peerhost/protocol'
import { type Address, encodeFunctionData } from 'viem'
import type { Sent } from './chain.ts'
import type { Suite } from './suite.ts'
import { sendAndWait, type TransactDeps } from './transact.ts'

/** A requester's bond. It counts for drawn seats of epochs from `countsFrom` on; zero `withdrawableAt` while it stays. */
export type RequesterBond = { amount: bigint; countsFrom: number; withdrawableAt: number }

/** What a requester has and does on chain for itself. */
export type RequesterChain = {
  requesterBond: (requester: Address) => Promise<RequesterBond>
  /** The number of a `SkipReason` when a drawn seat of such a ticket would not count, 0 when it does. */
  drawReason: (ticket: { requester: Address; sequence: bigint; epoch: number; issuedAt: number }) => Promise<number>
  /** The 256 bits of one word of sequence numbers: set for what is consumed or voided. */
  consumedWord: (requester: Address, word: bigint) => Promise<bigint>
  tokenBalance: (account: Address) => Promise<bigint>
  /** Adds to our bond, from our tokens. */
  bondRequester: (amount: bigint) => Promise<Sent>
  /** Consumes numbers of ours that will never be used. */
  voidSequences: (word: bigint, mask: bigint) => Promise<Sent>
  uncollectedFees: (requester: Address) => Promise<bigint>
  collectFees: (requester: Address) => Promise<Sent>
}

const wordBits = 256n

export function createRequesterChain(deps: TransactDeps & { suite: Suite }): RequesterChain {
  const { client, suite } = deps
  const coordinator = { address: suite.coordinator, abi: executionCoordinatorAbi } as const
  const token = { address: suite.token, abi: testUsdcAbi } as const
  return {
    requesterBond: (requester) =>
      client.readContract({ ...coordinator, functionName: 'requesterBond', args: [requester] }),
    drawReason: ({ requester, sequence, epoch, issuedAt }) =>
      client.readContract({
        ...coordinator,
        functionName: 'drawReason',
        args: [requester, sequence, epoch, issuedAt],
      }),
    consumedWord: async (requester, word) => {
      const contracts = Array.from({ length: Number(wordBits) }, (_, bit) => ({
        ...coordinator,
        functionName: 'isConsumed' as const,
        args: [requester, word * wordBits + BigInt(bit)] as const,
      }))
      // One call, on chains without Multicall3 too.
      const bits = await client.multicall({ contracts, allowFailure: false, deployless: true, batchSize: 0 })
      return bits.reduce((mask, isSet, bit) => (isSet ? mask | (1n << BigInt(bit)) : mask), 0n)
    },
    tokenBalance: (account) => client.readContract({ ...token, functionName: 'balanceOf', args: [account] }),
    bondRequester: async (amount) => {
      const approved = await sendAndWait(deps, {
        to: suite.token,
        data: encodeFunctionData({ ...token, functionName: 'approve', args: [suite.coordinator, amount] }),
      })
      if (approved.type === 'reverted') return approved
      return sendAndWait(deps, {
        to: suite.coordinator,
        data: encodeFunctionData({ ...coordinator, functionName: 'bondRequester', args: [amount] }),
      })
    },
    voidSequences: (word, mask) =>
      sendAndWait(deps, {
        to: suite.coordinator,
        data: encodeFunctionData({ ...coordinator, functionName: 'voidSequences', args: [word, mask] }),
      }),
    uncollectedFees: (requester) =>
      client.readContract({ ...coordinator, functionName: 'uncollectedFees', args: [requester] }),
    collectFees: (requester) =>
      sendAndWait(deps, {
        to: suite.coordinator,
        data: encodeFunctionData({ ...coordinator, functionName: 'collectFees', args: [requester] }),
      }),
  }
}
