// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev Drawn seats, widening, and operators that stay silent: a network of eight with a committee of three.
contract SilenceTest is LaneFixture {
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    IExecutionCoordinator.Ticket private _ticket;
    uint256 private _drawn;
    uint256 private _undrawn;

    function parameters() internal view override returns (IProtocolParameters.Parameters memory tuned) {
        tuned = super.parameters();
        tuned.committeeSize = 3;
    }

    function setUp() public override {
        super.setUp();
        makeLargeNetwork();
        _ticket = confirmedTicket(0);
        // The first sequence number that leaves at least two operators on either side.
        while (allDrawnFor(_ticket).length < 2 || allDrawnFor(_ticket).length > NETWORK_SIZE - 2) ++_ticket.sequence;
        _drawn = drawnFor(_ticket, true);
        _undrawn = drawnFor(_ticket, false);
    }

    // ------------------------------------------------------------------ seats

    function test_seats_aDrawnOperatorAnswers() public {
        post(_ticket);
        Answer memory answer = withSeat(answerOf(_ticket, _drawn), Messages.SEAT_DRAWN);
        submit(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_seats_aDrawnOperatorCommitsAndOpens() public {
        post(_ticket);
        Answer memory answer = withSeat(answerOf(_ticket, _drawn), Messages.SEAT_DRAWN);
        commit(answer);
        awaitTurn(answer);
        open(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_seats_refusesAllSeatedWhereSeatsAreDrawn() public {
        post(_ticket);
        _expectSubmitRefused(answerOf(_ticket, _drawn), IExecutionCoordinator.SkipReason.NotSeated);
    }

    function test_seats_refusesWhoWasNotDrawn() public {
        post(_ticket);
        Answer memory answer = withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_DRAWN);
        _expectSubmitRefused(answer, IExecutionCoordinator.SkipReason.NotSeated);
        expectInvalid(_ticket, IExecutionCoordinator.SkipReason.NotSeated);
        commit(answer);
    }

    /// @dev Else one would try addresses until its own operators are drawn.
    function test_Attack_SeatGrindingByAnUnbondedRequester() public {
        post(_ticket);
        // The bond left before the ticket was issued.
        vm.mockCall(
            address(coordinator),
            abi.encodeCall(
                IExecutionCoordinator.drawReason, (_ticket.requester, _ticket.sequence, _ticket.epoch, _ticket.issuedAt)
            ),
            abi.encode(IExecutionCoordinator.SkipReason.RequesterNotBonded)
        );
        Answer memory answer = withSeat(answerOf(_ticket, _drawn), Messages.SEAT_DRAWN);
        _expectSubmitRefused(answer, IExecutionCoordinator.SkipReason.RequesterNotBonded);
        expectInvalid(_ticket, IExecutionCoordinator.SkipReason.RequesterNotBonded);
        commit(answer);
        // Its ticket is answered when seats are open to all.
        mine(parameters().wideningBlocks);
        commit(answer);
        submit(withSeat(answer, Messages.SEAT_WIDENED), "");
    }

    function test_seats_aRequesterWithoutABondHasNoDrawnSeats() public {
        uint256 key = 0xBEEF;
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.requester = vm.addr(key);
        fundLine(funder, ticket.requester, 1e6);
        lane.post(ticket, signTicket(key, ticket), postedInput());
        Answer memory answer = withSeat(answerOf(ticket, drawnFor(ticket, true)), Messages.SEAT_DRAWN);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterNotBonded);
        commit(answer);
    }

    // ------------------------------------------------------------------ widening

    function test_widening_anyoneAnswersAfterTheDelay() public {
        post(_ticket);
        Answer memory answer = withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_WIDENED);
        mine(parameters().wideningBlocks);
        submit(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_widening_commitAfterTheDelay() public {
        post(_ticket);
        Answer memory answer = withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_WIDENED);
        mine(parameters().wideningBlocks - 1);
        expectInvalid(_ticket, IExecutionCoordinator.SkipReason.NotSeated);
        commit(answer);
        mine(1);
        commit(answer);
        awaitTurn(answer);
        open(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    /// @dev A seat for all exists only for what stood on chain for so many blocks that the drawn could have answered it.
    function test_Attack_WideningAbuse() public {
        Answer memory answer = withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_WIDENED);
        mine(parameters().wideningBlocks);
        post(_ticket);
        _expectSubmitRefused(answer, IExecutionCoordinator.SkipReason.NotSeated);
        mine(parameters().wideningBlocks - 1);
        _expectSubmitRefused(answer, IExecutionCoordinator.SkipReason.NotSeated);
        mine(1);
        submit(answer, "");
    }

    /// @dev Nobody is drawn from a seed that is not there: such a ticket is answered by whoever comes after the delay.
    function test_widening_isTheWayOutWithoutASeed() public {
        skip(times().epochSeconds);
        IExecutionCoordinator.Ticket memory ticket = postNew(_ticket.sequence);
        for (uint256 i; i < NETWORK_SIZE; ++i) {
            assertFalse(isDrawn(ticket, i));
        }
        mine(parameters().wideningBlocks);
        submit(withSeat(answerOf(ticket, 0), Messages.SEAT_WIDENED), "");
    }

    // ------------------------------------------------------------------ silence

    function test_silence_costsTheFee() public {
        _answerLate();
        uint256 burned = token.balanceOf(BURNED);
        uint256 stake = operators.getOperator(operatorAt(_drawn)).stake;
        vm.expectEmit(address(lane));
        emit IConfirmedLane.SilencePenalized(idOf(_ticket), operatorAt(_drawn), FEE);
        lane.reportSilence(_ticket, operatorAt(_drawn));
        assertEq(token.balanceOf(BURNED), burned + FEE);
        assertEq(operators.getOperator(operatorAt(_drawn)).stake, stake - FEE);
        _expectNotSilent(_drawn);
    }

    /// @dev Also of an operator whose stake is large enough to stay at work.
    function test_silence_costsOnce() public {
        address silent = operatorAt(_drawn);
        fillPurse(silent, 10e6, address(operators));
        vm.prank(silent);
        operators.addStake(10e6);
        _answerLate();
        lane.reportSilence(_ticket, silent);
        assertEq(uint8(operators.getOperator(silent).status), uint8(IOperatorRegistry.OperatorStatus.Active));
        _expectNotSilent(_drawn);
    }

    /// @dev The requester names the fee, and could keep the code from all but one operator.
    function test_silence_costsAJurorsFeeAtMost() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, 10e6, 10e6);
        _ticket.fee = 0.5e6 + 1;
        _answerLate();
        vm.expectEmit(address(lane));
        emit IConfirmedLane.SilencePenalized(idOf(_ticket), operatorAt(_drawn), 0.5e6);
        lane.reportSilence(_ticket, operatorAt(_drawn));
    }

    function test_silence_isNoFaultOfWhoWasNotDrawn() public {
        _answerLate();
        uint256 other = _undrawn + 1;
        while (isDrawn(_ticket, other)) ++other;
        _expectNotSilent(other);
    }

    function test_silence_isNoFaultWhileNobodyAnswered() public {
        post(_ticket);
        mine(parameters().wideningBlocks);
        _expectNotSilent(_drawn);
        vm.warp(uint256(_ticket.deadline) + times().settlementGrace + 1);
        lane.expire(_ticket);
        _expectNotSilent(_drawn);
    }

    /// @dev Another drawn operator was faster: there was nothing left to answer.
    function test_silence_isNoFaultWhenTheAnswerCameInTime() public {
        post(_ticket);
        mine(parameters().wideningBlocks - 1);
        submit(withSeat(answerOf(_ticket, allDrawnFor(_ticket)[1]), Messages.SEAT_DRAWN), "");
        _expectNotSilent(_drawn);
    }

    function test_silence_isNoFaultOfWhoAnswered() public {
        post(_ticket);
        mine(parameters().wideningBlocks);
        submit(withSeat(answerOf(_ticket, _drawn), Messages.SEAT_DRAWN), "");
        _expectNotSilent(_drawn);
    }

    function test_silence_isNoFaultOfWhoCommitted() public {
        post(_ticket);
        commit(answerOf(_ticket, _drawn));
        mine(parameters().wideningBlocks);
        submit(withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_WIDENED), "");
        _expectNotSilent(_drawn);
    }

    /// @dev The requester could have told the input to one operator alone.
    function test_silence_isNoFaultWithoutThePostedInput() public {
        lane.post(_ticket, signTicket(REQUESTER_KEY, _ticket), "");
        mine(parameters().wideningBlocks);
        submit(withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_WIDENED), "");
        _expectNotSilent(_drawn);
    }

    function test_silence_isNoFaultOfWhoLeft() public {
        _answerLate();
        vm.prank(operatorAt(_drawn));
        operators.drain();
        _expectNotSilent(_drawn);
        skip(1);
        vm.prank(operatorAt(_drawn));
        operators.resume();
        _expectNotSilent(_drawn);
    }

    /// @dev It said that it takes no more work before the ticket was issued; its stake still counts for a while.
    function test_silence_isNoFaultOfWhoWasLeavingAlready() public {
        vm.prank(operatorAt(_drawn));
        operators.drain();
        _answerLate();
        _expectNotSilent(_drawn);
    }

    function test_silence_isAFaultFromTheFirstSecondAtWork() public {
        vm.startPrank(operatorAt(_drawn));
        operators.drain();
        operators.resume();
        vm.stopPrank();
        assertEq(operators.getOperator(operatorAt(_drawn)).statusSince, _ticket.issuedAt);
        _answerLate();
        lane.reportSilence(_ticket, operatorAt(_drawn));
    }

    function test_silence_isNoFaultOfWhoChangedItsKey() public {
        _answerLate();
        skip(1);
        bytes memory proof = signKeyProof(0xE99, operatorAt(_drawn));
        vm.prank(operatorAt(_drawn));
        operators.rotateExecutionKey(vm.addr(0xE99), proof);
        _expectNotSilent(_drawn);
    }

    function test_silence_isNoFaultWhenTheRequesterHadNoSeatsToGive() public {
        _answerLate();
        vm.mockCall(
            address(coordinator),
            abi.encodeWithSelector(IExecutionCoordinator.drawReason.selector),
            abi.encode(IExecutionCoordinator.SkipReason.SequenceAhead)
        );
        _expectNotSilent(_drawn);
    }

    /// @dev Of a quorum, those are silent that let its commitments stay open until seats were open to all.
    function test_silence_ofAQuorum() public {
        uint256[] memory drawn = allDrawnFor(_ticket);
        _ticket.quorum = 2;
        post(_ticket);
        commit(answerOf(_ticket, drawn[1]));
        mine(parameters().wideningBlocks);
        commit(answerOf(_ticket, _undrawn));
        _openBoth(drawn[1], _undrawn);
        assertStatus(_ticket, IConfirmedLane.PostedStatus.Agreed);
        _expectNotSilent(drawn[1]);
        lane.reportSilence(_ticket, operatorAt(drawn[0]));
        vm.warp(uint256(_ticket.deadline) + times().conflictWindow + 1);
        lane.finalise(_ticket);
        _expectNotSilent(drawn[0]);
    }

    function test_silence_isNoFaultWhenAQuorumWasFasterThanThat() public {
        uint256[] memory drawn = allDrawnFor(_ticket);
        while (drawn.length < 3) {
            ++_ticket.sequence;
            drawn = allDrawnFor(_ticket);
        }
        _ticket.quorum = 2;
        post(_ticket);
        commit(answerOf(_ticket, drawn[1]));
        mine(1);
        commit(answerOf(_ticket, drawn[2]));
        // Closes a turn later, which is still before seats are open to all.
        _openBothDrawn(drawn[1], drawn[2]);
        assertStatus(_ticket, IConfirmedLane.PostedStatus.Agreed);
        _expectNotSilent(drawn[0]);
    }

    function _answerLate() private {
        post(_ticket);
        mine(parameters().wideningBlocks);
        submit(withSeat(answerOf(_ticket, _undrawn), Messages.SEAT_WIDENED), "");
    }

    function _openBoth(
        uint256 first,
        uint256 second
    ) private {
        Answer memory answer = withSeat(answerOf(_ticket, first), Messages.SEAT_DRAWN);
        awaitTurn(answer);
        open(answer, "");
        answer = withSeat(answerOf(_ticket, second), Messages.SEAT_WIDENED);
        open(answer, "");
    }

    function _openBothDrawn(
        uint256 first,
        uint256 second
    ) private {
        Answer memory answer = withSeat(answerOf(_ticket, first), Messages.SEAT_DRAWN);
        awaitTurn(answer);
        open(answer, "");
        answer = withSeat(answerOf(_ticket, second), Messages.SEAT_DRAWN);
        open(answer, "");
    }

    function _expectNotSilent(
        uint256 index
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotSilent.selector, idOf(_ticket), operatorAt(index)));
        lane.reportSilence(_ticket, operatorAt(index));
    }

    function _expectSubmitRefused(
        Answer memory answer,
        IExecutionCoordinator.SkipReason reason
    ) private {
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(answer.ticket), only(answer.commitment));
        expectInvalid(answer.ticket, reason);
        vm.prank(answer.operator);
        lane.submit(
            answer.ticket, answer.attestation, signature, COMMITMENT_SALT, only(answer.commitment), setSignature, 0, ""
        );
    }
}
