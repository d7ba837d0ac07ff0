// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICoordinatorAccounts} from "../interfaces/ICoordinatorAccounts.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Ledger} from "./Ledger.sol";

/// @title What workers, auditors and the treasury have earned, on its way out.
abstract contract EarningActions is Ledger {
    /// @inheritdoc ICoordinatorAccounts
    function withdrawEarnings(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), IExecutionCoordinator.AddressZero());
        address operator = _actor();
        amount = _earnings[operator];
        require(amount != 0, IExecutionCoordinator.NothingToWithdraw(operator));
        _earnings[operator] = 0;
        emit IExecutionCoordinator.EarningsWithdrawn(operator, to, amount);
        _sendTokens(to, amount);
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawTreasury() external nonReentrant returns (uint256 amount) {
        amount = _treasuryBalance;
        require(amount != 0, IExecutionCoordinator.NothingToWithdraw(_treasury));
        _treasuryBalance = 0;
        emit IExecutionCoordinator.TreasuryWithdrawn(_treasury, amount);
        _sendTokens(_treasury, amount);
    }
}
