// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {LaneRecords} from "./LaneRecords.sol";
import {TicketCalls} from "./TicketCalls.sol";

/// @title How a request comes on chain, and how it leaves when nobody answers.
abstract contract LanePosts is LaneRecords {
    /// @dev 8 KiB of canonical request behind its salt. Twin: `LIMITS.calldataInputBytes`.
    uint256 private constant MAXIMUM_INPUT_BYTES = 8192 + SALT_BYTES;
    uint256 private constant SALT_BYTES = 32;
    /// @dev Enough for a contract to do something with a result, far below what a block holds.
    uint256 private constant MAXIMUM_CALLBACK_GAS = 2_000_000;

    mapping(address requester => uint64) private _requestCounts;

    /// @inheritdoc IConfirmedLane
    function post(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata signature,
        bytes calldata input
    ) external returns (bytes32 requestId) {
        requestId = _requestIdOf(ticket);
        require(_records[requestId].status == PostedStatus.None, AlreadyPosted(requestId));
        _require(
            requestId,
            _isRequesters(ticket.requester, requestId, signature),
            IExecutionCoordinator.SkipReason.RequesterSignature
        );
        _require(requestId, ticket.sequence < FIRST_SEQUENCE, IExecutionCoordinator.SkipReason.SequenceAhead);
        if (input.length != 0) _checkInput(requestId, ticket.inputSeal, input);
        _record(requestId, input.length != 0, 0);
        emit ExecutionRequested(requestId, ticket.functionId, ticket.requester, ticket, input);
        // Checks every term but the signature, consumes the sequence number and sets the fee aside.
        TicketCalls.reserve(_coordinator, requestId, ticket);
    }

    /// @inheritdoc IConfirmedLane
    function request(
        Order calldata order,
        bytes calldata input
    ) external returns (bytes32 requestId) {
        require(order.callbackGas <= MAXIMUM_CALLBACK_GAS, CallbackGasTooHigh(order.callbackGas, MAXIMUM_CALLBACK_GAS));
        IExecutionCoordinator.Ticket memory ticket = _ticketOf(order, _actor());
        requestId = Messages.hashTicket(_messageDomain(), ticket);
        _checkInput(requestId, order.inputSeal, input);
        ++_requestCounts[ticket.requester];
        // Checked against its maximum above.
        // forge-lint: disable-next-line(unsafe-typecast)
        _record(requestId, true, uint24(order.callbackGas));
        emit ExecutionRequested(requestId, ticket.functionId, ticket.requester, ticket, input);
        _coordinator.reserve(requestId, ticket);
    }

    /// @inheritdoc IConfirmedLane
    function expire(
        IExecutionCoordinator.Ticket calldata ticket
    ) external {
        bytes32 requestId = _requestIdOf(ticket);
        // What agreed is paid, unless a dispute about it was lost: then nobody can be.
        bool isLost = _records[requestId].status == PostedStatus.Agreed && _court.lostCasesOf(requestId) != 0
            && _court.openCasesOf(requestId) == 0;
        Record storage record = _requireStatus(requestId, isLost ? PostedStatus.Agreed : PostedStatus.Open);
        uint256 availableAt = _settleableUntil(ticket) + 1;
        require(block.timestamp >= availableAt, IExecutionCoordinator.TooEarly(availableAt, block.timestamp));
        record.status = PostedStatus.Expired;
        emit ExecutionExpired(requestId);
        _coordinator.freeReserved(ticket.funder, ticket.fee);
    }

    /// @inheritdoc IConfirmedLane
    function nextSequence(
        address requester
    ) public view returns (uint64) {
        return FIRST_SEQUENCE + _requestCounts[requester];
    }

    /// @dev Whoever posts its own ticket need not sign it as well.
    function _isRequesters(
        address requester,
        bytes32 requestId,
        bytes calldata signature
    ) private view returns (bool) {
        if (signature.length == 0 && _actor() == requester) return true;
        return _isSignedByAccount(requester, requestId, signature);
    }

    function _record(
        bytes32 requestId,
        bool hasInput,
        uint24 callbackGas
    ) private {
        _writeRecord(
            requestId,
            Record({
                status: PostedStatus.Open,
                hasInput: hasInput,
                commitments: 0,
                answeredAfter: 0,
                callbackGas: callbackGas,
                postedBlock: uint32(block.number),
                answeredBy: address(0)
            })
        );
    }

    /// @dev Workers must be able to rely on what they read here, and silence is only a fault where they could.
    function _checkInput(
        bytes32 requestId,
        bytes32 inputSeal,
        bytes calldata input
    ) private pure {
        require(input.length <= MAXIMUM_INPUT_BYTES, InputTooLarge(input.length, MAXIMUM_INPUT_BYTES));
        require(input.length > SALT_BYTES, InputMismatch(requestId));
        bytes32 salt = bytes32(input[:SALT_BYTES]);
        require(Hashes.seal(keccak256(input[SALT_BYTES:]), salt) == inputSeal, InputMismatch(requestId));
    }

    function _ticketOf(
        Order calldata order,
        address requester
    ) private view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket.protocolVersion = Messages.PROTOCOL_VERSION;
        ticket.functionId = order.functionId;
        ticket.functionVersion = order.functionVersion;
        ticket.runtimeDigest = order.runtimeDigest;
        ticket.inputSeal = order.inputSeal;
        ticket.requester = requester;
        ticket.epoch = uint32(Messages.epochAt(block.timestamp, _epochSeconds));
        ticket.sequence = nextSequence(requester);
        ticket.quorum = order.quorum;
        ticket.lane = Messages.LANE_CONFIRMED;
        ticket.fee = order.fee;
        ticket.issuedAt = uint40(block.timestamp);
        ticket.deadline = uint40(block.timestamp + order.lifetime);
        ticket.funder = requester;
    }
}
