// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Suite} from "../deployment/Suite.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {Requesters} from "./Requesters.sol";
import {Tickets} from "./Tickets.sol";

/// @title What anybody may ask the coordinator.
abstract contract CoordinatorViews is IExecutionCoordinator, Tickets, Requesters {
    /// @inheritdoc IExecutionCoordinator
    function token() external view returns (address) {
        return _token;
    }

    /// @inheritdoc IExecutionCoordinator
    function treasury() external view returns (address) {
        return _treasury;
    }

    /// @inheritdoc IExecutionCoordinator
    function treasuryBalance() external view returns (uint256) {
        return _treasuryBalance;
    }

    /// @inheritdoc IExecutionCoordinator
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparator();
    }

    /// @inheritdoc IExecutionCoordinator
    function suite() external view returns (Suite memory) {
        return Suite({
            token: _token,
            treasury: _treasury,
            parameters: address(_parameters),
            functions: _functions,
            operators: address(_operators),
            coordinator: address(this),
            confirmedLane: _confirmedLane,
            escrow: _escrow,
            court: address(_court)
        });
    }

    /// @inheritdoc IExecutionCoordinator
    function creditOf(
        address funder
    ) external view returns (uint256 available, uint256 withdrawing, uint40 withdrawableAt) {
        Account storage account = _accounts[funder];
        return (account.available, account.withdrawing, account.withdrawableAt);
    }

    /// @inheritdoc IExecutionCoordinator
    function getCreditLine(
        address funder,
        address requester
    ) external view returns (CreditLine memory) {
        Line storage line = _lines[funder][requester];
        uint32 epoch = _currentEpoch();
        return CreditLine({
            capPerEpoch: line.capPerEpoch,
            maxFee: line.maxFee,
            spentInEpoch: _toUint96(_spentIn(line, funder, requester, epoch)),
            spentEpoch: epoch,
            closesAt: line.isClosing ? uint40(line.changedAt + _settleableSeconds() + 1) : 0
        });
    }

    /// @inheritdoc IExecutionCoordinator
    function availableCredit(
        address funder,
        address requester
    ) external view returns (uint256 available, uint256 maxFee) {
        available = _accounts[funder].available;
        if (funder == requester) return (available, type(uint96).max);
        Line storage line = _lines[funder][requester];
        uint256 left = Math.saturatingSub(line.capPerEpoch, _spentIn(line, funder, requester, _currentEpoch()));
        return (Math.min(available, left), line.maxFee);
    }

    /// @inheritdoc IExecutionCoordinator
    function uncollectedFees(
        address requester
    ) external view returns (uint256) {
        return _requesters[requester].uncollectedFees;
    }

    /// @inheritdoc IExecutionCoordinator
    function requesterBond(
        address account
    ) external view returns (RequesterBond memory) {
        Requester storage requester = _requesters[account];
        return RequesterBond({
            amount: requester.bond, countsFrom: requester.countsFrom, withdrawableAt: requester.withdrawableAt
        });
    }

    /// @inheritdoc IExecutionCoordinator
    function drawReason(
        address requester,
        uint64 sequence,
        uint32 epoch,
        uint40 issuedAt
    ) external view returns (SkipReason) {
        // A bond from before the epoch's seed, and a number that could not be chosen among many.
        if (!_countsIn(requester, epoch) || !_isBonded(requester, issuedAt)) return SkipReason.RequesterNotBonded;
        return _isInWindow(requester, sequence) ? SkipReason.None : SkipReason.SequenceAhead;
    }

    /// @inheritdoc IExecutionCoordinator
    function earningsOf(
        address operator
    ) external view returns (uint256) {
        return _earnings[operator];
    }

    /// @inheritdoc IExecutionCoordinator
    function isConsumed(
        address requester,
        uint64 sequence
    ) external view returns (bool) {
        return _consumed[requester][sequence / SEQUENCES_PER_WORD] & _sequenceBit(sequence) != 0;
    }

    /// @inheritdoc IExecutionCoordinator
    function hashTicket(
        Ticket calldata ticket
    ) external view returns (bytes32) {
        return Messages.hashTicketCalldata(_domainSeparator(), ticket);
    }
}
