// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Messages} from "../libraries/Messages.sol";
import {LaneRecords} from "./LaneRecords.sol";

/// @title Commitments on chain: who may make one, in what order they are opened, and who made none.
abstract contract LaneCommitments is LaneRecords {
    /// @dev A quorum of k takes this many more, so that a few that are never opened do not stop it.
    uint256 private constant SPARE_COMMITMENTS = 2;
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    mapping(bytes32 requestId => mapping(address operator => bool)) private _isPenalized;

    /// @inheritdoc IConfirmedLane
    function commit(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes32 commitment
    ) external {
        bytes32 requestId = _requestIdOf(ticket);
        Record storage record = _requireAnswerable(requestId, ticket);
        _rememberSeating(ticket.epoch);
        address operator = _actingOperator(ticket);
        _require(requestId, operator != address(0), IExecutionCoordinator.SkipReason.WorkerNotActive);
        _requireNone(requestId, _seatReason(requestId, ticket, operator));
        uint256 position = record.commitments;
        (bool hasCommitted,) = _positionOf(requestId, operator);
        bool isTaken = commitment != 0 && !hasCommitted && _takesCommitments(requestId, ticket.quorum, position);
        require(isTaken, CommitmentRefused(requestId, operator));
        Entry storage entry = _entries[requestId][position];
        entry.commitment = commitment;
        entry.operator = operator;
        entry.atBlock = uint32(block.number);
        // One more than a position below 16.
        // forge-lint: disable-next-line(unsafe-typecast)
        record.commitments = uint8(position + 1);
        if (ticket.quorum > 1) _closeCommitments(requestId, ticket, position + 1);
        // forge-lint: disable-next-line(unsafe-typecast)
        emit CommitmentPosted(requestId, operator, commitment, uint8(position));
    }

    /// @inheritdoc IConfirmedLane
    function reportSilence(
        IExecutionCoordinator.Ticket calldata ticket,
        address operator
    ) external {
        bytes32 requestId = _requestIdOf(ticket);
        bool isReported = _isPenalized[requestId][operator];
        require(!isReported && _wasSilent(requestId, ticket, operator), NotSilent(requestId, operator));
        _isPenalized[requestId][operator] = true;
        // The requester names the fee, and may hide the code: what silence costs must not be its choice.
        uint256 most = _parameters.inForceAt(ticket.issuedAt).jurorFee;
        uint256 amount = _operators.slash(operator, Math.min(ticket.fee, most), BURNED);
        emit SilencePenalized(requestId, operator, amount);
    }

    /// @inheritdoc IConfirmedLane
    function opensAtBlock(
        IExecutionCoordinator.Ticket calldata ticket,
        address operator
    ) external view returns (uint256) {
        bytes32 requestId = _requestIdOf(ticket);
        (bool hasCommitted, uint256 position) = _positionOf(requestId, operator);
        return hasCommitted ? _opensAt(requestId, ticket, position) : 0;
    }

    /// @dev When a commitment's turn comes. With quorum 1 whoever saw an opening on its way commits behind it, so it waits
    /// for every earlier place; and for one more where the requester signs sets, since an opening against such a set has no
    /// place on chain. A quorum's openings begin when commitments are closed.
    function _opensAt(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        uint256 position
    ) internal view returns (uint256) {
        if (ticket.quorum == 1) {
            uint256 places = ticket.sequence < FIRST_SEQUENCE ? position + 1 : position;
            return _entries[requestId][position].atBlock + 1 + TURN_BLOCKS * places;
        }
        QuorumRecord storage quorum = _quorums[requestId];
        if (quorum.closesAfterBlock == 0) return type(uint256).max;
        // One, moved left: this order is meant.
        // forge-lint: disable-next-line(incorrect-shift)
        uint256 earlier = (1 << position) - 1;
        uint256 waiting = position - _countBits(quorum.openedMask & earlier);
        return quorum.closesAfterBlock + 1 + TURN_BLOCKS * waiting;
    }

    /// @dev The caller as an operator, or as the key that signs for this ticket.
    function _actingOperator(
        IExecutionCoordinator.Ticket calldata ticket
    ) private view returns (address operator) {
        address actor = _actor();
        operator = _operators.operatorForKey(actor, ticket.issuedAt);
        if (operator != address(0)) return operator;
        return _isKeyValid(actor, ticket.issuedAt) ? actor : address(0);
    }

    function _isKeyValid(
        address operator,
        uint40 issuedAt
    ) private view returns (bool) {
        return _operators.operatorForKey(_operators.getOperator(operator).executionKey, issuedAt) == operator;
    }

    /// @dev Why an operator has no seat of any kind yet.
    function _seatReason(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        address operator
    ) private view returns (IExecutionCoordinator.SkipReason reason) {
        if (_hasSeat(requestId, ticket, operator, Messages.SEAT_ALL_SEATED)) return reason;
        reason = IExecutionCoordinator.SkipReason.NotSeated;
        if (_hasSeat(requestId, ticket, operator, Messages.SEAT_DRAWN)) reason = _drawReason(ticket);
        if (_hasSeat(requestId, ticket, operator, Messages.SEAT_WIDENED)) {
            reason = IExecutionCoordinator.SkipReason.None;
        }
    }

    function _takesCommitments(
        bytes32 requestId,
        uint8 quorum,
        uint256 count
    ) private view returns (bool) {
        if (quorum == 1) return count < MAXIMUM_COMMITMENTS;
        uint256 closesAfterBlock = _quorums[requestId].closesAfterBlock;
        return count < quorum + SPARE_COMMITMENTS && (closesAfterBlock == 0 || block.number <= closesAfterBlock);
    }

    /// @dev Whoever commits after the first opening could copy it, so a quorum's commitments end before: when there are
    /// enough, a turn later for those who were slower, at once when nobody is left.
    function _closeCommitments(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        uint256 count
    ) private {
        if (count < ticket.quorum) return;
        QuorumRecord storage quorum = _quorums[requestId];
        if (count == ticket.quorum + SPARE_COMMITMENTS || _areAllCommitted(ticket.epoch, count)) {
            quorum.closesAfterBlock = uint32(block.number);
        } else if (count == ticket.quorum) {
            // See `Record` about block numbers.
            // forge-lint: disable-next-line(unsafe-typecast)
            quorum.closesAfterBlock = uint32(block.number + TURN_BLOCKS);
        }
    }

    /// @dev Both counts: leaving now must not close the door to those who stay.
    function _areAllCommitted(
        uint32 epoch,
        uint256 count
    ) private view returns (bool) {
        return count >= _operators.activeCount() && count >= _operators.getEpoch(epoch).operatorCount;
    }

    /// @dev A drawn operator that could have answered before seats were open to all, in place of the one who did.
    function _wasSilent(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        address operator
    ) private view returns (bool) {
        Record memory record = _records[requestId];
        // What nobody answered has zero blocks until its answer, and seats are never open to all at once.
        if (!record.hasInput || record.answeredBy == operator) return false;
        if (record.answeredAfter < _parameters.inForceAt(ticket.issuedAt).wideningBlocks) return false;
        if (record.commitments == MAXIMUM_COMMITMENTS) return false;
        (bool hasCommitted,) = _positionOf(requestId, operator);
        return !hasCommitted && _wasAtWork(operator, ticket.issuedAt)
            && _hasSeat(requestId, ticket, operator, Messages.SEAT_DRAWN)
            && _drawReason(ticket) == IExecutionCoordinator.SkipReason.None;
    }

    /// @dev Active when the ticket was issued and ever since, with a key for it.
    function _wasAtWork(
        address operator,
        uint40 issuedAt
    ) private view returns (bool) {
        IOperatorRegistry.Operator memory record = _operators.getOperator(operator);
        return record.status == IOperatorRegistry.OperatorStatus.Active && record.statusSince <= issuedAt
            && _isKeyValid(operator, issuedAt);
    }
}
