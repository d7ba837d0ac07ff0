// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICoordinatorAccounts} from "../interfaces/ICoordinatorAccounts.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Ledger} from "./Ledger.sol";

/// @title Funders' credit, and what they let requesters spend of it.
/// @notice Nothing a funder does takes away what covers a ticket that is already issued: lower terms, a closed line and a
/// withdrawal hold for tickets issued later.
abstract contract CreditActions is Ledger {
    /// @inheritdoc ICoordinatorAccounts
    function depositCredit(
        address funder,
        uint96 amount
    ) external nonReentrant {
        require(funder != address(0), IExecutionCoordinator.AddressZero());
        require(amount != 0, IExecutionCoordinator.AmountZero());
        _accounts[funder].available += amount;
        address from = _actor();
        emit IExecutionCoordinator.CreditDeposited(funder, from, amount);
        _receiveTokens(from, amount);
    }

    /// @inheritdoc ICoordinatorAccounts
    function grantCreditLine(
        address requester,
        uint96 capPerEpoch,
        uint96 maxFee
    ) external {
        require(requester != address(0), IExecutionCoordinator.AddressZero());
        require(capPerEpoch != 0 && maxFee != 0, IExecutionCoordinator.AmountZero());
        address funder = _actor();
        _changeLine(_lines[funder][requester], capPerEpoch, maxFee, false);
        emit IExecutionCoordinator.CreditLineGranted(funder, requester, capPerEpoch, maxFee);
    }

    /// @inheritdoc ICoordinatorAccounts
    function revokeCreditLine(
        address requester
    ) external {
        address funder = _actor();
        Line storage line = _lines[funder][requester];
        require(line.capPerEpoch != 0, IExecutionCoordinator.CreditLineClosed(funder, requester));
        _changeLine(line, 0, 0, true);
        emit IExecutionCoordinator.CreditLineRevoked(funder, requester, _afterOpenTickets());
    }

    /// @inheritdoc ICoordinatorAccounts
    function requestCreditWithdrawal(
        uint96 amount
    ) external {
        require(amount != 0, IExecutionCoordinator.AmountZero());
        address funder = _actor();
        Account storage account = _accounts[funder];
        require(amount <= account.available, IExecutionCoordinator.BalanceTooLow(funder, account.available, amount));
        account.available -= amount;
        account.withdrawing += amount;
        account.withdrawableAt = _afterOpenTickets();
        emit IExecutionCoordinator.CreditWithdrawalRequested(funder, amount, account.withdrawableAt);
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawCredit(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), IExecutionCoordinator.AddressZero());
        address funder = _actor();
        Account storage account = _accounts[funder];
        amount = account.withdrawing;
        require(amount != 0, IExecutionCoordinator.NothingToWithdraw(funder));
        require(
            block.timestamp >= account.withdrawableAt,
            IExecutionCoordinator.TooEarly(account.withdrawableAt, block.timestamp)
        );
        account.withdrawing = 0;
        account.withdrawableAt = 0;
        emit IExecutionCoordinator.CreditWithdrawn(funder, to, amount);
        _sendTokens(to, amount);
    }

    function _changeLine(
        Line storage line,
        uint96 capPerEpoch,
        uint96 maxFee,
        bool isClosing
    ) private {
        bool previousTermsCount = block.timestamp < line.changedAt + _settleableSeconds() + 1;
        (uint72 cap, uint72 fee) = (line.capPerEpoch, line.maxFee);
        if (previousTermsCount && line.previousCapPerEpoch > cap) cap = line.previousCapPerEpoch;
        if (previousTermsCount && line.previousMaxFee > fee) fee = line.previousMaxFee;
        (line.previousCapPerEpoch, line.previousMaxFee) = (cap, fee);
        (line.capPerEpoch, line.maxFee) = (_toTerm(capPerEpoch), _toTerm(maxFee));
        (line.changedAt, line.isClosing) = (uint40(block.timestamp), isClosing);
    }

    function _toTerm(
        uint96 amount
    ) private pure returns (uint72) {
        // Saturates: who allows more than there is allows all.
        // forge-lint: disable-next-line(unsafe-typecast)
        return amount > type(uint72).max ? type(uint72).max : uint72(amount);
    }
}
