// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {CreditLines} from "./CreditLines.sol";
import {Requesters} from "./Requesters.sol";
import {Tickets} from "./Tickets.sol";

/// @title Fees that are set aside for tickets posted on chain, until the confirmed lane pays or frees them.
abstract contract Reservations is IExecutionCoordinator, Tickets, CreditLines, Requesters {
    /// @inheritdoc IExecutionCoordinator
    function reserve(
        bytes32 requestId,
        Ticket calldata ticket
    ) external onlyConfirmedLane {
        SkipReason reason = _checkPostable(ticket);
        require(reason == SkipReason.None, TicketInvalid(requestId, reason));
        _consumed[ticket.requester][_sequenceWord(ticket.sequence)] |= _sequenceBit(ticket.sequence);
        Funding memory funding;
        _openFunding(funding, ticket.funder, ticket.requester, ticket.epoch);
        if (!_takeFee(funding, ticket.requester, ticket.fee, ticket.issuedAt)) {
            require(funding.capPerEpoch != 0, CreditLineClosed(ticket.funder, ticket.requester));
            revert CreditExhausted(ticket.funder, ticket.requester, funding.available, ticket.fee);
        }
        _closeFunding(funding, ticket.requester, true);
    }

    /// @inheritdoc IExecutionCoordinator
    function settleReserved(
        Ticket calldata ticket,
        Attestation calldata attestation,
        address[] calldata operators,
        uint256[] calldata weights
    ) external onlyConfirmedLane {
        (uint256 feeBps,) = _parameters.settlementTermsAt(ticket.issuedAt);
        uint256 protocolFee = ticket.fee * feeBps / BASIS_POINTS;
        uint256 pot = ticket.fee - protocolFee;
        _payReserved(ticket.funder, ticket.fee);
        _addFees(ticket.requester, protocolFee);
        uint256 total;
        for (uint256 i; i < weights.length; ++i) {
            total += weights[i];
        }
        uint256 left = pot;
        // The first is paid last: it gets what the divisions leave.
        for (uint256 i = operators.length - 1; i != 0; --i) {
            uint256 reward = pot * weights[i] / total;
            left -= reward;
            _reward(attestation, operators[i], reward);
        }
        _reward(attestation, operators[0], left);
    }

    /// @inheritdoc IExecutionCoordinator
    function freeReserved(
        address funder,
        uint96 fee
    ) external onlyConfirmedLane {
        _freeReserved(funder, fee);
    }

    /// @inheritdoc IExecutionCoordinator
    function payAudit(
        address operator,
        uint256 amount
    ) external onlyCourt returns (uint256 paid) {
        uint256 balance = _treasuryBalance;
        paid = amount < balance ? amount : balance;
        _treasuryBalance = balance - paid;
        _addEarnings(operator, paid);
        emit AuditPaid(operator, paid);
    }

    function _reward(
        Attestation calldata attestation,
        address operator,
        uint256 reward
    ) private {
        _addEarnings(operator, reward);
        emit ExecutionSettled(
            attestation.requestId,
            operator,
            attestation.resultSeal,
            attestation.outcome,
            attestation.status,
            _toUint96(reward)
        );
    }

    function _checkPostable(
        Ticket calldata ticket
    ) private view returns (SkipReason reason) {
        if (ticket.protocolVersion != Messages.PROTOCOL_VERSION) return SkipReason.TermsInvalid;
        if (ticket.lane != Messages.LANE_CONFIRMED) return SkipReason.LaneMismatch;
        if (ticket.quorum == 0 || ticket.quorum > MAXIMUM_QUORUM) return SkipReason.QuorumNotMet;
        reason = _checkTimes(ticket.issuedAt, ticket.deadline, ticket.epoch);
        if (reason != SkipReason.None) return reason;
        if (block.timestamp > ticket.deadline) return SkipReason.Expired;
        bool isUsed = _consumed[ticket.requester][_sequenceWord(ticket.sequence)] & _sequenceBit(ticket.sequence) != 0;
        return isUsed ? SkipReason.SequenceConsumed : SkipReason.None;
    }
}
