// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IConfirmedLane, IExecutionCallback} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev A contract that asks for executions and remembers what it was told. Its behaviours are the attacks.
contract Caller is IExecutionCallback {
    enum Behaviour {
        Remember,
        Revert,
        ReturnBomb,
        BurnGas,
        Replay
    }

    IConfirmedLane private immutable _lane;
    Behaviour public behaviour;
    uint256 public calls;
    uint256 public gasSeen;
    bytes32 public requestId;
    bytes public output;
    bytes public replay;
    bytes public replayed;

    constructor(
        IConfirmedLane lane
    ) {
        _lane = lane;
    }

    function setBehaviour(
        Behaviour next
    ) external {
        behaviour = next;
    }

    function setReplay(
        bytes calldata call
    ) external {
        replay = call;
        behaviour = Behaviour.Replay;
    }

    function ask(
        IConfirmedLane.Order calldata order,
        bytes calldata input
    ) external returns (bytes32) {
        return _lane.request(order, input);
    }

    function onExecutionSettled(
        bytes32 id,
        uint8 outcome,
        uint16 status,
        bytes calldata result
    ) external {
        uint256 available = gasleft();
        require(msg.sender == address(_lane), "not the lane");
        if (behaviour == Behaviour.Revert) revert("no");
        if (behaviour == Behaviour.BurnGas) {
            while (true) {}
        }
        if (behaviour == Behaviour.ReturnBomb) {
            assembly ("memory-safe") {
                return(0, 900000)
            }
        }
        if (behaviour == Behaviour.Replay) {
            (bool succeeded, bytes memory returned) = address(_lane).call(replay);
            replayed = abi.encode(succeeded, returned);
        }
        ++calls;
        gasSeen = available;
        requestId = id;
        output = result;
        require(outcome == 1 && status == 200, "unexpected");
    }
}

