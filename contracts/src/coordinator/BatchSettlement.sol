// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {BatchDigests} from "./BatchDigests.sol";
import {PackedBatch} from "./PackedBatch.sol";
import {Requesters} from "./Requesters.sol";

/// @title The attested lane's settlement: many requests of one requester in one transaction.
/// @notice First every digest of the batch, then each roll once, then each item by itself. Earnings, debits and consumed
/// sequences gather in memory and are written once. Other contracts are only read from, so nothing can call back into it.
abstract contract BatchSettlement is BatchDigests, Requesters {
    /// @dev One item under way. `seatingsAt` and `attestationsAt` are where its workers and their digests stand.
    struct Item {
        bytes32 requestId;
        bytes32 resultSeal;
        uint256 sequence;
        uint256 issuedAt;
        uint256 deadline;
        uint256 outcome;
        uint256 status;
        uint256 seatingsAt;
        uint256 attestationsAt;
        bytes32 commitSet;
        bool isSetComplete;
    }

    /// @dev What the group under way shares.
    struct Group {
        SkipReason reason;
        uint256 epoch;
        uint256 quorum;
        uint256 fee;
        uint256 seatingBytes;
    }

    /// @inheritdoc IExecutionCoordinator
    function settle(
        bytes calldata batch
    ) external returns (uint256 settled) {
        Run memory run = _openRun(batch);
        _hashItems(run);
        _checkRolls(run);
        (run.feeBps, run.committeeSize, run.termsSince) = _parameters.settlementTerms();
        Funding memory funding;
        Group memory group;
        Item memory item;
        Cursor memory cursor = Cursor({offset: run.groupsAt, record: run.records});
        for (uint256 groups = run.groups; groups != 0; --groups) {
            uint256 items = _openGroup(run, cursor, group, funding);
            for (; items != 0; --items) {
                _readItem(cursor, group, item);
                _settleItem(run, group, funding, item);
            }
        }
        require(run.signaturesAt == run.end, BatchMalformed("signatures: more than needed"));
        _closeFunding(funding, run.requester, false);
        _closeRun(run);
        return run.settled;
    }

    /// @dev Groups of one funder and epoch that follow each other share one read and one write of its account.
    function _openGroup(
        Run memory run,
        Cursor memory cursor,
        Group memory group,
        Funding memory funding
    ) private returns (uint256 items) {
        uint256 offset = cursor.offset;
        uint256 facts = PackedBatch.word(offset + 64);
        group.epoch = facts >> 160 & type(uint32).max;
        group.quorum = facts >> 152 & type(uint8).max;
        group.reason = _checkLane(group.quorum, facts >> 144 & type(uint8).max, Messages.LANE_ATTESTED);
        group.fee = facts >> 48 & type(uint96).max;
        group.seatingBytes = group.quorum == 1 ? PackedBatch.SEATING_BYTES : PackedBatch.SALTED_SEATING_BYTES;
        address funder = PackedBatch.addressAt(offset + 90);
        if (funder != funding.funder || group.epoch != funding.epoch) {
            _closeFunding(funding, run.requester, false);
            _openFunding(funding, funder, run.requester, group.epoch);
        }
        cursor.offset = offset + PackedBatch.GROUP_BYTES;
        return PackedBatch.uint8At(offset + 146);
    }

    /// @dev Nothing here can lie outside of the batch: it was all read once for its digests.
    function _readItem(
        Cursor memory cursor,
        Group memory group,
        Item memory item
    ) private pure {
        unchecked {
            uint256 offset = cursor.offset;
            uint256 record = cursor.record;
            uint256 facts = PackedBatch.itemFacts(offset);
            item.requestId = _readRecord(record);
            item.resultSeal = bytes32(PackedBatch.word(offset + 32));
            item.sequence = facts >> 192;
            item.issuedAt = facts >> 152 & type(uint40).max;
            item.deadline = item.issuedAt + (facts >> 120 & type(uint32).max);
            item.outcome = facts >> 112 & type(uint8).max;
            item.status = facts >> 96 & type(uint16).max;
            offset += PackedBatch.ITEM_BYTES;
            item.seatingsAt = offset;
            offset += group.quorum * group.seatingBytes;
            record += 32;
            if (group.quorum != 1) {
                item.commitSet = _readRecord(record);
                item.isSetComplete = _readRecord(record + 32) != 0;
                record += 64;
                offset = _skipCommitSet(offset);
            }
            item.attestationsAt = record;
            cursor.offset = offset;
            cursor.record = record + 32 * group.quorum;
        }
    }

    function _skipCommitSet(
        uint256 offset
    ) private pure returns (uint256) {
        unchecked {
            uint256 entries = PackedBatch.uint8At(offset);
            for (++offset; entries != 0; --entries) {
                offset += PackedBatch.uint8At(offset) == PackedBatch.FOREIGN_COMMITMENT ? 33 : 1;
            }
            return offset;
        }
    }

    function _settleItem(
        Run memory run,
        Group memory group,
        Funding memory funding,
        Item memory item
    ) private {
        SkipReason reason = _checkItem(run, group, item);
        reason = _checkSignatures(run, group, item, reason);
        if (reason == SkipReason.None && !_takeFee(funding, run.requester, group.fee, item.issuedAt)) {
            reason = SkipReason.CreditExhausted;
        }
        if (reason != SkipReason.None) {
            emit ExecutionSkipped(item.requestId, reason);
            return;
        }
        run.sequenceBits |= _sequenceBit(item.sequence);
        _pay(run, group, item);
        unchecked {
            ++run.settled;
        }
    }

    /// @dev What is wrong with one item, its signatures and its funding aside.
    function _checkItem(
        Run memory run,
        Group memory group,
        Item memory item
    ) private returns (SkipReason reason) {
        if (group.reason != SkipReason.None) return group.reason;
        reason = _checkTimes(item.issuedAt, item.deadline, group.epoch);
        if (reason != SkipReason.None) return reason;
        reason = _checkOutcome(item.outcome, item.status, group.quorum);
        if (reason != SkipReason.None) return reason;
        if (item.sequence >= FIRST_LANE_SEQUENCE) return SkipReason.SequenceAhead;
        if (_isSequenceConsumed(run, item.sequence)) return SkipReason.SequenceConsumed;
        uint256 offset = item.seatingsAt;
        for (uint256 left = group.quorum; left != 0; --left) {
            reason = _checkSeating(run, group, item, PackedBatch.word(offset));
            if (reason != SkipReason.None) return reason;
            offset += group.seatingBytes;
        }
        return group.quorum == 1 ? SkipReason.None : _checkQuorum(run, group, item);
    }

    function _checkSeating(
        Run memory run,
        Group memory group,
        Item memory item,
        uint256 seating
    ) private view returns (SkipReason) {
        Worker memory worker = run.workers[seating >> 248];
        uint256 issuedAt = item.issuedAt;
        if (issuedAt < worker.validFrom || issuedAt > worker.validTo) return SkipReason.WorkerNotActive;
        uint256 committeeSize = run.committeeSize;
        bool isAllSeated;
        if (issuedAt < run.termsSince) {
            (, committeeSize) = _parameters.settlementTermsAt(issuedAt);
            isAllSeated = _operators.isAllSeated(uint32(group.epoch), committeeSize);
        } else {
            if (run.seatedEpoch != group.epoch) {
                run.seatedEpoch = group.epoch;
                run.isAllSeated = _operators.isAllSeated(uint32(group.epoch), committeeSize);
            }
            isAllSeated = run.isAllSeated;
        }
        uint256 seat = seating >> 240 & type(uint8).max;
        if (isAllSeated) return seat == Messages.SEAT_ALL_SEATED ? SkipReason.None : SkipReason.NotSeated;
        if (seat != Messages.SEAT_DRAWN) return SkipReason.NotSeated;
        SkipReason reason = _checkDraw(run.requester, item.sequence, group.epoch, issuedAt);
        if (reason != SkipReason.None) return reason;
        return _operators.isSeated(
            worker.operator, run.requester, uint64(item.sequence), uint32(group.epoch), uint40(issuedAt), committeeSize
        )
            ? SkipReason.None
            : SkipReason.NotSeated;
    }

    /// @dev What is wrong with a quorum, its workers' seats aside.
    function _checkQuorum(
        Run memory run,
        Group memory group,
        Item memory item
    ) private view returns (SkipReason) {
        if (!_areDistinct(run, group, item)) return SkipReason.QuorumNotMet;
        if (!_isBonded(run.requester, item.issuedAt)) return SkipReason.RequesterNotBonded;
        if (!item.isSetComplete) return SkipReason.CommitSetInvalid;
        if (block.timestamp <= item.deadline + _conflictWindow) return SkipReason.ConflictWindowOpen;
        return _court.isContested(item.requestId) ? SkipReason.InDispute : SkipReason.None;
    }

    /// @dev One operator with two keys is still one voice.
    function _areDistinct(
        Run memory run,
        Group memory group,
        Item memory item
    ) private pure returns (bool) {
        unchecked {
            uint256 end = item.seatingsAt + group.quorum * group.seatingBytes;
            for (uint256 a = item.seatingsAt; a < end; a += group.seatingBytes) {
                address operator = run.workers[PackedBatch.uint8At(a)].operator;
                for (uint256 b = item.seatingsAt; b < a; b += group.seatingBytes) {
                    if (run.workers[PackedBatch.uint8At(b)].operator == operator) return false;
                }
            }
            return true;
        }
    }

    /// @dev `reason`, or what is wrong with the item's signatures. Single signatures are passed by in any case.
    function _checkSignatures(
        Run memory run,
        Group memory group,
        Item memory item,
        SkipReason reason
    ) private view returns (SkipReason) {
        if (run.isRolled) {
            if (reason == SkipReason.None && !run.isRollValid) reason = SkipReason.RequesterSignature;
        } else {
            reason = _checkRequester(run, item.requestId, reason);
            if (group.quorum != 1) reason = _checkRequester(run, item.commitSet, reason);
        }
        uint256 offset = item.seatingsAt;
        uint256 record = item.attestationsAt;
        for (uint256 left = group.quorum; left != 0; --left) {
            Worker memory worker = run.workers[PackedBatch.uint8At(offset)];
            bool isAttested = worker.isRollValid;
            if (!worker.isRolled) {
                bytes calldata signature = _nextSignature(run);
                isAttested =
                    reason == SkipReason.None && _isSignedByKey(worker.executionKey, _readRecord(record), signature);
            }
            if (!isAttested && reason == SkipReason.None) reason = SkipReason.WorkerSignature;
            unchecked {
                offset += group.seatingBytes;
                record += 32;
            }
        }
        return reason;
    }

    function _checkRequester(
        Run memory run,
        bytes32 digest,
        SkipReason reason
    ) private view returns (SkipReason) {
        bytes calldata signature = _nextSignature(run);
        if (reason != SkipReason.None || _isSignedByRequester(run.requester, digest, signature)) return reason;
        return SkipReason.RequesterSignature;
    }

    function _nextSignature(
        Run memory run
    ) private pure returns (bytes calldata signature) {
        (signature, run.signaturesAt) = PackedBatch.signatureAt(run.signaturesAt, run.end);
    }

    /// @dev Keeps one word of the bitmap in memory: sequences of a batch stand close together.
    function _isSequenceConsumed(
        Run memory run,
        uint256 sequence
    ) private returns (bool) {
        uint256 word = _sequenceWord(sequence);
        if (word != run.sequenceWord) {
            _storeSequenceBits(run);
            run.sequenceWord = word;
            run.sequenceBits = _consumed[run.requester][word];
        }
        return run.sequenceBits & _sequenceBit(sequence) != 0;
    }

    function _storeSequenceBits(
        Run memory run
    ) private {
        if (run.sequenceWord != type(uint256).max) _consumed[run.requester][run.sequenceWord] = run.sequenceBits;
    }

    /// @dev The workers of a quorum share equally; what the division leaves is the first's.
    function _pay(
        Run memory run,
        Group memory group,
        Item memory item
    ) private {
        uint256 feeBps = run.feeBps;
        if (item.issuedAt < run.termsSince) (feeBps,) = _parameters.settlementTermsAt(item.issuedAt);
        uint256 protocolFee = group.fee * feeBps / BASIS_POINTS;
        uint256 share = (group.fee - protocolFee) / group.quorum;
        uint256 reward = group.fee - protocolFee - share * (group.quorum - 1);
        uint256 offset = item.seatingsAt;
        // Sums of 96-bit fees over one batch; no overflow can be paid for.
        unchecked {
            run.protocolFees += protocolFee;
            for (uint256 left = group.quorum; left != 0; --left) {
                Worker memory worker = run.workers[PackedBatch.uint8At(offset)];
                worker.earned += reward;
                emit ExecutionSettled(
                    item.requestId,
                    worker.operator,
                    item.resultSeal,
                    uint8(item.outcome),
                    uint16(item.status),
                    uint96(reward)
                );
                reward = share;
                offset += group.seatingBytes;
            }
        }
    }

    function _closeRun(
        Run memory run
    ) private {
        _storeSequenceBits(run);
        _addFees(run.requester, run.protocolFees);
        for (uint256 i; i < run.workers.length; ++i) {
            Worker memory worker = run.workers[i];
            if (worker.earned != 0) _addEarnings(worker.operator, worker.earned);
        }
    }
}
