// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";

/// @title Funders' credit, and what they let requesters spend of it.
/// @notice Nothing a funder does takes away what covers a ticket that is already issued: lower terms, a closed line and a
/// withdrawal hold for tickets issued later.
abstract contract CreditLines is CoordinatorBase {
    /// @dev What settlement touches stands in the first slot.
    struct Account {
        uint96 available;
        uint96 reserved;
        uint40 withdrawableAt;
        uint96 withdrawing;
    }

    /// @dev Tickets issued until `changedAt` are covered by the better of both terms. A closed line is one of zero terms.
    struct Line {
        uint96 capPerEpoch;
        uint96 maxFee;
        uint40 changedAt;
        bool isClosing;
        uint96 previousCapPerEpoch;
        uint96 previousMaxFee;
    }

    /// @dev A funder's account and line in memory, between one read and one write. A funder that is its own requester
    /// needs no line.
    struct Funding {
        address funder;
        uint256 epoch;
        uint256 available;
        bool isWithdrawing;
        uint256 withdrawing;
        uint256 withdrawalRequestedAt;
        uint256 spent;
        uint256 capPerEpoch;
        uint256 maxFee;
        uint256 changedAt;
        uint256 taken;
    }

    mapping(address funder => Account) private _accounts;
    mapping(address funder => mapping(address requester => Line)) private _lines;
    mapping(address funder => mapping(address requester => mapping(uint256 epoch => uint256))) private _spent;

    /// @inheritdoc IExecutionCoordinator
    function depositCredit(
        address funder,
        uint96 amount
    ) external nonReentrant {
        require(funder != address(0), AddressZero());
        require(amount != 0, AmountZero());
        _accounts[funder].available += amount;
        address from = _actor();
        emit CreditDeposited(funder, from, amount);
        _receiveTokens(from, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function grantCreditLine(
        address requester,
        uint96 capPerEpoch,
        uint96 maxFee
    ) external {
        require(requester != address(0), AddressZero());
        require(capPerEpoch != 0 && maxFee != 0, AmountZero());
        address funder = _actor();
        _changeLine(_lines[funder][requester], capPerEpoch, maxFee, false);
        emit CreditLineGranted(funder, requester, capPerEpoch, maxFee);
    }

    /// @inheritdoc IExecutionCoordinator
    function revokeCreditLine(
        address requester
    ) external {
        address funder = _actor();
        Line storage line = _lines[funder][requester];
        require(line.capPerEpoch != 0, CreditLineClosed(funder, requester));
        _changeLine(line, 0, 0, true);
        emit CreditLineRevoked(funder, requester, _afterOpenTickets());
    }

    /// @inheritdoc IExecutionCoordinator
    function requestCreditWithdrawal(
        uint96 amount
    ) external {
        require(amount != 0, AmountZero());
        address funder = _actor();
        Account storage account = _accounts[funder];
        require(amount <= account.available, BalanceTooLow(funder, account.available, amount));
        account.available -= amount;
        account.withdrawing += amount;
        account.withdrawableAt = _afterOpenTickets();
        emit CreditWithdrawalRequested(funder, amount, account.withdrawableAt);
    }

    /// @inheritdoc IExecutionCoordinator
    function withdrawCredit(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address funder = _actor();
        Account storage account = _accounts[funder];
        amount = account.withdrawing;
        require(amount != 0, NothingToWithdraw(funder));
        require(block.timestamp >= account.withdrawableAt, TooEarly(account.withdrawableAt, block.timestamp));
        account.withdrawing = 0;
        account.withdrawableAt = 0;
        emit CreditWithdrawn(funder, to, amount);
        _sendTokens(to, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function creditOf(
        address funder
    ) external view returns (uint256 available, uint256 reserved, uint256 withdrawing, uint40 withdrawableAt) {
        Account storage account = _accounts[funder];
        return (account.available, account.reserved, account.withdrawing, account.withdrawableAt);
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
            spentInEpoch: _toUint96(_spent[funder][requester][epoch]),
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
        uint256 left = Math.saturatingSub(line.capPerEpoch, _spent[funder][requester][_currentEpoch()]);
        return (Math.min(available, left), line.maxFee);
    }

    /// @dev Reads what pays for tickets of `requester` issued in `epoch`.
    function _openFunding(
        Funding memory funding,
        address funder,
        address requester,
        uint256 epoch
    ) internal view {
        Account storage account = _accounts[funder];
        funding.funder = funder;
        funding.epoch = epoch;
        funding.taken = 0;
        funding.available = account.available;
        uint256 withdrawableAt = account.withdrawableAt;
        funding.isWithdrawing = withdrawableAt != 0;
        if (withdrawableAt != 0) {
            funding.withdrawing = account.withdrawing;
            funding.withdrawalRequestedAt = withdrawableAt - _settleableSeconds() - 1;
        }
        if (funder == requester) {
            (funding.capPerEpoch, funding.maxFee) = (type(uint256).max, type(uint256).max);
            (funding.changedAt, funding.spent) = (0, 0);
            return;
        }
        Line storage line = _lines[funder][requester];
        (funding.capPerEpoch, funding.maxFee, funding.changedAt) = (line.capPerEpoch, line.maxFee, line.changedAt);
        funding.spent = _spent[funder][requester][epoch];
    }

    /// @dev Takes one fee from memory. False when the line or the balance does not cover it.
    function _takeFee(
        Funding memory funding,
        address requester,
        uint256 fee,
        uint256 issuedAt
    ) internal view returns (bool) {
        uint256 spent;
        uint256 available = funding.available;
        // Nothing here is wider than 96 bits but what has no limit, and that is only compared.
        unchecked {
            spent = funding.spent + fee;
        }
        if (fee > funding.maxFee || spent > funding.capPerEpoch) {
            if (!_isCoveredByFormerTerms(funding, requester, fee, spent, issuedAt)) return false;
        }
        if (fee > available) {
            unchecked {
                uint256 missing = fee - available;
                if (!funding.isWithdrawing || issuedAt > funding.withdrawalRequestedAt) return false;
                if (missing > funding.withdrawing) return false;
                funding.withdrawing -= missing;
            }
            available = fee;
        }
        unchecked {
            funding.available = available - fee;
            funding.taken += fee;
        }
        funding.spent = spent;
        return true;
    }

    /// @dev Writes back what `_takeFee` changed. With `isReserved` the fees stay in the account until they are paid or freed.
    function _closeFunding(
        Funding memory funding,
        address requester,
        bool isReserved
    ) internal {
        if (funding.taken == 0) return;
        address funder = funding.funder;
        Account storage account = _accounts[funder];
        account.available = uint96(funding.available);
        if (isReserved) account.reserved = _toUint96(account.reserved + funding.taken);
        if (funding.isWithdrawing) account.withdrawing = uint96(funding.withdrawing);
        if (funder != requester) _spent[funder][requester][funding.epoch] = funding.spent;
    }

    function _addCredit(
        address funder,
        uint96 amount
    ) internal {
        _accounts[funder].available += amount;
    }

    /// @dev A reserved fee leaves the account for good.
    function _payReserved(
        address funder,
        uint96 fee
    ) internal {
        _accounts[funder].reserved -= fee;
    }

    /// @dev A reserved fee is the funder's to spend again.
    function _freeReserved(
        address funder,
        uint96 fee
    ) internal {
        Account storage account = _accounts[funder];
        account.reserved -= fee;
        account.available += fee;
    }

    /// @dev Only what is no longer covered asks for the terms before the last change.
    function _isCoveredByFormerTerms(
        Funding memory funding,
        address requester,
        uint256 fee,
        uint256 spent,
        uint256 issuedAt
    ) private view returns (bool) {
        uint256 changedAt = funding.changedAt;
        if (issuedAt > changedAt || block.timestamp > changedAt + _settleableSeconds()) return false;
        Line storage line = _lines[funding.funder][requester];
        return fee <= Math.max(line.maxFee, line.previousMaxFee)
            && spent <= Math.max(line.capPerEpoch, line.previousCapPerEpoch);
    }

    function _changeLine(
        Line storage line,
        uint96 capPerEpoch,
        uint96 maxFee,
        bool isClosing
    ) private {
        bool previousTermsCount = block.timestamp < line.changedAt + _settleableSeconds() + 1;
        line.previousCapPerEpoch =
            previousTermsCount ? uint96(Math.max(line.previousCapPerEpoch, line.capPerEpoch)) : line.capPerEpoch;
        line.previousMaxFee = previousTermsCount ? uint96(Math.max(line.previousMaxFee, line.maxFee)) : line.maxFee;
        line.capPerEpoch = capPerEpoch;
        line.maxFee = maxFee;
        line.changedAt = uint40(block.timestamp);
        line.isClosing = isClosing;
    }
}
