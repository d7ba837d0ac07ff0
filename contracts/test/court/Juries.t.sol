// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev Who sits, and how votes are hidden and shown.
contract JuriesTest is CourtFixture {
    bytes32 private caseId;

    function setUp() public override {
        super.setUp();
        caseId = challengeLie(judgedTicket(0));
    }

    function notJuror(
        address operator
    ) private view returns (bytes memory) {
        return abi.encodeWithSelector(ICourtFilings.NotJuror.selector, caseId, operator);
    }

    function voteInvalid(
        uint256 juror
    ) private view returns (bytes memory) {
        return abi.encodeWithSelector(ICourtFilings.VoteInvalid.selector, caseId, operatorAt(juror));
    }

    function test_draw_nobodySitsBeforeTheSeedBlock() public {
        uint256 seedBlock = court.getCase(caseId).seedBlock;
        vm.roll(seedBlock);
        assertFalse(court.isJuror(caseId, operatorAt(1)));
        vm.expectRevert(notJuror(operatorAt(1)));
        vm.prank(operatorAt(1));
        court.commitVote(caseId, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.JuryNotDrawable.selector, caseId, seedBlock, seedBlock));
        court.drawJury(caseId);
        vm.roll(seedBlock + 1);
        assertTrue(court.isJuror(caseId, operatorAt(1)));
    }

    function test_draw_keepsTheSeedThatTheChainForgets() public {
        mineSeed(caseId);
        court.drawJury(caseId);
        vm.roll(vm.getBlockNumber() + 1000);
        assertTrue(court.isJuror(caseId, operatorAt(1)));
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourtFilings.JuryNotDrawable.selector, caseId, court.getCase(caseId).seedBlock, vm.getBlockNumber()
            )
        );
        court.drawJury(caseId);
    }

    function test_draw_theFirstCommitmentKeepsTheSeedAsWell() public {
        mineSeed(caseId);
        commitVote(caseId, 1, Says.Truth);
        vm.roll(vm.getBlockNumber() + 1000);
        commitVote(caseId, 2, Says.Truth);
    }

    function test_draw_isToldOnce() public {
        mineSeed(caseId);
        vm.recordLogs();
        commitVote(caseId, 1, Says.Truth);
        assertEq(vm.getRecordedLogs().length, 2);
        commitVote(caseId, 2, Says.Truth);
        assertEq(vm.getRecordedLogs().length, 1);
    }

    function test_draw_againWhenTheHashIsGone() public {
        uint256 seedBlock = court.getCase(caseId).seedBlock;
        vm.roll(seedBlock + 257);
        assertFalse(court.isJuror(caseId, operatorAt(1)));
        uint40 phaseEndsAt = court.getCase(caseId).phaseEndsAt;
        vm.expectEmit(address(court));
        emit ICourtFilings.JuryCalled(caseId, 1, uint64(vm.getBlockNumber() + 2), phaseEndsAt, phaseEndsAt + PHASE);
        vm.recordLogs();
        court.drawJury(caseId);
        assertEq(vm.getRecordedLogs().length, 1, "nothing was drawn");
        assertEq(court.getCase(caseId).seedBlock, vm.getBlockNumber() + 2);
        // Who draws again wins no time.
        assertEq(court.getCase(caseId).phaseEndsAt, phaseEndsAt);
        sit(caseId, all(Says.Lie));
        assertStatus(caseId, ICourtFilings.CaseStatus.Acquitted);
    }

    function test_draw_notAfterTheCommitPhase() public {
        uint256 phaseEndsAt = court.getCase(caseId).phaseEndsAt;
        mineSeed(caseId);
        vm.warp(phaseEndsAt);
        uint256 before = vm.snapshotState();
        court.drawJury(caseId);
        assertTrue(vm.revertToState(before));
        vm.warp(phaseEndsAt + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.WrongPhase.selector, caseId, phaseEndsAt, phaseEndsAt + 1));
        court.drawJury(caseId);
    }

    function test_draw_bySeedAndStake() public {
        // Five of the ten seats, so about five operators.
        bytes32 seed = keccak256("seed");
        uint256 drawn;
        for (uint256 i; i < OPERATORS; ++i) {
            if (operators.isDrawn(seed, keccak256("subject"), operatorAt(i), operators.currentEpoch(), 5)) ++drawn;
        }
        assertGt(drawn, 0);
        assertLt(drawn, OPERATORS);
    }

    function test_seats_notForPartiesOrOutsiders() public {
        mineSeed(caseId);
        assertFalse(court.isJuror(caseId, operatorAt(0)));
        assertFalse(court.isJuror(caseId, challenger));
        assertFalse(court.isJuror(keccak256("no case"), operatorAt(1)));
        vm.expectRevert(notJuror(operatorAt(0)));
        vm.prank(operatorAt(0));
        court.commitVote(caseId, bytes32(uint256(1)));
    }

    function test_seats_notForTheJailed() public {
        vm.prank(address(court));
        operators.jail(operatorAt(1), 1);
        mineSeed(caseId);
        assertFalse(court.isJuror(caseId, operatorAt(1)));
        assertTrue(court.isJuror(caseId, operatorAt(2)));
    }

    function test_seats_stakeOfTheOpeningCounts() public {
        uint256 late = 99;
        register(operatorAt(late), keyAt(late), STAKE);
        skip(3000);
        mineSeed(caseId);
        assertFalse(court.isJuror(caseId, operatorAt(late)));
    }

    function test_commit_byTheExecutionKey() public {
        mineSeed(caseId);
        bytes32 commitment = Hashes.vote(ballotOf(caseId, 1, Says.Lie), SALT);
        vm.expectEmit(address(court));
        emit ICourtFilings.VoteCommitted(caseId, 1, operatorAt(1), commitment);
        vm.prank(vm.addr(keyAt(1)));
        court.commitVote(caseId, commitment);
        vm.warp(court.getCase(caseId).phaseEndsAt + 1);
        vm.prank(vm.addr(keyAt(1)));
        court.revealVote(caseId, ICourtFilings.Vote.Result, LIE, 1, 200, SALT);
        assertEq(court.getTally(caseId, 1).agree, 1);
    }

    function test_commit_onceAndNotEmpty() public {
        mineSeed(caseId);
        vm.expectRevert(voteInvalid(1));
        vm.prank(operatorAt(1));
        court.commitVote(caseId, 0);
        commitVote(caseId, 1, Says.Truth);
        vm.expectRevert(voteInvalid(1));
        vm.prank(operatorAt(1));
        court.commitVote(caseId, bytes32(uint256(1)));
        assertEq(court.getTally(caseId, 1).commits, 1);
    }

    function test_commit_untilThePhaseEnds() public {
        mineSeed(caseId);
        uint256 phaseEndsAt = court.getCase(caseId).phaseEndsAt;
        vm.warp(phaseEndsAt + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.WrongPhase.selector, caseId, phaseEndsAt, phaseEndsAt + 1));
        vm.prank(operatorAt(1));
        court.commitVote(caseId, bytes32(uint256(1)));
        vm.warp(phaseEndsAt);
        commitVote(caseId, 1, Says.Truth);
    }

    function test_reveal_onlyInItsPhase() public {
        mineSeed(caseId);
        commitVote(caseId, 1, Says.Truth);
        uint256 phaseEndsAt = court.getCase(caseId).phaseEndsAt;
        bytes4 wrongPhase = ICourtFilings.WrongPhase.selector;
        vm.warp(phaseEndsAt);
        vm.expectRevert(abi.encodeWithSelector(wrongPhase, caseId, phaseEndsAt + 1, phaseEndsAt));
        vm.prank(operatorAt(1));
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
        vm.warp(phaseEndsAt + PHASE + 1);
        vm.expectRevert(abi.encodeWithSelector(wrongPhase, caseId, phaseEndsAt + 1, phaseEndsAt + PHASE + 1));
        vm.prank(operatorAt(1));
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
        vm.warp(phaseEndsAt + PHASE);
        vm.expectEmit(address(court));
        emit ICourtFilings.VoteRevealed(caseId, 1, operatorAt(1), ICourtFilings.Vote.Result, TRUTH, 1, 200);
        vm.prank(operatorAt(1));
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
    }

    function test_reveal_whatWasCommittedAndOnce() public {
        mineSeed(caseId);
        commitVote(caseId, 1, Says.Truth);
        vm.warp(court.getCase(caseId).phaseEndsAt + 1);
        vm.startPrank(operatorAt(1));
        vm.expectRevert(voteInvalid(1));
        court.revealVote(caseId, ICourtFilings.Vote.Result, LIE, 1, 200, SALT);
        vm.expectRevert(voteInvalid(1));
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, "another salt");
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
        vm.expectRevert(voteInvalid(1));
        court.revealVote(caseId, ICourtFilings.Vote.Result, TRUTH, 1, 200, SALT);
        vm.stopPrank();
        assertEq(court.getTally(caseId, 1).votes, 1);
    }

    function test_reveal_nothingIsNoVote() public {
        mineSeed(caseId);
        Hashes.Ballot memory ballot = Hashes.Ballot(caseId, 1, operatorAt(1), 0, TRUTH, 1, 200);
        vm.prank(operatorAt(1));
        court.commitVote(caseId, Hashes.vote(ballot, SALT));
        vm.warp(court.getCase(caseId).phaseEndsAt + 1);
        vm.expectRevert(voteInvalid(1));
        vm.prank(operatorAt(1));
        court.revealVote(caseId, ICourtFilings.Vote.None, TRUTH, 1, 200, SALT);
    }

    function test_tally_countsEachKind() public {
        Says[10] memory said = [
            Says.Silent,
            Says.Truth,
            Says.Truth,
            Says.Other,
            Says.Lie,
            Says.Differs,
            Says.Unavailable,
            Says.Machine,
            Says.Hides,
            Says.Silent
        ];
        commitAll(caseId, said);
        revealAll(caseId, said);
        ICourtFilings.Tally memory tally = court.getTally(caseId, 1);
        assertEq(tally.commits, 8);
        assertEq(tally.votes, 7);
        assertEq(tally.agree, 1);
        assertEq(tally.leading, 2);
        assertEq(tally.leadingSeal, keccak256(abi.encode(TRUTH, uint8(1), uint16(200))));
        assertEq(tally.differs, 1);
        assertEq(tally.unavailable, 1);
    }

    function test_juries_onlyOfOpenCases() public {
        sit(caseId, all(Says.Lie));
        bytes memory refusal =
            abi.encodeWithSelector(ICourtFilings.CaseNotInStatus.selector, caseId, ICourtFilings.CaseStatus.Acquitted);
        vm.expectRevert(refusal);
        court.drawJury(caseId);
        vm.expectRevert(refusal);
        court.giveCaseInput(caseId, "", "cid");
        vm.expectRevert(refusal);
        court.commitVote(caseId, bytes32(uint256(1)));
        vm.expectRevert(refusal);
        court.revealVote(caseId, ICourtFilings.Vote.Differs, 0, 0, 0, SALT);
        assertFalse(court.isJuror(caseId, operatorAt(1)));
    }

    function test_giveInput_byAnyone() public {
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.InputMismatch.selector, court.getCase(caseId).requestId));
        court.giveCaseInput(caseId, abi.encodePacked(SALT, "another"), "");
        court.giveCaseInput(caseId, "", "another cid");
        assertFalse(court.getCase(caseId).isInputGiven);
        vm.expectEmit(address(court));
        emit ICourtFilings.CaseInputGiven(caseId, givenInput(), "");
        court.giveCaseInput(caseId, givenInput(), "");
        assertTrue(court.getCase(caseId).isInputGiven);
    }
}
