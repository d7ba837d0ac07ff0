// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {WalletRequester} from "../fixtures/WalletRequester.sol";
import {BatchPacking} from "./BatchPacking.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

contract SettlementTest is SettlementFixture {
    using BatchPacking for BatchPacking.Batch;

    function test_settle_paysWorkerFromLineAndTreasury() public {
        Execution memory execution = newExecution(0);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionSettled(
            idOf(execution.ticket), firstOperator, execution.attestation.resultSeal, 1, 200, REWARD
        );
        assertEq(settle(planRolled(list(execution))), 1);
        assertEq(earningsOf(firstOperator), REWARD);
        assertEq(coordinator.uncollectedFees(requester), FEE - REWARD);
        assertEq(availableOf(funder), 100e6 - FEE);
        assertEq(coordinator.getCreditLine(funder, requester).spentInEpoch, FEE);
        assertTrue(coordinator.isConsumed(requester, 0));
        assertFalse(coordinator.isConsumed(requester, 1));
    }

    function test_settle_bySingleSignaturesNeedsNobodyElse() public {
        Execution memory second = newExecution(1);
        second.keys[0] = secondKey;
        vm.prank(makeAddr("anyone"));
        assertEq(settle(plan(list(newExecution(0), second))), 2);
        assertEq(earningsOf(firstOperator), REWARD);
        assertEq(earningsOf(secondOperator), REWARD);
    }

    function test_settle_mixesRollsAndSingleSignatures() public {
        Execution memory second = newExecution(1);
        second.keys[0] = secondKey;
        Execution[] memory all = list(newExecution(0), second, newExecution(2));
        uint256[] memory rolling = new uint256[](1);
        rolling[0] = secondKey;
        uint256 snapshot = vm.snapshotState();
        assertEq(settle(planSigned(all, false, rolling)), 3);
        vm.revertToState(snapshot);
        assertEq(settle(planSigned(all, true, rolling)), 3);
        assertEq(earningsOf(firstOperator), 2 * REWARD);
    }

    function test_settle_manyGroupsAndSequenceWords() public {
        Execution memory far = newExecution(100_000);
        far.ticket.functionId = keccak256("another");
        renew(far);
        assertEq(settle(planRolled(list(newExecution(255), far, newExecution(256)))), 3);
        assertTrue(coordinator.isConsumed(requester, 255));
        assertTrue(coordinator.isConsumed(requester, 256));
        assertTrue(coordinator.isConsumed(requester, 100_000));
        assertFalse(coordinator.isConsumed(requester, 254));
    }

    function test_settle_funderThatIsItsOwnRequesterNeedsNoLine() public {
        deposit(requester, 5000);
        Execution memory execution = newExecution(0);
        execution.ticket.funder = requester;
        renew(execution);
        assertEq(settle(planRolled(list(execution))), 1);
        assertEq(availableOf(requester), 4000);
    }

    function test_settle_feeOfZeroPaysNothing() public {
        Execution memory execution = newExecution(0);
        execution.ticket.fee = 0;
        renew(execution);
        assertEq(settle(planRolled(list(execution))), 1);
        assertEq(earningsOf(firstOperator), 0);
    }

    function test_settle_failureOfTheFunctionIsAResultAndPaid() public {
        for (uint8 outcome = 1; outcome <= 4; ++outcome) {
            Execution memory execution = newExecution(outcome);
            execution.attestation.outcome = outcome;
            execution.attestation.status = outcome == 1 ? 404 : 500;
            assertEq(settle(planRolled(list(execution))), 1);
        }
    }

    function test_settle_requesterMayBeAContractWallet() public {
        WalletRequester wallet = new WalletRequester(vm.addr(REQUESTER_KEY));
        vm.prank(funder);
        coordinator.grantCreditLine(address(wallet), CAP, 10_000);
        Execution memory execution = newExecution(0);
        execution.ticket.requester = address(wallet);
        renew(execution);
        uint256 snapshot = vm.snapshotState();
        assertEq(settle(plan(list(execution))), 1);
        vm.revertToState(snapshot);
        assertEq(settle(planRolled(list(execution))), 1);
        vm.revertToState(snapshot);
        wallet.setOwner(makeAddr("somebody else"));
        settleSkipping(execution, IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_settle_requesterWithDelegatedCodeStillSignsWithItsKey() public {
        vm.etch(requester, hex"60006000fd");
        assertEq(settle(planRolled(list(newExecution(0)))), 1);
    }

    // ------------------------------------------------------------ skip reasons

    function test_Attack_DoubleSettlement() public {
        Execution memory execution = newExecution(7);
        settle(planRolled(list(execution)));
        settleSkipping(execution, IExecutionCoordinator.SkipReason.SequenceConsumed);
        assertEq(earningsOf(firstOperator), REWARD);
    }

    function test_skip_sequenceConsumed_twiceInOneBatch() public {
        Execution memory execution = newExecution(7);
        expectSkip(execution.ticket, IExecutionCoordinator.SkipReason.SequenceConsumed);
        assertEq(settle(planRolled(list(execution, execution))), 1);
        assertEq(earningsOf(firstOperator), REWARD);
    }

    function test_skip_sequenceConsumed_byAnotherTicket() public {
        settle(planRolled(list(newExecution(7))));
        Execution memory other = newExecution(7);
        other.ticket.inputSeal = keccak256("other");
        renew(other);
        settleSkipping(other, IExecutionCoordinator.SkipReason.SequenceConsumed);
    }

    function test_skip_expired() public {
        Execution memory execution = newExecution(0);
        vm.warp(execution.ticket.deadline + times().settlementGrace);
        uint256 snapshot = vm.snapshotState();
        assertEq(settle(planRolled(list(execution))), 1);
        vm.revertToState(snapshot);
        vm.warp(execution.ticket.deadline + times().settlementGrace + 1);
        settleSkipping(execution, IExecutionCoordinator.SkipReason.Expired);
    }

    function test_skip_notYetValid() public {
        Execution memory execution = newExecution(0);
        vm.warp(vm.getBlockTimestamp() - 1);
        settleSkipping(execution, IExecutionCoordinator.SkipReason.NotYetValid);
    }

    function test_skip_epochMismatch() public {
        Execution memory execution = newExecution(0);
        execution.ticket.epoch -= 1;
        settleSkipping(execution, IExecutionCoordinator.SkipReason.EpochMismatch);
    }

    function test_skip_requesterSignature() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        batch.signatures[0] = sign(0xBAD, idOf(newTicket(0)));
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
        batch.signatures[0] = hex"1234";
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_skip_workerSignature() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        batch.signatures[1] = batch.signatures[0];
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
        batch.signatures[1] = "";
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
    }

    function test_skip_workerSignature_changedResult() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        batch.groups[0].items[0].resultSeal = keccak256("another result");
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
    }

    function test_skip_workerNotActive_unknownKey() public {
        Execution memory execution = newExecution(0);
        execution.keys[0] = 0xBAD;
        settleSkipping(execution, IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_skip_workerNotActive_keyYoungerThanTicket() public {
        Execution memory execution = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 10);
        rotate(firstOperator, 0xE3);
        execution.keys[0] = 0xE3;
        settleSkipping(execution, IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_skip_workerNotActive_unbondedBeforeTheTicket() public {
        vm.prank(firstOperator);
        operators.unbond();
        vm.warp(vm.getBlockTimestamp() + 1);
        settleSkipping(newExecution(0), IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_skip_creditExhausted_overCap() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE, FEE);
        vm.warp(vm.getBlockTimestamp() + times().settlementGrace + times().maximumTicketLifetime + 1);
        Execution memory second = newExecution(1);
        expectSkip(second.ticket, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(newExecution(0), second))), 1);
        assertFalse(coordinator.isConsumed(requester, 1));
    }

    function test_skip_creditExhausted_overMaxFee() public {
        Execution memory execution = newExecution(0);
        execution.ticket.fee = 10_001;
        renew(execution);
        settleSkipping(execution, IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_skip_creditExhausted_noLine() public {
        Execution memory execution = newExecution(0);
        execution.ticket.funder = makeAddr("a stranger");
        deposit(execution.ticket.funder, 1e6);
        renew(execution);
        settleSkipping(execution, IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_skip_creditExhausted_noBalance() public {
        vm.prank(funder);
        coordinator.requestCreditWithdrawal(100e6 - 1500);
        vm.warp(vm.getBlockTimestamp() + 1);
        expectSkip(newTicket(1), IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(settle(planRolled(list(newExecution(0), newExecution(1)))), 1);
        assertEq(availableOf(funder), 500);
    }

    function test_skip_resourceOutcome() public {
        for (uint8 outcome = 5; outcome <= 6; ++outcome) {
            Execution memory execution = newExecution(0);
            execution.attestation.outcome = outcome;
            execution.attestation.status = 504;
            settleSkipping(execution, IExecutionCoordinator.SkipReason.ResourceOutcome);
        }
    }

    function test_skip_laneMismatch() public {
        Execution memory execution = newExecution(0);
        execution.ticket.lane = Messages.LANE_CONFIRMED;
        settleSkipping(execution, IExecutionCoordinator.SkipReason.LaneMismatch);
    }

    function test_skip_termsInvalid() public {
        Execution memory execution = newExecution(0);
        execution.ticket.deadline = execution.ticket.issuedAt + times().maximumTicketLifetime + 1;
        settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        uint8[2] memory outcomes = [0, 7];
        for (uint256 i; i < outcomes.length; ++i) {
            execution = newExecution(0);
            execution.attestation.outcome = outcomes[i];
            settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        }
        uint16[2] memory statuses = [199, 600];
        for (uint256 i; i < statuses.length; ++i) {
            execution = newExecution(0);
            execution.attestation.status = statuses[i];
            settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        }
    }

    // ------------------------------------------------------------------- rolls

    function test_roll_forgedByRequesterDropsAll() public {
        BatchPacking.Batch memory batch = planRolled(list(newExecution(0)));
        batch.requesterRoll = sign(0xBAD, bytes32("nothing"));
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_roll_forgedByWorkerDropsItsItemsOnly() public {
        Execution memory second = newExecution(1);
        second.keys[0] = secondKey;
        BatchPacking.Batch memory batch = planRolled(list(newExecution(0), second));
        batch.workers[0].roll = batch.workers[1].roll;
        expectSkip(newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
        assertEq(settle(batch), 1);
        assertEq(earningsOf(firstOperator), 0);
        assertEq(earningsOf(secondOperator), REWARD);
        // What was dropped stays settleable, by its single signatures.
        assertEq(settle(plan(list(newExecution(0)))), 1);
    }

    function test_Attack_ReplayInAnotherBatch() public {
        BatchPacking.Batch memory batch = planRolled(list(newExecution(0), newExecution(1)));
        BatchPacking.Batch memory other = planRolled(list(newExecution(0)));
        other.requesterRoll = batch.requesterRoll;
        skipBatch(other, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_roll_aSwappedItemSpoilsTheRoll() public {
        BatchPacking.Batch memory batch = planRolled(list(newExecution(0), newExecution(1)));
        batch.groups[0].items[1].inputSeal = keccak256("swapped");
        vm.recordLogs();
        assertEq(settle(batch), 0);
        assertEq(vm.getRecordedLogs().length, 2);
    }

    function test_roll_ofAWorkerDoesNotStandForTheRequester() public {
        Execution[] memory all = list(newExecution(0));
        BatchPacking.Batch memory batch = planRolled(all);
        batch.requesterRoll = batch.workers[0].roll;
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_roll_twoEntriesOfOneOperatorAreBothPaid() public {
        Execution memory execution = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 5);
        rotate(firstOperator, 0xE3);
        Execution memory later = newExecution(1);
        later.keys[0] = 0xE3;
        assertEq(settle(planRolled(list(execution, later))), 2);
        assertEq(earningsOf(firstOperator), 2 * REWARD);
    }

    // ------------------------------------------------------- whole batch, other

    function test_Attack_OneBadItemInABatch() public {
        Execution memory bad = newExecution(1);
        bad.attestation.outcome = 5;
        expectSkip(bad.ticket, IExecutionCoordinator.SkipReason.ResourceOutcome);
        assertEq(settle(planRolled(list(newExecution(0), bad, newExecution(2)))), 2);
        assertFalse(coordinator.isConsumed(requester, 1));
    }

    function test_malformed_batches() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        batch.groups[0].items[0].seatings[0].worker = 1;
        _expectMalformed(batch.pack(), "seating: no such worker");

        batch = plan(list(newQuorum(0, 2)));
        batch.groups[0].items[0].seatings[1].worker = 2;
        _expectMalformed(batch.pack(), "seating: no such worker");

        batch = plan(list(newExecution(0)));
        batch.signatures = new bytes[](1);
        _expectMalformed(batch.pack(), "batch: ends too early");
        batch.signatures = new bytes[](3);
        _expectMalformed(batch.pack(), "signatures: more than needed");

        batch = plan(list(newExecution(0)));
        batch.groups[0].items = new BatchPacking.Item[](0);
        batch.signatures = new bytes[](0);
        _expectMalformed(batch.pack(), "batch: no items");

        uint8[2] memory quorums = [0, 8];
        for (uint256 i; i < quorums.length; ++i) {
            batch.groups[0].quorum = quorums[i];
            _expectMalformed(batch.pack(), "group: quorum or flags");
        }

        bytes memory packed = plan(list(newExecution(0))).pack();
        packed[0] = 0x02;
        _expectMalformed(packed, "batch: unknown version");
        _expectMalformed("", "batch: ends too early");
    }

    /// @dev Wherever a batch breaks off, it is noticed, also when something else follows it in calldata.
    function test_malformed_anyBatchThatEndsTooEarly() public {
        register(operatorAt(2), keyAt(2), parameters().minimumStake);
        Execution memory quorum = newQuorum(1, 3);
        quorum.strangers = new bytes32[](1);
        bytes memory packed = plan(list(newExecution(0), quorum)).pack();
        for (uint256 length = packed.length; length != 0;) {
            --length;
            assembly ("memory-safe") {
                mstore(packed, length)
            }
            vm.expectRevert(
                abi.encodeWithSelector(IExecutionCoordinator.BatchMalformed.selector, "batch: ends too early")
            );
            coordinator.settle(packed);
        }
    }

    function test_Attack_KeyRotationInFlight() public {
        Execution memory old = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 20);
        rotate(firstOperator, 0xE3);
        assertEq(settle(planRolled(list(old))), 1);
        vm.warp(vm.getBlockTimestamp() + 1);
        settleSkipping(newExecution(1), IExecutionCoordinator.SkipReason.WorkerNotActive);
        Execution memory young = newExecution(2);
        young.keys[0] = 0xE3;
        assertEq(settle(planRolled(list(young))), 1);
    }

    function test_drainingAndUnbondingWorkersArePaidForWhatIsUnderWay() public {
        Execution memory first = newExecution(0);
        Execution memory second = newExecution(1);
        vm.warp(vm.getBlockTimestamp() + 5);
        vm.prank(firstOperator);
        operators.drain();
        assertEq(settle(planRolled(list(first))), 1);
        vm.prank(firstOperator);
        operators.unbond();
        assertEq(settle(planRolled(list(second))), 1);
    }

    function test_Attack_ReplayOnAnotherChain() public {
        BatchPacking.Batch memory batch = planRolled(list(newExecution(0)));
        vm.chainId(block.chainid + 1);
        assertEq(settle(batch), 0);
    }

    function test_Attack_ReplayOnAnotherContract() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        deploySuite();
        fundLine(funder, requester, 100e6);
        register(makeAddr("third operator"), 0xE5, parameters().minimumStake);
        batch.workers[0].executionKey = vm.addr(0xE5);
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function testFuzz_settle_accounting(
        uint96[8] memory fees,
        uint8 badItems,
        bool rolled
    ) public {
        Execution[] memory all = new Execution[](fees.length);
        uint256 paid;
        uint256 rewards;
        for (uint256 i; i < fees.length; ++i) {
            IExecutionCoordinator.Ticket memory ticket = newTicket(uint64(i));
            ticket.fee = uint96(bound(fees[i], 0, 10_000));
            all[i] = executionOf(ticket, i % 2 == 0 ? firstKey : secondKey);
            if (badItems & (1 << i) != 0) {
                all[i].attestation.outcome = 6;
            } else {
                paid += ticket.fee;
                rewards += ticket.fee - ticket.fee / 20;
            }
        }
        settle(rolled ? planRolled(all) : plan(all));
        assertEq(availableOf(funder), 100e6 - paid);
        assertEq(earningsOf(firstOperator) + earningsOf(secondOperator), rewards);
        assertEq(coordinator.uncollectedFees(requester), paid - rewards);
        assertEq(coordinator.getCreditLine(funder, requester).spentInEpoch, paid);
    }

    function _expectMalformed(
        bytes memory packed,
        string memory what
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.BatchMalformed.selector, what));
        coordinator.settle(packed);
    }
}
