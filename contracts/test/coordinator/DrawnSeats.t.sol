// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {BothWays} from "./BothWays.sol";

/// @dev More operators than a committee has seats: who is paid was drawn.
contract DrawnSeatsTest is BothWays {
    uint256 private constant NETWORK_SIZE = 12;
    uint64 private constant BEYOND_THE_WINDOW = 512;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 2; i < NETWORK_SIZE; ++i) {
            register(operatorAt(i), keyAt(i), parameters().minimumStake);
        }
        bondRequester(requester);
        skip(2 * times().epochSeconds);
        captureSeed();
    }

    function test_drawn_whoWonIsPaid() public {
        Execution memory execution = drawnExecution(0, true);
        assertEq(settle(plan(list(execution))), 1);
        assertEq(settle(planRolled(list(drawnExecution(1, true)))), 1);
    }

    function test_drawn_whoLostIsNotSeated() public {
        settleSkipping(drawnExecution(0, false), IExecutionCoordinator.SkipReason.NotSeated);
        // Nor does it help to say that all are seated.
        Execution memory execution = drawnExecution(0, true);
        execution.attestation.seat = Messages.SEAT_ALL_SEATED;
        assertSkippedBothWays(execution, IExecutionCoordinator.SkipReason.NotSeated);
    }

    function test_drawn_needsTheRequestersBond() public {
        vm.prank(requester);
        coordinator.unbondRequester();
        skip(1);
        settleSkipping(drawnExecution(0, true), IExecutionCoordinator.SkipReason.RequesterNotBonded);
    }

    /// @dev A bond that came after the seed could be known.
    function test_drawn_needsABondThatCounts() public {
        vm.prank(requester);
        coordinator.unbondRequester();
        bondRequester(requester);
        settleSkipping(drawnExecution(0, true), IExecutionCoordinator.SkipReason.RequesterNotBonded);
    }

    /// @dev What the other contracts are told about the same.
    function test_drawReason_asksForABondThatCounts() public {
        assertEq(uint8(drawReasonNow()), uint8(IExecutionCoordinator.SkipReason.None));
        vm.prank(requester);
        coordinator.unbondRequester();
        bondRequester(requester);
        assertEq(uint8(drawReasonNow()), uint8(IExecutionCoordinator.SkipReason.RequesterNotBonded));
        skip(2 * times().epochSeconds);
        assertEq(uint8(drawReasonNow()), uint8(IExecutionCoordinator.SkipReason.None));
    }

    function test_drawn_sequencesOpenWordByWord() public {
        Execution memory ahead = drawnExecution(BEYOND_THE_WINDOW, true);
        settleSkipping(ahead, IExecutionCoordinator.SkipReason.SequenceAhead);
        assertEq(settle(plan(list(drawnExecution(BEYOND_THE_WINDOW - 1, true)))), 1);
        vm.startPrank(requester);
        coordinator.voidSequences(0, type(uint256).max - 1);
        vm.stopPrank();
        settleSkipping(ahead, IExecutionCoordinator.SkipReason.SequenceAhead);
        vm.startPrank(requester);
        coordinator.voidSequences(0, 1);
        vm.stopPrank();
        assertEq(settle(plan(list(ahead))), 1);
    }

    /// @dev Seats and shares are those of the parameters that were in force when the ticket was issued.
    function test_settle_byTheTermsOfItsTime() public {
        IProtocolParameters.Parameters memory next = parameters();
        next.protocolFeeBps = 1000;
        next.committeeSize = uint8(NETWORK_SIZE);
        uint256 epochSeconds = times().epochSeconds;
        // They take effect half a minute into an epoch: its first tickets are still of the old ones.
        vm.warp((vm.getBlockTimestamp() / epochSeconds + 1) * epochSeconds + 30);
        vm.prank(governor);
        protocolParameters.announce(next);
        vm.warp(vm.getBlockTimestamp() + times().parameterDelay - 30);
        captureSeed();
        Execution memory former = drawnExecution(0, true);
        vm.warp(vm.getBlockTimestamp() + 40);
        Execution memory later = newExecution(1);
        assertEq(settle(plan(list(former, later))), 2);
        assertEq(coordinator.uncollectedFees(requester), FEE * 5 / 100 + FEE / 10);
        // With the seat that its time did not have it is not settled.
        settleSkipping(drawnExecution(2, true), IExecutionCoordinator.SkipReason.NotSeated);
    }

    function drawReasonNow() private view returns (IExecutionCoordinator.SkipReason) {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        return coordinator.drawReason(requester, ticket.sequence, ticket.epoch, ticket.issuedAt);
    }

    function drawnExecution(
        uint64 sequence,
        bool hasWon
    ) private view returns (Execution memory execution) {
        IExecutionCoordinator.Ticket memory ticket = newTicket(sequence);
        uint256 index;
        while (isDrawn(ticket, index) != hasWon) {
            ++index;
        }
        execution = executionOf(ticket, keyAt(index));
        execution.attestation.seat = Messages.SEAT_DRAWN;
    }

    function isDrawn(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 index
    ) private view returns (bool) {
        return operators.isSeated(
            operatorAt(index), requester, ticket.sequence, ticket.epoch, ticket.issuedAt, parameters().committeeSize
        );
    }
}
