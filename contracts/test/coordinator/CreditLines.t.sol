// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {BothWays} from "./BothWays.sol";

contract CreditLinesTest is BothWays {
    /// @dev From now until no ticket of now can be settled.
    uint256 private constant DELAY = 300 + 3600 + 1;

    function test_deposit_forSomebodyElse() public {
        address giver = makeAddr("giver");
        fillPurse(giver, 5, address(coordinator));
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.CreditDeposited(funder, giver, 5);
        vm.prank(giver);
        coordinator.depositCredit(funder, 5);
        assertEq(availableOf(funder), 100e6 + 5);
    }

    function test_deposit_refusesNothingAndNobody() public {
        vm.expectRevert(IExecutionCoordinator.AmountZero.selector);
        coordinator.depositCredit(funder, 0);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.depositCredit(address(0), 1);
    }

    function test_grant_setsTheLine() public {
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.CreditLineGranted(funder, requester, 50, 5);
        vm.prank(funder);
        coordinator.grantCreditLine(requester, 50, 5);
        IExecutionCoordinator.CreditLine memory line = coordinator.getCreditLine(funder, requester);
        assertEq(line.capPerEpoch, 50);
        assertEq(line.maxFee, 5);
        assertEq(line.closesAt, 0);
        (uint256 available, uint256 maxFee) = coordinator.availableCredit(funder, requester);
        assertEq(available, 50);
        assertEq(maxFee, 5);
    }

    function test_grant_refusesNothingAndNobody() public {
        vm.startPrank(funder);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.grantCreditLine(address(0), 1, 1);
        vm.expectRevert(IExecutionCoordinator.AmountZero.selector);
        coordinator.grantCreditLine(requester, 0, 1);
        vm.expectRevert(IExecutionCoordinator.AmountZero.selector);
        coordinator.grantCreditLine(requester, 1, 0);
    }

    function test_revoke_holdsForLaterTicketsOnly() public {
        Execution memory before = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.CreditLineRevoked(funder, requester, uint40(vm.getBlockTimestamp() + DELAY));
        vm.prank(funder);
        coordinator.revokeCreditLine(requester);
        assertEq(coordinator.getCreditLine(funder, requester).closesAt, vm.getBlockTimestamp() + DELAY);
        (uint256 available, uint256 maxFee) = coordinator.availableCredit(funder, requester);
        assertEq(available + maxFee, 0);
        vm.warp(vm.getBlockTimestamp() + 1);
        Execution memory later = newExecution(1);
        expectSkip(later.ticket, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(before, later))), 1);
    }

    function test_revoke_refusesWithoutALine() public {
        bytes memory closed = abi.encodeWithSelector(IExecutionCoordinator.CreditLineClosed.selector, funder, requester);
        vm.startPrank(funder);
        coordinator.revokeCreditLine(requester);
        vm.expectRevert(closed);
        coordinator.revokeCreditLine(requester);
    }

    function test_revoke_isUndoneByAGrant() public {
        vm.startPrank(funder);
        coordinator.revokeCreditLine(requester);
        vm.warp(vm.getBlockTimestamp() + 10);
        coordinator.grantCreditLine(requester, CAP, 10_000);
        vm.stopPrank();
        assertEq(coordinator.getCreditLine(funder, requester).closesAt, 0);
        vm.warp(vm.getBlockTimestamp() + 10);
        assertEq(settle(planRolled(list(newExecution(0)))), 1);
    }

    /// @dev A lower cap would else be a way around the delay of a revocation.
    function test_lowerTermsHoldForLaterTicketsOnly() public {
        Execution memory before = newExecution(0);
        vm.startPrank(funder);
        vm.warp(vm.getBlockTimestamp() + 1);
        coordinator.grantCreditLine(requester, 1, 1);
        vm.warp(vm.getBlockTimestamp() + 1);
        coordinator.grantCreditLine(requester, 2, 2);
        vm.stopPrank();
        vm.warp(vm.getBlockTimestamp() + 1);
        Execution memory later = newExecution(1);
        expectSkip(later.ticket, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(before, later))), 1);
    }

    function test_formerTermsAreForgottenAfterTheDelay() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE - 1, FEE - 1);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE - 1, FEE - 1);
        expectSkip(newTicket(0), IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(newExecution(0)))), 0);
    }

    /// @dev Each of the two terms for itself.
    function test_formerTermsAreForgotten_capAndFeeEach() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE - 1, MAXIMUM_FEE);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE - 1, MAXIMUM_FEE);
        assertSkippedBothWays(newExecution(0), IExecutionCoordinator.SkipReason.CreditExhausted);
        vm.prank(funder);
        coordinator.grantCreditLine(requester, CAP, FEE - 1);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        vm.prank(funder);
        coordinator.grantCreditLine(requester, CAP, FEE - 1);
        assertSkippedBothWays(newExecution(0), IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_formerTerms_coverWhatTheyCoveredAndNoMore() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE, FEE);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        Execution memory first = newExecution(0);
        Execution memory second = newExecution(1);
        Execution memory dearer = newExecution(2);
        dearer.ticket.fee = FEE + 1;
        // In the very second in which the tickets were issued.
        vm.prank(funder);
        coordinator.grantCreditLine(requester, 1, 1);
        assertSkippedBothWays(dearer, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertSettledBothWays(list(first, second), 1);
    }

    function test_line_coversExactlyItsTerms() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE, FEE);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        assertSettledBothWays(list(newExecution(0)), 1);
    }

    function test_cap_countsFromBatchToBatch() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, 2 * FEE, FEE);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        assertEq(settle(plan(list(newExecution(0)))), 1);
        assertEq(settle(plan(list(newExecution(1)))), 1);
        assertEq(coordinator.getCreditLine(funder, requester).spentInEpoch, 2 * FEE);
        assertSkippedBothWays(newExecution(2), IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_balance_isSpentToTheLast() public {
        address small = makeAddr("small funder");
        fundLine(small, requester, FEE);
        Execution memory execution = _paidBy(small, 0);
        assertSettledBothWays(list(execution), 1);
        assertEq(settle(plan(list(execution))), 1);
        assertEq(availableOf(small), 0);
    }

    /// @dev Groups that share their terms, and such that share their epoch only.
    function test_settle_everyFunderPaysForItsOwn() public {
        address other = makeAddr("other funder");
        fundLine(other, requester, 10 * FEE);
        Execution memory dearer = _paidBy(other, 2);
        dearer.ticket.fee = 2 * FEE;
        renew(dearer);
        Execution[] memory all = list(newExecution(0), _paidBy(other, 1));
        uint256 before = vm.snapshotState();
        for (uint256 i; i < 4; ++i) {
            if (i == 2) all = list(newExecution(0), dearer);
            assertEq(settle(i % 2 == 0 ? plan(all) : planRolled(all)), 2);
            assertEq(availableOf(funder), 100e6 - FEE);
            assertEq(availableOf(other), 10 * FEE - all[1].ticket.fee);
            assertTrue(vm.revertToState(before));
        }
    }

    function test_Attack_OverspentCredit() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE, FEE);
        vm.warp((vm.getBlockTimestamp() / times().epochSeconds + 3) * times().epochSeconds - 10);
        Execution memory first = newExecution(0);
        Execution memory second = newExecution(1);
        vm.warp(vm.getBlockTimestamp() + 20);
        Execution memory nextEpoch = newExecution(2);
        expectSkip(second.ticket, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(nextEpoch, first, second))), 2);
        (uint256 available,) = coordinator.availableCredit(funder, requester);
        assertEq(available, 0);
        vm.warp(vm.getBlockTimestamp() + times().epochSeconds);
        (available,) = coordinator.availableCredit(funder, requester);
        assertEq(available, FEE);
    }

    function test_withdrawal_leavesAfterTheDelayOnly() public {
        address to = makeAddr("safe");
        uint256 availableAt = vm.getBlockTimestamp() + DELAY;
        vm.startPrank(funder);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, funder));
        coordinator.withdrawCredit(to);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.CreditWithdrawalRequested(funder, 40e6, uint40(availableAt));
        coordinator.requestCreditWithdrawal(40e6);
        (uint256 available, uint256 withdrawing, uint40 withdrawableAt) = coordinator.creditOf(funder);
        assertEq(available, 60e6);
        assertEq(withdrawing, 40e6);
        assertEq(withdrawableAt, availableAt);
        vm.warp(availableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, availableAt, availableAt - 1));
        coordinator.withdrawCredit(to);
        vm.warp(availableAt);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.withdrawCredit(address(0));
        assertEq(coordinator.withdrawCredit(to), 40e6);
        assertEq(token.balanceOf(to), 40e6);
        (,, withdrawableAt) = coordinator.creditOf(funder);
        assertEq(withdrawableAt, 0);
    }

    function test_withdrawal_refusesMoreThanThereIs() public {
        vm.startPrank(funder);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.BalanceTooLow.selector, funder, 100e6, 100e6 + 1));
        coordinator.requestCreditWithdrawal(100e6 + 1);
        vm.expectRevert(IExecutionCoordinator.AmountZero.selector);
        coordinator.requestCreditWithdrawal(0);
    }

    function test_Attack_OwnerWithdrawsUnderTickets() public {
        Execution memory before = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.prank(funder);
        coordinator.requestCreditWithdrawal(100e6);
        vm.warp(vm.getBlockTimestamp() + 1);
        Execution memory later = newExecution(1);
        expectSkip(later.ticket, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(before, later))), 1);
        (, uint256 withdrawing,) = coordinator.creditOf(funder);
        assertEq(withdrawing, 100e6 - FEE);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        vm.prank(funder);
        assertEq(coordinator.withdrawCredit(funder), 100e6 - FEE);
    }

    /// @dev What is left and what is on its way out do not cover the fee together.
    function test_ownerWithdrawsUnderTickets_noMoreThanThereIs() public {
        vm.startPrank(funder);
        coordinator.requestCreditWithdrawal(100e6 - FEE / 2);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        coordinator.withdrawCredit(funder);
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        vm.warp(vm.getBlockTimestamp() + 1);
        coordinator.requestCreditWithdrawal(FEE / 4);
        vm.stopPrank();
        settleSkipping(executionOf(ticket, firstKey), IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_ownerWithdrawsUnderTickets_exactlyWhatIsLeaving() public {
        address small = makeAddr("small funder");
        fundLine(small, requester, FEE);
        Execution memory execution = _paidBy(small, 0);
        vm.prank(small);
        coordinator.requestCreditWithdrawal(FEE);
        assertSettledBothWays(list(execution), 1);
    }

    /// @dev What one funder withdraws covers no ticket of another, in one batch either.
    function test_ownerWithdrawsUnderTickets_notUnderThoseOfAnother() public {
        address poor = makeAddr("poor funder");
        fundLine(poor, requester, FEE - 1);
        Execution[] memory all = list(newExecution(0), _paidBy(poor, 1));
        vm.prank(funder);
        coordinator.requestCreditWithdrawal(100e6);
        assertSettledBothWays(all, 1);
    }

    function test_ownerWithdrawsUnderTickets_lastMomentOfBoth() public {
        vm.prank(funder);
        coordinator.requestCreditWithdrawal(100e6);
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.deadline = ticket.issuedAt + times().maximumTicketLifetime;
        vm.warp(uint256(ticket.deadline) + times().settlementGrace);
        vm.expectPartialRevert(IExecutionCoordinator.TooEarly.selector);
        vm.prank(funder);
        coordinator.withdrawCredit(funder);
        assertEq(settle(planRolled(list(executionOf(ticket, firstKey)))), 1);
    }

    function test_availableCredit_ofOneself() public view {
        (uint256 available, uint256 maxFee) = coordinator.availableCredit(funder, funder);
        assertEq(available, 100e6);
        assertEq(maxFee, type(uint96).max);
    }

    function _paidBy(
        address account,
        uint64 sequence
    ) private view returns (Execution memory execution) {
        execution = newExecution(sequence);
        execution.ticket.funder = account;
        renew(execution);
    }
}
