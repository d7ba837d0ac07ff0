// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {CreditLines} from "./CreditLines.sol";
import {Operators} from "./Operators.sol";
import {Tickets} from "./Tickets.sol";

/// @title The confirmed lane: a ticket on chain, then its result, or its expiry.
abstract contract ConfirmedLane is Operators, Tickets, CreditLines {
    /// @dev 8 KiB of canonical request behind its salt. Twin: `LIMITS.calldataInputBytes`.
    uint256 internal constant MAXIMUM_INPUT_BYTES = 8192 + 32;

    mapping(bytes32 requestId => PostedStatus) private _posted;

    /// @inheritdoc IExecutionCoordinator
    function post(
        Ticket calldata ticket,
        bytes calldata signature,
        bytes calldata input
    ) external returns (bytes32 requestId) {
        require(input.length <= MAXIMUM_INPUT_BYTES, InputTooLarge(input.length, MAXIMUM_INPUT_BYTES));
        requestId = Messages.hashTicket(domainSeparator(), ticket);
        require(_posted[requestId] == PostedStatus.None, AlreadyPosted(requestId));
        SkipReason reason = _checkPostable(ticket);
        require(reason == SkipReason.None, TicketInvalid(requestId, reason));
        require(
            _isSignedByRequester(ticket.requester, requestId, signature),
            TicketInvalid(requestId, SkipReason.RequesterSignature)
        );
        _posted[requestId] = PostedStatus.Open;
        _consumed[ticket.requester][ticket.sequence >> 8] |= _sequenceBit(ticket.sequence);
        _reserveFee(ticket);
        emit ExecutionRequested(requestId, ticket.functionId, ticket.requester, ticket, input);
    }

    /// @inheritdoc IExecutionCoordinator
    function submit(
        Ticket calldata ticket,
        Attestation calldata attestation,
        bytes calldata signature,
        bytes calldata output
    ) external {
        bytes32 domain = domainSeparator();
        bytes32 requestId = Messages.hashTicket(domain, ticket);
        _requireOpen(requestId);
        SkipReason reason = _checkAnswer(ticket, attestation, requestId);
        require(reason == SkipReason.None, TicketInvalid(requestId, reason));
        address operator = _signingOperator(domain, ticket, attestation, signature, output.length);
        _posted[requestId] = PostedStatus.Settled;
        (uint96 reward, uint96 protocolFee) = _splitFee(ticket.fee);
        _payReserved(ticket.funder, ticket.fee);
        _addEarnings(operator, reward);
        treasuryBalance += protocolFee;
        emit ExecutionSettled(
            requestId, operator, attestation.resultSeal, attestation.outcome, attestation.status, reward
        );
        if (output.length != 0) emit ExecutionOutput(requestId, output);
    }

    /// @inheritdoc IExecutionCoordinator
    function expire(
        Ticket calldata ticket
    ) external {
        bytes32 requestId = Messages.hashTicket(domainSeparator(), ticket);
        _requireOpen(requestId);
        uint256 availableAt = uint256(ticket.deadline) + settlementGrace + 1;
        require(block.timestamp >= availableAt, TooEarly(availableAt, block.timestamp));
        _posted[requestId] = PostedStatus.Expired;
        _freeReserved(ticket.funder, ticket.fee);
        emit ExecutionExpired(requestId);
    }

    /// @inheritdoc IExecutionCoordinator
    function postedStatus(
        bytes32 requestId
    ) external view returns (PostedStatus) {
        return _posted[requestId];
    }

    function _reserveFee(
        Ticket calldata ticket
    ) private {
        Funding memory funding = _openFunding(ticket.funder, ticket.requester, ticket.epoch);
        if (!_takeFee(funding, ticket.fee, ticket.issuedAt)) {
            require(funding.capPerEpoch != 0, CreditLineClosed(ticket.funder, ticket.requester));
            revert CreditExhausted(ticket.funder, ticket.requester, funding.available, ticket.fee);
        }
        _closeFunding(funding, ticket.funder, ticket.requester, ticket.epoch, true);
    }

    function _requireOpen(
        bytes32 requestId
    ) private view {
        PostedStatus status = _posted[requestId];
        require(status != PostedStatus.None, NotPosted(requestId));
        require(status == PostedStatus.Open, PostedNotOpen(requestId, status));
    }

    function _checkPostable(
        Ticket calldata ticket
    ) private view returns (SkipReason reason) {
        if (ticket.protocolVersion != Messages.PROTOCOL_VERSION) return SkipReason.TermsInvalid;
        reason = _checkLane(ticket.quorum, ticket.lane, Messages.LANE_CONFIRMED);
        if (reason != SkipReason.None) return reason;
        reason = _checkTimes(ticket.issuedAt, ticket.deadline, ticket.epoch);
        if (reason != SkipReason.None) return reason;
        if (block.timestamp > ticket.deadline) return SkipReason.Expired;
        bool isUsed = _consumed[ticket.requester][ticket.sequence >> 8] & _sequenceBit(ticket.sequence) != 0;
        return isUsed ? SkipReason.SequenceConsumed : SkipReason.None;
    }

    function _checkAnswer(
        Ticket calldata ticket,
        Attestation calldata attestation,
        bytes32 requestId
    ) private view returns (SkipReason) {
        if (block.timestamp > uint256(ticket.deadline) + settlementGrace) return SkipReason.Expired;
        if (attestation.protocolVersion != Messages.PROTOCOL_VERSION || attestation.requestId != requestId) {
            return SkipReason.TermsInvalid;
        }
        return _checkOutcome(attestation.outcome, attestation.status, attestation.seat);
    }

    /// @dev Who signed the attestation, when it may be paid for it and the caller may bring it.
    function _signingOperator(
        bytes32 domain,
        Ticket calldata ticket,
        Attestation calldata attestation,
        bytes calldata signature,
        uint256 outputLength
    ) private view returns (address operator) {
        bytes32 digest = Messages.hashAttestation(domain, attestation);
        (address key, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        bytes32 requestId = attestation.requestId;
        require(failure == ECDSA.RecoverError.NoError, TicketInvalid(requestId, SkipReason.WorkerSignature));
        ExecutionKey memory executionKey = _executionKeyOf(key);
        operator = executionKey.operator;
        require(
            _isValidFor(executionKey.validFrom, executionKey.validTo, ticket.issuedAt) && _isPaid(operator),
            TicketInvalid(requestId, SkipReason.WorkerNotActive)
        );
        if (msg.sender != operator && msg.sender != key) {
            require(block.timestamp > ticket.deadline && outputLength == 0, SubmitterNotWorker(operator, msg.sender));
        }
    }
}
