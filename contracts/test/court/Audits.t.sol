// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev Every request is audited, by whoever is drawn; operator 0 ran it.
contract AuditsTest is CourtFixture {
    IExecutionCoordinator.Ticket private ticket;
    bytes32 private requestId;
    uint256 private auditor;
    bytes private ticketSignature;

    function parameters() internal view virtual override returns (IProtocolParameters.Parameters memory values) {
        values = super.parameters();
        values.auditRateBps = 10_000;
    }

    function setUp() public override {
        super.setUp();
        uint256 issuedAt = vm.getBlockTimestamp();
        skip(3 * times().epochSeconds);
        captureSeed();
        drawAudit(1, issuedAt);
    }

    /// @dev A ticket that operators 0 … quorum - 1 ran and another one audits.
    function drawAudit(
        uint8 quorum,
        uint256 issuedAt
    ) private {
        auditor = OPERATORS;
        for (uint64 sequence; auditor == OPERATORS; ++sequence) {
            IExecutionCoordinator.Ticket memory candidate = judgedTicket(sequence);
            candidate.quorum = quorum;
            issueAt(candidate, issuedAt);
            auditor = auditorOf(candidate);
            if (auditor != OPERATORS) ticket = candidate;
        }
        requestId = idOf(ticket);
        ticketSignature = signTicket(REQUESTER_KEY, ticket);
    }

    /// @dev The first drawn operator but the workers, `OPERATORS` when there is none.
    function auditorOf(
        IExecutionCoordinator.Ticket memory candidate
    ) private view returns (uint256) {
        for (uint256 i = candidate.quorum; i < OPERATORS; ++i) {
            (, bool isAuditor) = court.auditOf(idOf(candidate), candidate.epoch, operatorAt(i));
            if (isAuditor) return i;
        }
        return OPERATORS;
    }

    /// @dev As settlement does it.
    function consume() private {
        vm.prank(requester);
        coordinator.voidSequences(0, type(uint256).max);
    }

    function audit(
        uint256 who,
        bytes32 settled,
        bytes32 found,
        bytes memory input
    ) private returns (bytes32) {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, settled);
        IExecutionCoordinator.Attestation memory own = attest(ticket, found);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        bytes memory ownSignature = signAttestation(keyAt(who), own);
        vm.prank(operatorAt(who));
        return court.audit(ticket, ticketSignature, attestation, signature, own, ownSignature, input, "");
    }

    function ask(
        uint256 who
    ) private {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, TRUTH);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.prank(operatorAt(who));
        court.requestAuditInput(ticket, ticketSignature, attestation, signature);
    }

    function expectAuditRefused(
        uint256 who,
        bytes memory refusal
    ) private {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, TRUTH);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(refusal);
        vm.prank(operatorAt(who));
        court.requestAuditInput(ticket, ticketSignature, attestation, signature);
    }

    function test_lottery_needsTheSeedOfTheThirdEpochAfter() public view {
        (bool isAudited, bool isAuditor) = court.auditOf(requestId, ticket.epoch, operatorAt(auditor));
        assertTrue(isAudited);
        assertTrue(isAuditor);
        (isAudited, isAuditor) = court.auditOf(requestId, ticket.epoch + 1, operatorAt(auditor));
        assertFalse(isAudited);
        assertFalse(isAuditor);
    }

    function test_lottery_choosesTheShareOfTheParameters() public {
        IProtocolParameters.Parameters memory rare = parameters();
        rare.auditRateBps = 10;
        vm.mockCall(suite.parameters, abi.encodeCall(IProtocolParameters.current, ()), abi.encode(rare));
        uint256 chosen;
        for (uint256 i; i < 300; ++i) {
            (bool isAudited, bool isAuditor) =
                court.auditOf(keccak256(abi.encode(i)), ticket.epoch, operatorAt(i % OPERATORS));
            if (isAudited) ++chosen;
            assertFalse(isAuditor && !isAudited);
        }
        assertLt(chosen, 5);
    }

    function test_lottery_isLostAtTheRateItself() public {
        uint32 auditEpoch = ticket.epoch + 3;
        bytes32 seed = operators.getEpoch(auditEpoch).seed;
        uint16 lot = uint16(uint256(keccak256(abi.encode(seed, requestId))) % 10_000);
        IProtocolParameters.Parameters memory tuned = parameters();
        for (uint16 more; more < 2; ++more) {
            tuned.auditRateBps = lot + more;
            vm.mockCall(suite.parameters, abi.encodeCall(IProtocolParameters.current, ()), abi.encode(tuned));
            (bool isAudited,) = court.auditOf(requestId, ticket.epoch, operatorAt(auditor));
            assertEq(isAudited, more == 1);
        }
    }

    function test_audit_equalIsPaidOnceFromTheTreasury() public {
        consume();
        vm.mockCall(
            address(coordinator),
            abi.encodeCall(IExecutionCoordinator.payAudit, (operatorAt(auditor), ticket.fee)),
            abi.encode(ticket.fee)
        );
        vm.expectEmit(address(court));
        emit ICourtFilings.Audited(requestId, operatorAt(auditor), true, ticket.fee);
        assertEq(audit(auditor, TRUTH, TRUTH, ""), 0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, TRUTH);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        bytes memory ownSignature = signAttestation(keyAt(auditor), attestation);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
        vm.prank(operatorAt(auditor));
        court.audit(ticket, ticketSignature, attestation, signature, attestation, ownSignature, "", "");
        // Nor is the worker asked for its input any more.
        expectAuditRefused(auditor, abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
    }

    function test_audit_reallyReachesTheTreasury() public {
        consume();
        // The treasury is empty: nobody is paid, and the audit counts all the same.
        vm.expectEmit(address(court));
        emit ICourtFilings.Audited(requestId, operatorAt(auditor), true, 0);
        audit(auditor, TRUTH, TRUTH, "");
    }

    function test_audit_differentOpensACaseWithTheAuditorsStake() public {
        consume();
        bytes32 caseId = audit(auditor, LIE, TRUTH, givenInput());
        ICourtFilings.Case memory file = court.getCase(caseId);
        assertEq(uint8(file.kind), uint8(ICourtFilings.CaseKind.Audit));
        assertEq(file.accused, operatorAt(0));
        assertEq(file.opener, operatorAt(auditor));
        assertEq(file.bond, 0);
        assertTrue(file.isInputGiven);
        assertEq(operators.getOperator(operatorAt(auditor)).openCases, 1);
        Says[10] memory said = all(Says.Truth);
        said[auditor] = Says.Silent;
        sitTwice(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(credited(auditor), (STAKE / 2 - 16 * JUROR_FEE) / 5);
        assertEq(operators.getOperator(operatorAt(auditor)).openCases, 0);
        assertConserved(caseId);
    }

    /// @dev Both workers of a quorum say the same without running anything: nobody contradicts, but one cannot foresee who
    /// looks, and each answers for it.
    function test_Attack_DefaultAnswerCollusion() public {
        drawAudit(2, ticket.issuedAt);
        consume();
        bytes32 first = audit(auditor, LIE, TRUTH, givenInput());
        bytes32 second = challengeOf(ticket, 1, LIE, givenInput());
        Says[10] memory said = all(Says.Truth);
        (said[1], said[auditor]) = (Says.Silent, Says.Silent);
        sitTwice(first, said);
        assertStatus(first, ICourtFilings.CaseStatus.Convicted);
        assertEq(stakeOf(0), STAKE / 2);
        assertEq(court.lostCasesOf(requestId), 1);
        assertTrue(isOpen(second));
        assertGt(STAKE / 2, ticket.fee);
    }

    function test_audit_baselessCostsTheAuditorsStake() public {
        consume();
        bytes32 caseId = audit(auditor, TRUTH, LIE, givenInput());
        Says[10] memory said = all(Says.Truth);
        said[auditor] = Says.Silent;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
        assertEq(stakeOf(auditor), STAKE - BOND);
        assertConserved(caseId);
    }

    function test_audit_auditorThatWithholdsTheInputPays() public {
        consume();
        bytes32 caseId = audit(auditor, TRUTH, LIE, "");
        Says[10] memory said = all(Says.Unavailable);
        said[auditor] = Says.Silent;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Unavailable);
        assertEq(stakeOf(auditor), STAKE - BOND);
        assertConserved(caseId);
    }

    function test_audit_doubtCostsTheAuditorNothing() public {
        consume();
        bytes32 caseId = audit(auditor, TRUTH, LIE, givenInput());
        Says[10] memory said = all(Says.Truth);
        said[auditor] = Says.Silent;
        said[auditor == 9 ? 8 : 9] = Says.Differs;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        assertEq(stakeOf(auditor), STAKE);
        assertConserved(caseId);
    }

    function test_audit_ownWordOfACurrentKeyOfTheCaller() public {
        consume();
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        IExecutionCoordinator.Attestation memory own = attest(ticket, TRUTH);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        uint256 other = auditor == 9 ? 8 : 9;
        bytes memory othersWord = signAttestation(keyAt(other), own);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotJuror.selector, requestId, operatorAt(other)));
        vm.prank(operatorAt(auditor));
        court.audit(ticket, ticketSignature, attestation, signature, own, othersWord, "", "");
        bytes memory ownWord = signAttestation(keyAt(auditor), own);
        vm.prank(operatorAt(auditor));
        operators.revokeExecutionKey();
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourtFilings.EvidenceInvalid.selector, requestId, IExecutionCoordinator.SkipReason.WorkerNotActive
            )
        );
        vm.prank(operatorAt(auditor));
        court.audit(ticket, ticketSignature, attestation, signature, own, ownWord, "", "");
    }

    function test_audit_onlyOfConsumedRequests() public {
        expectAuditRefused(auditor, abi.encodeWithSelector(ICourtFilings.NotAudited.selector, requestId));
    }

    function test_audit_onlyOfChosenRequests() public {
        consume();
        IExecutionCoordinator.Ticket memory later = judgedTicket(100);
        ticket = later;
        requestId = idOf(later);
        ticketSignature = signTicket(REQUESTER_KEY, later);
        expectAuditRefused(auditor, abi.encodeWithSelector(ICourtFilings.NotAudited.selector, requestId));
    }

    function test_audit_onlyByDrawnOperators() public {
        consume();
        for (uint256 i; i < OPERATORS; ++i) {
            (, bool isAuditor) = court.auditOf(requestId, ticket.epoch, operatorAt(i));
            bytes32 seed = operators.getEpoch(ticket.epoch + 3).seed;
            assertEq(isAuditor, operators.isDrawn(seed, requestId, operatorAt(i), ticket.epoch + 3, 2));
            if (isAuditor) continue;
            expectAuditRefused(i, abi.encodeWithSelector(ICourtFilings.NotJuror.selector, requestId, operatorAt(i)));
        }
    }

    function test_audit_notByTheWorkerItself() public {
        consume();
        vm.mockCall(address(operators), abi.encodeWithSelector(operators.isDrawn.selector), abi.encode(true));
        expectAuditRefused(0, abi.encodeWithSelector(ICourtFilings.NotJuror.selector, requestId, operatorAt(0)));
    }

    function test_audit_notOfFunctionsThatAreNotJudged() public {
        consume();
        ticket.envVersion = 1;
        requestId = idOf(ticket);
        ticketSignature = signTicket(REQUESTER_KEY, ticket);
        expectAuditRefused(auditor, abi.encodeWithSelector(ICourtFilings.NotJudged.selector, functionId, "environment"));
    }

    function test_audit_resourceOutcomeOfTheAuditorIsNoCase() public {
        consume();
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, TRUTH);
        IExecutionCoordinator.Attestation memory own = attest(ticket, TRUTH);
        own.outcome = Messages.OUTCOME_TIMED_OUT;
        bytes memory signature = signAttestation(keyAt(0), attestation);
        bytes memory ownSignature = signAttestation(keyAt(auditor), own);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourtFilings.EvidenceInvalid.selector, requestId, IExecutionCoordinator.SkipReason.ResourceOutcome
            )
        );
        vm.prank(operatorAt(auditor));
        court.audit(ticket, ticketSignature, attestation, signature, own, ownSignature, "", "");
    }

    // ------------------------------------------------------------ the input

    function test_input_withheldCostsTheFee() public {
        consume();
        uint40 answerUntil = uint40(vm.getBlockTimestamp()) + PHASE;
        vm.expectEmit(address(court));
        emit ICourtFilings.AuditInputRequested(requestId, operatorAt(auditor), answerUntil);
        ask(auditor);
        vm.warp(answerUntil);
        vm.expectRevert(
            abi.encodeWithSelector(ICourtFilings.WrongPhase.selector, requestId, answerUntil + 1, answerUntil)
        );
        court.closeAudit(requestId);
        // A promise of where it is does not end the question.
        court.giveAuditInput(requestId, "", "cid");
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(ICourtFilings.WrongPhase.selector, requestId, answerUntil, answerUntil + 1)
        );
        court.giveAuditInput(requestId, givenInput(), "");
        vm.expectEmit(address(court));
        emit ICourtFilings.AuditInputWithheld(requestId, operatorAt(0), FEE);
        court.closeAudit(requestId);
        assertEq(stakeOf(0), STAKE - FEE);
        assertEq(court.balanceOf(funder), FEE);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
        court.closeAudit(requestId);
    }

    function test_input_givenEndsTheQuestion() public {
        consume();
        ask(auditor);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.InputMismatch.selector, requestId));
        court.giveAuditInput(requestId, abi.encodePacked(SALT, "another"), "");
        vm.expectEmit(address(court));
        emit ICourtFilings.AuditInputGiven(requestId, givenInput(), "");
        court.giveAuditInput(requestId, givenInput(), "");
        skip(PHASE + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
        court.closeAudit(requestId);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
        court.giveAuditInput(requestId, givenInput(), "");
    }

    function test_input_isAskedForOnce() public {
        consume();
        ask(auditor);
        expectAuditRefused(auditor, abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
    }

    function test_input_anAuditShowsThatItWasHad() public {
        consume();
        ask(auditor);
        audit(auditor, TRUTH, TRUTH, "");
        skip(PHASE + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.AuditNotOpen.selector, requestId));
        court.closeAudit(requestId);
        assertEq(stakeOf(0), STAKE);
    }

    function test_input_ofAQuorumCostsOneShareOfTheFee() public {
        ticket.quorum = 4;
        requestId = idOf(ticket);
        ticketSignature = signTicket(REQUESTER_KEY, ticket);
        consume();
        vm.mockCall(address(operators), abi.encodeWithSelector(operators.isDrawn.selector), abi.encode(true));
        ask(auditor);
        skip(PHASE + 1);
        court.closeAudit(requestId);
        assertEq(court.balanceOf(funder), FEE / 4);
    }
}
