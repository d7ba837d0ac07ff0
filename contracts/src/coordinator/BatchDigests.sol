// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {Operators} from "./Operators.sol";
import {Tickets} from "./Tickets.sol";

/// @title What a batch says before any of it is believed: every digest, and whose rolls over them are valid.
abstract contract BatchDigests is Operators, Tickets {
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

    function _openRun(
        SettlementBatch calldata batch
    ) internal view returns (Run memory run) {
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
    ) internal pure {
        Messages.TicketPreimage memory ticket;
        Messages.AttestationPreimage memory attestation;
        ticket.typehash = Messages.TICKET_TYPEHASH;
        ticket.protocolVersion = Messages.PROTOCOL_VERSION;
        ticket.requester = run.requester;
        attestation.typehash = Messages.ATTESTATION_TYPEHASH;
        attestation.protocolVersion = Messages.PROTOCOL_VERSION;
        uint256 index;
        for (uint256 i; i < batch.groups.length; ++i) {
            SettlementGroup calldata group = batch.groups[i];
            _readGroup(ticket, group);
            index = _hashGroup(run, ticket, attestation, group.items, index);
        }
    }

    function _hashGroup(
        Run memory run,
        Messages.TicketPreimage memory ticket,
        Messages.AttestationPreimage memory attestation,
        SettlementItem[] calldata items,
        uint256 index
    ) private pure returns (uint256) {
        (bytes32 domain, bytes32 root) = (run.domain, run.root);
        for (uint256 i; i < items.length; ++i) {
            SettlementItem calldata item = items[i];
            require(item.worker < run.workers.length, BatchMalformed("items: worker without entry"));
            WorkerTally memory worker = run.workers[item.worker];
            _readItem(ticket, attestation, item);
            bytes32 requestId = Messages.hashTicketPreimage(domain, ticket);
            attestation.requestId = requestId;
            bytes32 digest = Messages.hashAttestationPreimage(domain, attestation);
            run.requestIds[index] = requestId;
            run.attestationDigests[index] = digest;
            root = Hashes.roll(root, requestId);
            worker.root = Hashes.roll(worker.root, digest);
            unchecked {
                ++worker.count;
                ++index;
            }
        }
        run.root = root;
        return index;
    }

    function _readGroup(
        Messages.TicketPreimage memory ticket,
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
        Messages.TicketPreimage memory ticket,
        Messages.AttestationPreimage memory attestation,
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
    ) internal view {
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
}
