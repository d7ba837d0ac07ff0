// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev What the lane remembers about seats is right for the ticket at hand, whatever was asked before.
contract SeatsTest is LaneFixture {
    function parameters() internal view override returns (IProtocolParameters.Parameters memory tuned) {
        tuned = super.parameters();
        tuned.committeeSize = 3;
    }

    function test_seats_changeWithTheEpoch() public {
        registerOperators(NETWORK_SIZE);
        submit(answerOf(postNew(0), 0), "");
        // The last second before their stake counts, and the first after it.
        skip(2 * times().epochSeconds - 1);
        IExecutionCoordinator.Ticket memory early = postNew(1);
        skip(1);
        IExecutionCoordinator.Ticket memory late = postNew(2);
        assertEq(late.epoch, early.epoch + 1);
        _expectRefused(answerOf(late, 0));
        mine(parameters().wideningBlocks);
        submit(withSeat(answerOf(late, 0), Messages.SEAT_WIDENED), "");
        submit(answerOf(early, 0), "");
    }

    function test_seats_changeWithTheParameters() public {
        registerOperators(NETWORK_SIZE);
        uint256 effectiveAt = _announceCommitteeOfAll();
        vm.warp(effectiveAt - 1);
        IExecutionCoordinator.Ticket memory first = postNew(0);
        IExecutionCoordinator.Ticket memory before = postNew(1);
        mine(parameters().wideningBlocks);
        vm.warp(effectiveAt - 1);
        // The lane remembers the committee of three until the change.
        submit(withSeat(answerOf(first, 0), Messages.SEAT_WIDENED), "");
        _expectRefused(answerOf(before, 0));
        vm.warp(effectiveAt);
        IExecutionCoordinator.Ticket memory after_ = postNew(2);
        assertEq(after_.epoch, before.epoch);
        submit(answerOf(after_, 0), "");
        // And tickets of before keep it.
        _expectRefused(answerOf(before, 0));
    }

    /// @dev What the lane remembers of the protocol's share ends with it, and is not for tickets from before.
    function test_fees_changeWithTheParameters() public {
        registerOperators(2);
        uint256 effectiveAt = _announceFeeOfTenPercent();
        vm.warp(effectiveAt - 1);
        IExecutionCoordinator.Ticket memory before = postNew(1);
        submit(answerOf(postNew(0), 0), "");
        assertEq(coordinator.uncollectedFees(requester), FEE / 20);
        vm.warp(effectiveAt);
        IExecutionCoordinator.Ticket memory later = postNew(2);
        assertEq(later.epoch, before.epoch);
        submit(answerOf(later, 0), "");
        assertEq(coordinator.uncollectedFees(requester), FEE / 20 + FEE / 10);
        submit(answerOf(before, 0), "");
        assertEq(coordinator.uncollectedFees(requester), 2 * (FEE / 20) + FEE / 10);
    }

    function test_fees_ofTicketsFromBeforeTheChange() public {
        registerOperators(2);
        uint256 effectiveAt = _announceFeeOfTenPercent();
        vm.warp(effectiveAt - 1);
        IExecutionCoordinator.Ticket memory before = postNew(0);
        // The lane remembers the new share first.
        vm.warp(effectiveAt);
        submit(answerOf(postNew(1), 0), "");
        assertEq(coordinator.uncollectedFees(requester), FEE / 10);
        submit(answerOf(before, 0), "");
        assertEq(coordinator.uncollectedFees(requester), FEE / 10 + FEE / 20);
    }

    /// @dev The committee of eight is remembered first; tickets from before it had three.
    function test_seats_ofTicketsFromBeforeTheChange() public {
        registerOperators(NETWORK_SIZE);
        uint256 effectiveAt = _announceCommitteeOfAll();
        vm.warp(effectiveAt - 1);
        IExecutionCoordinator.Ticket memory before = postNew(0);
        vm.warp(effectiveAt);
        submit(answerOf(postNew(1), 0), "");
        _expectRefused(answerOf(before, 0));
    }

    function _announceCommitteeOfAll() private returns (uint256 effectiveAt) {
        IProtocolParameters.Parameters memory next = parameters();
        next.committeeSize = uint8(NETWORK_SIZE);
        return _announce(next);
    }

    function _announceFeeOfTenPercent() private returns (uint256 effectiveAt) {
        IProtocolParameters.Parameters memory next = parameters();
        next.protocolFeeBps = 1000;
        return _announce(next);
    }

    /// @dev They take effect in the middle of an epoch.
    function _announce(
        IProtocolParameters.Parameters memory next
    ) private returns (uint256 effectiveAt) {
        skip(times().epochSeconds / 2);
        vm.prank(governor);
        return protocolParameters.announce(next);
    }

    function _expectRefused(
        Answer memory answer
    ) private {
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(answer.ticket), only(answer.commitment));
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.NotSeated);
        vm.prank(answer.operator);
        lane.submit(
            answer.ticket, answer.attestation, signature, COMMITMENT_SALT, only(answer.commitment), setSignature, 0, ""
        );
    }
}
