import {
  confirmedLaneAbi,
  operatorRegistryAbi,
  protocolParametersAbi,
  type Receipt,
  type ReceiptCheck,
  type SignedAttestation,
  seats,
} from '@peerhost/protocol'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import type { Connection } from '../connection.ts'
import { check } from './check.ts'

/** Had each signer the seat that it signed with: all were seated, it was drawn, or the request waited on chain for anyone? */
export async function checkSeats(connection: Connection, receipt: Receipt): Promise<ReceiptCheck> {
  const { attestations, ticket } = receipt
  const { publicClient } = connection
  const { parameters } = await readSuite(connection)
  const [, committeeSize] = await readChain('read the size of the committee', () =>
    publicClient.readContract({
      address: parameters,
      abi: protocolParametersAbi,
      functionName: 'settlementTermsAt',
      args: [BigInt(ticket.issuedAt)],
    }),
  )
  const problems = await Promise.all(
    attestations.map((attestation) => seatProblem(connection, receipt, attestation, BigInt(committeeSize))),
  )
  return check(
    'seat',
    problems.find((problem) => problem !== undefined),
  )
}

async function seatProblem(
  connection: Connection,
  { ticket, requestId }: Receipt,
  { attestation, operator }: SignedAttestation,
  committeeSize: bigint,
): Promise<string | undefined> {
  const { publicClient } = connection
  const suite = await readSuite(connection)
  const registry = { address: suite.operators, abi: operatorRegistryAbi } as const
  const seat = seats[attestation.seat - 1]
  return readChain('read the seats', async () => {
    if (seat === 'widened') {
      const lane = { address: suite.confirmedLane, abi: confirmedLaneAbi } as const
      const { postedBlock } = await publicClient.readContract({
        ...lane,
        functionName: 'getPosted',
        args: [requestId],
      })
      return postedBlock === 0n ? `${operator} took a seat of a request that never waited on chain.` : undefined
    }
    const allSeated = await publicClient.readContract({
      ...registry,
      functionName: 'isAllSeated',
      args: [ticket.epoch, committeeSize],
    })
    if (allSeated && seat === 'all-seated') return undefined
    if (allSeated || seat !== 'drawn') return `${operator} signed with a seat that did not exist in this epoch.`
    const isSeated = await publicClient.readContract({
      ...registry,
      functionName: 'isSeated',
      args: [operator, ticket.requester, ticket.sequence, ticket.epoch, ticket.issuedAt, committeeSize],
    })
    return isSeated ? undefined : `${operator} was not drawn for this request.`
  })
}
