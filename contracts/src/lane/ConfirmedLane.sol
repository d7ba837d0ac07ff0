// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {LaneCommitments} from "./LaneCommitments.sol";
import {LanePosts} from "./LanePosts.sol";
import {LaneQuorums} from "./LaneQuorums.sol";
import {LaneRecords} from "./LaneRecords.sol";
import {TicketCalls} from "./TicketCalls.sol";

/// @title The confirmed lane: a ticket on chain, then its result, or its expiry.
/// @notice It holds no money: fees stay in the coordinator. All state is written before a requester is called back.
contract ConfirmedLane is LanePosts, LaneCommitments, LaneQuorums {
    constructor(
        Suite memory suite
    ) LaneRecords(suite) {}

    /// @inheritdoc IConfirmedLane
    function submit(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt,
        bytes32[] calldata commitments,
        bytes calldata setSignature,
        bytes32 inputSalt,
        bytes calldata output
    ) external {
        address operator = _verifySubmission(ticket, attestation, signature, salt, commitments, setSignature);
        _settleSingle(ticket, attestation, operator, inputSalt, output);
    }

    /// @inheritdoc IConfirmedLane
    function open(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt,
        bytes32 inputSalt,
        bytes calldata output
    ) external {
        (address operator, uint256 position) = _verifyOpening(ticket, attestation, signature, salt);
        if (ticket.quorum == 1) {
            _settleSingle(ticket, attestation, operator, inputSalt, output);
        } else {
            _showOutput(attestation.requestId, attestation.resultSeal, inputSalt, output, false);
            _countOpening(ticket, attestation, position);
        }
    }

    /// @dev Who submits, when everything about it is right.
    function _verifySubmission(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt,
        bytes32[] calldata commitments,
        bytes calldata setSignature
    ) private returns (address operator) {
        bytes32 requestId = _requestIdOf(ticket);
        uint256 postedBlock = _requireAnswerable(requestId, ticket).postedBlock;
        _rememberSeating(ticket.epoch);
        _require(requestId, ticket.quorum == 1, IExecutionCoordinator.SkipReason.QuorumNotMet);
        bytes32 commitment;
        (operator, commitment) = _verifyAnswer(requestId, ticket, attestation, signature, salt);
        uint256 position = _positionInSet(requestId, ticket.requester, commitment, commitments, setSignature);
        _requireTurn(requestId, operator, postedBlock + TURN_BLOCKS * position);
    }

    /// @dev Who opens, and at which place, when everything about it is right.
    function _verifyOpening(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt
    ) private returns (address operator, uint256 position) {
        bytes32 requestId = _requestIdOf(ticket);
        _requireAnswerable(requestId, ticket);
        _rememberSeating(ticket.epoch);
        bytes32 commitment;
        (operator, commitment) = _verifyAnswer(requestId, ticket, attestation, signature, salt);
        bool hasCommitted;
        (hasCommitted, position) = _positionOf(requestId, operator);
        Entry storage entry = _entries[requestId][position];
        bool isMatching = hasCommitted && entry.commitment == commitment && entry.outcome == 0;
        require(isMatching, CommitmentMismatch(requestId, operator));
        _requireTurn(requestId, operator, _opensAt(requestId, ticket, position));
        emit CommitmentOpened(requestId, operator, attestation.resultSeal, attestation.outcome, attestation.status);
    }

    /// @dev Who answers, and the commitment that the answer opens. Only the worker itself brings it.
    function _verifyAnswer(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt
    ) private view returns (address operator, bytes32 commitment) {
        IExecutionCoordinator.SkipReason reason;
        address executionKey;
        (reason, operator, executionKey) = _verifyAttestation(requestId, ticket, attestation, signature);
        _requireNone(requestId, reason);
        if (attestation.seat == Messages.SEAT_DRAWN) _requireNone(requestId, _drawReason(ticket));
        bool isEnough = ticket.quorum > 1 || !Messages.isResourceOutcome(attestation.outcome);
        _require(requestId, isEnough, IExecutionCoordinator.SkipReason.ResourceOutcome);
        address actor = _actor();
        require(actor == operator || actor == executionKey, NotTheWorker(operator, actor));
        commitment = Hashes.commitment(requestId, executionKey, attestation.resultSeal, salt);
    }

    /// @dev Where the commitment stands in the set that the requester signed.
    function _positionInSet(
        bytes32 requestId,
        address requester,
        bytes32 commitment,
        bytes32[] calldata commitments,
        bytes calldata signature
    ) private view returns (uint256 position) {
        uint256 count = commitments.length;
        while (position < count && commitments[position] != commitment) {
            ++position;
        }
        bool isValid = position < count && count <= MAXIMUM_COMMITMENTS
            && _isSignedByAccount(
                requester, Messages.hashCommitSetCalldata(_messageDomain(), requestId, commitments), signature
            );
        _require(requestId, isValid, IExecutionCoordinator.SkipReason.CommitSetInvalid);
    }

    function _requireTurn(
        bytes32 requestId,
        address operator,
        uint256 atBlock
    ) private view {
        require(block.number >= atBlock, NotYourTurn(requestId, operator, atBlock, block.number));
    }

    function _settleSingle(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        address operator,
        bytes32 inputSalt,
        bytes calldata output
    ) private {
        bytes32 requestId = attestation.requestId;
        Record memory record = _records[requestId];
        record.status = PostedStatus.Settled;
        record.answeredBy = operator;
        record.answeredAfter = _blocksBetween(record.postedBlock, block.number);
        _writeRecord(requestId, record);
        _showOutput(requestId, attestation.resultSeal, inputSalt, output, record.callbackGas != 0);
        TicketCalls.settleSingle(_coordinator, ticket, attestation, _protocolFeeBpsAt(ticket.issuedAt), operator);
        _callBack(requestId, ticket.requester, record.callbackGas, attestation.outcome, attestation.status, output);
    }
}
