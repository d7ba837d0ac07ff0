// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {BatchPacking} from "../coordinator/BatchPacking.sol";
import {Money} from "./Money.sol";

/// @dev Requests, honest and not, through both lanes.
abstract contract Settlements is Money {
    // ------------------------------------------------------------ attested lane

    function settleNew(
        uint256 seed
    ) external acts("settleNew") {
        uint256 index = remember(newEntry(seed, 1, Messages.LANE_ATTESTED));
        _settle(_listOf(index), seed >> 128);
    }

    /// @dev Three in one batch, one of them with a lie about its worker, sometimes one of them twice.
    function settleMany(
        uint256 seed
    ) external acts("settleMany") {
        Execution[] memory all = new Execution[](3);
        for (uint256 i; i < 3; ++i) {
            all[i] =
            book[remember(newEntry(uint256(keccak256(abi.encode(seed, i))), 1, Messages.LANE_ATTESTED))].execution;
        }
        if (seed % 4 == 0) all[2] = all[0];
        if (seed % 4 == 1) all[1].attestation.requestId = keccak256("of another");
        _settle(all, seed >> 8);
    }

    /// @dev Anything from the book once more, whatever became of it.
    function settleAgain(
        uint256 seed
    ) external acts("settleAgain") {
        uint256 index = pick(seed);
        if (seed % 8 == 0) vm.warp(max(vm.getBlockTimestamp(), book[index].execution.ticket.deadline + 100));
        _settle(_listOf(index), seed >> 128);
    }

    /// @dev A quorum is signed now and settled when its conflict window is over.
    function signQuorum(
        uint256 seed
    ) external acts("signQuorum") {
        remember(newEntry(seed, uint8(2 + (seed >> 128) % 2), Messages.LANE_ATTESTED));
    }

    function settleQuorum(
        uint256 seed
    ) external acts("settleQuorum") {
        bool isNew = seed % 2 == 0;
        uint256 index =
            isNew ? remember(newEntry(seed, uint8(2 + (seed >> 128) % 2), Messages.LANE_ATTESTED)) : pickQuorum(seed);
        vm.warp(max(vm.getBlockTimestamp(), book[index].execution.ticket.deadline + times().conflictWindow + 1));
        require(_settle(_listOf(index), seed >> 128) == 1, "refused");
    }

    function pickQuorum(
        uint256 seed
    ) internal view returns (uint256 index) {
        index = pick(seed);
        for (uint256 n; n < min(book.length, 12); ++n) {
            if (book[index].execution.ticket.quorum > 1) return index;
            index = index == 0 ? book.length - 1 : index - 1;
        }
        revert("not a quorum");
    }

    /// @dev The requester closes two sets for one request, and anyone shows both.
    function reportCommitSets(
        uint256 seed
    ) external acts("reportCommitSets") {
        require((seed >> 140) % 4 == 0, "not today");
        IExecutionCoordinator.Ticket memory ticket = book[pick(seed)].execution.ticket;
        bytes32[] memory first = new bytes32[](1);
        bytes32[] memory second = new bytes32[](2);
        first[0] = bytes32(seed);
        bytes memory firstSignature = signCommitSet(REQUESTER_KEY, idOf(ticket), first);
        bytes memory secondSignature = signCommitSet(REQUESTER_KEY, idOf(ticket), second);
        vm.prank(operatorAt((seed >> 8) % OPERATORS));
        coordinator.reportCommitSets(ticket, first, firstSignature, second, secondSignature);
    }

    function _settle(
        Execution[] memory all,
        uint256 seed
    ) private returns (uint256 settled) {
        BatchPacking.Batch memory batch = seed % 2 == 0 ? planRolled(all) : plan(all);
        if (seed % 16 == 15 && batch.signatures.length != 0) batch.signatures[0] = sign(0xBAD, bytes32(seed));
        settled = settle(batch);
        if (settled > all.length) breakPromise("more was settled than the batch holds");
    }

    function _listOf(
        uint256 index
    ) private view returns (Execution[] memory) {
        return list(book[index].execution);
    }

    // ------------------------------------------------------------ confirmed lane

    function post(
        uint256 seed
    ) external acts("post") {
        _post(seed, (seed >> 128) % 3 == 0 ? 2 : 1);
    }

    /// @dev Posted and answered, with a set that the requester signed.
    function postAndSubmit(
        uint256 seed
    ) external acts("postAndSubmit") {
        Execution memory execution = _post(seed, 1);
        _mine(between(seed >> 200, 1, 12));
        _submit(execution);
    }

    /// @dev A quorum of its own on chain, up to its agreement or to its pay.
    function agreeOnChain(
        uint256 seed
    ) external acts("agreeOnChain") {
        Execution memory execution = _post(seed, 2);
        _mine(11);
        _commit(execution);
        _mine(30);
        _open(execution);
        if (seed % 3 == 0) return;
        vm.warp(execution.ticket.deadline + times().conflictWindow + 1);
        lane.finalise(execution.ticket);
    }

    /// @dev One that was drawn answers when all others could have; the others are reported.
    function answerLate(
        uint256 seed
    ) external acts("answerLate") {
        Execution memory execution = _post(seed, 1);
        (uint256[] memory seated, uint8 seatNumber) = seatedFor(execution.ticket, seed >> 40);
        require(seatNumber == Messages.SEAT_DRAWN && seated.length > 1, "no others");
        _mine(between(seed >> 200, 8, 20));
        _submit(execution);
        for (uint256 i; i < OPERATORS; ++i) {
            try lane.reportSilence(execution.ticket, operatorAt(i)) {
                ++done["silence"];
                if (keys[i] == execution.keys[0]) breakPromise("who answered was punished for silence");
            } catch {}
        }
    }

    function _post(
        uint256 seed,
        uint8 quorum
    ) private returns (Execution memory execution) {
        Entry memory entry = newEntry(seed, quorum, Messages.LANE_CONFIRMED);
        entry.isPosted = true;
        remember(entry);
        execution = entry.execution;
        bytes memory signature = signTicket(REQUESTER_KEY, execution.ticket);
        lane.post(execution.ticket, signature, abi.encodePacked(INPUT_SALT, REQUEST));
    }

    function _mine(
        uint256 blocks
    ) private {
        vm.roll(vm.getBlockNumber() + blocks);
        skip(2 * blocks);
    }

    /// @dev A caller that is a contract pays with its own credit.
    function request(
        uint256 seed
    ) external acts("request") {
        _request(seed);
    }

    function _request(
        uint256 seed
    ) private returns (Execution memory) {
        Entry memory entry = newEntry(seed, 1, Messages.LANE_CONFIRMED);
        --nextNumber;
        IExecutionCoordinator.Ticket memory ticket = entry.execution.ticket;
        IConfirmedLane.Order memory order;
        order.functionId = ticket.functionId;
        order.functionVersion = ticket.functionVersion;
        order.runtimeDigest = ticket.runtimeDigest;
        order.inputSeal = ticket.inputSeal;
        (order.quorum, order.fee, order.lifetime) = (1, ticket.fee, 60);
        order.callbackGas = seed % 2 == 0 ? 0 : 100_000;
        ticket.requester = contractCaller;
        ticket.funder = contractCaller;
        ticket.payer = address(0);
        ticket.sequence = lane.nextSequence(contractCaller);
        seat(entry, seed, 1);
        entry.isPosted = true;
        remember(entry);
        vm.prank(contractCaller);
        bytes32 requestId = lane.request(order, abi.encodePacked(INPUT_SALT, REQUEST));
        if (requestId != idOf(ticket)) breakPromise("a contract's ticket is another one than the book's");
        return entry.execution;
    }

    function submit(
        uint256 seed
    ) external acts("submit") {
        vm.roll(vm.getBlockNumber() + between(seed >> 208, 1, 12));
        _submit(_posted(seed, IConfirmedLane.PostedStatus.Open, false));
    }

    function commit(
        uint256 seed
    ) external acts("commit") {
        bool isNew = seed % 2 == 0;
        _commit(
            isNew ? _post(seed, 1 + uint8(seed >> 200) % 2) : _posted(seed, IConfirmedLane.PostedStatus.Open, false)
        );
    }

    function open(
        uint256 seed
    ) external acts("open") {
        bool isNew = seed % 2 == 0;
        Execution memory execution =
            isNew ? _post(seed, 1 + uint8(seed >> 200) % 2) : _posted(seed, IConfirmedLane.PostedStatus.Open, true);
        if (isNew) _commit(execution);
        vm.roll(vm.getBlockNumber() + between(seed >> 208, 1, 60));
        _open(execution);
    }

    function _submit(
        Execution memory execution
    ) private {
        uint256 key = execution.keys[0];
        bytes32[] memory commitments = commitmentsOf(execution);
        bytes memory signature = signAttestation(key, execution.attestation);
        bytes memory setSignature = signCommitSet(REQUESTER_KEY, execution.attestation.requestId, commitments);
        vm.prank(vm.addr(key));
        lane.submit(
            execution.ticket,
            execution.attestation,
            signature,
            saltOf(key),
            commitments,
            setSignature,
            INPUT_SALT,
            _outputOf(execution)
        );
    }

    function _commit(
        Execution memory execution
    ) private {
        for (uint256 i; i < execution.keys.length; ++i) {
            bytes32 commitment = commitmentOf(execution, execution.keys[i]);
            vm.prank(vm.addr(execution.keys[i]));
            lane.commit(execution.ticket, commitment);
        }
    }

    function _open(
        Execution memory execution
    ) private {
        for (uint256 i; i < execution.keys.length; ++i) {
            uint256 key = execution.keys[i];
            bytes memory signature = signAttestation(key, execution.attestation);
            vm.prank(vm.addr(key));
            lane.open(execution.ticket, execution.attestation, signature, saltOf(key), INPUT_SALT, _outputOf(execution));
        }
    }

    /// @dev Nobody can show the output of a lie.
    function _outputOf(
        Execution memory execution
    ) private pure returns (bytes memory) {
        return execution.attestation.resultSeal == truth() ? OUTPUT : bytes("");
    }

    /// @dev A contract's request, answered on chain, and the contract called back.
    function answerContract(
        uint256 seed
    ) external acts("answerContract") {
        Execution memory execution = _request(seed);
        _commit(execution);
        vm.roll(vm.getBlockNumber() + between(seed >> 208, 1, 30));
        _open(execution);
    }

    function finalise(
        uint256 seed
    ) external acts("finalise") {
        Execution memory execution = _posted(seed, IConfirmedLane.PostedStatus.Agreed, true);
        if (seed % 2 == 0) {
            vm.warp(max(vm.getBlockTimestamp(), execution.ticket.deadline + times().conflictWindow + 1));
        }
        lane.finalise(execution.ticket);
    }

    function expire(
        uint256 seed
    ) external acts("expire") {
        Execution memory execution = _posted(seed, IConfirmedLane.PostedStatus.Open, false);
        uint256 until = uint256(execution.ticket.deadline) + times().settlementGrace;
        if (seed % 32 == 0) vm.warp(max(vm.getBlockTimestamp(), until + 1));
        lane.expire(execution.ticket);
        if (vm.getBlockTimestamp() <= until) breakPromise("a ticket expired while it could be settled");
        if (paidTimes[execution.attestation.requestId] != 0) breakPromise("what was paid was freed as well");
    }

    /// @dev A ticket on chain in this status, from some place in the book backwards. Sometimes any.
    function _posted(
        uint256 seed,
        IConfirmedLane.PostedStatus status,
        bool isCommitted
    ) internal view returns (Execution memory) {
        uint256 index = pick(seed);
        for (uint256 n; n < min(book.length, 40); ++n) {
            IConfirmedLane.Posted memory found = lane.getPosted(book[index].execution.attestation.requestId);
            bool isIt = found.status == status && (!isCommitted || found.commitments != 0);
            if (book[index].isPosted && (isIt || seed % 16 == 1)) return book[index].execution;
            index = index == 0 ? book.length - 1 : index - 1;
        }
        revert("nothing is posted");
    }
}
