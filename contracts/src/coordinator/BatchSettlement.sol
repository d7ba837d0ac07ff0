// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {BatchDigests} from "./BatchDigests.sol";
import {CreditLines} from "./CreditLines.sol";

/// @title The attested lane's settlement: many requests of one requester in one transaction.
/// @notice First every digest of the batch, then each roll once, then each item by itself. Earnings, debits and consumed
/// sequences gather in memory and are written once.
abstract contract BatchSettlement is BatchDigests, CreditLines {
    /// @inheritdoc IExecutionCoordinator
    function settle(
        SettlementBatch calldata batch
    ) external returns (uint256 settled) {
        Run memory run = _openRun(batch);
        _hashItems(batch, run);
        _checkRolls(batch, run);
        for (uint256 i; i < batch.groups.length; ++i) {
            _settleGroup(batch, run, batch.groups[i]);
        }
        require(run.nextSignature == batch.signatures.length, BatchMalformed("signatures: more than needed"));
        _closeRun(run);
        return run.settled;
    }

    function _settleGroup(
        SettlementBatch calldata batch,
        Run memory run,
        SettlementGroup calldata group
    ) private {
        Funding memory funding = _openFunding(group.funder, run.requester, group.epoch);
        SkipReason groupReason = _checkLane(group.quorum, group.lane, Messages.LANE_ATTESTED);
        (uint96 reward, uint96 protocolFee) = _splitFee(group.fee);
        SettlementItem[] calldata items = group.items;
        uint256 index = run.nextItem;
        uint256 settled;
        for (uint256 i; i < items.length; ++i) {
            SettlementItem calldata item = items[i];
            bytes32 requestId = run.requestIds[index];
            WorkerTally memory worker = run.workers[item.worker];
            SkipReason reason = _checkSignatures(batch, run, worker, item.worker, index);
            if (groupReason != SkipReason.None) reason = groupReason;
            else reason = _checkItem(run, worker, item, group.epoch, reason);
            if (reason == SkipReason.None && !_takeFee(funding, group.fee, item.issuedAt)) {
                reason = SkipReason.CreditExhausted;
            }
            if (reason == SkipReason.None) {
                run.sequenceBits |= _sequenceBit(item.sequence);
                emit ExecutionSettled(requestId, worker.operator, item.resultSeal, item.outcome, item.status, reward);
            } else {
                emit ExecutionSkipped(requestId, reason);
            }
            // Sums of 96-bit fees over one batch; no overflow can be paid for.
            unchecked {
                ++index;
                if (reason == SkipReason.None) {
                    worker.earned += reward;
                    ++settled;
                }
            }
        }
        run.nextItem = index;
        run.settled += settled;
        run.protocolFees += settled * protocolFee;
        _closeFunding(funding, group.funder, run.requester, group.epoch, false);
    }

    /// @dev What is wrong with one item's signatures: `RequesterSignature`, `WorkerSignature` or `None`. Single signatures are
    /// passed by in any case.
    function _checkSignatures(
        SettlementBatch calldata batch,
        Run memory run,
        WorkerTally memory worker,
        uint256 workerIndex,
        uint256 index
    ) private view returns (SkipReason reason) {
        if (run.hasRoll) {
            if (!run.isRollValid) reason = SkipReason.RequesterSignature;
        } else {
            bytes calldata signature = _nextSignature(batch, run);
            if (!_isSignedByRequester(run.requester, run.requestIds[index], signature)) {
                reason = SkipReason.RequesterSignature;
            }
        }
        bool isAttested = worker.isRollValid;
        if (!worker.hasRoll) {
            bytes calldata signature = _nextSignature(batch, run);
            address key = batch.workers[workerIndex].executionKey;
            isAttested = _isSignedByKey(key, run.attestationDigests[index], signature);
        }
        if (!isAttested && reason == SkipReason.None) reason = SkipReason.WorkerSignature;
    }

    function _nextSignature(
        SettlementBatch calldata batch,
        Run memory run
    ) private pure returns (bytes calldata) {
        require(run.nextSignature < batch.signatures.length, BatchMalformed("signatures: fewer than needed"));
        return batch.signatures[run.nextSignature++];
    }

    /// @dev What is wrong with one item, its funding aside. `signatures` is what is wrong with its signatures.
    function _checkItem(
        Run memory run,
        WorkerTally memory worker,
        SettlementItem calldata item,
        uint256 epoch,
        SkipReason signatures
    ) private returns (SkipReason reason) {
        reason = _checkTimes(item.issuedAt, item.deadline, epoch);
        if (reason != SkipReason.None) return reason;
        reason = _checkOutcome(item.outcome, item.status, item.seat);
        if (reason != SkipReason.None) return reason;
        if (_isSequenceConsumed(run, item.sequence)) return SkipReason.SequenceConsumed;
        if (worker.operator == address(0) || !_isValidFor(worker.validFrom, worker.validTo, item.issuedAt)) {
            return SkipReason.WorkerNotActive;
        }
        return signatures;
    }

    /// @dev Keeps one word of the bitmap in memory: sequences of a batch stand close together.
    function _isSequenceConsumed(
        Run memory run,
        uint64 sequence
    ) private returns (bool) {
        uint256 word = sequence >> 8;
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

    function _closeRun(
        Run memory run
    ) private {
        _storeSequenceBits(run);
        if (run.protocolFees != 0) treasuryBalance += run.protocolFees;
        for (uint256 i; i < run.workers.length; ++i) {
            WorkerTally memory worker = run.workers[i];
            if (worker.earned != 0) _addEarnings(worker.operator, worker.earned);
        }
    }
}
