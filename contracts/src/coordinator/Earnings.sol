// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";

/// @title What workers, auditors and the treasury have earned, until they take it out.
abstract contract Earnings is CoordinatorBase {
    mapping(address operator => uint256) private _earnings;

    /// @inheritdoc IExecutionCoordinator
    uint256 public override treasuryBalance;

    /// @inheritdoc IExecutionCoordinator
    function withdrawEarnings(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address operator = _actor();
        amount = _earnings[operator];
        require(amount != 0, NothingToWithdraw(operator));
        _earnings[operator] = 0;
        emit EarningsWithdrawn(operator, to, amount);
        _sendTokens(to, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function withdrawTreasury() external nonReentrant returns (uint256 amount) {
        amount = treasuryBalance;
        require(amount != 0, NothingToWithdraw(treasury));
        treasuryBalance = 0;
        emit TreasuryWithdrawn(treasury, amount);
        _sendTokens(treasury, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function payAudit(
        address operator,
        uint256 amount
    ) external onlyCourt returns (uint256 paid) {
        uint256 balance = treasuryBalance;
        paid = amount < balance ? amount : balance;
        treasuryBalance = balance - paid;
        _addEarnings(operator, paid);
        emit AuditPaid(operator, paid);
    }

    /// @inheritdoc IExecutionCoordinator
    function earningsOf(
        address operator
    ) external view returns (uint256) {
        return _earnings[operator];
    }

    function _addEarnings(
        address account,
        uint256 amount
    ) internal {
        _earnings[account] += amount;
    }
}
