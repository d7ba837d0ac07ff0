// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

contract EarningsTest is SettlementFixture {
    function setUp() public override {
        super.setUp();
        settle(planRolled(list(newExecution(0))));
    }

    function test_withdrawEarnings() public {
        address to = makeAddr("purse");
        vm.startPrank(firstOperator);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.withdrawEarnings(address(0));
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.EarningsWithdrawn(firstOperator, to, REWARD);
        assertEq(coordinator.withdrawEarnings(to), REWARD);
        assertEq(token.balanceOf(to), REWARD);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, firstOperator));
        coordinator.withdrawEarnings(to);
    }

    function test_earningsOutliveTheOperator() public {
        vm.startPrank(firstOperator);
        operators.unbond();
        skip(times().unbondingPeriod);
        operators.withdrawStake(firstOperator);
        assertEq(coordinator.withdrawEarnings(firstOperator), REWARD);
    }

    /// @dev What was signed before the key was closed is paid after it.
    function test_workIsPaidAfterTheOperatorLeft() public {
        Execution memory execution = newExecution(1);
        vm.prank(firstOperator);
        operators.unbond();
        assertEq(settle(planRolled(list(execution))), 1);
        assertEq(earningsOf(firstOperator), 2 * REWARD);
        skip(1);
        settleSkipping(newExecution(2), IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_audits_arePaidByTheCourtAlone() public {
        coordinator.collectFees(requester);
        uint256 balance = coordinator.treasuryBalance();
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotAuthorized.selector, address(this)));
        coordinator.payAudit(secondOperator, 1);
        vm.startPrank(suite.court);
        // No more than there is.
        assertEq(coordinator.payAudit(secondOperator, 1), 1);
        assertEq(coordinator.payAudit(secondOperator, balance), balance - 1);
        assertEq(coordinator.payAudit(secondOperator, 1), 0);
        assertEq(earningsOf(secondOperator), balance);
        assertEq(coordinator.treasuryBalance(), 0);
    }
}
