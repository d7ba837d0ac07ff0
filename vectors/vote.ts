import { caseId, voteCommitment, zeroBytes32 } from '@peerhost/protocol'
import { encodeAbiParameters, getAddress, type Hex, keccak256, parseAbiParameters, stringToBytes } from 'viem'
import type { VectorFile } from './vectorFile.ts'

const someAddress = getAddress('0x00a329c0648769a73afac7f9381e08fb43dbea72')
const maxAddress = getAddress(`0x${'f'.repeat(40)}`)
const maxBytes32: Hex = `0x${'f'.repeat(64)}`
const textHash = (text: string): Hex => keccak256(stringToBytes(text))

const about = {
  requestId: textHash('request'),
  accused: someAddress,
  resultSeal: textHash('result'),
  outcome: 1,
  status: 200,
}
const ballot = {
  jury: 1,
  operator: maxAddress,
  vote: 1,
  votedSeal: textHash('result'),
  votedOutcome: 1,
  votedStatus: 200,
}
const nothing = { votedSeal: zeroBytes32, votedOutcome: 0, votedStatus: 0 }

/** Vectors of a juror's hidden vote, and of the case it is about. */
export function votes(): VectorFile {
  const inputs = [
    { name: 'the same result', about, ballot, salt: textHash('salt') },
    { name: 'in the second jury', about, ballot: { ...ballot, jury: 2 }, salt: textHash('salt') },
    { name: 'another juror', about, ballot: { ...ballot, operator: someAddress }, salt: textHash('salt') },
    { name: 'another result', about, ballot: { ...ballot, votedSeal: textHash('other') }, salt: textHash('salt') },
    { name: 'the same result, another status', about, ballot: { ...ballot, votedStatus: 404 }, salt: textHash('salt') },
    { name: 'its runs differ', about, ballot: { ...ballot, ...nothing, vote: 2 }, salt: textHash('salt') },
    { name: 'nothing to run', about, ballot: { ...ballot, ...nothing, vote: 3 }, salt: zeroBytes32 },
    {
      name: 'the largest values',
      about: { requestId: maxBytes32, accused: maxAddress, resultSeal: maxBytes32, outcome: 255, status: 65_535 },
      ballot: {
        jury: 255,
        operator: maxAddress,
        vote: 255,
        votedSeal: maxBytes32,
        votedOutcome: 255,
        votedStatus: 65_535,
      },
      salt: maxBytes32,
    },
  ]
  return {
    description:
      'caseId = keccak256(abi.encode(requestId, accused, resultSeal, outcome, status)); ' +
      'hash = keccak256(abi.encode(caseId, jury, operator, vote, votedSeal, votedOutcome, votedStatus, salt))',
    encoding:
      'abi.encode(bytes32 requestId, address accused, bytes32 resultSeal, uint8 outcome, uint16 status, uint8 jury, ' +
      'address operator, uint8 vote, bytes32 votedSeal, uint8 votedOutcome, uint16 votedStatus, bytes32 salt)',
    cases: inputs.map(({ name, about, ballot, salt }) => {
      const id = caseId(about)
      const { jury, operator, vote, votedSeal, votedOutcome, votedStatus } = ballot
      const voted = { resultSeal: votedSeal, outcome: votedOutcome, status: votedStatus }
      return {
        name,
        input: { ...about, ...ballot, salt },
        encoded: encodeAbiParameters(
          parseAbiParameters(
            'bytes32, address, bytes32, uint8, uint16, uint8, address, uint8, bytes32, uint8, uint16, bytes32',
          ),
          [
            about.requestId,
            about.accused,
            about.resultSeal,
            about.outcome,
            about.status,
            jury,
            operator,
            vote,
            votedSeal,
            votedOutcome,
            votedStatus,
            salt,
          ],
        ),
        caseId: id,
        hash: voteCommitment({ caseId: id, jury, operator, vote, ...voted }, salt),
      }
    }),
  }
}
