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
        _closeFunding(funding, ticket.requester);
    }

    /// @inheritdoc IExecutionCoordinator
    function settleReserved(
        Ticket calldata ticket,
        Attestation calldata attestation,
        uint256 protocolFeeBps,
        address[] calldata operators,
        uint256[] calldata weights
    ) external onlyConfirmedLane {
        uint256 protocolFee = ticket.fee * protocolFeeBps / BASIS_POINTS;
        uint256 pot = ticket.fee - protocolFee;
        _addFees(ticket.requester, protocolFee);
        uint256[] memory rewards = _divide(pot, weights);
        _addEarnings(operators[0], rewards[0]);
        emit ExecutionSettled(
            attestation.requestId,
            operators[0],
            attestation.resultSeal,
            attestation.outcome,
            attestation.status,
            _toUint96(rewards[0])
        );
        address[] memory one = new address[](1);
        for (uint256 i = 1; i < operators.length; ++i) {
            one[0] = operators[i];
            _addEarnings(one[0], rewards[i]);
            emit RewardsShared(attestation.requestId, one, _toUint96(rewards[i]));
        }
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

    /// @dev The first gets what the divisions leave.
    function _divide(
        uint256 pot,
        uint256[] calldata weights
    ) private pure returns (uint256[] memory rewards) {
        uint256 total;
        for (uint256 i; i < weights.length; ++i) {
            total += weights[i];
        }
        rewards = new uint256[](weights.length);
        rewards[0] = pot;
        for (uint256 i = 1; i < weights.length; ++i) {
            rewards[i] = pot * weights[i] / total;
            rewards[0] -= rewards[i];
        }
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
