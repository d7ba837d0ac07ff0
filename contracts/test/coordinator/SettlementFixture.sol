// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {SuiteFixture} from "../fixtures/SuiteFixture.sol";
import {BatchPacking} from "./BatchPacking.sol";

/// @dev Executed requests and the batches that settle them.
abstract contract SettlementFixture is SuiteFixture {
    using BatchPacking for BatchPacking.Batch;

    /// @dev A ticket, what its workers attest about it, and who signs. `strangers` committed before them and did not open.
    struct Execution {
        IExecutionCoordinator.Ticket ticket;
        IExecutionCoordinator.Attestation attestation;
        uint256[] keys;
        bytes32[] strangers;
    }

    uint96 internal constant REWARD = FEE - FEE / 20;

    uint256 internal immutable firstKey = keyAt(0);
    uint256 internal immutable secondKey = keyAt(1);
    address internal immutable firstOperator = operatorAt(0);
    address internal immutable secondOperator = operatorAt(1);

    function setUp() public virtual override {
        super.setUp();
        registerOperators(2);
    }

    // -------------------------------------------------------------- executions

    /// @dev Completed with status 200 by the first operator.
    function newExecution(
        uint64 sequence
    ) internal view returns (Execution memory) {
        return executionOf(newTicket(sequence), firstKey);
    }

    function executionOf(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 key
    ) internal view returns (Execution memory execution) {
        execution.ticket = ticket;
        execution.keys = new uint256[](1);
        execution.keys[0] = key;
        execution.attestation = newAttestation(ticket);
    }

    /// @dev `quorum` operators from the first on agree.
    function newQuorum(
        uint64 sequence,
        uint8 quorum
    ) internal view returns (Execution memory execution) {
        IExecutionCoordinator.Ticket memory ticket = newTicket(sequence);
        ticket.quorum = quorum;
        execution = executionOf(ticket, firstKey);
        execution.keys = new uint256[](quorum);
        for (uint256 i; i < quorum; ++i) {
            execution.keys[i] = keyAt(i);
        }
    }

    /// @dev After the ticket was changed.
    function renew(
        Execution memory execution
    ) internal view {
        execution.attestation.requestId = idOf(execution.ticket);
    }

    function saltOf(
        uint256 key
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", key));
    }

    /// @dev The ordered set: strangers first, then the workers.
    function commitmentsOf(
        Execution memory execution
    ) internal pure returns (bytes32[] memory all) {
        uint256 strangers = execution.strangers.length;
        all = new bytes32[](strangers + execution.keys.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = i < strangers ? execution.strangers[i] : commitmentOf(execution, execution.keys[i - strangers]);
        }
    }

    function commitmentOf(
        Execution memory execution,
        uint256 key
    ) internal pure returns (bytes32) {
        return
            Hashes.commitment(
                execution.attestation.requestId, vm.addr(key), execution.attestation.resultSeal, saltOf(key)
            );
    }

    function list(
        Execution memory a
    ) internal pure returns (Execution[] memory all) {
        all = new Execution[](1);
        all[0] = a;
    }

    function list(
        Execution memory a,
        Execution memory b
    ) internal pure returns (Execution[] memory all) {
        all = new Execution[](2);
        (all[0], all[1]) = (a, b);
    }

    function list(
        Execution memory a,
        Execution memory b,
        Execution memory c
    ) internal pure returns (Execution[] memory all) {
        all = new Execution[](3);
        (all[0], all[1], all[2]) = (a, b, c);
    }

    // ----------------------------------------------------------------- batches

    function settle(
        BatchPacking.Batch memory batch
    ) internal returns (uint256) {
        return coordinator.settle(batch.pack());
    }

    /// @dev A batch with single signatures: one group per run of items that share their terms.
    function plan(
        Execution[] memory all
    ) internal view returns (BatchPacking.Batch memory) {
        return planSigned(all, false, new uint256[](0));
    }

    /// @dev A batch in which the requester and every worker signed a roll.
    function planRolled(
        Execution[] memory all
    ) internal view returns (BatchPacking.Batch memory) {
        return planSigned(all, true, _distinctKeys(all));
    }

    function planSigned(
        Execution[] memory all,
        bool requesterRolls,
        uint256[] memory rollingKeys
    ) internal view returns (BatchPacking.Batch memory batch) {
        batch.requester = all[0].ticket.requester;
        uint256[] memory keys = _distinctKeys(all);
        batch.groups = _groups(all, keys);
        batch.workers = new BatchPacking.Worker[](keys.length);
        for (uint256 i; i < keys.length; ++i) {
            batch.workers[i].executionKey = vm.addr(keys[i]);
            if (_contains(rollingKeys, keys[i])) batch.workers[i].roll = workerRoll(all, keys[i]);
        }
        if (requesterRolls) batch.requesterRoll = requesterRoll(all);
        batch.signatures = new bytes[](0);
        for (uint256 i; i < all.length; ++i) {
            if (!requesterRolls) batch.signatures = _append(batch.signatures, _requesterSignatures(all[i]));
            batch.signatures = _append(batch.signatures, _workerSignatures(all[i], rollingKeys));
        }
    }

    function _requesterSignatures(
        Execution memory execution
    ) private view returns (bytes[] memory signatures) {
        bool isQuorum = execution.ticket.quorum != 1;
        signatures = new bytes[](isQuorum ? 2 : 1);
        signatures[0] = signTicket(REQUESTER_KEY, execution.ticket);
        if (isQuorum) signatures[1] = sign(REQUESTER_KEY, commitSetDigest(execution));
    }

    function _workerSignatures(
        Execution memory execution,
        uint256[] memory rollingKeys
    ) private view returns (bytes[] memory signatures) {
        for (uint256 j; j < execution.keys.length; ++j) {
            if (_contains(rollingKeys, execution.keys[j])) continue;
            bytes[] memory one = new bytes[](1);
            one[0] = signAttestation(execution.keys[j], execution.attestation);
            signatures = _append(signatures, one);
        }
    }

    function _append(
        bytes[] memory head,
        bytes[] memory tail
    ) private pure returns (bytes[] memory all) {
        all = new bytes[](head.length + tail.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = i < head.length ? head[i] : tail[i - head.length];
        }
    }

    function commitSetDigest(
        Execution memory execution
    ) internal view returns (bytes32) {
        return Messages.hashCommitSet(domain(), 1, execution.attestation.requestId, commitmentsOf(execution));
    }

    function requesterRoll(
        Execution[] memory all
    ) internal view returns (bytes memory) {
        bytes32[] memory digests;
        for (uint256 i; i < all.length; ++i) {
            digests = _append(digests, idOf(all[i].ticket));
            if (all[i].ticket.quorum != 1) digests = _append(digests, commitSetDigest(all[i]));
        }
        return signRoll(REQUESTER_KEY, digests);
    }

    function workerRoll(
        Execution[] memory all,
        uint256 key
    ) internal view returns (bytes memory) {
        bytes32[] memory digests;
        for (uint256 i; i < all.length; ++i) {
            for (uint256 j; j < all[i].keys.length; ++j) {
                if (all[i].keys[j] != key) continue;
                digests = _append(digests, Messages.hashAttestation(domain(), all[i].attestation));
            }
        }
        return signRoll(key, digests);
    }

    function _append(
        bytes32[] memory head,
        bytes32 last
    ) private pure returns (bytes32[] memory all) {
        all = new bytes32[](head.length + 1);
        for (uint256 i; i < head.length; ++i) {
            all[i] = head[i];
        }
        all[head.length] = last;
    }

    // ------------------------------------------------------------- expectations

    function expectSkip(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) internal {
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionSkipped(idOf(ticket), reason);
    }

    function settleSkipping(
        Execution memory execution,
        IExecutionCoordinator.SkipReason reason
    ) internal {
        renew(execution);
        bool wasConsumed = coordinator.isConsumed(execution.ticket.requester, execution.ticket.sequence);
        skipBatch(plan(list(execution)), execution.ticket, reason);
        assertEq(coordinator.isConsumed(execution.ticket.requester, execution.ticket.sequence), wasConsumed);
    }

    function skipBatch(
        BatchPacking.Batch memory batch,
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) internal {
        uint256 feesBefore = coordinator.uncollectedFees(ticket.requester);
        expectSkip(ticket, reason);
        assertEq(settle(batch), 0);
        assertEq(coordinator.uncollectedFees(ticket.requester), feesBefore);
    }

    function earningsOf(
        address operator
    ) internal view returns (uint256) {
        return coordinator.earningsOf(operator);
    }

    function availableOf(
        address account
    ) internal view returns (uint256 available) {
        (available,,) = coordinator.creditOf(account);
    }

    function deposit(
        address account,
        uint96 amount
    ) internal {
        fillPurse(account, amount, address(coordinator));
        vm.prank(account);
        coordinator.depositCredit(account, amount);
    }

    function rotate(
        address operator,
        uint256 key
    ) internal {
        bytes memory proof = signKeyProof(key, operator);
        vm.prank(operator);
        operators.rotateExecutionKey(vm.addr(key), proof);
    }

    // ------------------------------------------------------------------ private

    function _groups(
        Execution[] memory all,
        uint256[] memory keys
    ) private pure returns (BatchPacking.Group[] memory groups) {
        uint256 count = 1;
        for (uint256 i = 1; i < all.length; ++i) {
            if (_terms(all[i].ticket) != _terms(all[i - 1].ticket)) ++count;
        }
        groups = new BatchPacking.Group[](count);
        uint256 start;
        for (uint256 g; g < count; ++g) {
            uint256 end = start + 1;
            while (end < all.length && _terms(all[end].ticket) == _terms(all[start].ticket)) {
                ++end;
            }
            groups[g] = _group(all[start].ticket);
            groups[g].items = new BatchPacking.Item[](end - start);
            for (uint256 i = start; i < end; ++i) {
                groups[g].items[i - start] = _item(all[i], keys);
            }
            start = end;
        }
    }

    function _terms(
        IExecutionCoordinator.Ticket memory ticket
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(_group(ticket)));
    }

    function _group(
        IExecutionCoordinator.Ticket memory ticket
    ) private pure returns (BatchPacking.Group memory group) {
        group.functionId = ticket.functionId;
        group.runtimeDigest = ticket.runtimeDigest;
        group.functionVersion = ticket.functionVersion;
        group.envVersion = ticket.envVersion;
        group.epoch = ticket.epoch;
        group.quorum = ticket.quorum;
        group.lane = ticket.lane;
        group.fee = ticket.fee;
        group.funder = ticket.funder;
        group.payee = ticket.payee;
        group.price = ticket.price;
    }

    function _item(
        Execution memory execution,
        uint256[] memory keys
    ) private pure returns (BatchPacking.Item memory item) {
        item.inputSeal = execution.ticket.inputSeal;
        item.resultSeal = execution.attestation.resultSeal;
        item.quoteId = execution.ticket.quoteId;
        item.payer = execution.ticket.payer;
        item.sequence = execution.ticket.sequence;
        item.issuedAt = execution.ticket.issuedAt;
        item.deadline = execution.ticket.deadline;
        item.outcome = execution.attestation.outcome;
        item.status = execution.attestation.status;
        item.seatings = new BatchPacking.Seating[](execution.keys.length);
        uint256 strangers = execution.strangers.length;
        item.commitSet = new BatchPacking.Entry[](strangers + execution.keys.length);
        for (uint256 i; i < strangers; ++i) {
            item.commitSet[i] = BatchPacking.Entry(false, execution.strangers[i]);
        }
        for (uint256 i; i < execution.keys.length; ++i) {
            uint256 key = execution.keys[i];
            item.seatings[i] = BatchPacking.Seating(uint8(_indexOf(keys, key)), execution.attestation.seat, saltOf(key));
            item.commitSet[strangers + i].isOwn = true;
        }
    }

    function _distinctKeys(
        Execution[] memory all
    ) private pure returns (uint256[] memory keys) {
        keys = new uint256[](16 * all.length);
        uint256 count;
        for (uint256 i; i < all.length; ++i) {
            for (uint256 j; j < all[i].keys.length; ++j) {
                if (!_contains(keys, all[i].keys[j])) keys[count++] = all[i].keys[j];
            }
        }
        assembly ("memory-safe") {
            mstore(keys, count)
        }
    }

    function _contains(
        uint256[] memory keys,
        uint256 key
    ) private pure returns (bool) {
        for (uint256 i; i < keys.length; ++i) {
            if (keys[i] == key) return true;
        }
        return false;
    }

    function _indexOf(
        uint256[] memory keys,
        uint256 key
    ) private pure returns (uint256 index) {
        while (keys[index] != key) {
            ++index;
        }
    }
}
