// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {BatchDigests} from "./BatchDigests.sol";
import {CreditLines} from "./CreditLines.sol";
import {PackedBatch} from "./PackedBatch.sol";
import {Requesters} from "./Requesters.sol";

/// @title Items about which everything is right: settled without asking one question at a time.
/// @notice `_settlePlain` takes an item only if it keeps every rule at once; of the first that may not, `BatchSettlement`
/// finds out what it is. Nothing is settled here that would not be settled there.
abstract contract PlainSettlement is IExecutionCoordinator, BatchDigests, CreditLines, Requesters {
    /// @dev What the group under way shares.
    struct Group {
        uint256 terms;
        bool isAttested;
        uint256 epoch;
        uint256 quorum;
        uint256 fee;
        uint256 protocolFee;
        uint256 reward;
        uint256 share;
        uint256 seatingBytes;
    }

    /// @dev One slot: what `settlementTerms` said, and whether all were seated in the last epoch that was asked for.
    struct Terms {
        uint16 feeBps;
        uint8 committeeSize;
        uint40 since;
        uint40 until;
        uint32 seatedEpoch;
        bool isAllSeated;
    }

    /// @dev What items of a group must keep to be plain, and what is paid for them. `free` has a bit for each open sequence
    /// number from `firstSequence` on, `credit` is how many fees are covered, `list` is room for a quorum's workers.
    struct Plain {
        uint256 earliest;
        uint256 span;
        uint256 longest;
        uint256 mostDeadline;
        uint256 firstSequence;
        uint256 free;
        uint256 reward;
        uint256 share;
        uint256 most;
        uint256 quorum;
        uint256 workers;
        uint256 list;
        uint256 credit;
        bool isOpen;
    }

    /// @dev Of the facts of an item of several workers: issue, lifetime, outcome and status, 96 bits.
    uint256 private constant REPEATED_OF_QUORUM = 0xffffffffffffffffffffffff000000000000000000000000;
    /// @dev No group has these: they have 144 bits.
    uint256 internal constant NO_TERMS = type(uint256).max;

    Terms private _terms;

    /// @dev The parameters of now, from memory of them as long as they cannot have changed.
    function _openTerms(
        Run memory run
    ) internal {
        Terms memory terms = _terms;
        if (block.timestamp >= terms.until) {
            (terms.feeBps, terms.committeeSize, terms.since, terms.until) = _parameters.settlementTerms();
            (terms.seatedEpoch, terms.isAllSeated) = (0, false);
            _terms = terms;
        }
        (run.feeBps, run.committeeSize, run.termsSince) = (terms.feeBps, terms.committeeSize, terms.since);
        run.seatedEpoch = terms.seatedEpoch == 0 ? NO_EPOCH : terms.seatedEpoch;
        run.isAllSeated = terms.isAllSeated;
        // Younger than the grace is long: whatever its deadline is, it has not passed by more than that.
        run.plainSince = _later(terms.since, block.timestamp - _settlementGrace);
    }

    /// @dev Settles items as long as everything about them is right: rolls of requester and workers, all seated by the
    /// parameters of now, an open sequence number in the word at hand, credit under the line's present terms, of a quorum
    /// distinct operators and a whole set.
    /// @return settled How many; the cursor stands behind them.
    function _settlePlain(
        Run memory run,
        Group memory group,
        Funding memory funding,
        Plain memory plain,
        Cursor memory cursor,
        uint256 items
    ) internal returns (uint256 settled) {
        uint256 sequence = PackedBatch.itemFacts(cursor.offset) >> 192;
        if (!plain.isOpen || _sequenceWord(sequence) != run.sequenceWord) {
            if (!group.isAttested || !run.isRollValid || sequence >= FIRST_LANE_SEQUENCE) return 0;
            _openSequences(run, sequence);
            _openPlain(run, group, funding, plain);
        }
        uint256 credit = plain.credit;
        plain.most = credit > items ? items : credit;
        if (plain.most == 0) return 0;
        settled = group.quorum == 1 ? _settleSingles(plain, cursor) : _settleQuorums(plain, cursor);
        run.sequenceBits = ~plain.free;
        // Each fee is one that `credit` had room for.
        unchecked {
            plain.credit = credit - settled;
            uint256 taken = settled * group.fee;
            run.settled += settled;
            run.protocolFees += settled * group.protocolFee;
            funding.available -= taken;
            funding.spent += taken;
            funding.taken += taken;
        }
    }

    /// @dev Items of one worker. Offsets are those of `Plain`.
    function _settleSingles(
        Plain memory plain,
        Cursor memory cursor
    ) private returns (uint256 settled) {
        bytes32 settledEvent = ExecutionSettled.selector;
        assembly ("memory-safe") {
            let offset := mload(cursor)
            let record := mload(add(cursor, 0x20))
            let free := mload(add(plain, 0xa0))
            // The event's data: seal, outcome, status, reward.
            let data := mload(0x40)
            mstore(add(data, 0x60), mload(add(plain, 0xc0)))
            let known := not(0)
            for {} lt(settled, mload(add(plain, 0x100))) { settled := add(settled, 1) } {
                let facts := calldataload(add(offset, 116))
                let bit := shl(sub(shr(192, facts), mload(add(plain, 0x80))), 1)
                let worker := add(mload(add(plain, 0x140)), mul(and(shr(80, facts), 0xff), WORKER_BYTES))
                // Times, outcome, status and seat are often those of the item before.
                if xor(known, and(facts, REPEATED)) {
                    known := and(facts, REPEATED)
                    let isWrong := gt(sub(shr(152, known), mload(plain)), mload(add(plain, 0x20)))
                    isWrong := or(isWrong, gt(and(shr(120, known), 0xffffffff), mload(add(plain, 0x40))))
                    isWrong := or(isWrong, gt(sub(and(shr(112, known), 0xff), 1), 3))
                    isWrong := or(isWrong, gt(sub(and(shr(96, known), 0xffff), 200), 399))
                    if or(isWrong, xor(and(shr(88, known), 0xff), 1)) { break }
                    mstore(add(data, 0x20), and(shr(112, known), 0xff))
                    mstore(add(data, 0x40), and(shr(96, known), 0xffff))
                }
                if gt(sub(shr(152, known), mload(add(worker, PLAIN_FROM))), mload(add(worker, PLAIN_SECONDS))) {
                    break
                }
                if iszero(and(free, bit)) { break }
                free := xor(free, bit)
                mstore(data, calldataload(add(offset, 32)))
                log3(data, 0x80, settledEvent, mload(record), mload(add(worker, OPERATOR)))
                worker := add(worker, EARNED)
                mstore(worker, add(mload(worker), mload(add(plain, 0xc0))))
                record := add(record, 0x40)
                offset := add(offset, 138)
            }
            mstore(add(plain, 0xa0), free)
            mstore(cursor, offset)
            mstore(add(cursor, 0x20), record)
        }
    }

    /// @dev Items of several workers: first all is checked, and workers and operators are noted, then they are paid.
    function _settleQuorums(
        Plain memory plain,
        Cursor memory cursor
    ) private returns (uint256 settled) {
        (bytes32 settledEvent, bytes32 sharedEvent) = (ExecutionSettled.selector, RewardsShared.selector);
        assembly ("memory-safe") {
            let record := mload(add(cursor, 0x20))
            let list := mload(add(plain, 0x160))
            let known := not(0)
            for {} lt(settled, mload(add(plain, 0x100))) { settled := add(settled, 1) } {
                let offset := mload(cursor)
                let facts := calldataload(add(offset, 116))
                // Times, outcome and status are often those of the item before.
                if xor(known, and(facts, REPEATED_OF_QUORUM)) {
                    known := and(facts, REPEATED_OF_QUORUM)
                    let deadline := and(shr(120, known), 0xffffffff)
                    let isWrong := gt(deadline, mload(add(plain, 0x40)))
                    deadline := add(shr(152, known), deadline)
                    isWrong := or(isWrong, gt(deadline, mload(add(plain, 0x60))))
                    isWrong := or(isWrong, gt(sub(shr(152, known), mload(plain)), mload(add(plain, 0x20))))
                    isWrong := or(isWrong, gt(sub(and(shr(112, known), 0xff), 1), 5))
                    if or(isWrong, gt(sub(and(shr(96, known), 0xffff), 200), 399)) { break }
                }
                // Twice the place of the next item, and one more for a whole set.
                let bit := shl(sub(shr(192, facts), mload(add(plain, 0x80))), 1)
                let isWrong := iszero(and(bit, and(mload(add(plain, 0xa0)), sub(0, and(mload(add(record, 0x40)), 1)))))
                let data := list
                offset := add(offset, 136)
                for { let end := add(list, shl(6, mload(add(plain, 0x120)))) } lt(data, end) { data := add(data, 0x40) }
                {
                    facts := calldataload(offset)
                    isWrong := or(isWrong, xor(shr(248, facts), 1))
                    facts := add(mload(add(plain, 0x140)), mul(and(shr(240, facts), 0xff), WORKER_BYTES))
                    mstore(add(data, 0x20), facts)
                    let sinceKey := sub(shr(152, known), mload(add(facts, PLAIN_FROM)))
                    isWrong := or(isWrong, gt(sinceKey, mload(add(facts, PLAIN_SECONDS))))
                    facts := mload(add(facts, OPERATOR))
                    mstore(data, facts)
                    // One operator with two keys is still one voice.
                    for { let other := list } lt(other, data) { other := add(other, 0x40) } {
                        isWrong := or(isWrong, eq(mload(other), facts))
                    }
                    offset := add(offset, 34)
                }
                if isWrong { break }
                mstore(add(plain, 0xa0), xor(mload(add(plain, 0xa0)), bit))
                // The event's data: seal, outcome, status, reward.
                data := mload(0x40)
                mstore(data, calldataload(add(mload(cursor), 32)))
                mstore(add(data, 0x20), and(shr(112, known), 0xff))
                mstore(add(data, 0x40), and(shr(96, known), 0xffff))
                mstore(add(data, 0x60), mload(add(plain, 0xc0)))
                log3(data, 0x80, settledEvent, mload(record), mload(list))
                facts := add(mload(add(list, 0x20)), EARNED)
                mstore(facts, add(mload(facts), mload(add(data, 0x60))))
                // The other's data: where the operators are, the reward, how many they are, and each.
                mstore(data, 0x40)
                mstore(add(data, 0x20), mload(add(plain, 0xe0)))
                mstore(add(data, 0x40), sub(mload(add(plain, 0x120)), 1))
                let last := add(data, 0x60)
                let next := add(list, 0x40)
                for { let end := add(list, shl(6, mload(add(plain, 0x120)))) } lt(next, end) { next := add(next, 0x40) }
                {
                    mstore(last, mload(next))
                    last := add(last, 0x20)
                    facts := add(mload(add(next, 0x20)), EARNED)
                    mstore(facts, add(mload(facts), mload(add(data, 0x20))))
                }
                log2(data, sub(last, data), sharedEvent, mload(record))
                mstore(cursor, shr(1, mload(add(record, 0x40))))
                record := add(record, add(0x60, shl(5, mload(add(plain, 0x120)))))
            }
            mstore(add(cursor, 0x20), record)
        }
    }

    /// @dev What items of this group must keep: `credit` stays zero when none can be plain.
    function _openPlain(
        Run memory run,
        Group memory group,
        Funding memory funding,
        Plain memory plain
    ) private {
        uint256 fee = group.fee;
        plain.credit = 0;
        plain.isOpen = true;
        if (!_isAllSeated(run, group.epoch) || fee > funding.maxFee) return;
        // Everything here is a time of at most 41 bits or an amount of at most 96.
        unchecked {
            uint256 earliest = group.epoch * _epochSeconds;
            uint256 latest = earliest + _epochSeconds - 1;
            earliest = _later(earliest, run.plainSince);
            if (group.quorum != 1) {
                _openQuorum(run);
                if (!run.isBonded) return;
                earliest = _later(earliest, run.lastCaseAt + 1);
                plain.mostDeadline = block.timestamp - _conflictWindow - 1;
                plain.list = _reserve(0x40 * group.quorum);
            }
            if (latest > block.timestamp) latest = block.timestamp;
            if (latest < earliest) return;
            (plain.earliest, plain.span, plain.longest) = (earliest, latest - earliest, _maximumTicketLifetime);
            (plain.firstSequence, plain.free) = (run.sequenceWord * 256, ~run.sequenceBits);
            (plain.reward, plain.share, plain.quorum) = (group.reward, group.share, group.quorum);
            plain.workers = run.workers;
            uint256 credit = funding.capPerEpoch;
            credit = credit > funding.spent ? credit - funding.spent : 0;
            if (credit > funding.available) credit = funding.available;
            plain.credit = fee == 0 ? type(uint256).max : credit / fee;
        }
    }

    function _later(
        uint256 a,
        uint256 b
    ) private pure returns (uint256) {
        return a > b ? a : b;
    }

    /// @dev What all quorums of a batch ask of their requester, read once.
    function _openQuorum(
        Run memory run
    ) private view {
        if (run.isQuorumOpen) return;
        run.isQuorumOpen = true;
        run.isBonded = _isBonded(run.requester, block.timestamp);
        run.lastCaseAt = _court.lastCaseAt(run.requester);
    }

    /// @dev A bond that is whole now was so when the ticket was issued, as far as it matters.
    function _isBondedFor(
        Run memory run,
        uint256 issuedAt
    ) internal view returns (bool) {
        _openQuorum(run);
        return (run.isBonded && issuedAt >= run.termsSince) || _isBonded(run.requester, issuedAt);
    }

    /// @dev With the parameters of now; asked once per epoch. Whose stake counts in an epoch that has begun changes no more.
    function _isAllSeated(
        Run memory run,
        uint256 epoch
    ) internal returns (bool) {
        if (run.seatedEpoch == epoch) return run.isAllSeated;
        run.seatedEpoch = epoch;
        // A ticket's epoch has 32 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        run.isAllSeated = _operators.isAllSeated(uint32(epoch), run.committeeSize);
        if (epoch <= _currentEpoch() && epoch > _terms.seatedEpoch) {
            // forge-lint: disable-next-line(unsafe-typecast)
            (_terms.seatedEpoch, _terms.isAllSeated) = (uint32(epoch), run.isAllSeated);
        }
        return run.isAllSeated;
    }

    /// @dev Keeps one word of the bitmap in memory: sequences of a batch stand close together.
    function _openSequences(
        Run memory run,
        uint256 sequence
    ) internal {
        uint256 word = _sequenceWord(sequence);
        if (word == run.sequenceWord) return;
        _storeSequenceBits(run);
        run.sequenceWord = word;
        run.sequenceBits = _consumed[run.requester][word];
    }

    function _storeSequenceBits(
        Run memory run
    ) internal {
        if (run.sequenceWord != NO_WORD) _consumed[run.requester][run.sequenceWord] = run.sequenceBits;
    }

    /// @dev The workers of a quorum share equally; what the division leaves is the first's.
    function _splitFee(
        uint256 fee,
        uint256 feeBps,
        uint256 quorum
    ) internal pure returns (uint256 protocolFee, uint256 reward, uint256 share) {
        // A fee has 96 bits, and its protocol's share is at most half of it.
        unchecked {
            protocolFee = fee * feeBps / BASIS_POINTS;
            share = (fee - protocolFee) / quorum;
            reward = fee - protocolFee - share * (quorum - 1);
        }
    }
}
