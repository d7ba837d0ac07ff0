// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev A request can be settled in one lane only.
contract LanesTest is LaneFixture {
    function setUp() public override {
        super.setUp();
        registerOperators(2);
    }

    /// @dev The lane that came first has consumed the sequence number, whatever the other lane's ticket says beside it.
    function test_Attack_DoubleSettlementAcrossLanes() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        assertTrue(coordinator.isConsumed(requester, 0));
        submit(answerOf(ticket, 0), "");
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.AlreadyPosted.selector, idOf(ticket)));
        lane.post(ticket, signature, "");
        // The number is used up elsewhere: nothing with it can be posted here.
        vm.prank(requester);
        coordinator.voidSequences(0, 2);
        ticket = confirmedTicket(1);
        signature = signTicket(REQUESTER_KEY, ticket);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.SequenceConsumed);
        lane.post(ticket, signature, "");
        // And what is the other lane's cannot be posted at all.
        ticket = newTicket(2);
        signature = signTicket(REQUESTER_KEY, ticket);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.LaneMismatch);
        lane.post(ticket, signature, "");
    }

    /// @dev Only the lane may reserve, pay and free.
    function test_theCoordinatorListensToNobodyElse() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        bytes32 requestId = idOf(ticket);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotAuthorized.selector, address(this)));
        coordinator.reserve(requestId, ticket);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotAuthorized.selector, address(this)));
        coordinator.freeReserved(funder, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotAuthorized.selector, address(this)));
        coordinator.settleReserved(ticket, attestation, 0, new address[](1), new uint256[](1));
    }
}
