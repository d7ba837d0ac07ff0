// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {CreditLines} from "./CreditLines.sol";
import {Operators} from "./Operators.sol";
import {Tickets} from "./Tickets.sol";

/// @title The attested lane's settlement: many requests of one requester in one transaction.
/// @notice First every digest of the batch, then each roll once, then each item by itself. Earnings, debits and consumed
/// sequences gather in memory and are written once.
abstract contract BatchSettlement is Operators, CreditLines, Tickets {
    /// @dev A worker of the batch: whose key it is, what it signed so far, what it earned so far.
    struct WorkerTally {
        address operator;
        uint256 validFrom;
        uint256 validTo;
        bool hasRoll;
        bool isRollValid;
        uint256 count;
        bytes32 root;
        uint256 earned;
    }

    /// @dev The batch under way.
    struct Run {
        bytes32 domain;
        address requester;
        bool hasRoll;
        bool isRollValid;
        bytes32 root;
        WorkerTally[] workers;
        bytes32[] requestIds;
        bytes32[] attestationDigests;
        uint256 nextItem;
        uint256 nextSignature;
        uint256 sequenceWord;
        uint256 sequenceBits;
        uint256 protocolFees;
        uint256 settled;
    }

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

    function _openRun(
        SettlementBatch calldata batch
    ) private view returns (Run memory run) {
        run.domain = domainSeparator();
        run.requester = batch.requester;
        run.hasRoll = batch.requesterRoll.length != 0;
        run.sequenceWord = type(uint256).max;
        uint256 items;
        for (uint256 i; i < batch.groups.length; ++i) {
            items += batch.groups[i].items.length;
        }
        require(items != 0, BatchMalformed("groups: no items"));
        run.requestIds = new bytes32[](items);
        run.attestationDigests = new bytes32[](items);
        run.workers = new WorkerTally[](batch.workers.length);
        for (uint256 i; i < run.workers.length; ++i) {
            WorkerTally memory worker = run.workers[i];
            ExecutionKey memory key = _executionKeyOf(batch.workers[i].executionKey);
            if (_isPaid(key.operator)) worker.operator = key.operator;
            worker.validFrom = key.validFrom;
            worker.validTo = key.validTo;
            worker.hasRoll = batch.workers[i].roll.length != 0;
        }
    }

    function _hashItems(
        SettlementBatch calldata batch,
        Run memory run
    ) private pure {
        Ticket memory ticket;
        Attestation memory attestation;
        ticket.protocolVersion = Messages.PROTOCOL_VERSION;
        ticket.requester = run.requester;
        attestation.protocolVersion = Messages.PROTOCOL_VERSION;
        uint256 index;
        for (uint256 i; i < batch.groups.length; ++i) {
            SettlementGroup calldata group = batch.groups[i];
            _readGroup(ticket, group);
            for (uint256 j; j < group.items.length; ++j) {
                SettlementItem calldata item = group.items[j];
                require(item.worker < run.workers.length, BatchMalformed("items: worker without entry"));
                _readItem(ticket, attestation, item);
                bytes32 requestId = Messages.hashTicket(run.domain, ticket);
                attestation.requestId = requestId;
                bytes32 digest = Messages.hashAttestation(run.domain, attestation);
                run.requestIds[index] = requestId;
                run.attestationDigests[index++] = digest;
                run.root = Hashes.roll(run.root, requestId);
                WorkerTally memory worker = run.workers[item.worker];
                worker.root = Hashes.roll(worker.root, digest);
                ++worker.count;
            }
        }
    }

    function _readGroup(
        Ticket memory ticket,
        SettlementGroup calldata group
    ) private pure {
        ticket.functionId = group.functionId;
        ticket.functionVersion = group.functionVersion;
        ticket.envVersion = group.envVersion;
        ticket.runtimeDigest = group.runtimeDigest;
        ticket.epoch = group.epoch;
        ticket.quorum = group.quorum;
        ticket.lane = group.lane;
        ticket.fee = group.fee;
        ticket.payee = group.payee;
        ticket.price = group.price;
        ticket.funder = group.funder;
    }

    function _readItem(
        Ticket memory ticket,
        Attestation memory attestation,
        SettlementItem calldata item
    ) private pure {
        ticket.inputSeal = item.inputSeal;
        ticket.sequence = item.sequence;
        ticket.issuedAt = item.issuedAt;
        ticket.deadline = item.deadline;
        ticket.payer = item.payer;
        ticket.quoteId = item.quoteId;
        attestation.resultSeal = item.resultSeal;
        attestation.outcome = item.outcome;
        attestation.status = item.status;
        attestation.seat = item.seat;
    }

    function _checkRolls(
        SettlementBatch calldata batch,
        Run memory run
    ) private view {
        if (run.hasRoll) {
            bytes32 digest = Messages.hashBatchRoll(run.domain, run.requestIds.length, run.root);
            run.isRollValid = _isSignedByRequester(run.requester, digest, batch.requesterRoll);
        }
        for (uint256 i; i < run.workers.length; ++i) {
            WorkerTally memory worker = run.workers[i];
            if (!worker.hasRoll || worker.operator == address(0)) continue;
            bytes32 digest = Messages.hashBatchRoll(run.domain, worker.count, worker.root);
            worker.isRollValid = _isSignedByKey(batch.workers[i].executionKey, digest, batch.workers[i].roll);
        }
    }

    function _settleGroup(
        SettlementBatch calldata batch,
        Run memory run,
        SettlementGroup calldata group
    ) private {
        Funding memory funding = _openFunding(group.funder, run.requester, group.epoch);
        SkipReason groupReason = _checkLane(group.quorum, group.lane, Messages.LANE_ATTESTED);
        (uint256 reward, uint256 protocolFee) = _splitFee(group.fee);
        for (uint256 i; i < group.items.length; ++i) {
            SettlementItem calldata item = group.items[i];
            uint256 index = run.nextItem++;
            SkipReason reason = _checkItem(batch, run, group, item, index, groupReason);
            if (reason == SkipReason.None && !_takeFee(funding, group.fee, item.issuedAt)) {
                reason = SkipReason.CreditExhausted;
            }
            if (reason != SkipReason.None) {
                emit ExecutionSkipped(run.requestIds[index], reason);
                continue;
            }
            run.sequenceBits |= _sequenceBit(item.sequence);
            run.protocolFees += protocolFee;
            ++run.settled;
            WorkerTally memory worker = run.workers[item.worker];
            worker.earned += reward;
            emit ExecutionSettled(
                run.requestIds[index], worker.operator, item.resultSeal, item.outcome, item.status, uint96(reward)
            );
        }
        _closeFunding(funding, group.funder, run.requester, group.epoch, false);
    }

    /// @dev Everything about one item but its funding. Cheap checks come first; its signatures are passed by in any case.
    function _checkItem(
        SettlementBatch calldata batch,
        Run memory run,
        SettlementGroup calldata group,
        SettlementItem calldata item,
        uint256 index,
        SkipReason reason
    ) private returns (SkipReason) {
        WorkerTally memory worker = run.workers[item.worker];
        uint256 ticketSignature = run.nextSignature;
        uint256 attestationSignature = run.hasRoll ? ticketSignature : ticketSignature + 1;
        run.nextSignature = worker.hasRoll ? attestationSignature : attestationSignature + 1;
        require(run.nextSignature <= batch.signatures.length, BatchMalformed("signatures: fewer than needed"));

        if (reason == SkipReason.None) reason = _checkTimes(item.issuedAt, item.deadline, group.epoch);
        if (reason == SkipReason.None) reason = _checkOutcome(item.outcome, item.status, item.seat);
        if (reason != SkipReason.None) return reason;
        if (_isSequenceConsumed(run, item.sequence)) return SkipReason.SequenceConsumed;
        if (worker.operator == address(0) || !_isValidFor(worker.validFrom, worker.validTo, item.issuedAt)) {
            return SkipReason.WorkerNotActive;
        }
        bool isTicketSigned = run.hasRoll
            ? run.isRollValid
            : _isSignedByRequester(run.requester, run.requestIds[index], batch.signatures[ticketSignature]);
        if (!isTicketSigned) return SkipReason.RequesterSignature;
        bool isAttestationSigned = worker.hasRoll
            ? worker.isRollValid
            : _isSignedByKey(
                batch.workers[item.worker].executionKey,
                run.attestationDigests[index],
                batch.signatures[attestationSignature]
            );
        return isAttestationSigned ? SkipReason.None : SkipReason.WorkerSignature;
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
