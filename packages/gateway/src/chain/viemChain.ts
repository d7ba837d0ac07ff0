import { confirmedLaneAbi, executionCoordinatorAbi, functionRegistryAbi } from '@peerhost/protocol'
import { encodeFunctionData } from 'viem'
import { authorizationUse } from './authorizationUse.ts'
import type { Chain } from './chain.ts'
import { followedEvents, toChainEvents } from './chainEvents.ts'
import { createCourtChain } from './courtChain.ts'
import { createEscrowChain } from './escrowChain.ts'
import { createOperatorChain } from './operatorChain.ts'
import { createRequesterChain } from './requesterChain.ts'
import type { Sender } from './sender.ts'
import { findSettled, settle } from './settlementChain.ts'
import type { Suite } from './suite.ts'
import { sendAndWait, type TransactDeps, unlessReverted } from './transact.ts'

export type ViemChainDeps = TransactDeps & {
  suite: Suite
  /** Pays the gas of escrows; the requester's when there is none of its own. */
  escrowSender?: Sender | undefined
}

/** The chain over viem. */
export function createViemChain(deps: ViemChainDeps): Chain {
  const { client, suite, sender } = deps
  const coordinator = { address: suite.coordinator, abi: executionCoordinatorAbi } as const
  const functions = { address: suite.functions, abi: functionRegistryAbi } as const
  const lane = { address: suite.confirmedLane, abi: confirmedLaneAbi } as const
  return {
    ...createOperatorChain(deps),
    ...createRequesterChain(deps),
    escrow: createEscrowChain({ ...deps, sender: deps.escrowSender ?? sender }),
    court: createCourtChain(deps),
    head: async () => {
      const block = await client.getBlock({ includeTransactions: false })
      return { number: block.number, timestampSeconds: Number(block.timestamp) }
    },
    events: async (fromBlock, toBlock) => {
      const logs = await client.getLogs({
        address: [suite.functions, suite.coordinator, suite.operators, suite.confirmedLane],
        events: followedEvents,
        strict: true,
        fromBlock,
        toBlock,
      })
      return toChainEvents(client, logs)
    },
    functionState: (id) =>
      unlessReverted(() => client.readContract({ ...functions, functionName: 'getFunction', args: [id] })),
    deployment: (id, version) =>
      unlessReverted(() => client.readContract({ ...functions, functionName: 'getDeployment', args: [id, version] })),
    availableCredit: async (funder, requester) => {
      const [available, maxFee] = await client.readContract({
        ...coordinator,
        functionName: 'availableCredit',
        args: [funder, requester],
      })
      return { available, maxFee }
    },
    isConsumed: (requester, sequence) =>
      client.readContract({ ...coordinator, functionName: 'isConsumed', args: [requester, sequence] }),
    settledEvent: (requestId, fromBlock) => findSettled(deps, requestId, fromBlock),
    settle: (batch) => settle(deps, batch),
    post: async (ticket, signature, input) => {
      const data = encodeFunctionData({ ...lane, functionName: 'post', args: [ticket, signature, input] })
      return { transaction: await sender.send({ to: suite.confirmedLane, data }) }
    },
    postedBlock: async (requestId) => {
      const { postedBlock } = await client.readContract({ ...lane, functionName: 'getPosted', args: [requestId] })
      return postedBlock === 0n ? undefined : postedBlock
    },
    finalise: (ticket) =>
      sendAndWait(deps, {
        to: suite.confirmedLane,
        data: encodeFunctionData({ ...lane, functionName: 'finalise', args: [ticket] }),
      }),
    expire: (ticket) =>
      sendAndWait(deps, {
        to: suite.confirmedLane,
        data: encodeFunctionData({ ...lane, functionName: 'expire', args: [ticket] }),
      }),
    authorizationUse: (payer, nonce, fromBlock) =>
      authorizationUse({ client, token: suite.token }, payer, nonce, fromBlock),
  }
}
