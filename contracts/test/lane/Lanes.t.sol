// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev What a request costs here, and that it can be settled in one lane only.
contract LanesTest is LaneFixture {
    uint256 private constant TRANSACTION_GAS = 21_000;
    uint256 private constant MOST_GAS = 170_000;

    function setUp() public override {
        super.setUp();
        registerOperators(2);
    }

    /// @dev Post and answer through a gateway, a small request and result in calldata, every slot warm from another request.
    function test_gas_postAndSubmit() public {
        submit(answerOf(postNew(0), 0), OUTPUT);
        skip(2);
        vm.roll(vm.getBlockNumber() + 1);
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(1);
        Answer memory answer = answerOf(ticket, 0);
        bytes memory posting =
            abi.encodeCall(IConfirmedLane.post, (ticket, signTicket(REQUESTER_KEY, ticket), postedInput()));
        bytes memory submission = abi.encodeCall(
            IConfirmedLane.submit,
            (
                ticket,
                answer.attestation,
                signAttestation(answer.key, answer.attestation),
                COMMITMENT_SALT,
                only(answer.commitment),
                signCommitSet(REQUESTER_KEY, idOf(ticket), only(answer.commitment)),
                INPUT_SALT,
                OUTPUT
            )
        );
        uint256 posted = _gasOf(requester, posting);
        uint256 submitted = _gasOf(answer.operator, submission);
        emit log_named_uint("post", posted);
        emit log_named_uint("submit", submitted);
        assertLe(posted + submitted, MOST_GAS);
        assertEq(coordinator.earningsOf(answer.operator), 2 * REWARD);
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
        coordinator.settleReserved(ticket, attestation, new address[](1), new uint256[](1));
    }

    /// @dev What a transaction of this calldata costs, EIP-7623 included.
    function _gasOf(
        address sender,
        bytes memory call
    ) private returns (uint256) {
        uint256 tokens;
        for (uint256 i; i < call.length; ++i) {
            tokens += call[i] == 0 ? 1 : 4;
        }
        for (uint256 i; i < 5; ++i) {
            vm.cool(
                [
                    address(lane), address(coordinator), address(operators), address(protocolParameters), address(court)
                ][i]
            );
        }
        vm.prank(sender);
        uint256 before = gasleft();
        (bool succeeded,) = address(lane).call(call);
        uint256 used = before - gasleft();
        assertTrue(succeeded);
        uint256 standard = TRANSACTION_GAS + 4 * tokens + used;
        uint256 least = TRANSACTION_GAS + 10 * tokens;
        return standard > least ? standard : least;
    }
}
