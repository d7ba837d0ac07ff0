import { type Attestation, confirmedLaneAbi, isPeerHostError, type Ticket, zeroBytes32 } from '@peerhost/protocol'
import type { Address, Hex, PublicClient } from 'viem'
import { refusalOf, suiteErrors } from './contractErrors.ts'
import { needSender, type SignedCommitSet, settledIn } from './coordinator.ts'
import type { Sender } from './sender.ts'
import type { Suite } from './suite.ts'

/** A ticket that somebody put on chain. */
export type PostedRequest = { requestId: Hex; ticket: Ticket; input: Hex; blockNumber: bigint }

/** Same order as `PostedStatus` in IConfirmedLane.sol. */
export const postedStatuses = ['none', 'open', 'agreed', 'settled', 'expired'] as const
export type PostedStatus = (typeof postedStatuses)[number]

/** Where a posted request stands. */
export type PostedFacts = {
  status: PostedStatus
  postedBlock: bigint
  openings: number
  /** A contract waits for the result: it is shown however large it is. */
  hasCallback: boolean
}

/** What opens a result on chain. */
export type Opening = {
  ticket: Ticket
  attestation: Attestation
  signature: Hex
  /** Of the commitment. */
  commitmentSalt: Hex
  /** Of the request; zero when no output is shown. */
  inputSalt: Hex
  /** The canonical result when it may be public, else `0x`. */
  output: Hex
}

/** A transaction, and whether the coordinator paid the operator in it. */
export type LaneTransaction = { transaction: Hex; isPaid: boolean }

/** `refused` names the contract's error: another one was first, or it is not this operator's turn. */
export type LaneEnd = ({ type: 'sent' } & LaneTransaction) | { type: 'refused'; reason: string }

/** What a worker asks the confirmed lane, and does there. Reads throw viem's errors; writes throw `PeerHostError`. */
export type Lane = {
  readPosted: (requestId: Hex) => Promise<PostedFacts>
  /** Whether this operator's commitment stands on chain, and was opened. */
  readCommitment: (requestId: Hex, operator: Address) => Promise<'none' | 'committed' | 'opened'>
  /** The hash of a block, or `undefined` while it is not mined. */
  readBlockHash: (block: bigint) => Promise<Hex | undefined>
  readHead: () => Promise<bigint>
  commit: (ticket: Ticket, commitment: Hex) => Promise<LaneEnd>
  open: (opening: Opening) => Promise<LaneEnd>
  /** Opens against a set that the requester signed; quorum 1. */
  submit: (opening: Opening, set: SignedCommitSet) => Promise<LaneEnd>
  /** Pays a quorum that agreed. The output is shown where a contract waits for it. */
  finalise: (opening: Pick<Opening, 'ticket' | 'inputSalt' | 'output'>, hasCallback: boolean) => Promise<LaneEnd>
}

export type LaneDeps = { client: PublicClient; suite: Suite; operator: Address; sender: Sender | undefined }

const abi = [...confirmedLaneAbi.filter(({ type }) => type !== 'error'), ...suiteErrors]

export function createLane({ client, suite, operator, sender }: LaneDeps): Lane {
  const contract = { address: suite.confirmedLane, abi: confirmedLaneAbi } as const

  async function act(functionName: string, args: readonly unknown[]): Promise<LaneEnd> {
    try {
      const call = { address: suite.confirmedLane, abi, functionName, args }
      const { transaction, logs } = await needSender(sender).send(call)
      return { type: 'sent', transaction, isPaid: settledIn(logs, suite.coordinator, operator).length > 0 }
    } catch (error) {
      const reason = refusalOf(error)
      if (reason === undefined || !isPeerHostError(error)) throw error
      return { type: 'refused', reason }
    }
  }

  return {
    readPosted: async (requestId) => {
      const held = await client.readContract({ ...contract, functionName: 'getPosted', args: [requestId] })
      const { postedBlock, openings } = held
      const status = postedStatuses[held.status] ?? 'none'
      return { status, postedBlock, openings, hasCallback: held.callbackGas > 0 }
    },
    readCommitment: async (requestId, of) => {
      const held = await client.readContract({ ...contract, functionName: 'getCommitment', args: [requestId, of] })
      if (held.commitment === zeroBytes32) return 'none'
      return held.isOpened ? 'opened' : 'committed'
    },
    readBlockHash: async (blockNumber) => {
      try {
        return (await client.getBlock({ blockNumber, includeTransactions: false })).hash
      } catch (error) {
        if (error instanceof Error && error.name === 'BlockNotFoundError') return undefined
        throw error
      }
    },
    readHead: () => client.getBlockNumber({ cacheTime: 0 }),
    commit: (ticket, commitment) => act('commit', [ticket, commitment]),
    open: ({ ticket, attestation, signature, commitmentSalt, inputSalt, output }) =>
      act('open', [ticket, attestation, signature, commitmentSalt, inputSalt, output]),
    submit: ({ ticket, attestation, signature, commitmentSalt, inputSalt, output }, set) =>
      act('submit', [
        ticket,
        attestation,
        signature,
        commitmentSalt,
        set.commitments,
        set.signature,
        inputSalt,
        output,
      ]),
    finalise: ({ ticket, inputSalt, output }, hasCallback) =>
      hasCallback ? act('finaliseWithOutput', [ticket, inputSalt, output]) : act('finalise', [ticket]),
  }
}
