// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

contract QuorumTest is LaneFixture {
    function setUp() public override {
        super.setUp();
        registerOperators(5);
    }

    function test_quorum_isPaidByOrderOfCommitment() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(3, 5);
        // Opened in another order than committed, each at its turn.
        _openAt(answerOf(ticket, 0));
        _openAt(answerOf(ticket, 1));
        uint256 payableAt = uint256(ticket.deadline) + times().conflictWindow + 1;
        Answer memory third = answerOf(ticket, 2);
        awaitTurn(third);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.QuorumAgreed(idOf(ticket), third.attestation.resultSeal, uint40(payableAt));
        open(third, OUTPUT);
        assertStatus(ticket, IConfirmedLane.PostedStatus.Agreed);
        IConfirmedLane.Posted memory posted = lane.getPosted(idOf(ticket));
        assertEq(posted.openings, 3);
        assertEq(posted.agreedAt, vm.getBlockTimestamp());
        assertTrue(lane.getCommitment(idOf(ticket), third.operator).isOpened);
        assertFalse(lane.getCommitment(idOf(ticket), operatorAt(3)).isOpened);
        vm.warp(payableAt - 1);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.ConflictWindowOpen);
        lane.finalise(ticket);
        vm.warp(payableAt);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionSettled(
            idOf(ticket), operatorAt(0), third.attestation.resultSeal, 1, 200, 476
        );
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.RewardsShared(idOf(ticket), _only(operatorAt(1)), 316);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.RewardsShared(idOf(ticket), _only(operatorAt(2)), 158);
        lane.finalise(ticket);
        assertStatus(ticket, IConfirmedLane.PostedStatus.Settled);
        assertEq(coordinator.earningsOf(operatorAt(0)), 476);
        assertEq(coordinator.earningsOf(operatorAt(1)), 316);
        assertEq(coordinator.earningsOf(operatorAt(2)), 158);
        assertEq(coordinator.uncollectedFees(requester), FEE - REWARD);
        assertEq(reservedOf(funder), 0);
        expectStatus(ticket, IConfirmedLane.PostedStatus.Agreed, IConfirmedLane.PostedStatus.Settled);
        lane.finalise(ticket);
    }

    function test_quorum_countsOnlyWhatIsEqual() public {
        for (uint256 kind; kind < 3; ++kind) {
            IExecutionCoordinator.Ticket memory ticket = postQuorum(uint64(kind), 2);
            Answer memory different = _different(answerOf(ticket, 1), kind);
            commit(answerOf(ticket, 0));
            commit(different);
            commit(answerOf(ticket, 2));
            _openAt(answerOf(ticket, 0));
            _openAt(different);
            assertStatus(ticket, IConfirmedLane.PostedStatus.Open);
            assertEq(lane.getPosted(idOf(ticket)).openings, 2);
            _openAt(answerOf(ticket, 2));
            assertStatus(ticket, IConfirmedLane.PostedStatus.Agreed);
            vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
            lane.finalise(ticket);
            assertEq(coordinator.earningsOf(operatorAt(0)), 634 * (kind + 1));
            assertEq(coordinator.earningsOf(operatorAt(1)), 0);
            assertEq(coordinator.earningsOf(operatorAt(2)), 316 * (kind + 1));
        }
    }

    function test_quorum_opensWhenCommitmentsAreClosed() public {
        IExecutionCoordinator.Ticket memory ticket = postQuorum(0, 2);
        Answer memory first = answerOf(ticket, 0);
        commit(first);
        assertEq(lane.opensAtBlock(ticket, first.operator), type(uint256).max);
        _expectNotTurn(first, type(uint256).max);
        vm.roll(vm.getBlockNumber() + 5);
        commit(answerOf(ticket, 1));
        // Enough: one turn for those who are slower.
        uint256 closesAfter = vm.getBlockNumber() + TURN_BLOCKS;
        assertEq(lane.opensAtBlock(ticket, first.operator), closesAfter + 1);
        vm.roll(closesAfter);
        commit(answerOf(ticket, 2));
        _expectNotTurn(first, closesAfter + 1);
        vm.roll(closesAfter + 1);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, idOf(ticket), operatorAt(3)));
        commit(answerOf(ticket, 3));
        open(first, "");
    }

    function test_quorum_closesWithTwoMoreThanItNeeds() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 4);
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), vm.getBlockNumber() + 1);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, idOf(ticket), operatorAt(4)));
        commit(answerOf(ticket, 4));
    }

    function test_quorum_laterOnesWaitForEarlierOnes() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(3, 5);
        uint256 first = vm.getBlockNumber() + 1;
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), first);
        assertEq(lane.opensAtBlock(ticket, operatorAt(2)), first + 2 * TURN_BLOCKS);
        _openAt(answerOf(ticket, 0));
        assertEq(lane.opensAtBlock(ticket, operatorAt(2)), first + TURN_BLOCKS);
        _openAt(answerOf(ticket, 1));
        assertEq(lane.opensAtBlock(ticket, operatorAt(2)), first);
        assertEq(lane.opensAtBlock(ticket, operatorAt(4)), first + 2 * TURN_BLOCKS);
    }

    function test_quorum_opensOnce() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(3, 5);
        Answer memory first = answerOf(ticket, 0);
        _openAt(first);
        bytes memory signature = signAttestation(first.key, first.attestation);
        vm.expectRevert(
            abi.encodeWithSelector(IConfirmedLane.CommitmentMismatch.selector, idOf(ticket), first.operator)
        );
        vm.prank(first.operator);
        lane.open(ticket, first.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
    }

    function test_quorum_refusesAnOutputThatIsNotTheResult() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(3, 5);
        Answer memory first = answerOf(ticket, 0);
        awaitTurn(first);
        bytes memory signature = signAttestation(first.key, first.attestation);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.OutputMismatch.selector, idOf(ticket)));
        vm.prank(first.operator);
        lane.open(ticket, first.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "another result");
    }

    /// @dev A second drawn operator agreed, so what depends on the machine is paid.
    function test_quorum_paysAResourceOutcome() public {
        IExecutionCoordinator.Ticket memory ticket = postQuorum(0, 2);
        for (uint256 i; i < 2; ++i) {
            commit(answerOf(ticket, i));
        }
        for (uint256 i; i < 2; ++i) {
            Answer memory answer = answerOf(ticket, i);
            answer.attestation.outcome = Messages.OUTCOME_TIMED_OUT;
            _openAt(answer);
        }
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        lane.finalise(ticket);
        assertEq(coordinator.earningsOf(operatorAt(0)), 634);
        assertEq(coordinator.earningsOf(operatorAt(1)), 316);
    }

    /// @dev Agreed after the deadline: the window begins then.
    function test_quorum_windowBeginsWithALateAgreement() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 4);
        vm.warp(ticket.deadline + 500);
        _openAt(answerOf(ticket, 0));
        _openAt(answerOf(ticket, 1));
        uint256 payableAt = vm.getBlockTimestamp() + times().conflictWindow + 1;
        vm.warp(payableAt - 1);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.ConflictWindowOpen);
        lane.finalise(ticket);
        vm.warp(payableAt);
        lane.finalise(ticket);
    }

    function test_quorum_waitsForDisputes() public {
        IExecutionCoordinator.Ticket memory ticket = _agree();
        vm.warp(uint256(ticket.deadline) + times().settlementGrace + 1);
        _setCases(ticket, 1, 0);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.InDispute);
        lane.finalise(ticket);
        _expectNotExpired(ticket);
        // One lost, another one open.
        _setCases(ticket, 1, 1);
        _expectNotExpired(ticket);
        // All acquitted.
        _setCases(ticket, 0, 0);
        _expectNotExpired(ticket);
        lane.finalise(ticket);
        assertEq(reservedOf(funder), 0);
    }

    function test_quorum_thatLostADisputeExpires() public {
        IExecutionCoordinator.Ticket memory ticket = _agree();
        _setCases(ticket, 0, 1);
        uint256 availableAt = uint256(ticket.deadline) + times().settlementGrace + 1;
        vm.warp(availableAt - 1);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.InDispute);
        lane.finalise(ticket);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, availableAt, availableAt - 1));
        lane.expire(ticket);
        vm.warp(availableAt);
        lane.expire(ticket);
        assertStatus(ticket, IConfirmedLane.PostedStatus.Expired);
        assertEq(reservedOf(funder), 0);
        assertEq(coordinator.earningsOf(operatorAt(0)), 0);
    }

    /// @dev A dispute about one opening of a quorum that never came about does not hold the fee.
    function test_quorum_thatNeverAgreedExpiresWhateverTheCourtSays() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 4);
        _openAt(answerOf(ticket, 0));
        _setCases(ticket, 0, 1);
        vm.warp(uint256(ticket.deadline) + times().settlementGrace + 1);
        lane.expire(ticket);
        assertEq(reservedOf(funder), 0);
    }

    function test_finalise_refusesWhatHasNotAgreed() public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0, 2);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotPosted.selector, idOf(ticket)));
        lane.finalise(ticket);
        post(ticket);
        expectStatus(ticket, IConfirmedLane.PostedStatus.Agreed, IConfirmedLane.PostedStatus.Open);
        lane.finalise(ticket);
    }

    function test_finaliseWithOutput_showsIt() public {
        IExecutionCoordinator.Ticket memory ticket = _agree();
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.OutputMismatch.selector, idOf(ticket)));
        lane.finaliseWithOutput(ticket, INPUT_SALT, "another result");
        vm.expectEmit(address(lane));
        emit IConfirmedLane.ExecutionOutput(idOf(ticket), OUTPUT);
        lane.finaliseWithOutput(ticket, INPUT_SALT, OUTPUT);
    }

    /// @dev The first to agree are no majority: one contradiction in time and nobody is paid before a jury has judged it.
    function test_Attack_CommitteeMinorityFinalises() public {
        IExecutionCoordinator.Ticket memory ticket = postQuorum(0, 2);
        for (uint256 i; i < 4; ++i) {
            commit(i < 2 ? withResult(answerOf(ticket, i), keccak256("a lie")) : answerOf(ticket, i));
        }
        for (uint256 i; i < 2; ++i) {
            _openAt(withResult(answerOf(ticket, i), keccak256("a lie")));
        }
        assertStatus(ticket, IConfirmedLane.PostedStatus.Agreed);
        // Whatever the colluders do, they are not paid before the window of the honest ones is over.
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.ConflictWindowOpen);
        lane.finalise(ticket);
        _setCases(ticket, 1, 0);
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.InDispute);
        lane.finalise(ticket);
    }

    /// @dev Whoever sees the first opening cannot commit any more, not even in the same block.
    function test_Attack_CopyingAResultOfAQuorum() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 2);
        Answer memory first = answerOf(ticket, 0);
        awaitTurn(first);
        // The first opening is in the mempool.
        Answer memory copier = answerOf(ticket, 4);
        vm.expectRevert(
            abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, idOf(ticket), copier.operator)
        );
        commit(copier);
        open(first, OUTPUT);
    }

    /// @dev Nothing is opened into a quorum that has agreed, nor after the end.
    function test_Attack_LateOpening() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 4);
        _openAt(answerOf(ticket, 0));
        Answer memory late = answerOf(ticket, 2);
        bytes memory signature = signAttestation(late.key, late.attestation);
        uint256 end = uint256(ticket.deadline) + times().settlementGrace;
        vm.warp(end + 1);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.Expired);
        vm.prank(late.operator);
        lane.open(ticket, late.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
        vm.warp(end);
        _openAt(answerOf(ticket, 1));
        expectStatus(ticket, IConfirmedLane.PostedStatus.Open, IConfirmedLane.PostedStatus.Agreed);
        vm.prank(late.operator);
        lane.open(ticket, late.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
        // It agreed in time, so it is paid whenever somebody comes.
        vm.warp(end + times().conflictWindow + 1);
        lane.finalise(ticket);
    }

    /// @dev Those who never open cannot stop the others, only delay them.
    function test_Attack_WithheldRevealOfAQuorum() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 4);
        uint256 start = vm.getBlockNumber();
        _openAt(answerOf(ticket, 2));
        _openAt(answerOf(ticket, 3));
        assertEq(vm.getBlockNumber(), start + 1 + 2 * TURN_BLOCKS);
        assertStatus(ticket, IConfirmedLane.PostedStatus.Agreed);
    }

    /// @dev A whole network of two agrees without waiting for a third that does not exist.
    function test_Attack_SmallNetworkOfTwo() public {
        for (uint256 i = 2; i < 5; ++i) {
            vm.prank(operatorAt(i));
            operators.drain();
        }
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 2);
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), vm.getBlockNumber() + 1);
        _openAt(answerOf(ticket, 0));
        _openAt(answerOf(ticket, 1));
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        lane.finalise(ticket);
        assertEq(coordinator.earningsOf(operatorAt(0)) + coordinator.earningsOf(operatorAt(1)), REWARD);
    }

    /// @dev The same when their stake counts.
    function test_quorum_closesWhenAllWhoCountHaveCommitted() public {
        for (uint256 i = 2; i < 5; ++i) {
            vm.prank(operatorAt(i));
            operators.drain();
        }
        skip(2 * times().epochSeconds);
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 2);
        assertEq(operators.getEpoch(ticket.epoch).operatorCount, 2);
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), vm.getBlockNumber() + 1);
    }

    /// @dev All have committed, and they are too few: a quorum stays open for whoever comes.
    function test_quorum_isNotClosedByTooFew() public {
        for (uint256 i = 1; i < 5; ++i) {
            vm.prank(operatorAt(i));
            operators.drain();
        }
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 1);
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), type(uint256).max);
        commit(answerOf(ticket, 1));
    }

    /// @dev Colluders who leave after committing do not close the door to those whose stake counts.
    function test_quorum_leavingDoesNotCloseCommitments() public {
        skip(2 * times().epochSeconds);
        for (uint256 i = 2; i < 5; ++i) {
            vm.prank(operatorAt(i));
            operators.drain();
        }
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 2);
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), vm.getBlockNumber() + TURN_BLOCKS + 1);
        commit(answerOf(ticket, 2));
    }

    /// @dev Nor do those whose stake counts close it to those who are new.
    function test_quorum_newOperatorsHaveTheirTurnToo() public {
        IExecutionCoordinator.Ticket memory ticket = _commitAll(2, 2);
        assertEq(operators.getEpoch(ticket.epoch).operatorCount, 0);
        assertEq(lane.opensAtBlock(ticket, operatorAt(0)), vm.getBlockNumber() + TURN_BLOCKS + 1);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_quorum_paysTheWholeFeeToExactlyThoseWhoAgree(
        uint8 quorum,
        uint96 fee,
        uint256 liars
    ) public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0, uint8(bound(quorum, 2, 3)));
        ticket.fee = uint96(bound(fee, 0, MAXIMUM_FEE));
        post(ticket);
        uint256 count = ticket.quorum + 2;
        for (uint256 i; i < count; ++i) {
            Answer memory answer = answerOf(ticket, i);
            commit(_lies(liars, i) ? withResult(answer, keccak256("a lie")) : answer);
        }
        for (uint256 i; i < count && statusOf(ticket) == IConfirmedLane.PostedStatus.Open; ++i) {
            Answer memory answer = answerOf(ticket, i);
            _openAt(_lies(liars, i) ? withResult(answer, keccak256("a lie")) : answer);
        }
        if (statusOf(ticket) != IConfirmedLane.PostedStatus.Agreed) return;
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        lane.finalise(ticket);
        uint256 paid = coordinator.uncollectedFees(requester);
        for (uint256 i; i < count; ++i) {
            paid += coordinator.earningsOf(operatorAt(i));
        }
        assertEq(paid, ticket.fee);
        assertEq(reservedOf(funder), 0);
    }

    function _lies(
        uint256 liars,
        uint256 index
    ) private pure returns (bool) {
        return liars >> index & 1 == 1;
    }

    function _agree() private returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = _commitAll(2, 4);
        _openAt(answerOf(ticket, 0));
        _openAt(answerOf(ticket, 1));
    }

    /// @dev Posts ticket 0 and commits the honest answers of the first operators.
    function _commitAll(
        uint8 quorum,
        uint256 count
    ) private returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = postQuorum(0, quorum);
        for (uint256 i; i < count; ++i) {
            commit(answerOf(ticket, i));
        }
    }

    /// @dev An answer that differs from the others' in one thing.
    function _different(
        Answer memory answer,
        uint256 kind
    ) private view returns (Answer memory) {
        if (kind == 0) answer.attestation.status = 201;
        if (kind == 1) answer.attestation.outcome = Messages.OUTCOME_THREW;
        return kind == 2 ? withResult(answer, keccak256("another result")) : answer;
    }

    function _openAt(
        Answer memory answer
    ) private {
        uint256 atBlock = lane.opensAtBlock(answer.ticket, answer.operator);
        if (vm.getBlockNumber() < atBlock) vm.roll(atBlock);
        open(answer, "");
    }

    function _setCases(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 openCases,
        uint256 lostCases
    ) private {
        bytes32 requestId = idOf(ticket);
        vm.mockCall(
            address(court),
            abi.encodeCall(IDisputeCourt.isContested, (requestId)),
            abi.encode(openCases + lostCases > 0)
        );
        vm.mockCall(address(court), abi.encodeCall(IDisputeCourt.openCasesOf, (requestId)), abi.encode(openCases));
        vm.mockCall(address(court), abi.encodeCall(IDisputeCourt.lostCasesOf, (requestId)), abi.encode(lostCases));
    }

    function _expectNotExpired(
        IExecutionCoordinator.Ticket memory ticket
    ) private {
        expectStatus(ticket, IConfirmedLane.PostedStatus.Open, IConfirmedLane.PostedStatus.Agreed);
        lane.expire(ticket);
    }

    function _expectNotTurn(
        Answer memory answer,
        uint256 atBlock
    ) private {
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        expectNotTurn(answer, atBlock);
        vm.prank(answer.operator);
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
    }

    function _only(
        address operator
    ) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = operator;
    }
}
