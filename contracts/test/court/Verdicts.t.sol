// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev What a jury says and who pays for it.
contract VerdictsTest is CourtFixture {
    bytes32 private caseId;
    bytes32 private requestId;

    function setUp() public override {
        super.setUp();
        caseId = challengeLie(paidTicket(0));
        requestId = idOf(paidTicket(0));
    }

    function assertClosed() private view {
        assertConserved(caseId);
        assertEq(court.openCasesOf(requestId), 0);
        assertEq(operators.getOperator(operatorAt(0)).openCases, 0);
        assertEq(court.getOwnerBond(functionId).openCases, 0);
    }

    function assertLost(
        bool isLost
    ) private view {
        assertEq(court.lostCasesOf(requestId), isLost ? 1 : 0);
        assertEq(court.lostCasesAbout(requestId, LIE, 1, 200), isLost ? 1 : 0);
        assertEq(court.lostCasesAbout(requestId, TRUTH, 1, 200), 0);
        assertEq(court.isContested(requestId), isLost);
    }

    function test_convict_twoJuriesSlashAndJail() public {
        sit(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.SecondJury);
        assertEq(court.openCasesOf(requestId), 1);
        sitUntilTheEnd(caseId, all(Says.Truth));
        vm.expectEmit(address(court));
        emit ICourtFilings.CaseClosed(caseId, requestId, ICourtFilings.CaseStatus.Convicted, STAKE / 2);
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(stakeOf(0), STAKE / 2);
        IOperatorRegistry.Operator memory accused = operators.getOperator(operatorAt(0));
        assertEq(uint8(accused.status), uint8(IOperatorRegistry.OperatorStatus.Jailed));
        assertEq(accused.jailedUntil, vm.getBlockTimestamp() + UNBONDING);
        // Nine jurors in each jury, then a fifth to the challenger, the rest burned.
        for (uint256 i = 1; i < OPERATORS; ++i) {
            assertEq(credited(i), 2 * JUROR_FEE);
        }
        uint256 left = STAKE / 2 - 18 * JUROR_FEE;
        assertEq(court.balanceOf(challenger), BOND + left / 5);
        assertEq(court.balanceOf(BURN), left - left / 5);
        assertClosed();
        assertLost(true);
    }

    function test_convict_paysOnlyJurorsOfTheVerdict() public {
        // Nine votes, eight of them the truth: more than five sixths.
        sitTwice(caseId, some(1, Says.Lie, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertEq(credited(1), 0);
        assertEq(credited(2), 2 * JUROR_FEE);
        assertClosed();
    }

    function test_convict_needsFiveSixths() public {
        // Seven of nine are less, five of six are just that.
        sit(caseId, some(2, Says.Lie, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Hung);
        assertEq(stakeOf(0), STAKE);
        assertEq(court.balanceOf(challenger), BOND);
        assertClosed();
        assertLost(true);
        bytes32 other = challengeLie(paidTicket(1));
        Says[10] memory said = all(Says.Silent);
        for (uint256 i = 1; i < 6; ++i) {
            said[i] = Says.Truth;
        }
        said[6] = Says.Lie;
        sitTwice(other, said);
        assertStatus(other, ICourtFilings.CaseStatus.Convicted);
    }

    function test_convict_needsTheSameResultFromBothJuries() public {
        sit(caseId, all(Says.Truth));
        sit(caseId, all(Says.Other));
        assertStatus(caseId, ICourtFilings.CaseStatus.Hung);
        assertEq(stakeOf(0), STAKE);
        assertClosed();
    }

    function test_convict_needsOneResultNotMany() public {
        // All say that it lied, and no five sixths say the same.
        sit(caseId, some(4, Says.Other, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Hung);
    }

    function test_convict_resourceOutcomesOfJurorsSpeakForNobody() public {
        sit(caseId, all(Says.Machine));
        assertStatus(caseId, ICourtFilings.CaseStatus.Hung);
        assertEq(stakeOf(0), STAKE);
        assertEq(court.getTally(caseId, 1).votes, 9);
        assertEq(court.getTally(caseId, 1).leading, 0);
    }

    function test_convict_slashesWhatIsThere() public {
        // Two cases against one operator: the second takes half of what the first left.
        bytes32 other = challengeLie(paidTicket(1));
        sitTwice(caseId, all(Says.Truth));
        mineSeed(other);
        court.concludeJury(other);
        assertStatus(other, ICourtFilings.CaseStatus.Undecided);
        assertEq(stakeOf(0), STAKE / 2);
    }

    function test_convict_twoCasesAgainstOneOperatorAtOnce() public {
        bytes32 other = challengeLie(paidTicket(1));
        assertEq(operators.getOperator(operatorAt(0)).openCases, 2);
        for (uint256 jury; jury < 2; ++jury) {
            commitAll(caseId, all(Says.Truth));
            commitAll(other, all(Says.Truth));
            revealAll(caseId, all(Says.Truth));
            revealAll(other, all(Says.Truth));
            skip(PHASE);
            court.concludeJury(caseId);
            court.concludeJury(other);
        }
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        assertStatus(other, ICourtFilings.CaseStatus.Convicted);
        assertEq(stakeOf(0), STAKE / 4);
        assertEq(operators.getOperator(operatorAt(0)).openCases, 0);
        bytes32[] memory both = new bytes32[](2);
        (both[0], both[1]) = (caseId, other);
        assertConserved(both);
    }

    function test_acquit_bondPaysJurorsAndAccused() public {
        sit(caseId, some(5, Says.Lie, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
        assertEq(credited(1), JUROR_FEE);
        assertEq(credited(9), 0);
        assertEq(credited(0), BOND - 5 * JUROR_FEE);
        assertEq(court.balanceOf(challenger), 0);
        assertEq(stakeOf(0), STAKE);
        assertClosed();
        assertLost(false);
    }

    function test_acquit_paysBothJuriesVoters() public {
        sit(caseId, some(1, Says.Lie, Says.Truth));
        sit(caseId, all(Says.Lie));
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
        assertEq(credited(1), 2 * JUROR_FEE);
        assertEq(credited(2), JUROR_FEE);
        assertEq(credited(0), BOND - 10 * JUROR_FEE);
        assertClosed();
    }

    function test_flag_ownerPaysWhenFiveSixthsDiffer() public {
        sitUntilTheEnd(caseId, all(Says.Differs));
        vm.expectEmit(address(court));
        emit ICourtFilings.FunctionFlagged(functionId, caseId, operatorAt(0), OWNER_BOND - 9 * JUROR_FEE);
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        assertEq(credited(1), JUROR_FEE);
        assertEq(credited(0), OWNER_BOND - 9 * JUROR_FEE);
        assertEq(court.balanceOf(challenger), BOND);
        IDisputeCourt.OwnerBond memory bond = court.getOwnerBond(functionId);
        assertEq(bond.amount, 0);
        assertTrue(bond.isFlagged);
        assertEq(stakeOf(0), STAKE);
        assertClosed();
        assertLost(true);
    }

    function test_flag_oneJurorAcquitsAndEndsTheJudging() public {
        sit(caseId, some(1, Says.Differs, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        assertTrue(court.getOwnerBond(functionId).isFlagged);
        assertFalse(court.isJudged(functionId, 1, uint40(vm.getBlockTimestamp())));
        assertEq(stakeOf(0), STAKE);
        // Nobody can check one juror's word: it takes nobody's bond, and whoever called the jury pays it.
        assertEq(court.getOwnerBond(functionId).amount, OWNER_BOND);
        assertEq(credited(0), 0);
        assertEq(credited(1), 0);
        assertEq(credited(2), JUROR_FEE);
        assertEq(court.balanceOf(challenger), BOND - 8 * JUROR_FEE);
        assertClosed();
    }

    function test_flag_doubtInTheSecondJury() public {
        sit(caseId, all(Says.Truth));
        sit(caseId, some(1, Says.Differs, Says.Lie));
        assertStatus(caseId, ICourtFilings.CaseStatus.Flagged);
        // Those who said a result in either jury are paid: eight said the accused's, in the second.
        assertEq(credited(1), 0);
        assertEq(credited(2), JUROR_FEE);
        assertEq(court.balanceOf(challenger), BOND - 8 * JUROR_FEE);
        assertClosed();
    }

    function test_unavailable_withholderPays() public {
        sit(caseId, some(5, Says.Unavailable, Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Unavailable);
        assertEq(credited(1), JUROR_FEE);
        assertEq(credited(6), 0);
        assertEq(credited(0), BOND - 5 * JUROR_FEE);
        assertEq(court.balanceOf(challenger), 0);
        assertEq(stakeOf(0), STAKE);
        assertClosed();
        assertLost(true);
    }

    function test_unavailable_halfOfTheVotesIsEnough() public {
        Says[10] memory said = some(4, Says.Unavailable, Says.Truth);
        said[9] = Says.Silent;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Unavailable);
    }

    function test_unavailable_inputOnChainIsNobodysToWithhold() public {
        bytes32 other = challengeOf(paidTicket(1), 0, LIE, givenInput());
        assertTrue(court.getCase(other).isInputGiven);
        sit(other, all(Says.Unavailable));
        assertStatus(other, ICourtFilings.CaseStatus.Unavailable);
        // The challenger pays the jury that it called and no more.
        assertEq(credited(1), JUROR_FEE);
        assertEq(credited(0), 0);
        assertEq(court.balanceOf(challenger), BOND - 9 * JUROR_FEE);
    }

    function test_undecided_tooFewVotes() public {
        Says[10] memory said = some(5, Says.Truth, Says.Silent);
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
        assertEq(court.balanceOf(challenger), BOND);
        assertEq(stakeOf(0), STAKE);
        assertClosed();
        assertLost(true);
    }

    function test_undecided_differsOfTooFewFlagsNothing() public {
        sit(caseId, some(5, Says.Differs, Says.Silent));
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
        assertFalse(court.getOwnerBond(functionId).isFlagged);
    }

    function test_hung_whenAMajorityIsMissing() public {
        Says[10] memory said = some(4, Says.Lie, Says.Truth);
        said[9] = Says.Silent;
        sit(caseId, said);
        assertStatus(caseId, ICourtFilings.CaseStatus.Hung);
        assertEq(court.balanceOf(challenger), BOND);
        assertEq(credited(1), 0);
        assertLost(true);
    }

    function test_flaggedMeanwhile_convictsNobody() public {
        bytes32 other = challengeLie(paidTicket(1));
        commitAll(caseId, all(Says.Truth));
        commitAll(other, all(Says.Differs));
        revealAll(caseId, all(Says.Truth));
        revealAll(other, all(Says.Differs));
        skip(PHASE);
        court.concludeJury(other);
        assertStatus(other, ICourtFilings.CaseStatus.Flagged);
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Hung);
        assertEq(stakeOf(0), STAKE);
    }

    function test_flaggedTwice_ownerBondIsPaidOnce() public {
        bytes32 other = challengeLie(paidTicket(1));
        commitAll(caseId, all(Says.Differs));
        commitAll(other, all(Says.Differs));
        revealAll(caseId, all(Says.Differs));
        revealAll(other, all(Says.Differs));
        skip(PHASE);
        court.concludeJury(caseId);
        uint256 paid = credited(0);
        court.concludeJury(other);
        assertStatus(other, ICourtFilings.CaseStatus.Flagged);
        assertEq(credited(0), paid);
        assertEq(court.balanceOf(challenger), 2 * BOND);
        bytes32[] memory both = new bytes32[](2);
        (both[0], both[1]) = (caseId, other);
        assertConserved(both);
    }

    function test_conclude_notBeforeThePhasesEnd() public {
        commitAll(caseId, all(Says.Truth));
        uint256 phaseEndsAt = court.getCase(caseId).phaseEndsAt;
        vm.warp(phaseEndsAt);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourtFilings.WrongPhase.selector, caseId, phaseEndsAt + PHASE + 1, vm.getBlockTimestamp()
            )
        );
        court.concludeJury(caseId);
        vm.warp(phaseEndsAt + PHASE);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourtFilings.WrongPhase.selector, caseId, phaseEndsAt + PHASE + 1, vm.getBlockTimestamp()
            )
        );
        court.concludeJury(caseId);
        skip(1);
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Undecided);
    }

    function test_conclude_atOnceWhenAllHaveRevealed() public {
        commitAll(caseId, all(Says.Lie));
        revealAll(caseId, all(Says.Lie));
        court.concludeJury(caseId);
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
    }

    function test_conclude_onlyAnOpenCase() public {
        bytes4 selector = ICourtFilings.CaseNotInStatus.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, bytes32(0), ICourtFilings.CaseStatus.None));
        court.concludeJury(bytes32(0));
        sit(caseId, all(Says.Lie));
        vm.expectRevert(abi.encodeWithSelector(selector, caseId, ICourtFilings.CaseStatus.Acquitted));
        court.concludeJury(caseId);
    }
}
