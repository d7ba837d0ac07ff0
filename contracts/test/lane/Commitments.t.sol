// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

contract CommitmentsTest is LaneFixture {
    function setUp() public override {
        super.setUp();
        registerOperators(3);
    }

    function test_commit_standsOnChain() public {
        Answer memory answer = answerOf(postNew(0), 0);
        bytes32 requestId = idOf(answer.ticket);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.CommitmentPosted(requestId, answer.operator, answer.commitment, 0);
        commit(answer);
        IConfirmedLane.Commitment memory commitment = lane.getCommitment(requestId, answer.operator);
        assertEq(commitment.commitment, answer.commitment);
        assertEq(commitment.position, 0);
        assertEq(commitment.atBlock, vm.getBlockNumber());
        assertFalse(commitment.isOpened);
        commit(answerOf(answer.ticket, 1));
        assertEq(lane.getCommitment(requestId, operatorAt(1)).position, 1);
        assertEq(lane.getPosted(requestId).commitments, 2);
        assertEq(lane.getCommitment(requestId, operatorAt(2)).commitment, 0);
    }

    function test_commit_byTheExecutionKey() public {
        Answer memory answer = answerOf(postNew(0), 0);
        vm.prank(vm.addr(answer.key));
        lane.commit(answer.ticket, answer.commitment);
        assertEq(lane.getCommitment(idOf(answer.ticket), answer.operator).commitment, answer.commitment);
    }

    function test_commit_refusesAStranger() public {
        Answer memory answer = answerOf(postNew(0), 0);
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.WorkerNotActive);
        vm.prank(makeAddr("stranger"));
        lane.commit(answer.ticket, answer.commitment);
    }

    /// @dev Its key began after the ticket was issued.
    function test_commit_refusesWhoCameLater() public {
        Answer memory answer = answerOf(postNew(0), 3);
        skip(1);
        register(answer.operator, answer.key, parameters().minimumStake);
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.WorkerNotActive);
        commit(answer);
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.WorkerNotActive);
        vm.prank(vm.addr(answer.key));
        lane.commit(answer.ticket, answer.commitment);
    }

    function test_commit_refusesARevokedOperator() public {
        Answer memory answer = answerOf(postNew(0), 0);
        vm.prank(answer.operator);
        operators.revokeExecutionKey();
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.WorkerNotActive);
        commit(answer);
    }

    function test_commit_refusesASecondOne() public {
        Answer memory answer = answerOf(postNew(0), 0);
        commit(answer);
        vm.expectRevert(
            abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, idOf(answer.ticket), answer.operator)
        );
        commit(answer);
    }

    function test_commit_refusesNothing() public {
        Answer memory answer = answerOf(postNew(0), 0);
        answer.commitment = 0;
        vm.expectRevert(
            abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, idOf(answer.ticket), answer.operator)
        );
        commit(answer);
    }

    function test_commit_refusesWhatNobodyPostedOrIsOver() public {
        Answer memory answer = answerOf(confirmedTicket(0), 0);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotPosted.selector, idOf(answer.ticket)));
        commit(answer);
        post(answer.ticket);
        uint256 end = uint256(answer.ticket.deadline) + times().settlementGrace;
        vm.warp(end + 1);
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.Expired);
        commit(answer);
        vm.warp(end);
        submit(answerOf(answer.ticket, 1), "");
        expectStatus(answer.ticket, IConfirmedLane.PostedStatus.Open, IConfirmedLane.PostedStatus.Settled);
        commit(answer);
    }

    function test_commit_takesSixteen() public {
        for (uint256 i = 3; i < 17; ++i) {
            register(operatorAt(i), keyAt(i), parameters().minimumStake);
        }
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        for (uint256 i; i < 16; ++i) {
            commit(answerOf(ticket, i));
        }
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, idOf(ticket), operatorAt(16)));
        commit(answerOf(ticket, 16));
    }

    function test_open_paysTheFirstToCommit() public {
        Answer memory answer = answerOf(postNew(0), 0);
        commit(answer);
        awaitTurn(answer);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.CommitmentOpened(
            idOf(answer.ticket), answer.operator, answer.attestation.resultSeal, 1, 200
        );
        vm.expectEmit(address(lane));
        emit IConfirmedLane.ExecutionOutput(idOf(answer.ticket), OUTPUT);
        open(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
        assertTrue(lane.getCommitment(idOf(answer.ticket), answer.operator).isOpened);
        assertStatus(answer.ticket, IConfirmedLane.PostedStatus.Settled);
    }

    /// @dev An opening against a signed set has no place on chain, so whoever is first here waits for one turn too.
    function test_open_waitsForTheTurnsBefore() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        (Answer memory first, Answer memory second) = (answerOf(ticket, 0), answerOf(ticket, 1));
        commit(first);
        vm.roll(vm.getBlockNumber() + 1);
        commit(second);
        uint256 committedAt = vm.getBlockNumber();
        assertEq(lane.opensAtBlock(ticket, first.operator), committedAt + TURN_BLOCKS);
        assertEq(lane.opensAtBlock(ticket, second.operator), committedAt + 1 + 2 * TURN_BLOCKS);
        assertEq(lane.opensAtBlock(ticket, operatorAt(2)), 0);
        vm.roll(committedAt + TURN_BLOCKS - 1);
        _expectNotTurn(first, committedAt + TURN_BLOCKS);
        vm.roll(committedAt + 2 * TURN_BLOCKS);
        _expectNotTurn(second, committedAt + 1 + 2 * TURN_BLOCKS);
        vm.roll(committedAt + 1 + 2 * TURN_BLOCKS);
        open(second, "");
        assertEq(coordinator.earningsOf(second.operator), REWARD);
    }

    function test_open_refusesWhatWasNotCommitted() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        (Answer memory first, Answer memory second) = (answerOf(ticket, 0), answerOf(ticket, 1));
        commit(first);
        awaitTurn(first);
        _expectMismatch(second);
        _expectMismatch(withResult(first, keccak256("another result")));
    }

    function test_open_refusesWhatIsOver() public {
        Answer memory answer = answerOf(postNew(0), 0);
        commit(answer);
        awaitTurn(answer);
        vm.warp(uint256(answer.ticket.deadline) + times().settlementGrace + 1);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.Expired);
        vm.prank(answer.operator);
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
    }

    function test_open_byTheWorkerOnly() public {
        Answer memory answer = answerOf(postNew(0), 0);
        commit(answer);
        awaitTurn(answer);
        address copier = operatorAt(1);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotTheWorker.selector, answer.operator, copier));
        vm.prank(copier);
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
    }

    /// @dev Whoever sees a result on its way to the chain can only commit to it now, and opens turns later.
    function test_Attack_CopyingAResult() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory honest = answerOf(ticket, 0);
        Answer memory copier = answerOf(ticket, 1);
        // The honest worker's submission is in the mempool: same result, own key. The copier is even mined before it.
        commit(copier);
        _expectNotTurn(copier, vm.getBlockNumber() + 1 + TURN_BLOCKS);
        vm.roll(vm.getBlockNumber() + TURN_BLOCKS);
        _expectNotTurn(copier, vm.getBlockNumber() + 1);
        submit(honest, OUTPUT);
        assertEq(coordinator.earningsOf(honest.operator), REWARD);
        awaitTurn(copier);
        bytes memory signature = signAttestation(copier.key, copier.attestation);
        expectStatus(ticket, IConfirmedLane.PostedStatus.Open, IConfirmedLane.PostedStatus.Settled);
        vm.prank(copier.operator);
        lane.open(ticket, copier.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
        assertEq(coordinator.earningsOf(copier.operator), 0);
    }

    /// @dev A commitment holds the key that may open it: copied as it stands it is worth nothing.
    function test_Attack_CopyingACommitment() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory copier = answerOf(ticket, 1);
        bytes32 own = copier.commitment;
        copier.commitment = answerOf(ticket, 0).commitment;
        commit(copier);
        awaitTurn(copier);
        copier.commitment = own;
        _expectMismatch(copier);
        // Nor does it serve whoever it was copied from: the place is the copier's.
        _expectMismatch(answerOf(ticket, 0));
    }

    /// @dev The first to commit never opens: the next one does, one turn later.
    function test_Attack_WithheldReveal() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        commit(answerOf(ticket, 0));
        Answer memory honest = answerOf(ticket, 1);
        commit(honest);
        awaitTurn(honest);
        open(honest, OUTPUT);
        assertEq(coordinator.earningsOf(honest.operator), REWARD);
    }

    /// @dev Nobody shows a result: what was set aside goes back.
    function test_Attack_WithheldResult() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        commit(answerOf(ticket, 0));
        vm.warp(uint256(ticket.deadline) + times().settlementGrace + 1);
        lane.expire(ticket);
        assertEq(reservedOf(funder), 0);
    }

    function test_Attack_InventedCommitments() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory honest = answerOf(ticket, 0);
        // The requester signs a set of commitments that nobody made in front of the worker's: it waits, and is paid.
        bytes32[] memory commitments = new bytes32[](3);
        commitments[0] = keccak256("invented");
        commitments[1] = keccak256("invented too");
        commitments[2] = honest.commitment;
        vm.roll(vm.getBlockNumber() + 2 * TURN_BLOCKS);
        submitIn(honest, commitments, honest.operator, "");
        assertEq(coordinator.earningsOf(honest.operator), REWARD);
    }

    function test_Attack_SmallNetworkOfOne() public {
        for (uint256 i = 1; i < 3; ++i) {
            vm.prank(operatorAt(i));
            operators.drain();
        }
        Answer memory answer = answerOf(postNew(0), 0);
        commit(answer);
        awaitTurn(answer);
        open(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
        submit(answerOf(postNew(1), 0), "");
        assertEq(coordinator.earningsOf(answer.operator), 2 * REWARD);
    }

    function test_Attack_ReplayOnAnotherChainOrContract() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory answer = answerOf(ticket, 0);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(ticket), only(answer.commitment));
        bytes32 requestId = idOf(ticket);
        vm.chainId(137);
        assertNotEq(idOf(ticket), requestId);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotPosted.selector, idOf(ticket)));
        vm.prank(answer.operator);
        lane.submit(
            ticket, answer.attestation, signature, COMMITMENT_SALT, only(answer.commitment), setSignature, 0, ""
        );
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        lane.post(ticket, ticketSignature, "");
        vm.chainId(31_337);
        // A second suite on the same chain: another coordinator, so another domain.
        deploySuite();
        assertNotEq(idOf(ticket), requestId);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        lane.post(ticket, ticketSignature, "");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_open_inWhateverOrderOneIsPaid(
        uint256 order,
        uint256 waits
    ) public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        for (uint256 i; i < 3; ++i) {
            vm.roll(vm.getBlockNumber() + (waits >> (8 * i)) % 4);
            commit(answerOf(ticket, (order % 3 + i) % 3));
        }
        Answer memory answer = answerOf(ticket, order >> 128 & 1);
        awaitTurn(answer);
        open(answer, "");
        uint256 paid = coordinator.uncollectedFees(requester);
        for (uint256 i; i < 3; ++i) {
            paid += coordinator.earningsOf(operatorAt(i));
        }
        assertEq(paid, FEE);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
        assertEq(reservedOf(funder), 0);
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

    function _expectMismatch(
        Answer memory answer
    ) private {
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        vm.expectRevert(
            abi.encodeWithSelector(IConfirmedLane.CommitmentMismatch.selector, idOf(answer.ticket), answer.operator)
        );
        vm.prank(answer.operator);
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
    }
}
