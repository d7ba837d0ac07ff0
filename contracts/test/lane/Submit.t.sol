// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

contract SubmitTest is LaneFixture {
    function setUp() public override {
        super.setUp();
        registerOperators(2);
    }

    function test_submit_paysTheWorker() public {
        Answer memory answer = answerOf(postNew(0), 0);
        bytes32 requestId = idOf(answer.ticket);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.ExecutionOutput(requestId, OUTPUT);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionSettled(
            requestId, answer.operator, answer.attestation.resultSeal, 1, 200, REWARD
        );
        submit(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
        assertEq(coordinator.uncollectedFees(requester), FEE - REWARD);
        assertEq(reservedOf(funder), 0);
        assertStatus(answer.ticket, IConfirmedLane.PostedStatus.Settled);
        assertEq(lane.getPosted(requestId).openings, 1);
        assertEq(lane.getCommitment(requestId, answer.operator).commitment, 0);
    }

    function test_submit_withoutOutput() public {
        Answer memory answer = answerOf(postNew(0), 0);
        vm.recordLogs();
        submit(answer, "");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], IConfirmedLane.ExecutionOutput.selector);
        }
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_submit_byTheExecutionKeyItself() public {
        Answer memory answer = answerOf(postNew(0), 0);
        submitIn(answer, only(answer.commitment), vm.addr(answer.key), "");
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_submit_relayedForAWorkerWithoutGas() public {
        Answer memory answer = answerOf(postNew(0), 0);
        bytes memory action = _submission(answer, answer.attestation, only(answer.commitment), OUTPUT);
        uint40 deadline = uint40(vm.getBlockTimestamp());
        address key = vm.addr(answer.key);
        bytes32 laneDomain = Messages.domainSeparator(block.chainid, address(lane));
        bytes32 digest = Messages.hashRelayedAction(laneDomain, key, action, lane.actionNonce(key), deadline);
        bytes memory signature = sign(answer.key, digest);
        vm.prank(makeAddr("anyone"));
        lane.relay(key, action, deadline, signature);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_submit_firstValidResultWins() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        submit(answerOf(ticket, 1), "");
        Answer memory late = answerOf(ticket, 0);
        _expectRefusal(
            late,
            abi.encodeWithSelector(
                IConfirmedLane.PostedNotInStatus.selector,
                idOf(ticket),
                IConfirmedLane.PostedStatus.Open,
                IConfirmedLane.PostedStatus.Settled
            )
        );
        assertEq(coordinator.earningsOf(late.operator), 0);
    }

    function test_submit_refusesWhatNobodyPosted() public {
        Answer memory answer = answerOf(confirmedTicket(0), 0);
        _expectRefusal(answer, abi.encodeWithSelector(IConfirmedLane.NotPosted.selector, idOf(answer.ticket)));
    }

    function test_submit_refusesQuorums() public {
        _expectInvalid(answerOf(postQuorum(0, 2), 0), IExecutionCoordinator.SkipReason.QuorumNotMet);
    }

    function test_submit_refusesEachBrokenAttestation() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory answer = answerOf(ticket, 0);
        answer.attestation.protocolVersion = 2;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.TermsInvalid);
        answer = answerOf(ticket, 0);
        answer.attestation.requestId = keccak256("another request");
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.TermsInvalid);
        answer = answerOf(ticket, 0);
        answer.attestation.outcome = 0;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.TermsInvalid);
        answer = answerOf(ticket, 0);
        answer.attestation.outcome = 7;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.TermsInvalid);
        answer = answerOf(ticket, 0);
        answer.attestation.status = 199;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.TermsInvalid);
        answer = answerOf(ticket, 0);
        answer.attestation.status = 600;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.TermsInvalid);
        answer = answerOf(ticket, 0);
        answer.key = 0xBAD;
        seal(answer);
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.WorkerNotActive);
        _expectInvalid(withSeat(answerOf(ticket, 0), 0), IExecutionCoordinator.SkipReason.NotSeated);
        _expectInvalid(withSeat(answerOf(ticket, 0), 2), IExecutionCoordinator.SkipReason.NotSeated);
        _expectInvalid(withSeat(answerOf(ticket, 0), 4), IExecutionCoordinator.SkipReason.NotSeated);
    }

    function test_submit_refusesASignatureThatIsNone() public {
        Answer memory answer = answerOf(postNew(0), 0);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(answer.ticket), only(answer.commitment));
        expectInvalid(answer.ticket, IExecutionCoordinator.SkipReason.WorkerSignature);
        vm.prank(answer.operator);
        lane.submit(
            answer.ticket, answer.attestation, hex"1234", COMMITMENT_SALT, only(answer.commitment), setSignature, 0, ""
        );
    }

    function test_Attack_LazyResourceOutcome() public {
        Answer memory answer = answerOf(postNew(0), 0);
        answer.attestation.outcome = Messages.OUTCOME_TIMED_OUT;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.ResourceOutcome);
        answer.attestation.outcome = Messages.OUTCOME_OUT_OF_MEMORY;
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.ResourceOutcome);
        answer.attestation.outcome = Messages.OUTCOME_OUTPUT_TOO_LARGE;
        submit(answer, "");
    }

    function test_submit_needsACommitmentOfTheSet() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory answer = answerOf(ticket, 0);
        // A set of others, an empty one, one that is too long, and one that the requester did not sign.
        _expectInvalidIn(answer, only(keccak256("another commitment")));
        _expectInvalidIn(answer, new bytes32[](0));
        bytes32[] memory commitments = new bytes32[](17);
        commitments[0] = answer.commitment;
        _expectInvalidIn(answer, commitments);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory setSignature = signCommitSet(0xBAD, idOf(ticket), only(answer.commitment));
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.CommitSetInvalid);
        vm.prank(answer.operator);
        lane.submit(
            ticket, answer.attestation, signature, COMMITMENT_SALT, only(answer.commitment), setSignature, 0, ""
        );
        commitments = new bytes32[](16);
        commitments[0] = answer.commitment;
        submitIn(answer, commitments, answer.operator, "");
    }

    function test_submit_laterOnesOfASetWaitForTheirTurn() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        (Answer memory first, Answer memory second) = (answerOf(ticket, 0), answerOf(ticket, 1));
        bytes32[] memory commitments = new bytes32[](2);
        (commitments[0], commitments[1]) = (first.commitment, second.commitment);
        uint256 turn = vm.getBlockNumber() + TURN_BLOCKS;
        vm.roll(turn - 1);
        bytes memory signature = signAttestation(second.key, second.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(ticket), commitments);
        expectNotTurn(second, turn);
        vm.prank(second.operator);
        lane.submit(ticket, second.attestation, signature, COMMITMENT_SALT, commitments, setSignature, 0, "");
        vm.roll(turn);
        submitIn(second, commitments, second.operator, "");
        assertEq(coordinator.earningsOf(second.operator), REWARD);
    }

    function test_submit_refusesAnOutputThatIsNotTheResult() public {
        Answer memory answer = answerOf(postNew(0), 0);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(answer.ticket), only(answer.commitment));
        bytes memory mismatch = abi.encodeWithSelector(IConfirmedLane.OutputMismatch.selector, idOf(answer.ticket));
        vm.startPrank(answer.operator);
        vm.expectRevert(mismatch);
        lane.submit(
            answer.ticket,
            answer.attestation,
            signature,
            COMMITMENT_SALT,
            only(answer.commitment),
            setSignature,
            INPUT_SALT,
            "another result"
        );
        vm.expectRevert(mismatch);
        lane.submit(
            answer.ticket,
            answer.attestation,
            signature,
            COMMITMENT_SALT,
            only(answer.commitment),
            setSignature,
            keccak256("another salt"),
            OUTPUT
        );
    }

    /// @dev Whoever copies the transaction could leave the output out.
    function test_submit_byTheWorkerOnly() public {
        Answer memory answer = answerOf(postNew(0), 0);
        address copier = operatorAt(1);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(answer.ticket), only(answer.commitment));
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotTheWorker.selector, answer.operator, copier));
        vm.prank(copier);
        lane.submit(
            answer.ticket, answer.attestation, signature, COMMITMENT_SALT, only(answer.commitment), setSignature, 0, ""
        );
    }

    function test_submit_untilTheEndOfTheGrace() public {
        Answer memory answer = answerOf(postNew(0), 0);
        vm.warp(uint256(answer.ticket.deadline) + times().settlementGrace + 1);
        _expectInvalid(answer, IExecutionCoordinator.SkipReason.Expired);
        vm.warp(uint256(answer.ticket.deadline) + times().settlementGrace);
        submit(answer, "");
    }

    /// @dev The old key signs for what was issued before it was rotated out, the new one for nothing that is older than it.
    function test_Attack_KeyRotationInFlight() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory answer = answerOf(ticket, 0);
        skip(1);
        uint256 newKey = 0xE99;
        bytes memory proof = signKeyProof(newKey, answer.operator);
        vm.prank(answer.operator);
        operators.rotateExecutionKey(vm.addr(newKey), proof);
        Answer memory withNewKey = answerOf(ticket, 0);
        withNewKey.key = newKey;
        seal(withNewKey);
        _expectInvalid(withNewKey, IExecutionCoordinator.SkipReason.WorkerNotActive);
        submit(answer, "");
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_submit_paysTheFeeOnceAndNoMore(
        uint96 fee,
        uint8 outcome,
        uint16 status
    ) public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.fee = uint96(bound(fee, 0, MAXIMUM_FEE));
        post(ticket);
        Answer memory answer = answerOf(ticket, 0);
        answer.attestation.outcome = uint8(bound(outcome, 1, 4));
        answer.attestation.status = uint16(bound(status, 200, 599));
        submit(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator) + coordinator.uncollectedFees(requester), ticket.fee);
        assertEq(reservedOf(funder), 0);
    }

    function _expectInvalid(
        Answer memory answer,
        IExecutionCoordinator.SkipReason reason
    ) private {
        _expectRefusal(
            answer, abi.encodeWithSelector(IExecutionCoordinator.TicketInvalid.selector, idOf(answer.ticket), reason)
        );
    }

    function _expectInvalidIn(
        Answer memory answer,
        bytes32[] memory commitments
    ) private {
        (bool isAccepted, bytes memory refusal) = _trySubmit(answer, commitments);
        assertFalse(isAccepted);
        assertEq(
            refusal,
            abi.encodeWithSelector(
                IExecutionCoordinator.TicketInvalid.selector,
                idOf(answer.ticket),
                IExecutionCoordinator.SkipReason.CommitSetInvalid
            )
        );
    }

    function _expectRefusal(
        Answer memory answer,
        bytes memory refusal
    ) private {
        (bool isAccepted, bytes memory actual) = _trySubmit(answer, only(answer.commitment));
        assertFalse(isAccepted);
        assertEq(actual, refusal);
    }

    function _trySubmit(
        Answer memory answer,
        bytes32[] memory commitments
    ) private returns (bool, bytes memory) {
        bytes memory call = _submission(answer, answer.attestation, commitments, "");
        vm.prank(answer.operator);
        // forge-lint: disable-next-line(unchecked-call)
        return address(lane).call(call);
    }

    function _submission(
        Answer memory answer,
        IExecutionCoordinator.Attestation memory attestation,
        bytes32[] memory commitments,
        bytes memory output
    ) private view returns (bytes memory) {
        return abi.encodeCall(
            IConfirmedLane.submit,
            (
                answer.ticket,
                attestation,
                signAttestation(answer.key, attestation),
                COMMITMENT_SALT,
                commitments,
                signCommitSet(REQUESTER_KEY, idOf(answer.ticket), commitments),
                INPUT_SALT,
                output
            )
        );
    }
}
