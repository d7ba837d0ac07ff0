// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ExecutionCoordinator} from "../src/ExecutionCoordinator.sol";
import {IExecutionCoordinator} from "../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../src/libraries/Messages.sol";
import {CoordinatorFixture} from "./fixtures/CoordinatorFixture.sol";
import {WalletRequester} from "./fixtures/WalletRequester.sol";

contract SettlementTest is CoordinatorFixture {
    function test_settle_paysWorkerFromLineAndTreasury() public {
        Execution memory execution = newExecution(0);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionSettled(
            idOf(execution.ticket), firstOperator, execution.attestation.resultSeal, 1, 200, REWARD
        );
        assertEq(coordinator.settle(planRolled(list(execution))), 1);
        assertEq(earningsOf(firstOperator), REWARD);
        assertEq(coordinator.treasuryBalance(), FEE - REWARD);
        assertEq(availableOf(funder), 100e6 - FEE);
        assertEq(coordinator.getCreditLine(funder, requester).spentInEpoch, FEE);
        assertTrue(coordinator.isConsumed(requester, 0));
        assertFalse(coordinator.isConsumed(requester, 1));
    }

    function test_settle_bySingleSignaturesNeedsNobodyElse() public {
        Execution memory second = newExecution(1);
        second.executionKey = SECOND_KEY;
        vm.prank(makeAddr("anyone"));
        assertEq(coordinator.settle(plan(list(newExecution(0), second))), 2);
        assertEq(earningsOf(firstOperator), REWARD);
        assertEq(earningsOf(secondOperator), REWARD);
    }

    function test_settle_mixesRollsAndSingleSignatures() public {
        Execution memory second = newExecution(1);
        second.executionKey = SECOND_KEY;
        Execution[] memory all = list(newExecution(0), second, newExecution(2));
        uint256[] memory rolling = new uint256[](1);
        rolling[0] = SECOND_KEY;
        uint256 snapshot = vm.snapshotState();
        assertEq(coordinator.settle(planSigned(all, false, rolling)), 3);
        vm.revertToState(snapshot);
        assertEq(coordinator.settle(planSigned(all, true, rolling)), 3);
        assertEq(earningsOf(firstOperator), 2 * REWARD);
    }

    function test_settle_manyGroupsAndSequenceWords() public {
        Execution memory far = newExecution(100_000);
        far.ticket.functionId = keccak256("another");
        far.attestation.requestId = idOf(far.ticket);
        assertEq(coordinator.settle(planRolled(list(newExecution(255), far, newExecution(256)))), 3);
        assertTrue(coordinator.isConsumed(requester, 255));
        assertTrue(coordinator.isConsumed(requester, 256));
        assertTrue(coordinator.isConsumed(requester, 100_000));
        assertFalse(coordinator.isConsumed(requester, 254));
    }

    function test_settle_funderThatIsItsOwnRequesterNeedsNoLine() public {
        deposit(requester, 5000);
        Execution memory execution = newExecution(0);
        execution.ticket.funder = requester;
        execution.attestation.requestId = idOf(execution.ticket);
        assertEq(coordinator.settle(planRolled(list(execution))), 1);
        assertEq(availableOf(requester), 4000);
    }

    function test_settle_feeOfZeroPaysNothing() public {
        Execution memory execution = newExecution(0);
        execution.ticket.fee = 0;
        execution.attestation.requestId = idOf(execution.ticket);
        assertEq(coordinator.settle(planRolled(list(execution))), 1);
        assertEq(earningsOf(firstOperator), 0);
    }

    function test_settle_failureOfTheFunctionIsAResultAndPaid() public {
        for (uint8 outcome = 1; outcome <= 4; ++outcome) {
            Execution memory execution = newExecution(outcome);
            execution.attestation.outcome = outcome;
            execution.attestation.status = outcome == 1 ? 404 : 500;
            assertEq(coordinator.settle(planRolled(list(execution))), 1);
        }
    }

    function test_settle_requesterMayBeAContractWallet() public {
        WalletRequester wallet = new WalletRequester(vm.addr(REQUESTER_KEY));
        vm.prank(funder);
        coordinator.grantCreditLine(address(wallet), CAP, 10_000);
        Execution memory execution = newExecution(0);
        execution.ticket.requester = address(wallet);
        execution.attestation.requestId = idOf(execution.ticket);
        uint256 snapshot = vm.snapshotState();
        assertEq(coordinator.settle(plan(list(execution))), 1);
        vm.revertToState(snapshot);
        assertEq(coordinator.settle(planRolled(list(execution))), 1);
        vm.revertToState(snapshot);
        wallet.setOwner(makeAddr("somebody else"));
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_settle_requesterWithDelegatedCodeStillSignsWithItsKey() public {
        vm.etch(requester, hex"60006000fd");
        assertEq(coordinator.settle(planRolled(list(newExecution(0)))), 1);
    }

    // ------------------------------------------------------------ skip reasons

    function test_skip_sequenceConsumed_doubleSettlement() public {
        Execution memory execution = newExecution(7);
        coordinator.settle(planRolled(list(execution)));
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.SequenceConsumed);
        assertEq(earningsOf(firstOperator), REWARD);
    }

    function test_skip_sequenceConsumed_twiceInOneBatch() public {
        Execution memory execution = newExecution(7);
        expectSkip(execution.ticket, IExecutionCoordinator.SkipReason.SequenceConsumed);
        assertEq(coordinator.settle(planRolled(list(execution, execution))), 1);
        assertEq(earningsOf(firstOperator), REWARD);
    }

    function test_skip_sequenceConsumed_byAnotherTicket() public {
        coordinator.settle(planRolled(list(newExecution(7))));
        Execution memory other = newExecution(7);
        other.ticket.inputSeal = keccak256("other");
        other.attestation.requestId = idOf(other.ticket);
        _settleSkipping(other, IExecutionCoordinator.SkipReason.SequenceConsumed);
    }

    function test_skip_expired() public {
        Execution memory execution = newExecution(0);
        vm.warp(execution.ticket.deadline + GRACE);
        uint256 snapshot = vm.snapshotState();
        assertEq(coordinator.settle(planRolled(list(execution))), 1);
        vm.revertToState(snapshot);
        vm.warp(execution.ticket.deadline + GRACE + 1);
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.Expired);
    }

    function test_skip_notYetValid() public {
        Execution memory execution = newExecution(0);
        vm.warp(vm.getBlockTimestamp() - 1);
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.NotYetValid);
    }

    function test_skip_epochMismatch() public {
        Execution memory execution = newExecution(0);
        execution.ticket.epoch -= 1;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.EpochMismatch);
    }

    function test_skip_requesterSignature() public {
        IExecutionCoordinator.SettlementBatch memory batch = plan(list(newExecution(0)));
        batch.signatures[0] = sign(0xBAD, idOf(newTicket(0)));
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
        batch.signatures[0] = hex"1234";
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_skip_workerSignature() public {
        IExecutionCoordinator.SettlementBatch memory batch = plan(list(newExecution(0)));
        batch.signatures[1] = batch.signatures[0];
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
        batch.signatures[1] = "";
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
    }

    function test_skip_workerSignature_changedResult() public {
        IExecutionCoordinator.SettlementBatch memory batch = plan(list(newExecution(0)));
        batch.groups[0].items[0].resultSeal = keccak256("another result");
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
    }

    function test_skip_workerNotActive_unknownKey() public {
        Execution memory execution = newExecution(0);
        execution.executionKey = 0xBAD;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_skip_workerNotActive_keyYoungerThanTicket() public {
        Execution memory execution = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 10);
        rotate(firstOperator, 0xE3);
        execution.executionKey = 0xE3;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_skip_workerNotActive_unbondedBeforeTheTicket() public {
        vm.prank(firstOperator);
        coordinator.unbond();
        vm.warp(vm.getBlockTimestamp() + 1);
        _settleSkipping(newExecution(0), IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    function test_skip_creditExhausted_overCap() public {
        vm.prank(funder);
        coordinator.grantCreditLine(requester, FEE, FEE);
        vm.warp(vm.getBlockTimestamp() + GRACE + LIFETIME + 1);
        Execution memory second = newExecution(1);
        expectSkip(second.ticket, IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(coordinator.settle(planRolled(list(newExecution(0), second))), 1);
        assertFalse(coordinator.isConsumed(requester, 1));
    }

    function test_skip_creditExhausted_overMaxFee() public {
        Execution memory execution = newExecution(0);
        execution.ticket.fee = 10_001;
        execution.attestation.requestId = idOf(execution.ticket);
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_skip_creditExhausted_noLine() public {
        Execution memory execution = newExecution(0);
        execution.ticket.funder = makeAddr("a stranger");
        deposit(execution.ticket.funder, 1e6);
        execution.attestation.requestId = idOf(execution.ticket);
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.CreditExhausted);
    }

    function test_skip_creditExhausted_noBalance() public {
        vm.prank(funder);
        coordinator.requestCreditWithdrawal(100e6 - 1500);
        vm.warp(vm.getBlockTimestamp() + 1);
        expectSkip(newTicket(1), IExecutionCoordinator.SkipReason.CreditExhausted);
        assertEq(coordinator.settle(planRolled(list(newExecution(0), newExecution(1)))), 1);
        assertEq(availableOf(funder), 500);
    }

    function test_skip_quorumNotMet() public {
        Execution memory execution = newExecution(0);
        execution.ticket.quorum = 2;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.QuorumNotMet);
    }

    function test_skip_resourceOutcome() public {
        for (uint8 outcome = 5; outcome <= 6; ++outcome) {
            Execution memory execution = newExecution(0);
            execution.attestation.outcome = outcome;
            execution.attestation.status = 504;
            _settleSkipping(execution, IExecutionCoordinator.SkipReason.ResourceOutcome);
        }
    }

    function test_skip_laneMismatch() public {
        Execution memory execution = newExecution(0);
        execution.ticket.lane = Messages.LANE_CONFIRMED;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.LaneMismatch);
    }

    function test_skip_termsInvalid() public {
        Execution memory execution = newExecution(0);
        execution.ticket.deadline = execution.ticket.issuedAt + LIFETIME + 1;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        execution.ticket.deadline = execution.ticket.issuedAt - 1;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        uint8[2] memory outcomes = [0, 7];
        for (uint256 i; i < outcomes.length; ++i) {
            execution = newExecution(0);
            execution.attestation.outcome = outcomes[i];
            _settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        }
        uint16[2] memory statuses = [199, 600];
        for (uint256 i; i < statuses.length; ++i) {
            execution = newExecution(0);
            execution.attestation.status = statuses[i];
            _settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
        }
        execution = newExecution(0);
        execution.attestation.seat = 2;
        _settleSkipping(execution, IExecutionCoordinator.SkipReason.TermsInvalid);
    }

    // ------------------------------------------------------------------- rolls

    function test_roll_forgedByRequesterDropsAll() public {
        IExecutionCoordinator.SettlementBatch memory batch = planRolled(list(newExecution(0)));
        batch.requesterRoll = sign(0xBAD, bytes32("nothing"));
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_roll_forgedByWorkerDropsItsItemsOnly() public {
        Execution memory second = newExecution(1);
        second.executionKey = SECOND_KEY;
        IExecutionCoordinator.SettlementBatch memory batch = planRolled(list(newExecution(0), second));
        batch.workers[0].roll = batch.workers[1].roll;
        expectSkip(newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
        assertEq(coordinator.settle(batch), 1);
        assertEq(earningsOf(firstOperator), 0);
        assertEq(earningsOf(secondOperator), REWARD);
        // What was dropped stays settleable, by its single signatures.
        assertEq(coordinator.settle(plan(list(newExecution(0)))), 1);
    }

    function test_roll_ofAnotherBatchCountsNothing() public {
        IExecutionCoordinator.SettlementBatch memory batch = planRolled(list(newExecution(0), newExecution(1)));
        IExecutionCoordinator.SettlementBatch memory other = planRolled(list(newExecution(0)));
        other.requesterRoll = batch.requesterRoll;
        _skipBatch(other, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_roll_aSwappedItemSpoilsTheRoll() public {
        IExecutionCoordinator.SettlementBatch memory batch = planRolled(list(newExecution(0), newExecution(1)));
        batch.groups[0].items[1].inputSeal = keccak256("swapped");
        vm.recordLogs();
        assertEq(coordinator.settle(batch), 0);
        assertEq(vm.getRecordedLogs().length, 2);
    }

    function test_roll_ofAWorkerDoesNotStandForTheRequester() public {
        Execution[] memory all = list(newExecution(0));
        IExecutionCoordinator.SettlementBatch memory batch = planRolled(all);
        batch.requesterRoll = batch.workers[0].roll;
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_roll_twoEntriesOfOneOperatorAreBothPaid() public {
        Execution memory execution = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 5);
        rotate(firstOperator, 0xE3);
        Execution memory later = newExecution(1);
        later.executionKey = 0xE3;
        assertEq(coordinator.settle(planRolled(list(execution, later))), 2);
        assertEq(earningsOf(firstOperator), 2 * REWARD);
    }

    // ------------------------------------------------------- whole batch, other

    function test_oneBadItemSpoilsNothing() public {
        Execution memory bad = newExecution(1);
        bad.attestation.outcome = 5;
        expectSkip(bad.ticket, IExecutionCoordinator.SkipReason.ResourceOutcome);
        assertEq(coordinator.settle(planRolled(list(newExecution(0), bad, newExecution(2)))), 2);
        assertFalse(coordinator.isConsumed(requester, 1));
    }

    function test_malformed_batches() public {
        IExecutionCoordinator.SettlementBatch memory batch = plan(list(newExecution(0)));
        batch.groups[0].items[0].worker = 1;
        _expectMalformed(batch, "items: worker without entry");

        batch = plan(list(newExecution(0)));
        batch.signatures = new bytes[](1);
        _expectMalformed(batch, "signatures: fewer than needed");
        batch.signatures = new bytes[](3);
        _expectMalformed(batch, "signatures: more than needed");

        batch = plan(list(newExecution(0)));
        batch.groups = new IExecutionCoordinator.SettlementGroup[](1);
        _expectMalformed(batch, "groups: no items");
    }

    function test_keyRotationInFlight() public {
        Execution memory old = newExecution(0);
        vm.warp(vm.getBlockTimestamp() + 20);
        rotate(firstOperator, 0xE3);
        assertEq(coordinator.settle(planRolled(list(old))), 1);
        vm.warp(vm.getBlockTimestamp() + 1);
        _settleSkipping(newExecution(1), IExecutionCoordinator.SkipReason.WorkerNotActive);
        Execution memory young = newExecution(2);
        young.executionKey = 0xE3;
        assertEq(coordinator.settle(planRolled(list(young))), 1);
    }

    function test_drainingAndUnbondingWorkersArePaidForWhatIsUnderWay() public {
        Execution memory first = newExecution(0);
        Execution memory second = newExecution(1);
        vm.warp(vm.getBlockTimestamp() + 5);
        vm.prank(firstOperator);
        coordinator.drain();
        assertEq(coordinator.settle(planRolled(list(first))), 1);
        vm.prank(firstOperator);
        coordinator.unbond();
        assertEq(coordinator.settle(planRolled(list(second))), 1);
    }

    function test_replayOnAnotherChain() public {
        IExecutionCoordinator.SettlementBatch memory batch = planRolled(list(newExecution(0)));
        vm.chainId(block.chainid + 1);
        assertEq(coordinator.settle(batch), 0);
    }

    function test_replayOnAnotherContract() public {
        IExecutionCoordinator.SettlementBatch memory batch = plan(list(newExecution(0)));
        coordinator = new ExecutionCoordinator(parameters());
        vm.prank(funder);
        token.approve(address(coordinator), type(uint256).max);
        register(makeAddr("third operator"), 0xE5);
        batch.workers[0].executionKey = vm.addr(0xE5);
        deposit(funder, 1e6);
        vm.prank(funder);
        coordinator.grantCreditLine(requester, CAP, 10_000);
        _skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
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
            all[i] = executionOf(ticket, i % 2 == 0 ? FIRST_KEY : SECOND_KEY);
            if (badItems & (1 << i) != 0) {
                all[i].attestation.outcome = 6;
            } else {
                paid += ticket.fee;
                rewards += ticket.fee - ticket.fee / 10;
            }
        }
        coordinator.settle(rolled ? planRolled(all) : plan(all));
        assertEq(availableOf(funder), 100e6 - paid);
        assertEq(earningsOf(firstOperator) + earningsOf(secondOperator), rewards);
        assertEq(coordinator.treasuryBalance(), paid - rewards);
        assertEq(coordinator.getCreditLine(funder, requester).spentInEpoch, paid);
    }

    function _settleSkipping(
        Execution memory execution,
        IExecutionCoordinator.SkipReason reason
    ) private {
        execution.attestation.requestId = idOf(execution.ticket);
        bool wasConsumed = coordinator.isConsumed(execution.ticket.requester, execution.ticket.sequence);
        _skipBatch(plan(list(execution)), execution.ticket, reason);
        assertEq(coordinator.isConsumed(execution.ticket.requester, execution.ticket.sequence), wasConsumed);
    }

    function _skipBatch(
        IExecutionCoordinator.SettlementBatch memory batch,
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason reason
    ) private {
        uint256 treasuryBefore = coordinator.treasuryBalance();
        expectSkip(ticket, reason);
        assertEq(coordinator.settle(batch), 0);
        assertEq(coordinator.treasuryBalance(), treasuryBefore);
    }

    function _expectMalformed(
        IExecutionCoordinator.SettlementBatch memory batch,
        string memory what
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.BatchMalformed.selector, what));
        coordinator.settle(batch);
    }
}
