// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {SuiteFixture} from "../fixtures/SuiteFixture.sol";

/// @dev Tickets of the confirmed lane, and what workers do with them.
abstract contract LaneFixture is SuiteFixture {
    bytes32 internal constant INPUT_SALT = keccak256("input salt");
    bytes32 internal constant COMMITMENT_SALT = keccak256("commitment salt");
    bytes internal constant REQUEST = '{"v":1,"method":"GET","path":"/","query":[],"headers":[],"body":{"utf8":""}}';
    bytes internal constant OUTPUT = '{"v":1,"outcome":"completed","status":200,"headers":[],"body":{"utf8":"ok"}}';
    uint96 internal constant REWARD = 950;
    uint256 internal constant TURN_BLOCKS = 8;
    uint64 internal constant FIRST_SEQUENCE = 1 << 63;
    uint256 private constant EPOCHS_UNTIL_STAKE_COUNTS = 2;
    uint256 internal constant NETWORK_SIZE = 8;

    /// @dev One worker's answer to a ticket.
    struct Answer {
        IExecutionCoordinator.Ticket ticket;
        IExecutionCoordinator.Attestation attestation;
        uint256 key;
        address operator;
        bytes32 commitment;
    }

    // ------------------------------------------------------------------ network

    /// @dev More operators than a committee has seats, all counted, the seed of the epoch captured, the requester bonded.
    function makeLargeNetwork() internal {
        registerOperators(NETWORK_SIZE);
        bondRequester(requester);
        skip(EPOCHS_UNTIL_STAKE_COUNTS * times().epochSeconds);
        captureSeed();
    }

    /// @dev The first operator that has a drawn seat for this ticket, or that has none.
    function drawnFor(
        IExecutionCoordinator.Ticket memory ticket,
        bool hasSeat
    ) internal view returns (uint256 index) {
        while (isDrawn(ticket, index) != hasSeat) {
            ++index;
            require(index < NETWORK_SIZE, "no such operator for this ticket");
        }
    }

    /// @dev Drawn operators, in the order of their numbers.
    function allDrawnFor(
        IExecutionCoordinator.Ticket memory ticket
    ) internal view returns (uint256[] memory drawn) {
        drawn = new uint256[](NETWORK_SIZE);
        uint256 count;
        for (uint256 i; i < NETWORK_SIZE; ++i) {
            if (isDrawn(ticket, i)) drawn[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(drawn, count)
        }
    }

    function isDrawn(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 index
    ) internal view returns (bool) {
        return operators.isSeated(
            operatorAt(index),
            ticket.requester,
            ticket.sequence,
            ticket.epoch,
            ticket.issuedAt,
            parameters().committeeSize
        );
    }

    // ------------------------------------------------------------------ tickets

    function confirmedTicket(
        uint64 sequence
    ) internal view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = newTicket(sequence);
        ticket.lane = Messages.LANE_CONFIRMED;
        ticket.inputSeal = Hashes.seal(keccak256(REQUEST), INPUT_SALT);
    }

    function quorumTicket(
        uint64 sequence,
        uint8 quorum
    ) internal view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = confirmedTicket(sequence);
        ticket.quorum = quorum;
    }

    function postedInput() internal pure returns (bytes memory) {
        return abi.encodePacked(INPUT_SALT, REQUEST);
    }

    function post(
        IExecutionCoordinator.Ticket memory ticket
    ) internal returns (bytes32) {
        return lane.post(ticket, signTicket(REQUESTER_KEY, ticket), postedInput());
    }

    function postNew(
        uint64 sequence
    ) internal returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = confirmedTicket(sequence);
        post(ticket);
    }

    function postQuorum(
        uint64 sequence,
        uint8 quorum
    ) internal returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = quorumTicket(sequence, quorum);
        post(ticket);
    }

    // ------------------------------------------------------------------ answers

    /// @dev What operator `index` answers with its first key: completed, status 200, `OUTPUT`.
    function answerOf(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 index
    ) internal view returns (Answer memory answer) {
        answer.ticket = ticket;
        answer.operator = operatorAt(index);
        answer.key = keyAt(index);
        answer.attestation = newAttestation(ticket);
        answer.attestation.resultSeal = Hashes.seal(keccak256(OUTPUT), INPUT_SALT);
        seal(answer);
    }

    /// @dev Its commitment, after something about the answer was changed.
    function seal(
        Answer memory answer
    ) internal view {
        answer.commitment =
            Hashes.commitment(idOf(answer.ticket), vm.addr(answer.key), answer.attestation.resultSeal, COMMITMENT_SALT);
    }

    function withResult(
        Answer memory answer,
        bytes32 resultSeal
    ) internal view returns (Answer memory) {
        answer.attestation.resultSeal = resultSeal;
        seal(answer);
        return answer;
    }

    function withSeat(
        Answer memory answer,
        uint8 seat
    ) internal pure returns (Answer memory) {
        answer.attestation.seat = seat;
        return answer;
    }

    function only(
        bytes32 commitment
    ) internal pure returns (bytes32[] memory commitments) {
        commitments = new bytes32[](1);
        commitments[0] = commitment;
    }

    /// @dev The gateway's way: the requester signed the set of this one commitment.
    function submit(
        Answer memory answer,
        bytes memory output
    ) internal {
        submitIn(answer, only(answer.commitment), answer.operator, output);
    }

    function submitIn(
        Answer memory answer,
        bytes32[] memory commitments,
        address sender,
        bytes memory output
    ) internal {
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, idOf(answer.ticket), commitments);
        vm.prank(sender);
        lane.submit(
            answer.ticket, answer.attestation, signature, COMMITMENT_SALT, commitments, setSignature, INPUT_SALT, output
        );
    }

    function commit(
        Answer memory answer
    ) internal {
        vm.prank(answer.operator);
        lane.commit(answer.ticket, answer.commitment);
    }

    function open(
        Answer memory answer,
        bytes memory output
    ) internal {
        openAs(answer, answer.operator, output);
    }

    function openAs(
        Answer memory answer,
        address sender,
        bytes memory output
    ) internal {
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        vm.prank(sender);
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, output);
    }

    /// @dev Goes to the block in which this operator's turn comes.
    function awaitTurn(
        Answer memory answer
    ) internal {
        vm.roll(lane.opensAtBlock(answer.ticket, answer.operator));
    }

    /// @dev Moves on by blocks and by their time.
    function mine(
        uint256 blocks
    ) internal {
        vm.roll(vm.getBlockNumber() + blocks);
        skip(2 * blocks);
    }

    // ------------------------------------------------------------------ expectations

    function statusOf(
        IExecutionCoordinator.Ticket memory ticket
    ) internal view returns (IConfirmedLane.PostedStatus) {
        return lane.getPosted(idOf(ticket)).status;
    }

    function assertStatus(
        IExecutionCoordinator.Ticket memory ticket,
        IConfirmedLane.PostedStatus status
    ) internal view {
        assertEq(uint8(statusOf(ticket)), uint8(status));
    }

    function expectInvalid(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) internal {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TicketInvalid.selector, idOf(ticket), reason));
    }

    function expectNotTurn(
        Answer memory answer,
        uint256 atBlock
    ) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IConfirmedLane.NotYourTurn.selector, idOf(answer.ticket), answer.operator, atBlock, vm.getBlockNumber()
            )
        );
    }

    function expectStatus(
        IExecutionCoordinator.Ticket memory ticket,
        IConfirmedLane.PostedStatus expected,
        IConfirmedLane.PostedStatus actual
    ) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IConfirmedLane.PostedNotInStatus.selector, idOf(ticket), expected, actual)
        );
    }

    /// @dev What the coordinator holds for tickets on chain: all that is nobody's yet. `account` is who pays for them.
    function reservedOf(
        address account
    ) internal view returns (uint256 reserved) {
        reserved = token.balanceOf(address(coordinator)) - coordinator.treasuryBalance();
        reserved -= coordinator.requesterBond(requester).amount + coordinator.uncollectedFees(requester);
        reserved -= _availableOf(funder);
        if (account != funder) reserved -= _availableOf(account) + coordinator.uncollectedFees(account);
        for (uint256 i; i < NETWORK_SIZE; ++i) {
            reserved -= coordinator.earningsOf(operatorAt(i));
        }
    }

    function _availableOf(
        address account
    ) private view returns (uint256 available) {
        (available,,) = coordinator.creditOf(account);
    }
}
