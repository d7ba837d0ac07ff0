// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Suite} from "../deployment/Suite.sol";
import {IConfirmedLane, IExecutionCallback} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {BoundedCall} from "./BoundedCall.sol";
import {LaneCommitments} from "./LaneCommitments.sol";
import {LanePosts} from "./LanePosts.sol";
import {LaneRecords} from "./LaneRecords.sol";

/// @title The confirmed lane: a ticket on chain, then its result, or its expiry.
/// @notice It holds no money: fees stay in the coordinator. All state is written before a requester is called back.
contract ConfirmedLane is LanePosts, LaneCommitments {
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
        bytes32 requestId = _requestIdOf(ticket);
        Record storage record = _requireAnswerable(requestId, ticket);
        _require(requestId, ticket.quorum == 1, IExecutionCoordinator.SkipReason.QuorumNotMet);
        (address operator, bytes32 commitment) = _verifyAnswer(requestId, ticket, attestation, signature, salt);
        uint256 position = _positionInSet(requestId, ticket.requester, commitment, commitments, setSignature);
        _requireTurn(requestId, operator, record.postedBlock + TURN_BLOCKS * position);
        _settleSingle(requestId, ticket, attestation, operator, inputSalt, output);
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
        bytes32 requestId = _requestIdOf(ticket);
        _requireAnswerable(requestId, ticket);
        (address operator, bytes32 commitment) = _verifyAnswer(requestId, ticket, attestation, signature, salt);
        (bool hasCommitted, uint256 position) = _positionOf(requestId, operator);
        Entry storage entry = _entries[requestId][position];
        bool isMatching = hasCommitted && entry.commitment == commitment && entry.outcome == 0;
        require(isMatching, CommitmentMismatch(requestId, operator));
        _requireTurn(requestId, operator, _opensAt(requestId, ticket, position));
        emit CommitmentOpened(requestId, operator, attestation.resultSeal, attestation.outcome, attestation.status);
        if (ticket.quorum == 1) {
            _settleSingle(requestId, ticket, attestation, operator, inputSalt, output);
        } else {
            _showOutput(requestId, attestation.resultSeal, inputSalt, output, false);
            _countOpening(requestId, ticket, attestation, position);
        }
    }

    /// @inheritdoc IConfirmedLane
    function finalise(
        IExecutionCoordinator.Ticket calldata ticket
    ) external {
        _finalise(ticket, 0, msg.data[:0]);
    }

    /// @inheritdoc IConfirmedLane
    function finaliseWithOutput(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes32 inputSalt,
        bytes calldata output
    ) external {
        _finalise(ticket, inputSalt, output);
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
                requester,
                Messages.hashCommitSet(_messageDomain(), Messages.PROTOCOL_VERSION, requestId, commitments),
                signature
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
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        address operator,
        bytes32 inputSalt,
        bytes calldata output
    ) private {
        Record storage record = _records[requestId];
        uint256 callbackGas = record.callbackGas;
        record.status = PostedStatus.Settled;
        record.answeredBy = operator;
        record.answeredAfter = _blocksBetween(record.postedBlock, block.number);
        _showOutput(requestId, attestation.resultSeal, inputSalt, output, callbackGas != 0);
        address[] memory operators = new address[](1);
        uint256[] memory weights = new uint256[](1);
        (operators[0], weights[0]) = (operator, 1);
        _coordinator.settleReserved(ticket, attestation, operators, weights);
        _callBack(requestId, ticket.requester, callbackGas, attestation.outcome, attestation.status, output);
    }

    /// @dev Writes an opening down, and whether enough agree with it.
    function _countOpening(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        uint256 position
    ) private {
        Entry storage entry = _entries[requestId][position];
        entry.resultSeal = attestation.resultSeal;
        entry.outcome = attestation.outcome;
        entry.status = attestation.status;
        QuorumRecord storage quorum = _quorums[requestId];
        // One, moved left: this order is meant. A position is below 16.
        // forge-lint: disable-next-line(incorrect-shift, unsafe-typecast)
        quorum.openedMask |= uint16(1 << position);
        Record storage record = _records[requestId];
        uint256 agreeing;
        for (uint256 i; i < record.commitments; ++i) {
            if (_agrees(_entries[requestId][i], entry)) ++agreeing;
        }
        if (agreeing < ticket.quorum) return;
        record.status = PostedStatus.Agreed;
        // Until then commitments were taken, so until then a drawn operator could have made one.
        record.answeredAfter = _blocksBetween(record.postedBlock, quorum.closesAfterBlock);
        quorum.agreedAt = uint40(block.timestamp);
        // forge-lint: disable-next-line(unsafe-typecast)
        quorum.agreedPosition = uint8(position);
        // Times are 40 bits and the window is minutes.
        // forge-lint: disable-next-line(unsafe-typecast)
        emit QuorumAgreed(requestId, attestation.resultSeal, uint40(_payableAt(ticket, block.timestamp)));
    }

    function _finalise(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes32 inputSalt,
        bytes calldata output
    ) private {
        bytes32 requestId = _requestIdOf(ticket);
        Record storage record = _requireStatus(requestId, PostedStatus.Agreed);
        QuorumRecord storage quorum = _quorums[requestId];
        bool isOver = block.timestamp >= _payableAt(ticket, quorum.agreedAt);
        _require(requestId, isOver, IExecutionCoordinator.SkipReason.ConflictWindowOpen);
        _require(requestId, !_court.isContested(requestId), IExecutionCoordinator.SkipReason.InDispute);
        record.status = PostedStatus.Settled;
        Entry storage agreed = _entries[requestId][quorum.agreedPosition];
        (bytes32 resultSeal, uint8 outcome, uint16 status) = (agreed.resultSeal, agreed.outcome, agreed.status);
        uint256 callbackGas = record.callbackGas;
        _showOutput(requestId, resultSeal, inputSalt, output, callbackGas != 0);
        (address[] memory operators, uint256[] memory weights) = _winners(requestId, agreed, ticket.quorum);
        _coordinator.settleReserved(
            ticket,
            IExecutionCoordinator.Attestation({
                protocolVersion: Messages.PROTOCOL_VERSION,
                requestId: requestId,
                resultSeal: resultSeal,
                outcome: outcome,
                status: status,
                seat: 0
            }),
            operators,
            weights
        );
        _callBack(requestId, ticket.requester, callbackGas, outcome, status, output);
    }

    /// @dev Exactly a quorum agreed. Speed is rewarded: k parts for the first to commit, one for the last.
    function _winners(
        bytes32 requestId,
        Entry storage agreed,
        uint256 quorum
    ) private view returns (address[] memory operators, uint256[] memory weights) {
        operators = new address[](quorum);
        weights = new uint256[](quorum);
        uint256 found;
        for (uint256 i; found < quorum; ++i) {
            Entry storage entry = _entries[requestId][i];
            if (!_agrees(entry, agreed)) continue;
            operators[found] = entry.operator;
            weights[found] = quorum - found;
            ++found;
        }
    }

    /// @dev Only what was opened has an outcome.
    function _agrees(
        Entry storage entry,
        Entry storage opened
    ) private view returns (bool) {
        return entry.outcome == opened.outcome && entry.status == opened.status && entry.resultSeal == opened.resultSeal;
    }

    function _payableAt(
        IExecutionCoordinator.Ticket calldata ticket,
        uint256 agreedAt
    ) private view returns (uint256) {
        return Math.max(ticket.deadline, agreedAt) + _conflictWindow + 1;
    }

    function _blocksBetween(
        uint256 first,
        uint256 last
    ) private pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(Math.min(last - first, type(uint16).max));
    }

    function _showOutput(
        bytes32 requestId,
        bytes32 resultSeal,
        bytes32 inputSalt,
        bytes calldata output,
        bool isNeeded
    ) private {
        if (output.length == 0 && !isNeeded) return;
        require(Hashes.seal(keccak256(output), inputSalt) == resultSeal, OutputMismatch(requestId));
        emit ExecutionOutput(requestId, output);
    }

    /// @dev The last thing that happens: nothing here depends on what the requester does with it.
    function _callBack(
        bytes32 requestId,
        address requester,
        uint256 callbackGas,
        uint8 outcome,
        uint16 status,
        bytes calldata output
    ) private {
        if (callbackGas == 0) return;
        bytes memory data = abi.encodeCall(IExecutionCallback.onExecutionSettled, (requestId, outcome, status, output));
        bool succeeded = BoundedCall.tryCall(requester, callbackGas, data);
        emit CallbackCalled(requestId, requester, succeeded);
    }
}
