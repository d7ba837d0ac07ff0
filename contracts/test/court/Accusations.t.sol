// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev What may be brought before the court, by whom and until when.
contract AccusationsTest is CourtFixture {
    function evidenceInvalid(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) private view returns (bytes memory) {
        return abi.encodeWithSelector(ICourtFilings.EvidenceInvalid.selector, idOf(ticket), reason);
    }

    function equivocation(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.Attestation memory first,
        uint256 firstKey,
        IExecutionCoordinator.Attestation memory second,
        uint256 secondKey
    ) private {
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory firstSignature = signAttestation(firstKey, first);
        bytes memory secondSignature = signAttestation(secondKey, second);
        vm.prank(challenger);
        court.reportEquivocation(ticket, ticketSignature, first, firstSignature, second, secondSignature);
    }

    function equivocation(
        IExecutionCoordinator.Ticket memory ticket
    ) private {
        equivocation(ticket, attest(ticket, TRUTH), keyAt(0), attest(ticket, LIE), keyAt(0));
    }

    // ------------------------------------------------------------ challenges

    function test_challenge_writesTheCaseDown() public {
        IExecutionCoordinator.Ticket memory ticket = paidTicket(3);
        bytes32 caseId = challengeLie(ticket);
        assertEq(caseId, Hashes.caseId(idOf(ticket), operatorAt(0), LIE, 1, 200));
        assertEq(caseId, court.caseIdOf(idOf(ticket), operatorAt(0), LIE, 1, 200));
        assertEq(court.latestCaseOf(caseId), caseId);
        ICourtFilings.Case memory file = court.getCase(caseId);
        assertEq(uint8(file.kind), uint8(ICourtFilings.CaseKind.Challenge));
        assertEq(file.accused, operatorAt(0));
        assertEq(file.opener, challenger);
        assertEq(file.requestId, idOf(ticket));
        assertEq(file.functionId, functionId);
        assertEq(file.inputSeal, ticket.inputSeal);
        assertEq(file.resultSeal, LIE);
        assertEq(file.quoteId, ticket.quoteId);
        assertEq(file.outcome, 1);
        assertEq(file.httpStatus, 200);
        assertEq(file.bond, BOND);
        assertEq(file.cover, 0);
        assertEq(file.payer, payer);
        assertEq(file.payee, payee);
        assertEq(file.price, PRICE);
        assertEq(file.epoch, operators.currentEpoch());
        assertEq(file.seedBlock, vm.getBlockNumber() + 2);
        assertEq(file.phaseEndsAt, vm.getBlockTimestamp() + PHASE);
        assertEq(court.openCasesOf(idOf(ticket)), 1);
        assertTrue(court.isContested(idOf(ticket)));
        assertEq(court.lastCaseAt(requester), vm.getBlockTimestamp());
        assertEq(operators.getOperator(operatorAt(0)).openCases, 1);
        assertConserved(caseId);
    }

    function test_challenge_inputMustOpenTheSeal() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes memory refusal = abi.encodeWithSelector(ICourtFilings.InputMismatch.selector, idOf(ticket));
        expectRefusedInput(ticket, abi.encodePacked(SALT, "another"), refusal);
        expectRefusedInput(ticket, "short", refusal);
        bytes memory large = new bytes(8192 + 33);
        expectRefusedInput(
            ticket, large, abi.encodeWithSelector(ICourtFilings.InputTooLarge.selector, 8192 + 33, 8192 + 32)
        );
    }

    function expectRefusedInput(
        IExecutionCoordinator.Ticket memory ticket,
        bytes memory input,
        bytes memory refusal
    ) private {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(refusal);
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, input, "");
    }

    function test_challenge_largestInput() public {
        bytes memory body = new bytes(8192);
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        ticket.inputSeal = Hashes.seal(keccak256(body), SALT);
        bytes32 caseId = challengeOf(ticket, 0, LIE, abi.encodePacked(SALT, body));
        assertTrue(court.getCase(caseId).isInputGiven);
    }

    function test_challenge_untilTheWindowCloses() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        uint256 closesAt = uint256(ticket.deadline) + WINDOW;
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.warp(closesAt + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICourtFilings.WindowClosed.selector, idOf(ticket), closesAt, closesAt + 1)
        );
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
        vm.warp(closesAt);
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
    }

    function test_challenge_needsTheRequestersSignature() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(evidenceInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature));
        court.challenge(ticket, sign(keyAt(0), idOf(ticket)), attestation, signature, "", "");
    }

    function test_challenge_needsAnOperatorsSignature() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(0xBAD, attestation);
        vm.expectRevert(evidenceInvalid(ticket, IExecutionCoordinator.SkipReason.WorkerNotActive));
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
    }

    function test_challenge_whoeverSignedUnseated() public {
        // It says that its seat was drawn where all are seated: no settlement takes it, and it is a lie all the same.
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        attestation.seat = Messages.SEAT_DRAWN;
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.prank(challenger);
        assertTrue(court.challenge(ticket, ticketSignature, attestation, signature, "", "") != 0);
    }

    function test_challenge_ofAnUnbondingOperatorHoldsItsStake() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        skip(1);
        vm.prank(operatorAt(0));
        operators.unbond();
        bytes32 caseId = challengeLie(ticket);
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(stakeOf(0), STAKE / 2);
        // It stays on its way out.
        assertEq(uint8(operators.getOperator(operatorAt(0)).status), uint8(IOperatorRegistry.OperatorStatus.Unbonding));
    }

    // ------------------------------------------------------------ conflicts

    function quorumTicket(
        uint64 sequence
    ) private view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = judgedTicket(sequence);
        ticket.quorum = 3;
    }

    function test_conflict_holdsBothStakesAndBlocksTheRequest() public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0);
        bytes32 caseId = conflictOf(ticket, 0, LIE, 1, TRUTH);
        ICourtFilings.Case memory file = court.getCase(caseId);
        assertEq(uint8(file.kind), uint8(ICourtFilings.CaseKind.Conflict));
        assertEq(file.opener, operatorAt(1));
        assertEq(file.bond, 0);
        assertEq(operators.getOperator(operatorAt(0)).openCases, 1);
        assertEq(operators.getOperator(operatorAt(1)).openCases, 1);
        assertTrue(court.isContested(idOf(ticket)));
        mineSeed(caseId);
        assertFalse(court.isJuror(caseId, operatorAt(1)));
        Says[10] memory said = all(Says.Truth);
        said[1] = Says.Silent;
        sitTwice(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(operators.getOperator(operatorAt(1)).openCases, 0);
        uint256 left = STAKE / 2 - 16 * JUROR_FEE;
        assertEq(credited(1), left / 5);
        assertConserved(caseId);
    }

    function test_conflict_openerPaysFromItsStakeWhenItWasWrong() public {
        bytes32 caseId = conflictOf(quorumTicket(0), 1, TRUTH, 0, LIE);
        Says[10] memory said = all(Says.Truth);
        said[1] = Says.Silent;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
        assertEq(stakeOf(0), STAKE - BOND);
        assertEq(credited(1), BOND - 8 * JUROR_FEE);
        assertEq(credited(2), JUROR_FEE);
        assertConserved(caseId);
    }

    function test_conflict_nobodyPaysForAnInputThatAGatewayWithheld() public {
        bytes32 caseId = conflictOf(quorumTicket(0), 0, LIE, 1, TRUTH);
        Says[10] memory said = all(Says.Unavailable);
        said[1] = Says.Silent;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Unavailable);
        assertEq(stakeOf(1), STAKE);
        assertConserved(caseId);
    }

    function test_conflict_eitherMayBeAccused() public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0);
        conflictOf(ticket, 0, LIE, 1, TRUTH);
        conflictOf(ticket, 1, TRUTH, 0, LIE);
        assertEq(court.openCasesOf(idOf(ticket)), 2);
        assertEq(operators.getOperator(operatorAt(1)).openCases, 2);
    }

    function test_conflict_mustContradict() public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0);
        bytes memory refusal = abi.encodeWithSelector(ICourtFilings.NotConflicting.selector, idOf(ticket));
        expectConflictRefused(ticket, 1, TRUTH, refusal);
        expectConflictRefused(ticket, 0, LIE, refusal);
        ticket.quorum = 1;
        refusal = abi.encodeWithSelector(ICourtFilings.NotConflicting.selector, idOf(ticket));
        expectConflictRefused(ticket, 1, LIE, refusal);
    }

    /// @dev Operator 0 says the truth.
    function expectConflictRefused(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 opener,
        bytes32 second,
        bytes memory refusal
    ) private {
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        IExecutionCoordinator.Attestation memory one = attest(ticket, TRUTH);
        IExecutionCoordinator.Attestation memory other = attest(ticket, second);
        bytes memory firstSignature = signAttestation(keyAt(0), one);
        bytes memory secondSignature = signAttestation(keyAt(opener), other);
        vm.expectRevert(refusal);
        court.reportConflict(ticket, ticketSignature, one, firstSignature, other, secondSignature, "", "");
    }

    function test_conflict_onlyOfSeatedOperators() public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0);
        IExecutionCoordinator.Attestation memory first = attest(ticket, TRUTH);
        IExecutionCoordinator.Attestation memory second = attest(ticket, LIE);
        second.seat = Messages.SEAT_DRAWN;
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory one = signAttestation(keyAt(0), first);
        bytes memory other = signAttestation(keyAt(1), second);
        bytes memory refusal = evidenceInvalid(ticket, IExecutionCoordinator.SkipReason.NotSeated);
        vm.expectRevert(refusal);
        court.reportConflict(ticket, ticketSignature, first, one, second, other, "", "");
        vm.expectRevert(refusal);
        court.reportConflict(ticket, ticketSignature, second, other, first, one, "", "");
    }

    function test_conflict_onlyOfJudgedFunctions() public {
        IExecutionCoordinator.Ticket memory ticket = quorumTicket(0);
        ticket.envVersion = 1;
        expectConflictRefused(
            ticket, 1, LIE, abi.encodeWithSelector(ICourtFilings.NotJudged.selector, functionId, "environment")
        );
    }

    // ------------------------------------------------------------ equivocation

    function test_equivocation_slashesAndJailsWithoutAJury() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        vm.expectEmit(address(court));
        emit ICourtFilings.Equivocated(idOf(ticket), operatorAt(0), challenger, STAKE / 2);
        equivocation(ticket);
        assertEq(stakeOf(0), STAKE / 2);
        assertEq(court.balanceOf(challenger), STAKE / 2 / 5);
        assertEq(court.balanceOf(BURN), STAKE / 2 - STAKE / 2 / 5);
        IOperatorRegistry.Operator memory operator = operators.getOperator(operatorAt(0));
        assertEq(uint8(operator.status), uint8(IOperatorRegistry.OperatorStatus.Jailed));
        assertEq(operator.jailedUntil, vm.getBlockTimestamp() + UNBONDING);
        // It says nothing about which of the two was right, and nothing about the request's money.
        assertFalse(court.isContested(idOf(ticket)));
    }

    function test_equivocation_onlyJailsForFunctionsThatAreNotJudged() public {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        equivocation(ticket);
        assertEq(stakeOf(0), STAKE);
        assertEq(uint8(operators.getOperator(operatorAt(0)).status), uint8(IOperatorRegistry.OperatorStatus.Jailed));
    }

    function test_equivocation_statusOrOutcomeAreEnough() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory second = attest(ticket, TRUTH);
        second.status = 404;
        equivocation(ticket, attest(ticket, TRUTH), keyAt(0), second, keyAt(0));
        assertEq(stakeOf(0), STAKE / 2);
        second.status = 200;
        second.outcome = Messages.OUTCOME_THREW;
        equivocation(ticket, attest(ticket, TRUTH), keyAt(1), second, keyAt(1));
        assertEq(stakeOf(1), STAKE / 2);
    }

    function test_equivocation_isOneOffence() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        equivocation(ticket);
        IExecutionCoordinator.Attestation memory third = attest(ticket, OTHER);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        IExecutionCoordinator.Attestation memory first = attest(ticket, TRUTH);
        bytes memory one = signAttestation(keyAt(0), first);
        bytes memory other = signAttestation(keyAt(0), third);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotEquivocation.selector, idOf(ticket)));
        court.reportEquivocation(ticket, ticketSignature, first, one, third, other);
    }

    function test_equivocation_isOfOneKey() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        IExecutionCoordinator.Attestation memory first = attest(ticket, TRUTH);
        IExecutionCoordinator.Attestation memory second = attest(ticket, LIE);
        bytes memory one = signAttestation(keyAt(0), first);
        bytes memory other = signAttestation(keyAt(1), second);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotEquivocation.selector, idOf(ticket)));
        court.reportEquivocation(ticket, ticketSignature, first, one, second, other);
    }

    function test_equivocation_untilTheWindowCloses() public {
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        IExecutionCoordinator.Attestation memory first = attest(ticket, TRUTH);
        IExecutionCoordinator.Attestation memory second = attest(ticket, LIE);
        bytes memory one = signAttestation(keyAt(0), first);
        bytes memory other = signAttestation(keyAt(0), second);
        uint256 closesAt = uint256(ticket.deadline) + WINDOW;
        vm.warp(closesAt + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICourtFilings.WindowClosed.selector, idOf(ticket), closesAt, closesAt + 1)
        );
        court.reportEquivocation(ticket, ticketSignature, first, one, second, other);
    }
}
