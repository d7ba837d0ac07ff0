// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

/// @dev Release, refund, second payments, withdrawal.
contract PaymentEscrowExitsTest is EscrowFixture {
    IPaymentEscrow.EscrowTerms private terms;
    bytes32 private quoteId;

    function setUp() public override {
        super.setUp();
        terms = newTerms(1);
        quoteId = escrow.quoteIdOf(terms);
    }

    // ----------------------------------------------------------------- release

    function test_release_afterTheChallengeWindow() public {
        IExecutionCoordinator.Ticket memory ticket = openAndSettle(terms, Messages.OUTCOME_COMPLETED, 399);
        uint256 lastMoment = ticket.deadline + times().challengeWindow;
        vm.warp(lastMoment);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, lastMoment, lastMoment));
        escrow.release(terms);
        warpAfter(lastMoment);
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowReleased(quoteId, payee, PRICE);
        vm.prank(anyone);
        escrow.release(terms);
        assertEq(escrow.balanceOf(payee), PRICE);
        assertEq(uint8(statusOf(terms)), uint8(IPaymentEscrow.EscrowStatus.Released));
    }

    function test_release_ofAQuorumAfterTheConflictWindow() public {
        open(terms);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        ticket.quorum = 2;
        settle(terms, ticket, newAttestation(ticket));
        uint256 lastMoment = ticket.deadline + times().conflictWindow;
        vm.warp(lastMoment);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, lastMoment, lastMoment));
        escrow.release(terms);
        warpAfter(lastMoment);
        escrow.release(terms);
        assertEq(escrow.balanceOf(payee), PRICE);
    }

    function test_release_waitsForADispute() public {
        IExecutionCoordinator.Ticket memory ticket = openAndSettle(terms, Messages.OUTCOME_COMPLETED, 200);
        bytes32 requestId = idOf(ticket);
        warpAfter(ticket.deadline + times().challengeWindow);
        setCases(requestId, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.DisputeOpen.selector, quoteId, requestId));
        escrow.release(terms);
        expectNotReleasable();
        escrow.refund(terms);
        setCases(requestId, 0, 0);
        escrow.release(terms);
    }

    function test_release_neverAfterALostDispute() public {
        IExecutionCoordinator.Ticket memory ticket = openAndSettle(terms, Messages.OUTCOME_COMPLETED, 200);
        warpAfter(ticket.deadline + times().challengeWindow);
        setCases(idOf(ticket), 0, 1);
        expectNotReleasable();
        escrow.release(terms);
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowRefunded(quoteId, payer, PRICE);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
    }

    function test_release_needsAResult() public {
        open(terms);
        vm.warp(terms.deadline + 30 days);
        expectStatus(IPaymentEscrow.EscrowStatus.Settled, IPaymentEscrow.EscrowStatus.Open);
        escrow.release(terms);
    }

    function test_Attack_FailedResultReleased() public {
        for (uint8 outcome = Messages.OUTCOME_THREW; outcome <= Messages.OUTCOME_OUTPUT_TOO_LARGE; ++outcome) {
            refundFailed(outcome, 200);
        }
        refundFailed(Messages.OUTCOME_COMPLETED, 400);
        refundFailed(Messages.OUTCOME_COMPLETED, 500);
    }

    // ------------------------------------------------------------------ refund

    function test_Attack_LateBatchAgainstEarlyRefund() public {
        // As long as a result may still be recorded nobody is refunded, and from then on nothing can be recorded.
        terms.deadline = uint40(vm.getBlockTimestamp()) + 60;
        quoteId = escrow.quoteIdOf(terms);
        open(terms);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        assertEq(ticket.deadline, terms.deadline);
        uint256 lastMoment = terms.deadline + times().settlementGrace;
        vm.warp(lastMoment);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, lastMoment, lastMoment));
        escrow.refund(terms);
        uint256 before = vm.snapshotState();
        settle(terms, ticket, attestation);
        expectNotReleasable();
        escrow.refund(terms);
        assertTrue(vm.revertToState(before));

        warpAfter(lastMoment);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentEscrow.EvidenceInvalid.selector, idOf(ticket), IExecutionCoordinator.SkipReason.Expired
            )
        );
        settle(terms, ticket, attestation);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
        expectStatus(IPaymentEscrow.EscrowStatus.Open, IPaymentEscrow.EscrowStatus.Refunded);
        settle(terms, ticket, attestation);
    }

    /// @dev The gateway took the quote's payment and signed no ticket, or kept it to itself.
    function test_Attack_WithheldTicket() public {
        open(terms);
        uint256 lastMoment = terms.deadline + times().settlementGrace;
        vm.warp(lastMoment);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, lastMoment, lastMoment));
        escrow.refund(terms);
        warpAfter(lastMoment);
        vm.prank(anyone);
        escrow.refund(terms);
        vm.prank(payer);
        assertEq(escrow.withdraw(payer), PRICE);
        assertEq(token.balanceOf(payer), PURSE);
    }

    function test_refund_needsAnEscrowThatIsNotOver() public {
        expectStatus(IPaymentEscrow.EscrowStatus.Settled, IPaymentEscrow.EscrowStatus.None);
        escrow.refund(terms);
        open(terms);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        expectStatus(IPaymentEscrow.EscrowStatus.Settled, IPaymentEscrow.EscrowStatus.Refunded);
        escrow.refund(terms);
    }

    function test_refund_ofAnEarnedPaymentIsRefused() public {
        IExecutionCoordinator.Ticket memory ticket = openAndSettle(terms, Messages.OUTCOME_COMPLETED, 200);
        warpAfter(ticket.deadline + times().challengeWindow);
        expectNotReleasable();
        escrow.refund(terms);
        escrow.release(terms);
        expectStatus(IPaymentEscrow.EscrowStatus.Settled, IPaymentEscrow.EscrowStatus.Released);
        escrow.refund(terms);
    }

    function test_refund_ofAClaimLeavesTimeForRivals() public {
        openClaimed(terms);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.status = 500;
        settle(terms, ticket, attestation);
        uint256 lastMoment = ticket.deadline + times().settlementGrace + times().challengeWindow;
        vm.warp(lastMoment);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, lastMoment, lastMoment));
        escrow.refund(terms);
        warpAfter(lastMoment);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
    }

    function test_claim_isContestedUntilItIsOver() public {
        openClaimed(terms);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.status = 500;
        settle(terms, ticket, attestation);
        cancel(THIEF_KEY, "c");
        IPaymentEscrow.Authorization memory rival = authorize(THIEF_KEY, terms, "c");
        escrow.open(terms, rival);
        assertTrue(escrow.getEscrow(quoteId).isContested);
        warpAfter(ticket.deadline + times().settlementGrace + times().challengeWindow);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(treasury), PRICE);
        // From now on there is nothing to contest.
        bytes memory nothing =
            abi.encodeWithSelector(IPaymentEscrow.DepositTooLow.selector, quoteId, depositOf(terms), 0, PRICE);
        vm.expectRevert(nothing);
        escrow.open(terms, rival);
    }

    function test_claim_ofAReleasedPaymentFindsNothing() public {
        openClaimed(terms);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        settle(terms, ticket, newAttestation(ticket));
        warpAfter(ticket.deadline + times().challengeWindow);
        escrow.release(terms);
        cancel(THIEF_KEY, "c");
        IPaymentEscrow.Authorization memory rival = authorize(THIEF_KEY, terms, "c");
        bytes memory nothing =
            abi.encodeWithSelector(IPaymentEscrow.DepositTooLow.selector, quoteId, depositOf(terms), 0, PRICE);
        vm.expectRevert(nothing);
        escrow.open(terms, rival);
    }

    function test_release_followsTheResultWhoeverPaid() public {
        openClaimed(terms);
        cancel(THIEF_KEY, "c");
        escrow.open(terms, authorize(THIEF_KEY, terms, "c"));
        assertTrue(escrow.getEscrow(quoteId).isContested);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        settle(terms, ticket, newAttestation(ticket));
        warpAfter(ticket.deadline + times().challengeWindow);
        escrow.release(terms);
        assertEq(escrow.balanceOf(payee), PRICE);
    }

    // --------------------------------------------------------- second payments

    function test_secondPayment_goesBackAfterTimeForRivals() public {
        openBy(THIEF_KEY, terms, "first");
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "second");
        executeElsewhere(terms, given);
        uint40 returnableAt = terms.deadline + times().settlementGrace;
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.SecondPaymentClaimed(quoteId, payer, returnableAt);
        escrow.open(terms, given);
        assertEq(escrow.getSecondClaim(quoteId).claimant, payer);

        vm.warp(returnableAt);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, returnableAt, returnableAt));
        escrow.returnSecondPayment(terms);
        skip(1);
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.ExcessReturned(quoteId, payer, PRICE);
        escrow.returnSecondPayment(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.NothingClaimed.selector, quoteId));
        escrow.returnSecondPayment(terms);
    }

    function test_secondPayment_ofRivalsGoesToTheTreasury() public {
        openBy(THIEF_KEY, terms, "first");
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "second");
        executeElsewhere(terms, given);
        escrow.open(terms, given);
        cancel(THIEF_KEY, "c");
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowContested(quoteId, payer, thief);
        escrow.open(terms, authorize(THIEF_KEY, terms, "c"));
        // The first payment was executed here: nobody can contest it.
        assertFalse(escrow.getEscrow(quoteId).isContested);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.returnSecondPayment(terms);
        assertEq(escrow.balanceOf(treasury), PRICE);
    }

    function test_secondPayment_canBeClaimedAgainAfterOneWentBack() public {
        openBy(THIEF_KEY, terms, "first");
        for (uint256 i = 1; i <= 2; ++i) {
            IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, bytes32(i));
            executeElsewhere(terms, given);
            escrow.open(terms, given);
            assertFalse(escrow.getSecondClaim(quoteId).isContested);
            warpAfter(escrow.getSecondClaim(quoteId).returnableAt);
            escrow.returnSecondPayment(terms);
            assertEq(escrow.balanceOf(payer), i * PRICE);
        }
    }

    function test_secondPayment_besideAClaimIsAClaimOfItsOwn() public {
        openClaimed(terms);
        IPaymentEscrow.Authorization memory second = authorize(THIEF_KEY, terms, "second");
        executeElsewhere(terms, second);
        escrow.open(terms, second);
        assertFalse(escrow.getEscrow(quoteId).isContested);
        assertEq(escrow.getSecondClaim(quoteId).claimant, thief);
        // Shown once more, it is a rival of the first claim; the second one stays its own.
        escrow.open(terms, second);
        assertTrue(escrow.getEscrow(quoteId).isContested);
        assertFalse(escrow.getSecondClaim(quoteId).isContested);
    }

    function test_secondPayment_isNotPushedOutByAThird() public {
        openClaimed(terms);
        for (uint256 i = 1; i <= 2; ++i) {
            IPaymentEscrow.Authorization memory given = authorize(i == 1 ? THIEF_KEY : PAYER_KEY, terms, bytes32(i));
            executeElsewhere(terms, given);
            escrow.open(terms, given);
        }
        // The third waits at the deposit address until there is room beside the first again.
        assertEq(escrow.getSecondClaim(quoteId).claimant, thief);
        assertEq(token.balanceOf(address(escrow)), 2 * PRICE);
        assertEq(token.balanceOf(depositOf(terms)), PRICE);
    }

    // -------------------------------------------------------------- withdrawal

    function test_withdraw_paysOut() public {
        open(terms);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        vm.startPrank(payer);
        vm.expectRevert(IPaymentEscrow.AddressZero.selector);
        escrow.withdraw(address(0));
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.Withdrawn(payer, anyone, PRICE);
        assertEq(escrow.withdraw(anyone), PRICE);
        assertEq(token.balanceOf(anyone), PRICE);
        assertEq(token.balanceOf(address(escrow)), 0);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.NothingToWithdraw.selector, payer));
        escrow.withdraw(anyone);
    }

    function test_withdraw_canBeSignedAndSentByAnybody() public {
        open(terms);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        bytes memory action = abi.encodeCall(IPaymentEscrow.withdraw, (payer));
        uint40 deadline = uint40(vm.getBlockTimestamp());
        bytes32 digest = Messages.hashRelayedAction(
            Messages.domainSeparator(block.chainid, address(escrow)), payer, action, 0, deadline
        );
        vm.prank(anyone);
        escrow.relay(payer, action, deadline, sign(PAYER_KEY, digest));
        assertEq(token.balanceOf(payer), PURSE);
    }

    function refundFailed(
        uint8 outcome,
        uint16 status
    ) private {
        uint256 before = vm.snapshotState();
        openAndSettle(terms, outcome, status);
        uint256 after_ = vm.snapshotState();
        vm.warp(terms.deadline + 30 days);
        expectNotReleasable();
        escrow.release(terms);
        assertTrue(vm.revertToState(after_));
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
        assertEq(escrow.balanceOf(payee), 0);
        assertTrue(vm.revertToState(before));
    }

    function expectNotReleasable() private {
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.NotReleasable.selector, quoteId));
    }

    function expectStatus(
        IPaymentEscrow.EscrowStatus expected,
        IPaymentEscrow.EscrowStatus actual
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.EscrowNotInStatus.selector, quoteId, expected, actual));
    }
}
