// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {LaneResults} from "./LaneResults.sol";

/// @title Quorums: openings are counted until enough agree, and paid when nobody has contradicted them.
abstract contract LaneQuorums is LaneResults {
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

    /// @dev Writes an opening down, and whether enough agree with it.
    function _countOpening(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        uint256 position
    ) internal {
        bytes32 requestId = attestation.requestId;
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
            Entry storage other = _entries[requestId][i];
            if (_agrees(other, attestation.resultSeal, attestation.outcome, attestation.status)) ++agreeing;
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
        IExecutionCoordinator.Attestation memory agreed = _closeQuorum(requestId, ticket);
        uint256 callbackGas = _records[requestId].callbackGas;
        _showOutput(requestId, agreed.resultSeal, inputSalt, output, callbackGas != 0);
        _payWinners(ticket, agreed);
        _callBack(requestId, ticket.requester, callbackGas, agreed.outcome, agreed.status, output);
    }

    /// @dev What a quorum agreed about, when nothing speaks against paying it any more.
    function _closeQuorum(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket
    ) private returns (IExecutionCoordinator.Attestation memory agreed) {
        Record storage record = _requireStatus(requestId, PostedStatus.Agreed);
        QuorumRecord storage quorum = _quorums[requestId];
        bool isOver = block.timestamp >= _payableAt(ticket, quorum.agreedAt);
        _require(requestId, isOver, IExecutionCoordinator.SkipReason.ConflictWindowOpen);
        _require(requestId, !_court.isContested(requestId), IExecutionCoordinator.SkipReason.InDispute);
        record.status = PostedStatus.Settled;
        Entry storage entry = _entries[requestId][quorum.agreedPosition];
        agreed.protocolVersion = Messages.PROTOCOL_VERSION;
        agreed.requestId = requestId;
        agreed.resultSeal = entry.resultSeal;
        agreed.outcome = entry.outcome;
        agreed.status = entry.status;
    }

    /// @dev Exactly a quorum agreed. Speed is rewarded: k parts for the first to commit, one for the last.
    function _payWinners(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation memory agreed
    ) private {
        uint256 quorum = ticket.quorum;
        address[] memory operators = new address[](quorum);
        uint256[] memory weights = new uint256[](quorum);
        uint256 found;
        for (uint256 i; found < quorum; ++i) {
            Entry storage entry = _entries[agreed.requestId][i];
            if (!_agrees(entry, agreed.resultSeal, agreed.outcome, agreed.status)) continue;
            operators[found] = entry.operator;
            weights[found] = quorum - found;
            ++found;
        }
        _coordinator.settleReserved(ticket, agreed, _protocolFeeBpsAt(ticket.issuedAt), operators, weights);
    }

    /// @dev Only what was opened has an outcome.
    function _agrees(
        Entry storage entry,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) private view returns (bool) {
        return entry.outcome == outcome && entry.status == status && entry.resultSeal == resultSeal;
    }

    function _payableAt(
        IExecutionCoordinator.Ticket calldata ticket,
        uint256 agreedAt
    ) private view returns (uint256) {
        return Math.max(ticket.deadline, agreedAt) + _conflictWindow + 1;
    }
}
