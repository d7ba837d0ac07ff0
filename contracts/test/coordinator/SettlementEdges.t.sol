// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {BatchPacking} from "./BatchPacking.sol";
import {BothWays} from "./BothWays.sol";

/// @dev The last that is settled and the first that is not, of everything that has a bound.
contract SettlementEdgesTest is BothWays {
    using BatchPacking for BatchPacking.Batch;

    uint64 private constant FIRST_LANE_SEQUENCE = 1 << 63;

    function test_settle_theLargestQuorum() public {
        bondRequester(requester);
        for (uint256 i = 2; i < 7; ++i) {
            register(operatorAt(i), keyAt(i), parameters().minimumStake);
        }
        Execution memory execution = newQuorum(0, 7);
        awaitConflicts(execution);
        assertSettledBothWays(list(execution), 1);
    }

    function test_settle_everyOutcomeAndStatusThatCounts() public {
        for (uint8 outcome = 1; outcome <= 4; ++outcome) {
            Execution memory execution = newExecution(outcome);
            execution.attestation.outcome = outcome;
            execution.attestation.status = outcome % 2 == 0 ? 200 : 599;
            assertSettledBothWays(list(execution), 1);
        }
    }

    function test_settle_aTicketWithoutAnyTimeLeft() public {
        Execution memory execution = newExecution(0);
        execution.ticket.deadline = execution.ticket.issuedAt;
        renew(execution);
        assertSettledBothWays(list(execution), 1);
    }

    /// @dev In the second of a rotation both keys sign.
    function test_settle_lastSecondOfAKeyAndFirstOfTheNext() public {
        Execution memory old = newExecution(0);
        rotate(firstOperator, 0xE3);
        Execution memory young = newExecution(1);
        young.keys[0] = 0xE3;
        assertSettledBothWays(list(old, young), 2);
    }

    function test_skip_sequenceAhead_numbersOfTheConfirmedLane() public {
        assertSettledBothWays(list(newExecution(FIRST_LANE_SEQUENCE - 1)), 1);
        assertSkippedBothWays(newExecution(FIRST_LANE_SEQUENCE), IExecutionCoordinator.SkipReason.SequenceAhead);
        assertSkippedBothWays(newExecution(FIRST_LANE_SEQUENCE + 1), IExecutionCoordinator.SkipReason.SequenceAhead);
    }

    function test_skip_quorumNotMet_oneOperatorIsOneVoice() public {
        bondRequester(requester);
        Execution memory sameKey = newQuorum(0, 2);
        sameKey.keys[1] = sameKey.keys[0];
        Execution memory twoKeys = newQuorum(1, 2);
        rotate(firstOperator, 0xE3);
        twoKeys.keys[1] = 0xE3;
        Execution memory notSideBySide = newQuorum(2, 3);
        notSideBySide.keys[2] = 0xE3;
        awaitConflicts(sameKey);
        assertSkippedBothWays(sameKey, IExecutionCoordinator.SkipReason.QuorumNotMet);
        assertSkippedBothWays(twoKeys, IExecutionCoordinator.SkipReason.QuorumNotMet);
        assertSkippedBothWays(notSideBySide, IExecutionCoordinator.SkipReason.QuorumNotMet);
    }

    /// @dev Until then another set of the same requester may still come to light.
    function test_skip_conflictWindowOpen() public {
        bondRequester(requester);
        Execution memory execution = newQuorum(0, 2);
        awaitConflicts(execution);
        assertSettledBothWays(list(execution), 1);
        vm.warp(vm.getBlockTimestamp() - 1);
        assertSkippedBothWays(execution, IExecutionCoordinator.SkipReason.ConflictWindowOpen);
    }

    /// @dev What is wrong with an item itself is said before what is wrong with who signed.
    function test_skip_saysWhatIsWrongFirst() public {
        Execution memory execution = newExecution(0);
        execution.attestation.outcome = 5;
        BatchPacking.Batch memory batch = planRolled(list(execution));
        batch.requesterRoll = sign(0xBAD, bytes32("nothing"));
        skipBatch(batch, execution.ticket, IExecutionCoordinator.SkipReason.ResourceOutcome);
    }

    /// @dev Else anyone could make a second signature out of each first.
    function test_skip_signaturesWithSomethingBehindThem() public {
        BatchPacking.Batch memory batch = plan(list(newExecution(0)));
        bytes memory signature = batch.signatures[0];
        batch.signatures[0] = bytes.concat(signature, hex"00");
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.RequesterSignature);
        batch.signatures[0] = signature;
        batch.signatures[1] = bytes.concat(batch.signatures[1], hex"00");
        skipBatch(batch, newTicket(0), IExecutionCoordinator.SkipReason.WorkerSignature);
    }

    function test_settle_workersThatTheRegistryDoesNotTellAreNoStrangers() public {
        bytes memory packed = planRolled(list(newExecution(0))).pack();
        vm.mockCallRevert(suite.operators, abi.encodeWithSelector(IOperatorRegistry.getExecutionKeys.selector), "");
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.BatchMalformed.selector, "workers: not to be had"));
        coordinator.settle(packed);
    }
}
