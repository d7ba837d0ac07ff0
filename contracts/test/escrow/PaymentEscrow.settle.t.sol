// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

contract PaymentEscrowSettleTest is EscrowFixture {
    IPaymentEscrow.EscrowTerms private terms;
    bytes32 private quoteId;

    function setUp() public override {
        super.setUp();
        terms = newTerms(1);
        quoteId = escrow.quoteIdOf(terms);
        open(terms);
    }

    function test_settle_recordsTheResult() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowSettled(quoteId, idOf(ticket), attestation.resultSeal, 1, 200);
        settle(terms, ticket, attestation);

        IPaymentEscrow.Escrow memory settled = escrow.getEscrow(quoteId);
        assertEq(uint8(settled.status), uint8(IPaymentEscrow.EscrowStatus.Settled));
        assertEq(settled.requestId, idOf(ticket));
        assertEq(settled.deadline, ticket.deadline);
        assertEq(settled.outcome, Messages.OUTCOME_COMPLETED);
        assertEq(settled.httpStatus, 200);
        assertEq(settled.quorum, 1);
        assertEq(settled.payer, payer);
        assertTrue(settled.isProven);
    }

    function test_settle_isForTheTicketOfTheTerms() public {
        refuseMismatch("quoteId");
        refuseMismatch("requester");
        refuseMismatch("functionId");
        refuseMismatch("functionVersion");
        refuseMismatch("inputSeal");
        refuseMismatch("payee");
        refuseMismatch("price");
        refuseMismatch("deadline");
    }

    function test_settle_needsAnOpenEscrow() public {
        IPaymentEscrow.EscrowTerms memory unpaid = newTerms(2);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(unpaid, 2);
        expectStatus(unpaid, IPaymentEscrow.EscrowStatus.None);
        settle(unpaid, ticket, newAttestation(ticket));

        ticket = ticketFor(terms, 1);
        settle(terms, ticket, newAttestation(ticket));
        IExecutionCoordinator.Attestation memory other = newAttestation(ticket);
        other.resultSeal = keccak256("another result");
        expectStatus(terms, IPaymentEscrow.EscrowStatus.Settled);
        settle(terms, ticket, other);
    }

    function test_settle_needsTheRequestersSignature() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signAttestation(keyAt(0), attestation);
        bytes memory ticketSignature = signTicket(THIEF_KEY, ticket);
        expectReason(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);
    }

    function test_settle_needsAnOperatorsSignature() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signAttestation(THIEF_KEY, attestation);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        expectReason(ticket, IExecutionCoordinator.SkipReason.WorkerNotActive);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);
    }

    function test_settle_untilDeadlineAndGrace() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        uint256 lastMoment = ticket.deadline + times().settlementGrace;
        warpAfter(lastMoment);
        expectReason(ticket, IExecutionCoordinator.SkipReason.Expired);
        settle(terms, ticket, newAttestation(ticket));
        vm.warp(lastMoment);
        settle(terms, ticket, newAttestation(ticket));
    }

    function test_settle_needsASeat() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.seat = Messages.SEAT_WIDENED;
        expectReason(ticket, IExecutionCoordinator.SkipReason.NotSeated);
        settle(terms, ticket, attestation);
    }

    function test_settle_needsARequesterThatMayHaveDrawnSeats() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.seat = Messages.SEAT_DRAWN;
        vm.mockCall(
            address(operators), abi.encodeWithSelector(IOperatorRegistry.isAllSeated.selector), abi.encode(false)
        );
        vm.mockCall(address(operators), abi.encodeWithSelector(IOperatorRegistry.isSeated.selector), abi.encode(true));
        setDrawReason(IExecutionCoordinator.SkipReason.SequenceAhead);
        expectReason(ticket, IExecutionCoordinator.SkipReason.SequenceAhead);
        settle(terms, ticket, attestation);
        setDrawReason(IExecutionCoordinator.SkipReason.None);
        settle(terms, ticket, attestation);
        assertEq(uint8(statusOf(terms)), uint8(IPaymentEscrow.EscrowStatus.Settled));
    }

    function test_settle_needsAsManyOperatorsAsTheQuorumAsks() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        ticket.quorum = 2;
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signAttestation(keyAt(0), attestation);
        expectReason(ticket, IExecutionCoordinator.SkipReason.QuorumNotMet);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);

        signatures = new bytes[](2);
        signatures[0] = signatures[1] = signAttestation(keyAt(0), attestation);
        expectReason(ticket, IExecutionCoordinator.SkipReason.QuorumNotMet);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);

        signatures[1] = signAttestation(keyAt(1), attestation);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);
        assertEq(escrow.getEscrow(quoteId).quorum, 2);
    }

    function test_Attack_LazyResourceOutcome() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.outcome = Messages.OUTCOME_TIMED_OUT;
        expectReason(ticket, IExecutionCoordinator.SkipReason.ResourceOutcome);
        settle(terms, ticket, attestation);

        ticket.quorum = 2;
        attestation.requestId = idOf(ticket);
        settle(terms, ticket, attestation);
        vm.warp(terms.deadline + 30 days);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.NotReleasable.selector, quoteId));
        escrow.release(terms);
        escrow.refund(terms);
    }

    function test_Attack_SwappedBody() public {
        // The same quote for another body: neither the ticket nor the terms can be bent to it.
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        ticket.inputSeal = keccak256("another body");
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TicketMismatch.selector, quoteId, "inputSeal"));
        settle(terms, ticket, newAttestation(ticket));

        IPaymentEscrow.EscrowTerms memory swapped = newTerms(1);
        swapped.inputSeal = ticket.inputSeal;
        assertNotEq(depositOf(swapped), depositOf(terms));
        expectStatus(swapped, IPaymentEscrow.EscrowStatus.None);
        settle(swapped, ticket, newAttestation(ticket));
    }

    function test_Attack_OnePaymentForTwoRequests() public {
        IExecutionCoordinator.Ticket memory first = ticketFor(terms, 1);
        IExecutionCoordinator.Ticket memory second = ticketFor(terms, 1);
        second.sequence = 2;
        settle(terms, first, newAttestation(first));
        expectStatus(terms, IPaymentEscrow.EscrowStatus.Settled);
        settle(terms, second, newAttestation(second));

        vm.warp(terms.deadline + 30 days);
        escrow.release(terms);
        expectStatus(terms, IPaymentEscrow.EscrowStatus.Released);
        settle(terms, second, newAttestation(second));
        expectStatus(terms, IPaymentEscrow.EscrowStatus.Released, IPaymentEscrow.EscrowStatus.Settled);
        escrow.release(terms);
        assertEq(escrow.balanceOf(payee), PRICE);
    }

    function test_Attack_ReplayOnAnotherChainOrContract() public {
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signAttestation(keyAt(0), attestation);
        vm.chainId(block.chainid + 1);
        assertNotEq(escrow.quoteIdOf(terms), quoteId);
        expectStatus(terms, IPaymentEscrow.EscrowStatus.None);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);
    }

    function refuseMismatch(
        string memory member
    ) private {
        bytes32 name = keccak256(bytes(member));
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        if (name == keccak256("quoteId")) ticket.quoteId = keccak256("another quote");
        if (name == keccak256("requester")) ticket.requester = thief;
        if (name == keccak256("functionId")) ticket.functionId = keccak256("another function");
        if (name == keccak256("functionVersion")) ticket.functionVersion = 2;
        if (name == keccak256("inputSeal")) ticket.inputSeal = keccak256("another body");
        if (name == keccak256("payee")) ticket.payee = thief;
        if (name == keccak256("price")) ticket.price = PRICE - 1;
        if (name == keccak256("deadline")) ticket.deadline = terms.deadline + 1;
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TicketMismatch.selector, quoteId, member));
        settle(terms, ticket, newAttestation(ticket));
    }

    function setDrawReason(
        IExecutionCoordinator.SkipReason reason
    ) private {
        vm.mockCall(
            address(coordinator), abi.encodeWithSelector(IExecutionCoordinator.drawReason.selector), abi.encode(reason)
        );
    }

    function expectReason(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.EvidenceInvalid.selector, idOf(ticket), reason));
    }

    function expectStatus(
        IPaymentEscrow.EscrowTerms memory of_,
        IPaymentEscrow.EscrowStatus actual
    ) private {
        expectStatus(of_, actual, IPaymentEscrow.EscrowStatus.Open);
    }

    function expectStatus(
        IPaymentEscrow.EscrowTerms memory of_,
        IPaymentEscrow.EscrowStatus actual,
        IPaymentEscrow.EscrowStatus expected
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentEscrow.EscrowNotInStatus.selector, escrow.quoteIdOf(of_), expected, actual)
        );
    }
}
