// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {PackedBatch} from "./PackedBatch.sol";
import {PlainSettlement} from "./PlainSettlement.sol";

/// @title The attested lane's settlement: many requests of one requester in one transaction.
/// @notice First every digest of the batch, then each roll once, then each item by itself. Earnings, debits and consumed
/// sequences gather in memory and are written once. Other contracts are only read from, so nothing can call back into it.
abstract contract BatchSettlement is PlainSettlement {
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

    /// @inheritdoc IExecutionCoordinator
    function settle(
        bytes calldata batch
    ) external returns (uint256 settled) {
        Run memory run = _openRun(batch);
        _hashItems(run);
        _openTerms(run);
        Funding memory funding;
        Group memory group;
        Plain memory plain;
        Item memory item;
        Cursor memory cursor = Cursor({offset: 0, record: run.records});
        group.terms = NO_TERMS;
        for (uint256 groups = run.groups; groups != 0;) {
            uint256 items = _openGroup(run, cursor, group, funding, plain);
            // Never more are settled than there are.
            unchecked {
                while (items != 0) {
                    items -= _settlePlain(run, group, funding, plain, cursor, items);
                    if (items == 0) break;
                    plain.isOpen = false;
                    _readItem(cursor, group, item);
                    _settleItem(run, group, funding, item);
                    --items;
                }
                --groups;
            }
        }
        PackedBatch.requireWellFormed(run.signaturesAt == run.end, "signatures: more than needed");
        _closeFunding(funding, run.requester);
        _closeRun(run);
        return run.settled;
    }

    /// @dev Groups of one funder and epoch that follow each other share one read and one write of its account; when they
    /// differ in nothing but the function, all that was made ready for the last one stays as it is.
    function _openGroup(
        Run memory run,
        Cursor memory cursor,
        Group memory group,
        Funding memory funding,
        Plain memory plain
    ) private returns (uint256 items) {
        uint256 record = cursor.record;
        uint256 facts = _load(record);
        address funder = address(uint160(_load(record + 0x20)));
        unchecked {
            cursor.record = record + 0x40;
        }
        cursor.offset = facts >> 152;
        items = facts >> 144 & type(uint8).max;
        facts &= type(uint144).max;
        if (facts == group.terms && funder == funding.funder) return items;
        plain.isOpen = false;
        group.terms = facts;
        group.epoch = facts >> 112;
        group.quorum = facts >> 104 & type(uint8).max;
        group.isAttested = facts >> 96 & type(uint8).max == Messages.LANE_ATTESTED;
        group.fee = facts & type(uint96).max;
        group.seatingBytes = group.quorum == 1 ? PackedBatch.SEATING_BYTES : PackedBatch.SALTED_SEATING_BYTES;
        (group.protocolFee, group.reward, group.share) = _splitFee(group.fee, run.feeBps, group.quorum);
        if (funder == funding.funder && group.epoch == funding.epoch) return items;
        _closeFunding(funding, run.requester);
        _openFunding(funding, funder, run.requester, group.epoch);
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
            item.requestId = bytes32(_load(record));
            item.resultSeal = bytes32(PackedBatch.word(offset + 32));
            item.sequence = facts >> 192;
            item.issuedAt = facts >> 152 & type(uint40).max;
            item.deadline = item.issuedAt + (facts >> 120 & type(uint32).max);
            item.outcome = facts >> 112 & type(uint8).max;
            item.status = facts >> 96 & type(uint16).max;
            item.seatingsAt = offset + PackedBatch.ITEM_BYTES;
            record += 0x20;
            offset += PackedBatch.SINGLE_BYTES;
            if (group.quorum != 1) {
                item.commitSet = bytes32(_load(record));
                uint256 next = _load(record + 0x20);
                item.isSetComplete = next & 1 == 1;
                offset = next >> 1;
                record += 0x40;
            }
            item.attestationsAt = record;
            cursor.offset = offset;
            cursor.record = record + 0x20 * group.quorum;
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
        if (!group.isAttested) return SkipReason.LaneMismatch;
        reason = _checkTimes(item.issuedAt, item.deadline, group.epoch);
        if (reason != SkipReason.None) return reason;
        reason = _checkOutcome(item.outcome, item.status, group.quorum);
        if (reason != SkipReason.None) return reason;
        if (item.sequence >= FIRST_LANE_SEQUENCE) return SkipReason.SequenceAhead;
        _openSequences(run, item.sequence);
        if (run.sequenceBits & _sequenceBit(item.sequence) != 0) return SkipReason.SequenceConsumed;
        uint256 offset = item.seatingsAt;
        for (uint256 left = group.quorum; left != 0; --left) {
            reason = _checkSeating(run, group, item, offset);
            if (reason != SkipReason.None) return reason;
            offset += group.seatingBytes;
        }
        return group.quorum == 1 ? SkipReason.None : _checkQuorum(run, group, item);
    }

    function _checkSeating(
        Run memory run,
        Group memory group,
        Item memory item,
        uint256 seatingAt
    ) private returns (SkipReason) {
        uint256 worker = _workerAt(run, PackedBatch.workerAt(seatingAt));
        uint256 issuedAt = item.issuedAt;
        bool isInTime = issuedAt >= _load(worker + VALID_FROM) && issuedAt <= _load(worker + VALID_TO);
        if (!isInTime) return SkipReason.WorkerNotActive;
        uint256 committeeSize = run.committeeSize;
        bool isAllSeated;
        if (issuedAt < run.termsSince) {
            (, committeeSize) = _parameters.settlementTermsAt(issuedAt);
            isAllSeated = _operators.isAllSeated(uint32(group.epoch), committeeSize);
        } else {
            isAllSeated = _isAllSeated(run, group.epoch);
        }
        uint256 seat = PackedBatch.seatAt(seatingAt);
        if (isAllSeated) return seat == Messages.SEAT_ALL_SEATED ? SkipReason.None : SkipReason.NotSeated;
        if (seat != Messages.SEAT_DRAWN) return SkipReason.NotSeated;
        if (!_isBondedFor(run, issuedAt) || !_countsIn(run.requester, group.epoch)) {
            return SkipReason.RequesterNotBonded;
        }
        if (!_isInWindow(run.requester, item.sequence)) return SkipReason.SequenceAhead;
        return _operators.isSeated(
            address(uint160(_load(worker + OPERATOR))),
            run.requester,
            uint64(item.sequence),
            uint32(group.epoch),
            // Read from 40 bits of the batch.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint40(issuedAt),
            committeeSize
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
        if (!_isBondedFor(run, item.issuedAt)) return SkipReason.RequesterNotBonded;
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
                uint256 operator = _load(_workerAt(run, PackedBatch.workerAt(a)) + OPERATOR);
                for (uint256 b = item.seatingsAt; b < a; b += group.seatingBytes) {
                    if (_load(_workerAt(run, PackedBatch.workerAt(b)) + OPERATOR) == operator) return false;
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
            uint256 worker = _workerAt(run, PackedBatch.workerAt(offset));
            bool isAttested = _load(worker + IS_ROLL_VALID) != 0;
            if (_load(worker + IS_ROLLED) == 0) {
                bytes calldata signature = _nextSignature(run);
                address key = address(uint160(_load(worker)));
                isAttested = reason == SkipReason.None && _isSignedByKey(key, bytes32(_load(record)), signature);
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

    /// @dev A quorum's first worker gets what the division leaves.
    function _pay(
        Run memory run,
        Group memory group,
        Item memory item
    ) private {
        (uint256 protocolFee, uint256 reward, uint256 share) = (group.protocolFee, group.reward, group.share);
        if (item.issuedAt < run.termsSince) {
            (uint256 feeBps,) = _parameters.settlementTermsAt(item.issuedAt);
            (protocolFee, reward, share) = _splitFee(group.fee, feeBps, group.quorum);
        }
        // Sums of 96-bit fees over one batch; no overflow can be paid for.
        unchecked {
            run.protocolFees += protocolFee;
            uint256 offset = item.seatingsAt;
            address operator = _earn(run, offset, reward);
            // Nobody's part of a fee has more bits than the fee.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint96 own = uint96(reward);
            emit ExecutionSettled(
                item.requestId, operator, item.resultSeal, uint8(item.outcome), uint16(item.status), own
            );
            if (group.quorum == 1) return;
            address[] memory others = new address[](group.quorum - 1);
            for (uint256 i; i < others.length; ++i) {
                offset += group.seatingBytes;
                others[i] = _earn(run, offset, share);
            }
            // forge-lint: disable-next-line(unsafe-typecast)
            emit RewardsShared(item.requestId, others, uint96(share));
        }
    }

    function _earn(
        Run memory run,
        uint256 seatingAt,
        uint256 reward
    ) private pure returns (address operator) {
        uint256 worker = _workerAt(run, PackedBatch.workerAt(seatingAt));
        // See `_pay`.
        unchecked {
            _store(worker + EARNED, _load(worker + EARNED) + reward);
        }
        return _operatorOf(worker);
    }

    function _closeRun(
        Run memory run
    ) private {
        _storeSequenceBits(run);
        _addFees(run.requester, run.protocolFees);
        uint256 end = _workerAt(run, run.workerCount);
        unchecked {
            for (uint256 worker = run.workers; worker < end; worker += WORKER_BYTES) {
                uint256 earned = _load(worker + EARNED);
                if (earned != 0) _addEarnings(address(uint160(_load(worker + OPERATOR))), earned);
            }
        }
    }
}
