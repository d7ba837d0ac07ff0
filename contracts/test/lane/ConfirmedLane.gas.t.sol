// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev Gas of whole transactions, each by itself, with every slot used before. FORGE_SNAPSHOT_CHECK=true compares with
/// snapshots/, as CI does.
contract ConfirmedLaneGasTest is LaneFixture {
    uint256 private constant MOST_GAS = 170_000;

    function setUp() public override {
        super.setUp();
        registerOperators(3);
        submit(answerOf(postNew(0), 0), OUTPUT);
        _settleQuorum(1);
    }

    /// @dev Through a gateway that posts its own ticket, with a small request and result in calldata.
    /// forge-config: default.isolate = true
    function test_gas_postAndSubmit() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(2);
        bytes memory input = postedInput();
        vm.prank(requester);
        lane.post(ticket, "", input);
        uint256 posted = vm.snapshotGasLastCall("ConfirmedLane", "post");
        submit(answerOf(ticket, 0), OUTPUT);
        uint256 submitted = vm.snapshotGasLastCall("ConfirmedLane", "submit");
        assertLe(posted + submitted, MOST_GAS);
    }

    /// @dev For another: with its signature.
    /// forge-config: default.isolate = true
    function test_gas_postForAnother() public {
        post(confirmedTicket(2));
        vm.snapshotGasLastCall("ConfirmedLane", "post for another");
    }

    /// forge-config: default.isolate = true
    function test_gas_commitAndOpen() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(2);
        Answer memory answer = answerOf(ticket, 0);
        commit(answer);
        vm.snapshotGasLastCall("ConfirmedLane", "commit");
        awaitTurn(answer);
        open(answer, OUTPUT);
        vm.snapshotGasLastCall("ConfirmedLane", "open");
    }

    /// forge-config: default.isolate = true
    function test_gas_quorumOfThree() public {
        _settleQuorum(2);
        vm.snapshotGasLastCall("ConfirmedLane", "finalise of three");
    }

    function _settleQuorum(
        uint64 sequence
    ) private {
        IExecutionCoordinator.Ticket memory ticket = postQuorum(sequence, 3);
        for (uint256 i; i < 3; ++i) {
            commit(answerOf(ticket, i));
        }
        for (uint256 i; i < 3; ++i) {
            Answer memory answer = answerOf(ticket, i);
            if (i == 0) awaitTurn(answer);
            open(answer, "");
        }
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        lane.finalise(ticket);
    }
}
