// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../src/libraries/Messages.sol";
import {CoordinatorFixture} from "./fixtures/CoordinatorFixture.sol";

contract ConfirmedLaneTest is CoordinatorFixture {
    function test_post_reservesConsumesAndTellsTheWorkers() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionRequested(idOf(ticket), ticket.functionId, requester, ticket, hex"0102");
        bytes32 requestId = coordinator.post(ticket, signTicket(ticket), hex"0102");
        assertEq(requestId, idOf(ticket));
        assertEq(coordinator.hashTicket(ticket), requestId);
        assertTrue(coordinator.postedStatus(requestId) == IExecutionCoordinator.PostedStatus.Open);
        assertTrue(coordinator.isConsumed(requester, 0));
        (uint256 available, uint256 reserved,,) = coordinator.creditOf(funder);
        assertEq(available, 100e6 - FEE);
        assertEq(reserved, FEE);
    }

    function test_post_refusesEachBrokenTerm() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.protocolVersion = 2;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        ticket = newTicket(0);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.LaneMismatch);
        ticket = confirmedTicket(0);
        ticket.quorum = 3;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.QuorumNotMet);
        ticket = confirmedTicket(0);
        ticket.epoch += 1;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.EpochMismatch);
        ticket = confirmedTicket(0);
        issueAt(ticket, vm.getBlockTimestamp() + 1);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.NotYetValid);
        ticket = confirmedTicket(0);
        issueAt(ticket, vm.getBlockTimestamp() - 61);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.Expired);
    }

    function test_post_refusesAStrangersSignature() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        bytes memory signature = sign(0xBAD, idOf(ticket));
        _expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        coordinator.post(ticket, signature, "");
    }

    function test_post_refusesASecondTime() public {
        IExecutionCoordinator.Ticket memory ticket = _post(0);
        bytes memory signature = signTicket(ticket);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.AlreadyPosted.selector, idOf(ticket)));
        coordinator.post(ticket, signature, "");
    }

    function test_post_refusesAUsedSequence() public {
        coordinator.settle(planRolled(list(newExecution(0))));
        _expectPostRefused(confirmedTicket(0), IExecutionCoordinator.SkipReason.SequenceConsumed);
    }

    function test_post_consumesTheSequenceForSettlement() public {
        _post(0);
        expectSkip(newTicket(0), IExecutionCoordinator.SkipReason.SequenceConsumed);
        assertEq(coordinator.settle(planRolled(list(newExecution(0)))), 0);
    }

    function test_post_refusesWhatTheLineDoesNotCover() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.fee = 10_001;
        bytes memory signature = signTicket(ticket);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.CreditExhausted.selector, funder, requester, 100e6, 10_001)
        );
        coordinator.post(ticket, signature, "");
        ticket.funder = makeAddr("a stranger");
        signature = signTicket(ticket);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.CreditLineClosed.selector, ticket.funder, requester)
        );
        coordinator.post(ticket, signature, "");
    }

    function test_post_refusesTooMuchInput() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        bytes memory signature = signTicket(ticket);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.InputTooLarge.selector, 8225, 8224));
        coordinator.post(ticket, signature, new bytes(8225));
        coordinator.post(ticket, signature, new bytes(8224));
    }

    function test_submit_paysTheWorker() public {
        Execution memory execution = executionOf(_post(0), FIRST_KEY);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionSettled(
            idOf(execution.ticket), firstOperator, execution.attestation.resultSeal, 1, 200, REWARD
        );
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionOutput(idOf(execution.ticket), hex"0304");
        _submit(execution, firstOperator, hex"0304");
        assertEq(earningsOf(firstOperator), REWARD);
        assertEq(coordinator.treasuryBalance(), FEE - REWARD);
        (uint256 available, uint256 reserved,,) = coordinator.creditOf(funder);
        assertEq(available, 100e6 - FEE);
        assertEq(reserved, 0);
        assertTrue(coordinator.postedStatus(idOf(execution.ticket)) == IExecutionCoordinator.PostedStatus.Settled);
    }

    function test_submit_firstValidResultWins() public {
        IExecutionCoordinator.Ticket memory ticket = _post(0);
        _submit(executionOf(ticket, SECOND_KEY), secondOperator, "");
        Execution memory late = executionOf(ticket, FIRST_KEY);
        bytes memory signature = signAttestation(late);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutionCoordinator.PostedNotOpen.selector, idOf(ticket), IExecutionCoordinator.PostedStatus.Settled
            )
        );
        vm.prank(firstOperator);
        coordinator.submit(ticket, late.attestation, signature, "");
        assertEq(earningsOf(firstOperator), 0);
    }

    function test_submit_refusesWhatNobodyPosted() public {
        Execution memory execution = executionOf(confirmedTicket(0), FIRST_KEY);
        bytes memory signature = signAttestation(execution);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotPosted.selector, idOf(execution.ticket)));
        coordinator.submit(execution.ticket, execution.attestation, signature, "");
    }

    function test_submit_refusesEachBrokenAttestation() public {
        IExecutionCoordinator.Ticket memory ticket = _post(0);
        Execution memory execution = executionOf(ticket, FIRST_KEY);
        execution.attestation.protocolVersion = 2;
        _expectSubmitRefused(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        execution = executionOf(ticket, FIRST_KEY);
        execution.attestation.requestId = keccak256("another request");
        _expectSubmitRefused(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        execution = executionOf(ticket, FIRST_KEY);
        execution.attestation.outcome = Messages.OUTCOME_TIMED_OUT;
        _expectSubmitRefused(execution, IExecutionCoordinator.SkipReason.ResourceOutcome);
        execution = executionOf(ticket, 0xBAD);
        _expectSubmitRefused(execution, IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_submit_refusesASignatureThatIsNone() public {
        Execution memory execution = executionOf(_post(0), FIRST_KEY);
        _expectInvalid(execution.ticket, IExecutionCoordinator.SkipReason.WorkerSignature);
        vm.prank(firstOperator);
        coordinator.submit(execution.ticket, execution.attestation, hex"1234", "");
    }

    function test_submit_byTheExecutionKeyItself() public {
        Execution memory execution = executionOf(_post(0), FIRST_KEY);
        _submit(execution, vm.addr(FIRST_KEY), hex"01");
        assertEq(earningsOf(firstOperator), REWARD);
    }

    /// @dev A copied attestation must not arrive first with no output, or with another one.
    function test_submit_byOthersAfterTheDeadlineAndWithoutOutputOnly() public {
        Execution memory execution = executionOf(_post(0), FIRST_KEY);
        bytes memory signature = signAttestation(execution);
        address copier = makeAddr("copier");
        bytes memory refusal =
            abi.encodeWithSelector(IExecutionCoordinator.SubmitterNotWorker.selector, firstOperator, copier);
        vm.startPrank(copier);
        vm.expectRevert(refusal);
        coordinator.submit(execution.ticket, execution.attestation, signature, "");
        vm.warp(execution.ticket.deadline + 1);
        vm.expectRevert(refusal);
        coordinator.submit(execution.ticket, execution.attestation, signature, hex"bad0");
        coordinator.submit(execution.ticket, execution.attestation, signature, "");
        assertEq(earningsOf(firstOperator), REWARD);
    }

    function test_submit_untilTheEndOfTheGrace() public {
        Execution memory execution = executionOf(_post(0), FIRST_KEY);
        vm.warp(uint256(execution.ticket.deadline) + GRACE + 1);
        _expectSubmitRefused(execution, IExecutionCoordinator.SkipReason.Expired);
        vm.warp(uint256(execution.ticket.deadline) + GRACE);
        _submit(execution, firstOperator, "");
    }

    function test_expire_freesTheReservedFeeOnce() public {
        IExecutionCoordinator.Ticket memory ticket = _post(0);
        uint256 availableAt = uint256(ticket.deadline) + GRACE + 1;
        vm.warp(availableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, availableAt, availableAt - 1));
        coordinator.expire(ticket);
        vm.warp(availableAt);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionExpired(idOf(ticket));
        vm.prank(makeAddr("anyone"));
        coordinator.expire(ticket);
        (uint256 available, uint256 reserved,,) = coordinator.creditOf(funder);
        assertEq(available, 100e6);
        assertEq(reserved, 0);
        vm.expectPartialRevert(IExecutionCoordinator.PostedNotOpen.selector);
        coordinator.expire(ticket);
        assertTrue(coordinator.isConsumed(requester, 0));
    }

    function test_expire_refusesWhatNobodyPosted() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NotPosted.selector, idOf(ticket)));
        coordinator.expire(ticket);
    }

    function test_withdrawalCannotTakeWhatIsReserved() public {
        _post(0);
        vm.startPrank(funder);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.BalanceTooLow.selector, funder, 100e6 - FEE, 100e6)
        );
        coordinator.requestCreditWithdrawal(100e6);
    }

    function confirmedTicket(
        uint64 sequence
    ) internal view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = newTicket(sequence);
        ticket.lane = Messages.LANE_CONFIRMED;
    }

    function _post(
        uint64 sequence
    ) private returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = confirmedTicket(sequence);
        coordinator.post(ticket, signTicket(ticket), "");
    }

    function _submit(
        Execution memory execution,
        address sender,
        bytes memory output
    ) private {
        bytes memory signature = signAttestation(execution);
        vm.prank(sender);
        coordinator.submit(execution.ticket, execution.attestation, signature, output);
    }

    function _expectInvalid(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TicketInvalid.selector, idOf(ticket), reason));
    }

    function _expectPostRefused(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) private {
        bytes memory signature = signTicket(ticket);
        _expectInvalid(ticket, reason);
        coordinator.post(ticket, signature, "");
    }

    function _expectSubmitRefused(
        Execution memory execution,
        IExecutionCoordinator.SkipReason reason
    ) private {
        bytes memory signature = signAttestation(execution);
        _expectInvalid(execution.ticket, reason);
        vm.prank(firstOperator);
        coordinator.submit(execution.ticket, execution.attestation, signature, "");
    }
}
