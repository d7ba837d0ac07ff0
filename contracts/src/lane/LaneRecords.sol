// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Suite} from "../deployment/Suite.sol";
import {TicketEvidence} from "../evidence/TicketEvidence.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";
import {LaneSeats} from "./LaneSeats.sol";

/// @title What the lane remembers of a posted ticket: one slot, and more only where commitments stand on chain.
abstract contract LaneRecords is IConfirmedLane, LaneSeats, RelayedActions {
    /// @dev `answeredAfter`: blocks from the post to the answer. 32 bits of block numbers last for 270 years of two seconds.
    struct Record {
        PostedStatus status;
        bool hasInput;
        uint8 commitments;
        uint16 answeredAfter;
        uint24 callbackGas;
        uint32 postedBlock;
        address answeredBy;
    }

    /// @dev A commitment, and what it was opened to; `outcome` is zero until then. The last three only for quorums.
    struct Entry {
        bytes32 commitment;
        address operator;
        uint32 atBlock;
        uint8 outcome;
        uint16 status;
        bytes32 resultSeal;
    }

    /// @dev How far a quorum is. Commitments are taken until `closesAfterBlock`, openings only after it.
    struct QuorumRecord {
        uint32 closesAfterBlock;
        uint40 agreedAt;
        uint16 openedMask;
        uint8 agreedPosition;
    }

    /// @dev Twin: `LIMITS.quorumCommitments`.
    uint256 internal constant MAXIMUM_COMMITMENTS = 16;
    /// @dev Blocks that whoever committed earlier has for itself.
    uint256 internal constant TURN_BLOCKS = 8;
    /// @dev From here on sequence numbers are given by `request`.
    uint64 internal constant FIRST_SEQUENCE = 1 << 63;

    IDisputeCourt internal immutable _court;
    uint256 internal immutable _settlementGrace;
    uint256 internal immutable _conflictWindow;

    mapping(bytes32 requestId => Record) internal _records;
    mapping(bytes32 requestId => QuorumRecord) internal _quorums;
    mapping(bytes32 requestId => mapping(uint256 position => Entry)) internal _entries;

    constructor(
        Suite memory suite
    ) TicketEvidence(suite) {
        IProtocolParameters.Times memory times = IProtocolParameters(suite.parameters).times();
        _court = IDisputeCourt(suite.court);
        _settlementGrace = times.settlementGrace;
        _conflictWindow = times.conflictWindow;
    }

    /// @inheritdoc IConfirmedLane
    function getPosted(
        bytes32 requestId
    ) external view returns (Posted memory) {
        Record storage record = _records[requestId];
        QuorumRecord storage quorum = _quorums[requestId];
        return Posted({
            status: record.status,
            postedBlock: record.postedBlock,
            commitments: record.commitments,
            // A mask of 16 bits has at most 16 of them set.
            // forge-lint: disable-next-line(unsafe-typecast)
            openings: record.answeredBy != address(0) ? 1 : uint8(_countBits(quorum.openedMask)),
            callbackGas: record.callbackGas,
            agreedAt: quorum.agreedAt
        });
    }

    /// @inheritdoc IConfirmedLane
    function getCommitment(
        bytes32 requestId,
        address operator
    ) external view returns (Commitment memory commitment) {
        (bool hasCommitted, uint256 position) = _positionOf(requestId, operator);
        if (!hasCommitted) return commitment;
        Entry storage entry = _entries[requestId][position];
        return Commitment({
            commitment: entry.commitment,
            // There are at most 16 positions.
            // forge-lint: disable-next-line(unsafe-typecast)
            position: uint8(position),
            atBlock: entry.atBlock,
            isOpened: entry.outcome != 0 || _records[requestId].answeredBy == operator
        });
    }

    /// @dev Where an operator's commitment stands. There are few, so they are searched and not indexed.
    function _positionOf(
        bytes32 requestId,
        address operator
    ) internal view returns (bool hasCommitted, uint256 position) {
        uint256 count = _records[requestId].commitments;
        for (; position < count; ++position) {
            if (_entries[requestId][position].operator == operator) return (true, position);
        }
        return (false, 0);
    }

    /// @dev All members at once. Assigning a struct writes its slot once for each member.
    function _writeRecord(
        bytes32 requestId,
        Record memory record
    ) internal {
        Record storage place = _records[requestId];
        assembly ("memory-safe") {
            let packed := or(mload(record), shl(8, mload(add(record, 0x20))))
            packed := or(packed, shl(16, mload(add(record, 0x40))))
            packed := or(packed, shl(24, mload(add(record, 0x60))))
            packed := or(packed, shl(40, mload(add(record, 0x80))))
            packed := or(packed, shl(64, mload(add(record, 0xa0))))
            sstore(place.slot, or(packed, shl(96, mload(add(record, 0xc0)))))
        }
    }

    /// @dev Reverts unless the ticket stands here in this status.
    function _requireStatus(
        bytes32 requestId,
        PostedStatus expected
    ) internal view returns (Record storage record) {
        record = _records[requestId];
        PostedStatus status = record.status;
        require(status != PostedStatus.None, NotPosted(requestId));
        require(status == expected, PostedNotInStatus(requestId, expected, status));
    }

    /// @dev Reverts unless the ticket stands here unanswered and may still be answered.
    function _requireAnswerable(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (Record storage record) {
        record = _requireStatus(requestId, PostedStatus.Open);
        _require(requestId, block.timestamp <= _settleableUntil(ticket), IExecutionCoordinator.SkipReason.Expired);
    }

    function _require(
        bytes32 requestId,
        bool condition,
        IExecutionCoordinator.SkipReason otherwise
    ) internal pure {
        require(condition, IExecutionCoordinator.TicketInvalid(requestId, otherwise));
    }

    function _requireNone(
        bytes32 requestId,
        IExecutionCoordinator.SkipReason reason
    ) internal pure {
        _require(requestId, reason == IExecutionCoordinator.SkipReason.None, reason);
    }

    function _settleableUntil(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (uint256) {
        return ticket.deadline + _settlementGrace;
    }

    function _postedBlockOf(
        bytes32 requestId
    ) internal view override returns (uint256) {
        return _records[requestId].postedBlock;
    }

    function _countBits(
        uint256 mask
    ) internal pure returns (uint256 count) {
        for (; mask != 0; mask &= mask - 1) {
            ++count;
        }
    }
}
