// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../../src/deployment/Suite.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {BatchPacking} from "./BatchPacking.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @dev A requester's bond on its way in and out, what quorums need of it, and what anybody may ask or send on.
contract RequestersTest is SettlementFixture {
    uint96 private immutable bond = parameters().requesterBond;
    address private immutable reporter = makeAddr("reporter");

    function test_bond_countsFromTwoEpochsLater() public {
        vm.expectRevert(IExecutionCoordinator.AmountZero.selector);
        coordinator.bondRequester(0);
        uint32 countsFrom = operators.currentEpoch() + 2;
        bondRequester(requester);
        assertEq(coordinator.requesterBond(requester).amount, bond);
        assertEq(coordinator.requesterBond(requester).countsFrom, countsFrom);
        // More on top of a whole bond does not make it count later.
        skip(times().epochSeconds);
        bondRequester(requester);
        assertEq(coordinator.requesterBond(requester).countsFrom, countsFrom);
    }

    function test_bond_thatWasLeavingBeginsAnew() public {
        bondRequester(requester);
        vm.prank(requester);
        coordinator.unbondRequester();
        skip(times().epochSeconds);
        bondRequester(requester);
        assertEq(coordinator.requesterBond(requester).withdrawableAt, 0);
        assertEq(coordinator.requesterBond(requester).countsFrom, operators.currentEpoch() + 2);
    }

    function test_bond_goesBackAfterTheUnbondingPeriod() public {
        vm.startPrank(requester);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotBonded.selector, requester));
        coordinator.unbondRequester();
        vm.stopPrank();
        bondRequester(requester);
        uint256 withdrawableAt = vm.getBlockTimestamp() + times().unbondingPeriod;
        vm.startPrank(requester);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, requester));
        coordinator.withdrawRequesterBond(requester);
        coordinator.unbondRequester();
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, withdrawableAt, vm.getBlockTimestamp())
        );
        coordinator.unbondRequester();
        vm.warp(withdrawableAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, withdrawableAt, withdrawableAt - 1)
        );
        coordinator.withdrawRequesterBond(requester);
        vm.warp(withdrawableAt);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.withdrawRequesterBond(address(0));
        assertEq(coordinator.withdrawRequesterBond(requester), bond);
        assertEq(token.balanceOf(requester), bond);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, requester));
        coordinator.withdrawRequesterBond(requester);
    }

    function test_quorum_needsABondWhenItsTicketWasIssued() public {
        Execution memory bondless = newQuorum(0, 2);
        awaitConflicts();
        settleSkipping(bondless, IExecutionCoordinator.SkipReason.RequesterNotBonded);
        _expectRolledSkip(bondless);
        bondRequester(requester);
        Execution memory before = newQuorum(1, 2);
        vm.prank(requester);
        coordinator.unbondRequester();
        skip(1);
        Execution memory later = newQuorum(2, 2);
        awaitConflicts();
        assertEq(settle(plan(list(before))), 1);
        settleSkipping(later, IExecutionCoordinator.SkipReason.RequesterNotBonded);
    }

    /// @dev Losing the bond does not cost the workers what they did under it.
    function test_quorum_isPaidAfterTheBondWasLost() public {
        bondRequester(requester);
        Execution memory before = newQuorum(0, 2);
        _loseBond();
        assertEq(coordinator.requesterBond(requester).amount, 0);
        skip(1);
        Execution memory later = newQuorum(1, 2);
        awaitConflicts();
        assertEq(settle(plan(list(before))), 1);
        settleSkipping(later, IExecutionCoordinator.SkipReason.RequesterNotBonded);
    }

    /// @dev There is nothing to withdraw, and since when the bond was lost is not forgotten either.
    function test_bond_thatWasLostIsNotWithdrawn() public {
        bondRequester(requester);
        _loseBond();
        skip(times().unbondingPeriod);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, requester));
        vm.prank(requester);
        coordinator.withdrawRequesterBond(requester);
    }

    /// @dev What was never a whole bond covers nothing when it is lost.
    function test_quorum_aPartOfABondIsNone() public {
        fillPurse(requester, bond, address(coordinator));
        vm.prank(requester);
        coordinator.bondRequester(bond - 1);
        Execution memory execution = newQuorum(0, 2);
        _loseBond();
        assertEq(coordinator.requesterBond(requester).withdrawableAt, 0);
        awaitConflicts();
        settleSkipping(execution, IExecutionCoordinator.SkipReason.RequesterNotBonded);
    }

    function test_quorum_setMustHoldItsCommitments() public {
        bondRequester(requester);
        Execution memory execution = newQuorum(0, 2);
        awaitConflicts();
        execution.strangers = new bytes32[](1);
        execution.strangers[0] = keccak256("stranger");
        uint256 before = vm.snapshotState();
        assertEq(settle(plan(list(execution))), 1);
        assertTrue(vm.revertToState(before));
        // The same set with a stranger's commitment in the place of the second worker's.
        expectSkip(execution.ticket, IExecutionCoordinator.SkipReason.CommitSetInvalid);
        assertEq(settle(_withoutSecondCommitment(execution)), 0);
    }

    function test_parameters_thatDoNotAnswerAreNoZero() public {
        vm.mockCallRevert(suite.parameters, abi.encodeWithSelector(IProtocolParameters.inForceAt.selector), "");
        fillPurse(requester, bond, address(coordinator));
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotAuthorized.selector, suite.parameters));
        vm.prank(requester);
        coordinator.bondRequester(bond);
    }

    function test_treasury_isPaidByAnyone() public {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, treasury));
        coordinator.withdrawTreasury();
        settle(plan(list(newExecution(0))));
        (uint256 toTreasury,) = coordinator.collectFees(requester);
        assertEq(coordinator.treasuryBalance(), toTreasury);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.TreasuryWithdrawn(treasury, toTreasury);
        assertEq(coordinator.withdrawTreasury(), toTreasury);
        assertEq(token.balanceOf(treasury), toTreasury);
        assertEq(coordinator.treasuryBalance(), 0);
    }

    function test_views_nameTheSuite() public view {
        assertEq(coordinator.token(), address(token));
        assertEq(coordinator.treasury(), treasury);
        Suite memory named = coordinator.suite();
        assertEq(abi.encode(named), abi.encode(suite));
        assertEq(coordinator.domainSeparator(), domain());
        IExecutionCoordinator.Ticket memory ticket = newTicket(7);
        assertEq(coordinator.hashTicket(ticket), idOf(ticket));
    }

    function _withoutSecondCommitment(
        Execution memory execution
    ) private view returns (BatchPacking.Batch memory batch) {
        batch = plan(list(execution));
        batch.groups[0].items[0].commitSet[2] = BatchPacking.Entry(false, keccak256("another stranger"));
    }

    function awaitConflicts() private {
        skip(times().maximumTicketLifetime + times().conflictWindow + 1);
    }

    function _expectRolledSkip(
        Execution memory execution
    ) private {
        expectSkip(execution.ticket, IExecutionCoordinator.SkipReason.RequesterNotBonded);
        assertEq(settle(planRolled(list(execution))), 0);
    }

    function _loseBond() private {
        IExecutionCoordinator.Ticket memory ticket = newTicket(77);
        (bytes32[] memory first, bytes32[] memory second) = (new bytes32[](1), new bytes32[](2));
        bytes memory firstSignature = signCommitSet(REQUESTER_KEY, idOf(ticket), first);
        bytes memory secondSignature = signCommitSet(REQUESTER_KEY, idOf(ticket), second);
        vm.prank(reporter);
        coordinator.reportCommitSets(ticket, first, firstSignature, second, secondSignature);
    }
}
