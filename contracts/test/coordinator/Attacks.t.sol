// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {BatchPacking} from "./BatchPacking.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @dev Attacks by those who sign or pay, by the names that docs/protocol.md gives them.
contract CoordinatorAttacksTest is SettlementFixture {
    address private immutable reporter = makeAddr("reporter");

    function test_Attack_TwoCommitSets() public {
        bondRequester(requester);
        uint96 bond = parameters().requesterBond;
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.quorum = 2;
        (bytes32[] memory first, bytes32[] memory second) = (_set("first"), _set("second"));
        bytes32 requestId = idOf(ticket);
        // One set shown twice is none too many, and what somebody else signed is not the requester's.
        _expectNotConflicting(requestId);
        _report(ticket, first, REQUESTER_KEY, first, REQUESTER_KEY);
        _expectNotConflicting(requestId);
        _report(ticket, first, REQUESTER_KEY, second, firstKey);
        _expectNotConflicting(requestId);
        _report(ticket, first, firstKey, second, REQUESTER_KEY);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.RequesterBondSlashed(requester, requestId, reporter, bond);
        _report(ticket, first, REQUESTER_KEY, second, REQUESTER_KEY);
        assertEq(earningsOf(reporter), bond / 2);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotBonded.selector, requester));
        _report(ticket, first, REQUESTER_KEY, second, REQUESTER_KEY);
    }

    /// @dev The gateway that signed the ticket signs no batch: the worker settles with the ticket that it has.
    function test_Attack_WithheldBatchSignature() public {
        Execution[] memory all = list(newExecution(0));
        BatchPacking.Batch memory forged = planRolled(all);
        forged.requesterRoll = workerRoll(all, firstKey);
        vm.prank(firstOperator);
        assertEq(settle(forged), 0);
        vm.prank(firstOperator);
        assertEq(settle(plan(all)), 1);
        assertEq(earningsOf(firstOperator), REWARD);
    }

    /// @dev A block with a settlement is gone: the same batch settles in a later one, once.
    function test_Attack_ReorgOfResult() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        uint256 before = vm.snapshotState();
        assertEq(settle(batch), 1);
        assertTrue(vm.revertToState(before));
        assertEq(earningsOf(firstOperator), 0);
        vm.roll(vm.getBlockNumber() + 3);
        skip(30);
        assertEq(settle(batch), 1);
        assertEq(settle(batch), 0);
        assertEq(earningsOf(firstOperator), REWARD);
    }

    /// @dev Funder, requester and worker are one, and run nothing: each request costs them the protocol's fee.
    function test_Attack_SelfDealing() public {
        uint256 before = availableOf(funder);
        for (uint64 i; i < 4; ++i) {
            assertEq(settle(plan(list(newExecution(i)))), 1);
        }
        uint256 theirs = availableOf(funder) + earningsOf(firstOperator) + availableOf(requester);
        assertEq(theirs, before - 4 * (FEE - REWARD));
    }

    /// @dev The same with the sponsor's share of the fees that came in through it: still a loss.
    function test_Attack_SponsorFarming() public {
        uint256 before = availableOf(funder);
        for (uint64 i; i < 4; ++i) {
            assertEq(settle(plan(list(newExecution(i)))), 1);
        }
        uint256 fees = 4 * (FEE - REWARD);
        (uint256 toTreasury, uint256 toSponsor) = coordinator.collectFees(requester);
        assertEq(toSponsor, fees / 2);
        assertEq(toTreasury, fees - fees / 2);
        uint256 theirs = availableOf(funder) + earningsOf(firstOperator) + availableOf(requester);
        assertEq(theirs, before - toTreasury);
        assertLt(theirs, before);
        // What was shared once is not shared again.
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, requester));
        coordinator.collectFees(requester);
    }

    function _set(
        bytes32 commitment
    ) private pure returns (bytes32[] memory commitments) {
        commitments = new bytes32[](2);
        (commitments[0], commitments[1]) = (commitment, keccak256("other"));
    }

    function _report(
        IExecutionCoordinator.Ticket memory ticket,
        bytes32[] memory first,
        uint256 firstSigner,
        bytes32[] memory second,
        uint256 secondSigner
    ) private {
        bytes memory firstSignature = signCommitSet(firstSigner, idOf(ticket), first);
        bytes memory secondSignature = signCommitSet(secondSigner, idOf(ticket), second);
        vm.prank(reporter);
        coordinator.reportCommitSets(ticket, first, firstSignature, second, secondSignature);
    }

    function _expectNotConflicting(
        bytes32 requestId
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.CommitSetsNotConflicting.selector, requestId));
    }
}
