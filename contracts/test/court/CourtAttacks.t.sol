// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev Each attack on the court by the name that docs/protocol.md gives it.
contract CourtAttacksTest is CourtFixture {
    IPaymentEscrow.EscrowTerms private terms;

    /// @dev A ticket whose price waits in escrow.
    function escrowedTicket(
        uint64 sequence
    ) private returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = judgedTicket(sequence);
        terms = IPaymentEscrow.EscrowTerms({
            requester: requester,
            functionId: functionId,
            functionVersion: 1,
            inputSeal: ticket.inputSeal,
            payee: payee,
            price: PRICE,
            deadline: ticket.deadline,
            nonce: bytes32(uint256(sequence))
        });
        (ticket.payer, ticket.payee, ticket.price) = (payer, payee, PRICE);
        ticket.quoteId = escrow.quoteIdOf(terms);
        fillPurse(payer, PRICE, address(escrow));
        vm.prank(payer);
        escrow.pay(terms);
    }

    function settleEscrow(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 worker,
        bytes32 result
    ) private {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, result);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signAttestation(keyAt(worker), attestation);
        escrow.settle(terms, ticket, signTicket(REQUESTER_KEY, ticket), attestation, signatures);
    }

    /// @dev What payer, challenger and, if it is one of them, operator 0 have together.
    function coalition() private view returns (uint256) {
        return
            court.balanceOf(payer) + court.balanceOf(challenger) + escrow.balanceOf(payer) + token.balanceOf(challenger);
    }

    function test_Attack_RareValueChallenge() public {
        // Operator 0 got a value that comes up rarely; eight of nine jurors never see it.
        bytes32 caseId = challengeLie(paidTicket(0));
        sit(caseId, some(1, Says.Differs, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        assertEq(stakeOf(0), STAKE);
        assertLt(court.balanceOf(challenger), BOND);
        // And the function is a weapon no more.
        IExecutionCoordinator.Ticket memory ticket = paidTicket(1);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotJudged.selector, functionId, "flagged"));
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
    }

    function test_Attack_RareValueChallenge_doubtOfTheSecondJury() public {
        bytes32 caseId = challengeLie(paidTicket(0));
        sit(caseId, all(Says.Truth));
        sit(caseId, some(1, Says.Differs, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        assertEq(stakeOf(0), STAKE);
        assertLt(court.balanceOf(challenger), BOND);
    }

    function test_Attack_NonDeterministicFunctionAsAWeapon() public {
        bytes32 caseId = challengeLie(paidTicket(0));
        sit(caseId, all(Says.Differs));
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        // It convicts only itself.
        assertEq(stakeOf(0), STAKE);
        assertEq(court.getOwnerBond(functionId).amount, 0);
        assertEq(credited(0), OWNER_BOND - 9 * JUROR_FEE);
    }

    function test_Attack_FlagForProfit() public {
        // Accused, opener and three of nine jurors are one; the owner did nothing wrong.
        bytes32 caseId = challengeLie(paidTicket(0));
        sit(caseId, some(3, Says.Differs, Says.Lie));
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        assertEq(court.getOwnerBond(functionId).amount, OWNER_BOND);
        uint256 theirs = court.balanceOf(challenger) + credited(0) + credited(1) + credited(2) + credited(3);
        assertLt(theirs, BOND);
        vm.startPrank(owner);
        court.unbondFunction(functionId);
        skip(UNBONDING);
        assertEq(court.withdrawOwnerBond(functionId, owner), OWNER_BOND);
    }

    function test_Attack_SmallNetwork() public {
        // Too few votes for a jury: the payer is refunded, nobody is slashed, and nobody earned an answer by asking.
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        settleEscrow(ticket, 0, TRUTH);
        uint256 before = coalition();
        bytes32 caseId = challengeOf(ticket, 0, TRUTH, "");
        assertEq(court.getCase(caseId).cover, PRICE);
        sit(caseId, some(5, Says.Truth, Says.Silent));
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
        assertEq(stakeOf(0), STAKE);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
        assertEq(court.balanceOf(challenger), BOND);
        assertEq(court.balanceOf(payee), PRICE);
        assertEq(coalition(), before);
        assertConserved(caseId);
    }

    function test_Attack_HungJuryForProfit() public {
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        settleEscrow(ticket, 0, TRUTH);
        uint256 before = coalition();
        Says[10] memory said = some(4, Says.Truth, Says.Other);
        said[9] = Says.Silent;
        sit(challengeOf(ticket, 0, TRUTH, ""), said);
        escrow.refund(terms);
        assertEq(coalition(), before);
    }

    function test_Attack_CoverComesBackWithAVerdict() public {
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        settleEscrow(ticket, 0, LIE);
        bytes32 caseId = challengeLie(ticket);
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
        // The escrow has given the price back.
        assertEq(court.balanceOf(payer), 0);
        assertEq(court.balanceOf(payee), 0);
        assertEq(court.balanceOf(challenger), BOND + PRICE + (STAKE / 2 - 18 * JUROR_FEE) / 5);
        assertConserved(caseId);
    }

    function test_Attack_CoverComesBackWithAnAcquittal() public {
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        bytes32 caseId = challengeOf(ticket, 0, TRUTH, "");
        sit(caseId, all(Says.Truth));
        assertEq(court.balanceOf(challenger), PRICE);
        assertConserved(caseId);
    }

    function test_Attack_CoverIsOnlyForWhatWaitsInEscrow() public {
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        IPaymentEscrow.Escrow memory released = escrow.getEscrow(ticket.quoteId);
        released.status = IPaymentEscrow.EscrowStatus.Released;
        vm.mockCall(address(escrow), abi.encodeCall(IPaymentEscrow.getEscrow, (ticket.quoteId)), abi.encode(released));
        bytes32 caseId = challengeLie(ticket);
        assertEq(court.getCase(caseId).cover, 0);
        // The payee has the money for good.
        sitTwice(caseId, all(Says.Truth));
        assertEq(court.balanceOf(payer), 0);
    }

    /// @dev A requester may write any payer and price into a ticket: a slash that paid them would pay accusers.
    function test_Attack_SlashByAnInventedPrice() public {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        (ticket.payer, ticket.payee, ticket.price) = (challenger, payee, type(uint128).max);
        ticket.functionId = functionId;
        bytes32 caseId = challengeLie(ticket);
        uint256 before = court.balanceOf(challenger);
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(court.balanceOf(challenger) - before, BOND + (STAKE / 2 - 18 * JUROR_FEE) / 5);
        assertConserved(caseId);
    }

    function test_Attack_WithheldInput() public {
        // A payer with a correct answer challenges it and gives jurors nothing to run.
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        settleEscrow(ticket, 0, TRUTH);
        uint256 before = coalition();
        bytes32 caseId = challengeOf(ticket, 0, TRUTH, "");
        sit(caseId, all(Says.Unavailable));
        escrow.refund(terms);
        assertEq(coalition(), before - BOND);
        assertEq(court.balanceOf(payee), PRICE);
        assertEq(credited(0), BOND - 9 * JUROR_FEE);
        assertConserved(caseId);
    }

    function test_Attack_WithheldInput_byTheAccusedItself() public {
        // It challenges itself and withholds the input, so that nobody else can challenge it: somebody else can.
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes32 first = challengeLie(ticket);
        sit(first, all(Says.Unavailable));
        bytes32 second = challengeOf(ticket, 0, LIE, givenInput());
        assertNotEq(first, second);
        assertEq(court.latestCaseOf(first), second);
        assertEq(court.lostCasesOf(idOf(ticket)), 0);
        sitTwice(second, all(Says.Truth));
        assertStatus(second, ICourtFilings.CaseStatus.Convicted);
        assertEq(court.lostCasesOf(idOf(ticket)), 1);
        assertConserved(second);
    }

    function test_Attack_WithheldInput_whileTheCaseIsOpen() public {
        // Or gives the input into the case that is open already.
        bytes32 caseId = challengeLie(judgedTicket(0));
        court.giveCaseInput(caseId, givenInput(), "");
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
    }

    function test_Attack_WithheldBundle() public {
        // The owner offers its bundle no more: nobody can tell who was right, so nobody is convicted, and the bond of whoever
        // asked pays the jury although the input was there.
        bytes32 caseId = challengeOf(judgedTicket(0), 0, LIE, givenInput());
        sit(caseId, some(5, Says.Unavailable, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Unavailable);
        assertEq(stakeOf(0), STAKE);
        assertEq(court.balanceOf(challenger), BOND - 5 * JUROR_FEE);
        assertEq(credited(0), 0);
        assertConserved(caseId);
    }

    function test_Attack_CaseOpenedTwice() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes32 caseId = challengeLie(ticket);
        expectCaseExists(ticket, caseId);
        sit(caseId, all(Says.Lie));
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
        expectCaseExists(ticket, caseId);
    }

    function test_Attack_CaseOpenedTwice_afterAConviction() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes32 caseId = challengeLie(ticket);
        sitTwice(caseId, all(Says.Truth));
        expectCaseExists(ticket, caseId);
    }

    function test_Attack_CaseOpenedTwice_undecidedAndHungMayBe() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes32 first = challengeLie(ticket);
        sit(first, all(Says.Silent));
        assertStatus(first, ICourtFilings.CaseStatus.Undecided);
        bytes32 second = challengeLie(ticket);
        sit(second, some(4, Says.Other, Says.Truth));
        assertStatus(second, ICourtFilings.CaseStatus.Hung);
        assertEq(court.lostCasesOf(idOf(ticket)), 1);
        bytes32 third = challengeLie(ticket);
        sit(third, all(Says.Lie));
        assertStatus(third, ICourtFilings.CaseStatus.Acquitted);
        assertEq(court.lostCasesOf(idOf(ticket)), 0);
        assertEq(court.lostCasesAbout(idOf(ticket), LIE, 1, 200), 0);
        expectCaseExists(ticket, third);
    }

    function expectCaseExists(
        IExecutionCoordinator.Ticket memory ticket,
        bytes32 caseId
    ) private {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.CaseExists.selector, caseId));
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
    }

    /// @dev A third of the stake says what it likes; the honest say what the accused said.
    function testFuzz_Attack_DefaultAnswerCollusion(
        uint8[3] memory hostile,
        bool isSecondWorker
    ) public {
        bytes32 caseId = challengeOf(judgedTicket(0), 0, TRUTH, isSecondWorker ? givenInput() : bytes(""));
        Says[10] memory said = all(Says.Truth);
        for (uint256 i; i < 3; ++i) {
            said[i + 1] = Says(hostile[i] % 8);
        }
        sit(caseId, said);
        assertFalse(isOpen(caseId));
        assertEq(stakeOf(0), STAKE);
        assertTrue(statusOf(caseId) != ICourtFilings.CaseStatus.Convicted);
    }

    function test_Attack_CopyingVotes() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        mineSeed(caseId);
        bytes32 commitment = Hashes.vote(ballotOf(caseId, 1, Says.Truth), SALT);
        vm.prank(operatorAt(1));
        court.commitVote(caseId, commitment);
        // The lazy juror copies what it sees, and even learns the salt; the commitment is the other juror's.
        vm.prank(operatorAt(2));
        court.commitVote(caseId, commitment);
        vm.warp(court.getCase(caseId).phaseEndsAt + 1);
        revealVote(caseId, 1, Says.Truth);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.VoteInvalid.selector, caseId, operatorAt(2)));
        vm.prank(operatorAt(2));
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
    }

    function test_Attack_CopyingVotes_fromAnotherCaseOrJury() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        bytes32 other = challengeLie(judgedTicket(1));
        mineSeed(caseId);
        bytes32 commitment = Hashes.vote(ballotOf(caseId, 1, Says.Truth), SALT);
        vm.startPrank(operatorAt(1));
        court.commitVote(other, commitment);
        vm.warp(court.getCase(other).phaseEndsAt + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.VoteInvalid.selector, other, operatorAt(1)));
        court.revealVote(other, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
    }

    function test_Attack_JurorsWhoDoNotReveal() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        sitTwice(caseId, some(3, Says.Hides, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(credited(1), 0);
        assertEq(credited(4), 2 * JUROR_FEE);
    }

    function test_Attack_OpenerAsItsOwnJuror() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        address key = vm.addr(keyAt(1));
        fillPurse(key, BOND, address(court));
        vm.prank(key);
        bytes32 caseId = court.challenge(ticket, ticketSignature, attestation, signature, "", "");
        mineSeed(caseId);
        assertFalse(court.isJuror(caseId, operatorAt(1)));
        assertFalse(court.isJuror(caseId, key));
        assertTrue(court.isJuror(caseId, operatorAt(2)));
    }

    function test_Attack_AccusedAsJurorOfAnotherWorkersCase() public {
        // Both attested the same lie: neither judges the other.
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        challengeOf(ticket, 0, LIE, "");
        bytes32 other = challengeOf(ticket, 1, LIE, "");
        mineSeed(other);
        assertFalse(court.isJuror(other, operatorAt(0)));
    }

    function test_Attack_UnsettledWrongAttestation() public {
        // Nobody settled it, and nobody will: it is convicted all the same, and says nothing about the right one.
        IExecutionCoordinator.Ticket memory ticket = escrowedTicket(0);
        settleEscrow(ticket, 1, TRUTH);
        assertFalse(coordinator.isConsumed(requester, 0));
        bytes32 caseId = challengeLie(ticket);
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(court.lostCasesAbout(idOf(ticket), LIE, 1, 200), 1);
        assertEq(court.lostCasesAbout(idOf(ticket), TRUTH, 1, 200), 0);
        // Else a payer with a second operator would buy its price back for half a stake.
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.NotReleasable.selector, ticket.quoteId));
        escrow.refund(terms);
        vm.warp(uint256(ticket.deadline) + WINDOW + 1);
        escrow.release(terms);
        assertEq(escrow.balanceOf(payee), PRICE);
    }

    function test_Attack_LazyResourceOutcome() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        ticket.quorum = 2;
        IExecutionCoordinator.Attestation memory lazy = attest(ticket, TRUTH);
        lazy.outcome = Messages.OUTCOME_TIMED_OUT;
        IExecutionCoordinator.Attestation memory honest = attest(ticket, TRUTH);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory one = signAttestation(keyAt(0), lazy);
        bytes memory other = signAttestation(keyAt(1), honest);
        bytes memory refusal = abi.encodeWithSelector(
            ICourtFilings.EvidenceInvalid.selector, idOf(ticket), IExecutionCoordinator.SkipReason.ResourceOutcome
        );
        // It depends on the machine: nobody is tried for it, nor by it.
        vm.expectRevert(refusal);
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, lazy, one, "", "");
        vm.expectRevert(refusal);
        court.reportConflict(ticket, ticketSignature, lazy, one, honest, other, "", "");
        vm.expectRevert(refusal);
        court.reportConflict(ticket, ticketSignature, honest, other, lazy, one, "", "");
        // Two words of one key are a fault all the same, but no proof.
        bytes memory both = signAttestation(keyAt(0), honest);
        uint256 before = vm.snapshotState();
        court.reportEquivocation(ticket, ticketSignature, honest, both, lazy, one);
        assertEq(stakeOf(0), STAKE);
        assertTrue(vm.revertToState(before));
        court.reportEquivocation(ticket, ticketSignature, lazy, one, honest, both);
        assertEq(stakeOf(0), STAKE);
        assertEq(uint8(operators.getOperator(operatorAt(0)).status), uint8(IOperatorRegistry.OperatorStatus.Jailed));
    }

    function test_Attack_EquivocationAfterACrash() public {
        // It crashed, and signed the same result again, now under another seat.
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory first = attest(ticket, TRUTH);
        IExecutionCoordinator.Attestation memory again = attest(ticket, TRUTH);
        again.seat = Messages.SEAT_WIDENED;
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory one = signAttestation(keyAt(0), first);
        bytes memory other = signAttestation(keyAt(0), again);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotEquivocation.selector, idOf(ticket)));
        court.reportEquivocation(ticket, ticketSignature, first, one, again, other);
    }

    function test_Attack_StakeExitBeforeDispute() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        skip(1);
        vm.prank(operatorAt(0));
        operators.unbond();
        vm.warp(uint256(ticket.deadline) + WINDOW);
        bytes32 caseId = challengeLie(ticket);
        commitAll(caseId, all(Says.Truth));
        revealAll(caseId, all(Says.Truth));
        skip(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.CasesOpen.selector, operatorAt(0), 1));
        vm.prank(operatorAt(0));
        operators.withdrawStake(operatorAt(0));
        court.concludeJury(caseId);
        sit(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        vm.prank(operatorAt(0));
        assertEq(operators.withdrawStake(operatorAt(0)), STAKE / 2);
    }

    function test_Attack_StakeExitBeforeDispute_withdrawnByThen() public {
        // Of an operator without any stake nothing is taken, and the case ends all the same.
        bytes32 caseId = challengeLie(paidTicket(0));
        vm.prank(address(court));
        operators.slash(operatorAt(0), STAKE, BURN);
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(credited(1), 0);
        assertEq(court.balanceOf(payer), 0);
        assertEq(court.balanceOf(challenger), BOND);
        assertConserved(caseId);
    }

    function test_Attack_SlashSmallerThanTheFees() public {
        // Jurors share what there is.
        bytes32 caseId = challengeLie(paidTicket(0));
        vm.prank(address(court));
        operators.slash(operatorAt(0), STAKE - 100, BURN);
        sitTwice(caseId, all(Says.Truth));
        assertEq(credited(1), 2 * (50 / uint256(18)));
        assertEq(court.balanceOf(payer), 0);
        assertConserved(caseId);
    }

    function test_Attack_Deadlock_nobodySits() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        skip(PHASE + 1);
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
        assertConserved(caseId);
    }

    function test_Attack_Deadlock_secondJuryNeverSits() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        sit(caseId, all(Says.Truth));
        skip(PHASE + 1);
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
        assertEq(stakeOf(0), STAKE);
        assertConserved(caseId);
    }

    function test_Attack_Deadlock_allHide() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        sit(caseId, all(Says.Hides));
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
    }

    function test_Attack_ReplayOnAnotherContract() public {
        // Signed for the court's own domain: the coordinator's counts.
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes32 domain_ = Messages.domainSeparator(block.chainid, address(court));
        bytes memory ticketSignature = sign(REQUESTER_KEY, Messages.hashTicket(domain_, ticket));
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourtFilings.EvidenceInvalid.selector,
                idOf(ticket),
                IExecutionCoordinator.SkipReason.RequesterSignature
            )
        );
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
    }
}
