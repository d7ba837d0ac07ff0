/**
 * Defences that are no guard: a member of a hash, a share, a time. What each becomes leaves the attack open that it is
 * there against. `text` stands once in the file; it is a statement when it ends in a brace.
 */
export type Formula = { file: string; text: string; becomes: string; says: string }

const hashes = 'src/libraries/Hashes.sol'
const messages = 'src/libraries/Messages.sol'
const epochs = 'src/operators/Epochs.sol'
const commitments = 'src/lane/LaneCommitments.sol'

const COMMITMENT = 'keccak256(abi.encode(COMMITMENT_TYPEHASH, requestId, worker, resultSeal, salt))'
const SUBJECT = 'keccak256(abi.encode(SEAT_SUBJECT_TYPEHASH, requester, sequence))'
const DRAW = 'keccak256(abi.encode(DRAW_TYPEHASH, seed, subject, operator))'
const VOTE = 'keccak256(abi.encode(ballot, salt))'
const DOMAIN = 'keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("PeerHost"), keccak256("1"), chainId, coordinator))'
const ACTION = 'keccak256(abi.encode(RELAYED_ACTION_TYPEHASH, account, keccak256(action), nonce, deadline))'
const BOUNDED_CALL = `assembly ("memory-safe") {
            succeeded := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
        }`

const formula = (file: string, text: string, becomes: string, says: string): Formula => ({ file, text, becomes, says })

/** The text without one member of what is hashed. */
const without = (file: string, text: string, member: string, says: string): Formula =>
  formula(file, text, text.replace(`, ${member}`, ''), says)

export const FORMULAS: readonly Formula[] = [
  formula(
    hashes,
    'keccak256(abi.encode(SEAL_TYPEHASH, hash, salt))',
    'keccak256(abi.encode(SEAL_TYPEHASH, hash))',
    'a seal without its salt',
  ),
  without(hashes, COMMITMENT, 'requestId', 'a commitment without its request'),
  without(hashes, COMMITMENT, 'worker', 'a commitment without its worker'),
  without(hashes, COMMITMENT, 'salt', 'a commitment without its salt'),
  without(hashes, SUBJECT, 'requester', 'seats drawn about no requester'),
  without(hashes, SUBJECT, 'sequence', 'seats drawn about no sequence number'),
  without(hashes, DRAW, 'seed', 'a lot without the seed'),
  without(hashes, DRAW, 'subject', 'a lot without its subject'),
  without(hashes, DRAW, 'operator', 'one lot for all operators'),
  formula(hashes, 'stake * size * 2 ** 128', 'totalStake * size * 2 ** 124', 'a chance that no stake changes'),
  formula(
    hashes,
    VOTE,
    'keccak256(abi.encode(ballot.caseId, ballot.jury, ballot.vote, ballot.resultSeal, ballot.outcome, ballot.status, salt))',
    'a vote without its juror',
  ),
  formula(
    hashes,
    VOTE,
    'keccak256(abi.encode(ballot.jury, ballot.operator, ballot.vote, ballot.resultSeal, ballot.outcome, ballot.status, salt))',
    'a vote without its case',
  ),
  without(messages, DOMAIN, 'chainId', 'a domain without its chain'),
  without(messages, DOMAIN, 'coordinator', 'a domain without its contract'),
  without(messages, ACTION, 'nonce', 'a relayed action without its nonce'),
  formula(
    'src/coordinator/CoordinatorBase.sol',
    'block.chainid == _chainId',
    'true',
    "the first chain's domain for ever",
  ),
  formula('src/evidence/TicketEvidence.sol', 'block.chainid == _chainId', 'true', "the first chain's domain for ever"),
  formula('src/coordinator/PlainSettlement.sol', 'fee * feeBps / BASIS_POINTS', '0', 'no fee of the protocol'),
  formula(
    'src/coordinator/RequesterActions.sol',
    'fees * _parameterAt(block.timestamp, SPONSOR_SHARE) / BASIS_POINTS',
    'fees',
    "the sponsor's share is all",
  ),
  formula(epochs, 'currentEpoch() + EPOCHS_UNTIL_STAKE_COUNTS', 'currentEpoch()', 'stake counts at once'),
  formula(epochs, 'block.number + BLOCKS_UNTIL_SEED', 'block.number - 1', 'a seed out of a block that is known'),
  formula(epochs, 'keccak256(abi.encode(hash, epoch))', 'keccak256(abi.encode(epoch))', 'a seed without a block'),
  formula(
    commitments,
    'ticket.sequence < FIRST_SEQUENCE ? position + 1 : position',
    '0',
    'every commitment has its turn at once',
  ),
  formula(
    commitments,
    'position - _countBits(quorum.openedMask & earlier)',
    '0',
    'every opening of a quorum has its turn at once',
  ),
  formula(
    commitments,
    'position - _countBits(quorum.openedMask & earlier)',
    '2 ** 32',
    'openings wait for those who never open',
  ),
  formula(
    'src/lane/ConfirmedLane.sol',
    'TURN_BLOCKS * position',
    'type(uint32).max * position',
    'no end to waiting for a place in a set',
  ),
  formula(
    'src/lane/BoundedCall.sol',
    BOUNDED_CALL,
    'bytes memory returned; (succeeded, returned) = target.call{gas: gasLimit}(data); require(returned.length < 2 ** 64);',
    'what a callback returns is copied',
  ),
  formula(
    'src/court/Verdicts.sol',
    'isProven ? file.opener : file.payee',
    'file.opener',
    'the cover always comes back',
  ),
]
