// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {BothWays} from "./BothWays.sol";

/// @dev What the coordinator remembers from batch to batch, and what changes meanwhile.
contract ChangingTermsTest is BothWays {
    uint32 private constant EPOCHS_AHEAD = 4;

    function test_terms_areThoseOfTheFirstSecondToo() public {
        IProtocolParameters.Parameters memory next = parameters();
        next.protocolFeeBps = 1000;
        uint256 effectiveAt = _announce(next);
        vm.warp(effectiveAt - 1);
        assertEq(settle(plan(list(newExecution(0)))), 1);
        assertEq(coordinator.uncollectedFees(requester), FEE / 20);
        vm.warp(effectiveAt);
        assertEq(settle(plan(list(newExecution(1)))), 1);
        assertEq(coordinator.uncollectedFees(requester), FEE / 20 + FEE / 10);
    }

    /// @dev A bond that is whole by now was a part of one when the first ticket was issued.
    function test_bond_isMeasuredByTheTimeOfTheTicket() public {
        IProtocolParameters.Parameters memory next = parameters();
        next.requesterBond /= 2;
        fillPurse(requester, next.requesterBond, address(coordinator));
        vm.prank(requester);
        coordinator.bondRequester(next.requesterBond);
        uint256 effectiveAt = _announce(next);
        vm.warp(effectiveAt - 1);
        Execution memory before = newQuorum(0, 2);
        vm.warp(effectiveAt);
        Execution memory later = newQuorum(1, 2);
        awaitConflicts(later);
        assertSkippedBothWays(before, IExecutionCoordinator.SkipReason.RequesterNotBonded);
        assertSettledBothWays(list(later), 1);
    }

    /// @dev That all are seated is remembered of epochs that have begun only: until then more may come.
    function test_seats_ofAnEpochThatHasNotBegunAreNotRemembered() public {
        bondRequester(requester);
        Execution memory early = newExecution(0);
        early.ticket.epoch += EPOCHS_AHEAD;
        renew(early);
        expectSkip(early.ticket, IExecutionCoordinator.SkipReason.EpochMismatch);
        assertEq(settle(planRolled(list(early))), 0);
        for (uint256 i = 2; i <= parameters().committeeSize; ++i) {
            register(operatorAt(i), keyAt(i), parameters().minimumStake);
        }
        skip(EPOCHS_AHEAD * times().epochSeconds);
        assertSkippedBothWays(newExecution(1), IExecutionCoordinator.SkipReason.NotSeated);
    }

    function _announce(
        IProtocolParameters.Parameters memory next
    ) private returns (uint256) {
        vm.prank(governor);
        return protocolParameters.announce(next);
    }
}
