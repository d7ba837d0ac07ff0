// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {WalletRequester} from "../fixtures/WalletRequester.sol";
import {LaneFixture} from "./LaneFixture.sol";

contract PostTest is LaneFixture {
    function test_post_reservesConsumesAndTellsTheWorkers() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.ExecutionRequested(idOf(ticket), ticket.functionId, requester, ticket, postedInput());
        bytes32 requestId = post(ticket);
        assertEq(requestId, idOf(ticket));
        IConfirmedLane.Posted memory posted = lane.getPosted(requestId);
        assertEq(uint8(posted.status), uint8(IConfirmedLane.PostedStatus.Open));
        assertEq(posted.postedBlock, vm.getBlockNumber());
        assertEq(posted.commitments, 0);
        assertEq(posted.openings, 0);
        assertEq(posted.callbackGas, 0);
        assertEq(posted.agreedAt, 0);
        assertTrue(coordinator.isConsumed(requester, 0));
        (uint256 available,,) = coordinator.creditOf(funder);
        assertEq(available, 100e6 - FEE);
        assertEq(reservedOf(funder), FEE);
    }

    function test_post_byTheRequesterItselfNeedsNoSignature() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        vm.prank(requester);
        lane.post(ticket, "", postedInput());
        assertStatus(ticket, IConfirmedLane.PostedStatus.Open);
        ticket = confirmedTicket(1);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        lane.post(ticket, "", postedInput());
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        vm.prank(requester);
        lane.post(ticket, new bytes(65), postedInput());
    }

    function test_post_withoutInput() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        lane.post(ticket, signTicket(REQUESTER_KEY, ticket), "");
        assertStatus(ticket, IConfirmedLane.PostedStatus.Open);
    }

    function test_post_ofAContractWallet() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.requester = address(new WalletRequester(requester));
        fundLine(funder, ticket.requester, 1e6);
        post(ticket);
        assertStatus(ticket, IConfirmedLane.PostedStatus.Open);
    }

    function test_post_refusesEachBrokenTerm() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.protocolVersion = 2;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        ticket = newTicket(0);
        ticket.inputSeal = confirmedTicket(0).inputSeal;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.LaneMismatch);
        ticket = quorumTicket(0, 0);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.QuorumNotMet);
        ticket = quorumTicket(0, 8);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.QuorumNotMet);
        ticket = confirmedTicket(0);
        ticket.epoch += 1;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.EpochMismatch);
        ticket = confirmedTicket(0);
        issueAt(ticket, vm.getBlockTimestamp() + 1);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.NotYetValid);
        ticket = confirmedTicket(0);
        ticket.deadline = ticket.issuedAt + times().maximumTicketLifetime + 1;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        skip(1);
        ticket = confirmedTicket(0);
        issueAt(ticket, vm.getBlockTimestamp() - 61);
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.Expired);
    }

    function test_post_refusesNumbersThatTheLaneGives() public {
        _expectPostRefused(confirmedTicket(FIRST_SEQUENCE), IExecutionCoordinator.SkipReason.SequenceAhead);
        post(confirmedTicket(FIRST_SEQUENCE - 1));
    }

    function test_post_refusesAStrangersSignature() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        bytes memory signature = signTicket(0xBAD, ticket);
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        lane.post(ticket, signature, "");
        expectInvalid(ticket, IExecutionCoordinator.SkipReason.RequesterSignature);
        lane.post(ticket, "", "");
    }

    function test_post_refusesASecondTime() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.AlreadyPosted.selector, idOf(ticket)));
        lane.post(ticket, signature, "");
    }

    function test_post_refusesAUsedSequence() public {
        postNew(0);
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.functionVersion = 2;
        _expectPostRefused(ticket, IExecutionCoordinator.SkipReason.SequenceConsumed);
    }

    function test_post_refusesWhatTheLineDoesNotCover() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.fee = MAXIMUM_FEE + 1;
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        vm.expectPartialRevert(IExecutionCoordinator.CreditExhausted.selector);
        lane.post(ticket, signature, "");
        ticket.funder = makeAddr("a stranger");
        signature = signTicket(REQUESTER_KEY, ticket);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.CreditLineClosed.selector, ticket.funder, requester)
        );
        lane.post(ticket, signature, "");
    }

    function test_post_takesAsMuchInputAsFits() public {
        bytes memory largest = abi.encodePacked(INPUT_SALT, new bytes(8192));
        bytes memory tooLarge = abi.encodePacked(INPUT_SALT, new bytes(8193));
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.inputSeal = Hashes.seal(keccak256(new bytes(8193)), INPUT_SALT);
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.InputTooLarge.selector, 8225, 8224));
        lane.post(ticket, signature, tooLarge);
        ticket.inputSeal = Hashes.seal(keccak256(new bytes(8192)), INPUT_SALT);
        lane.post(ticket, signTicket(REQUESTER_KEY, ticket), largest);
    }

    function test_post_refusesInputThatIsNotTheTickets() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        bytes memory mismatch = abi.encodeWithSelector(IConfirmedLane.InputMismatch.selector, idOf(ticket));
        vm.expectRevert(mismatch);
        lane.post(ticket, signature, abi.encodePacked(INPUT_SALT, "another request"));
        vm.expectRevert(mismatch);
        lane.post(ticket, signature, abi.encodePacked(keccak256("another salt"), REQUEST));
        vm.expectRevert(mismatch);
        lane.post(ticket, signature, hex"01");
    }

    function test_post_refusesASaltAndNothing() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.inputSeal = Hashes.seal(keccak256(""), INPUT_SALT);
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.InputMismatch.selector, idOf(ticket)));
        lane.post(ticket, signature, abi.encodePacked(INPUT_SALT));
    }

    function test_expire_freesTheReservedFeeOnce() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        uint256 availableAt = uint256(ticket.deadline) + times().settlementGrace + 1;
        vm.warp(availableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, availableAt, availableAt - 1));
        lane.expire(ticket);
        vm.warp(availableAt);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.ExecutionExpired(idOf(ticket));
        vm.prank(makeAddr("anyone"));
        lane.expire(ticket);
        (uint256 available,,) = coordinator.creditOf(funder);
        assertEq(available, 100e6);
        assertEq(reservedOf(funder), 0);
        expectStatus(ticket, IConfirmedLane.PostedStatus.Open, IConfirmedLane.PostedStatus.Expired);
        lane.expire(ticket);
        assertTrue(coordinator.isConsumed(requester, 0));
    }

    function test_expire_refusesWhatNobodyPosted() public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotPosted.selector, idOf(ticket)));
        lane.expire(ticket);
    }

    function test_expire_refusesWhatWasAnswered() public {
        registerOperators(1);
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        submit(answerOf(ticket, 0), "");
        vm.warp(uint256(ticket.deadline) + times().settlementGrace + 1);
        expectStatus(ticket, IConfirmedLane.PostedStatus.Open, IConfirmedLane.PostedStatus.Settled);
        lane.expire(ticket);
    }

    function test_withdrawalCannotTakeWhatIsReserved() public {
        postNew(0);
        vm.startPrank(funder);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.BalanceTooLow.selector, funder, 100e6 - FEE, 100e6)
        );
        coordinator.requestCreditWithdrawal(100e6);
    }

    function test_Attack_ReorgOfRequest() public {
        registerOperators(1);
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        Answer memory answer = answerOf(ticket, 0);
        uint256 before = vm.snapshotState();
        bytes32 requestId = post(ticket);
        assertTrue(vm.revertToState(before));
        assertStatus(ticket, IConfirmedLane.PostedStatus.None);
        // Another block, another sender, and what the worker signed before the reorg still counts.
        mine(3);
        vm.prank(makeAddr("anyone"));
        assertEq(post(ticket), requestId);
        assertEq(lane.getPosted(requestId).postedBlock, vm.getBlockNumber());
        submit(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_post_keepsReservedWhatItMayPay(
        uint96 fee,
        uint8 quorum,
        uint32 lifetime
    ) public {
        IExecutionCoordinator.Ticket memory ticket = confirmedTicket(0);
        ticket.fee = uint96(bound(fee, 0, MAXIMUM_FEE));
        ticket.quorum = uint8(bound(quorum, 1, 7));
        ticket.deadline = ticket.issuedAt + uint40(bound(lifetime, 0, times().maximumTicketLifetime));
        post(ticket);
        assertEq(reservedOf(funder), ticket.fee);
        vm.warp(uint256(ticket.deadline) + times().settlementGrace + 1);
        lane.expire(ticket);
        assertEq(reservedOf(funder), 0);
    }

    function _expectPostRefused(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) private {
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        expectInvalid(ticket, reason);
        lane.post(ticket, signature, postedInput());
    }
}
