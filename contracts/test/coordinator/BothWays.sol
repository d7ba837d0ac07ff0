// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {BatchPacking} from "./BatchPacking.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @dev A batch of rolls takes the short way, the same batch of single signatures the long one: what is said of one way is
/// said of both.
abstract contract BothWays is SettlementFixture {
    /// @dev Settles nothing for good.
    function assertSettledBothWays(
        Execution[] memory all,
        uint256 settled
    ) internal {
        uint256 before = vm.snapshotState();
        assertEq(settle(planRolled(all)), settled, "the short way");
        assertTrue(vm.revertToState(before));
        assertEq(settle(plan(all)), settled, "the long way");
        assertTrue(vm.revertToState(before));
    }

    function assertSkippedBothWays(
        Execution memory execution,
        IExecutionCoordinator.SkipReason reason
    ) internal {
        renew(execution);
        skipBatch(planRolled(list(execution)), execution.ticket, reason);
        skipBatch(plan(list(execution)), execution.ticket, reason);
    }

    function awaitConflicts(
        Execution memory execution
    ) internal {
        vm.warp(uint256(execution.ticket.deadline) + times().conflictWindow + 1);
    }
}
