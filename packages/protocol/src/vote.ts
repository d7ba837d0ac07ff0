import { type Address, encodeAbiParameters, type Hex, keccak256 } from 'viem'

/** What a juror may say; the number is in its vote (first is 1). Twin: `IDisputeCourt.Vote`. */
export const votes = ['result', 'differs', 'unavailable'] as const
export type VoteName = (typeof votes)[number]

/** A juror's vote. Seal, outcome and status are zero unless it is a result. */
export type Vote = {
  caseId: Hex
  jury: number
  operator: Address
  vote: number
  resultSeal: Hex
  outcome: number
  status: number
}

/** Vote → its number. */
export function voteNumber(vote: VoteName): number {
  return votes.indexOf(vote) + 1
}

/** The hidden form of a vote, revealed when all have committed. Twin: `Hashes.vote`. Vectors: `vote.json`. */
export function voteCommitment({ caseId, jury, operator, vote, resultSeal, outcome, status }: Vote, salt: Hex): Hex {
  return keccak256(
    encodeAbiParameters(
      [
        { type: 'bytes32' },
        { type: 'uint8' },
        { type: 'address' },
        { type: 'uint8' },
        { type: 'bytes32' },
        { type: 'uint8' },
        { type: 'uint16' },
        { type: 'bytes32' },
      ],
      [caseId, jury, operator, vote, resultSeal, outcome, status, salt],
    ),
  )
}

/** Names a case: one attested result of one operator for one request. Twin: `Hashes.caseId`. Vectors: `vote.json`. */
export function caseId(about: {
  requestId: Hex
  accused: Address
  resultSeal: Hex
  outcome: number
  status: number
}): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'address' }, { type: 'bytes32' }, { type: 'uint8' }, { type: 'uint16' }],
      [about.requestId, about.accused, about.resultSeal, about.outcome, about.status],
    ),
  )
}