contract CallbackTest is LaneFixture {
    uint32 private constant CALLBACK_GAS = 300_000;
    uint256 private constant CALLER_CREDIT = 10e6;

    Caller private _caller;

    function setUp() public override {
        super.setUp();
        registerOperators(2);
        _caller = new Caller(lane);
        fillPurse(funder, CALLER_CREDIT, address(coordinator));
        vm.prank(funder);
        coordinator.depositCredit(address(_caller), uint96(CALLER_CREDIT));
    }

    // ------------------------------------------------------------------ request

    function test_request_needsNoSignature() public {
        IExecutionCoordinator.Ticket memory ticket = _expectedTicket(_order(1, CALLBACK_GAS));
        vm.expectEmit(address(lane));
        emit IConfirmedLane.ExecutionRequested(idOf(ticket), ticket.functionId, address(_caller), ticket, postedInput());
        assertEq(_caller.ask(_order(1, CALLBACK_GAS), postedInput()), idOf(ticket));
        assertEq(lane.getPosted(idOf(ticket)).callbackGas, CALLBACK_GAS);
        assertEq(reservedOf(address(_caller)), FEE);
        assertEq(lane.nextSequence(address(_caller)), FIRST_SEQUENCE + 1);
        assertTrue(coordinator.isConsumed(address(_caller), FIRST_SEQUENCE));
        // The same order again is another request.
        assertNotEq(_caller.ask(_order(1, CALLBACK_GAS), postedInput()), idOf(ticket));
        assertEq(lane.nextSequence(address(this)), FIRST_SEQUENCE);
    }

    function test_request_refusesEachBrokenTerm() public {
        IConfirmedLane.Order memory order = _order(1, 2_000_001);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.CallbackGasTooHigh.selector, 2_000_001, 2_000_000));
        _caller.ask(order, postedInput());
        order = _order(0, 0);
        expectInvalid(_expectedTicket(order), IExecutionCoordinator.SkipReason.QuorumNotMet);
        _caller.ask(order, postedInput());
        order = _order(8, 0);
        expectInvalid(_expectedTicket(order), IExecutionCoordinator.SkipReason.QuorumNotMet);
        _caller.ask(order, postedInput());
        order = _order(1, 0);
        order.lifetime = times().maximumTicketLifetime + 1;
        expectInvalid(_expectedTicket(order), IExecutionCoordinator.SkipReason.TermsInvalid);
        _caller.ask(order, postedInput());
        order = _order(1, 0);
        bytes32 requestId = idOf(_expectedTicket(order));
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.InputMismatch.selector, requestId));
        _caller.ask(order, "");
        _caller.ask(_order(1, 2_000_000), postedInput());
    }

    function test_request_spendsOnlyItsOwnCredit() public {
        IConfirmedLane.Order memory order = _order(1, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.CreditExhausted.selector, address(this), address(this), 0, FEE)
        );
        lane.request(order, postedInput());
    }

    /// @dev A contract has no gateway that signs sets, so the first to commit opens in the next block.
    function test_request_isAnsweredInTwoBlocks() public {
        IExecutionCoordinator.Ticket memory ticket = _ask(1, CALLBACK_GAS);
        Answer memory answer = answerOf(ticket, 0);
        commit(answer);
        assertEq(lane.opensAtBlock(ticket, answer.operator), vm.getBlockNumber() + 1);
        Answer memory second = answerOf(ticket, 1);
        commit(second);
        assertEq(lane.opensAtBlock(ticket, second.operator), vm.getBlockNumber() + 1 + TURN_BLOCKS);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        expectNotTurn(answer, vm.getBlockNumber() + 1);
        vm.prank(answer.operator);
        lane.open(ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, OUTPUT);
        vm.roll(vm.getBlockNumber() + 1);
        open(answer, OUTPUT);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    // ------------------------------------------------------------------ callback

    function test_callback_bringsTheResult() public {
        Answer memory answer = _committed(CALLBACK_GAS);
        vm.expectEmit(address(lane));
        emit IConfirmedLane.CallbackCalled(idOf(answer.ticket), address(_caller), true);
        open(answer, OUTPUT);
        assertEq(_caller.calls(), 1);
        assertEq(_caller.requestId(), idOf(answer.ticket));
        assertEq(_caller.output(), OUTPUT);
    }

    function test_callback_onlyWhereItWasOrdered() public {
        Answer memory answer = _committed(0);
        vm.recordLogs();
        open(answer, "");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], IConfirmedLane.CallbackCalled.selector);
        }
        assertEq(_caller.calls(), 0);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function test_callback_needsTheOutput() public {
        Answer memory answer = _committed(CALLBACK_GAS);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.OutputMismatch.selector, idOf(answer.ticket)));
        vm.prank(answer.operator);
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
    }

    function test_callback_ofAQuorumComesWhenItIsPaid() public {
        IExecutionCoordinator.Ticket memory ticket = _ask(2, CALLBACK_GAS);
        commit(answerOf(ticket, 0));
        commit(answerOf(ticket, 1));
        for (uint256 i; i < 2; ++i) {
            Answer memory answer = answerOf(ticket, i);
            if (i == 0) awaitTurn(answer);
            open(answer, "");
        }
        assertEq(_caller.calls(), 0);
        vm.warp(uint256(ticket.deadline) + times().conflictWindow + 1);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.OutputMismatch.selector, idOf(ticket)));
        lane.finalise(ticket);
        lane.finaliseWithOutput(ticket, INPUT_SALT, OUTPUT);
        assertEq(_caller.calls(), 1);
        assertEq(_caller.output(), OUTPUT);
    }

    function test_callback_thatFailsIsItsOwnProblem() public {
        Caller.Behaviour[2] memory failing = [Caller.Behaviour.Revert, Caller.Behaviour.BurnGas];
        for (uint256 i; i < failing.length; ++i) {
            _caller.setBehaviour(failing[i]);
            Answer memory answer = _committed(CALLBACK_GAS);
            vm.expectEmit(address(lane));
            emit IConfirmedLane.CallbackCalled(idOf(answer.ticket), address(_caller), false);
            open(answer, OUTPUT);
            assertEq(coordinator.earningsOf(answer.operator), REWARD * (i + 1));
        }
    }

    /// @dev What comes back is not copied, however much it is: the worker pays for the call and for nothing else. A whole
    /// megabyte would cost the callback more gas than it can have.
    function test_Attack_ReturnBombCallback() public {
        _caller.setBehaviour(Caller.Behaviour.ReturnBomb);
        Answer memory answer = _committed(2_000_000);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        // It had the gas to send all of that back.
        vm.expectEmit(address(lane));
        emit IConfirmedLane.CallbackCalled(idOf(answer.ticket), address(_caller), true);
        vm.prank(answer.operator);
        uint256 before = gasleft();
        lane.open(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, OUTPUT);
        // That cost the callback 1.6 million; a copy would cost the lane as much again.
        assertLt(before - gasleft(), 2_500_000);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    /// @dev With whatever gas a worker sends, the callback gets what was ordered, or nothing happens at all.
    /// forge-config: default.fuzz.runs = 128
    function testFuzz_Attack_GasStarvedCallback(
        uint256 gasLimit
    ) public {
        gasLimit = bound(gasLimit, 100_000, 900_000);
        Answer memory answer = _committed(CALLBACK_GAS);
        bytes memory call = abi.encodeCall(
            IConfirmedLane.open,
            (
                answer.ticket,
                answer.attestation,
                signAttestation(answer.key, answer.attestation),
                COMMITMENT_SALT,
                INPUT_SALT,
                OUTPUT
            )
        );
        vm.prank(answer.operator);
        (bool succeeded,) = address(lane).call{gas: gasLimit}(call);
        if (!succeeded) {
            assertStatus(answer.ticket, IConfirmedLane.PostedStatus.Open);
            return;
        }
        assertEq(_caller.calls(), 1);
        assertGt(_caller.gasSeen(), CALLBACK_GAS - 2000);
        assertLe(_caller.gasSeen(), CALLBACK_GAS);
    }

    function test_Attack_GasStarvedCallback() public {
        Answer memory answer = _committed(2_000_000);
        bytes memory signature = signAttestation(answer.key, answer.attestation);
        vm.expectPartialRevert(IConfirmedLane.GasTooLow.selector);
        vm.prank(answer.operator);
        lane.open{gas: 2_000_000}(answer.ticket, answer.attestation, signature, COMMITMENT_SALT, INPUT_SALT, OUTPUT);
        open(answer, OUTPUT);
        assertEq(_caller.calls(), 1);
    }

    /// @dev It can ask for more, and can do nothing with the request that is being settled.
    function test_Attack_ReentrantCallback() public {
        Answer memory answer = _committed(1_000_000);
        bytes memory again = abi.encodeCall(
            IConfirmedLane.open,
            (
                answer.ticket,
                answer.attestation,
                signAttestation(answer.key, answer.attestation),
                COMMITMENT_SALT,
                INPUT_SALT,
                OUTPUT
            )
        );
        _caller.setReplay(again);
        open(answer, OUTPUT);
        _assertReplayRefused(answer.ticket, IConfirmedLane.PostedStatus.Settled);
        answer = _committed(1_000_000);
        _caller.setReplay(abi.encodeCall(IConfirmedLane.expire, (answer.ticket)));
        open(answer, OUTPUT);
        _assertReplayRefused(answer.ticket, IConfirmedLane.PostedStatus.Settled);
        assertEq(coordinator.earningsOf(answer.operator), 2 * REWARD);
        assertEq(reservedOf(address(_caller)), 0);
    }

    function test_callback_mayAskAgain() public {
        Answer memory answer = _committed(1_000_000);
        _caller.setReplay(abi.encodeCall(IConfirmedLane.request, (_order(1, 0), postedInput())));
        open(answer, OUTPUT);
        (bool succeeded,) = abi.decode(_caller.replayed(), (bool, bytes));
        assertTrue(succeeded);
        assertEq(reservedOf(address(_caller)), FEE);
    }

    /// @dev A callback inside of a relayed action acts as itself, not as the account whose action it is.
    function test_Attack_CallbackInsideARelayedAction() public {
        Answer memory answer = _committed(1_000_000);
        _caller.setReplay(abi.encodeCall(IConfirmedLane.request, (_order(1, 0), postedInput())));
        bytes memory action = abi.encodeCall(
            IConfirmedLane.open,
            (
                answer.ticket,
                answer.attestation,
                signAttestation(answer.key, answer.attestation),
                COMMITMENT_SALT,
                INPUT_SALT,
                OUTPUT
            )
        );
        address key = vm.addr(answer.key);
        uint40 deadline = uint40(vm.getBlockTimestamp());
        bytes32 digest = Messages.hashRelayedAction(
            Messages.domainSeparator(block.chainid, address(lane)), key, action, 0, deadline
        );
        lane.relay(key, action, deadline, sign(answer.key, digest));
        assertEq(lane.nextSequence(key), FIRST_SEQUENCE);
        assertEq(lane.nextSequence(address(_caller)), FIRST_SEQUENCE + 2);
        assertEq(coordinator.earningsOf(answer.operator), REWARD);
    }

    function _assertReplayRefused(
        IExecutionCoordinator.Ticket memory ticket,
        IConfirmedLane.PostedStatus actual
    ) private view {
        (bool succeeded, bytes memory refusal) = abi.decode(_caller.replayed(), (bool, bytes));
        assertFalse(succeeded);
        assertEq(
            refusal,
            abi.encodeWithSelector(
                IConfirmedLane.PostedNotInStatus.selector, idOf(ticket), IConfirmedLane.PostedStatus.Open, actual
            )
        );
    }

    /// @dev A request of the contract, and the first operator's commitment, ready to be opened.
    function _committed(
        uint32 callbackGas
    ) private returns (Answer memory answer) {
        answer = answerOf(_ask(1, callbackGas), 0);
        commit(answer);
        vm.roll(vm.getBlockNumber() + 1);
    }

    function _ask(
        uint8 quorum,
        uint32 callbackGas
    ) private returns (IExecutionCoordinator.Ticket memory ticket) {
        IConfirmedLane.Order memory order = _order(quorum, callbackGas);
        ticket = _expectedTicket(order);
        _caller.ask(order, postedInput());
    }

    function _order(
        uint8 quorum,
        uint32 callbackGas
    ) private pure returns (IConfirmedLane.Order memory) {
        return IConfirmedLane.Order({
            functionId: keccak256("function"),
            functionVersion: 3,
            runtimeDigest: keccak256("runtime"),
            inputSeal: Hashes.seal(keccak256(REQUEST), INPUT_SALT),
            quorum: quorum,
            fee: FEE,
            lifetime: 60,
            callbackGas: callbackGas
        });
    }

    /// @dev What workers and verifiers rebuild: everything is the order's or follows from the block.
    function _expectedTicket(
        IConfirmedLane.Order memory order
    ) private view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket.protocolVersion = 1;
        ticket.functionId = order.functionId;
        ticket.functionVersion = order.functionVersion;
        ticket.runtimeDigest = order.runtimeDigest;
        ticket.inputSeal = order.inputSeal;
        ticket.requester = address(_caller);
        ticket.epoch = uint32(vm.getBlockTimestamp() / times().epochSeconds);
        ticket.sequence = lane.nextSequence(address(_caller));
        ticket.quorum = order.quorum;
        ticket.lane = 2;
        ticket.fee = order.fee;
        ticket.issuedAt = uint40(vm.getBlockTimestamp());
        ticket.deadline = uint40(vm.getBlockTimestamp() + order.lifetime);
        ticket.funder = address(_caller);
    }
}
