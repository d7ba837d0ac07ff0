// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev A function that answers yes or no: whoever does not run it can guess.
contract SmallResultsTest is LaneFixture {
    bytes32 private constant YES = keccak256("yes");
    bytes32 private constant NO = keccak256("no");
    bytes32 private constant GUESSED_SALT = keccak256("guessed salt");

    function setUp() public override {
        super.setUp();
        registerOperators(3);
    }

    function test_Attack_GuessingASmallResult() public {
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        Answer memory honest = withResult(answerOf(ticket, 0), Hashes.seal(YES, INPUT_SALT));
        commit(honest);
        // What stands on chain cannot be looked up in a list of all results: it is salted, and of one key.
        bytes32 requestId = idOf(ticket);
        assertNotEq(honest.attestation.resultSeal, Hashes.seal(YES, GUESSED_SALT));
        assertNotEq(
            honest.commitment,
            Hashes.commitment(requestId, vm.addr(honest.key), honest.attestation.resultSeal, GUESSED_SALT)
        );
        // Nor can one hold both: an operator commits once, and opens what it committed to.
        Answer memory guesser = withResult(answerOf(ticket, 1), Hashes.seal(NO, INPUT_SALT));
        commit(guesser);
        Answer memory changed = withResult(answerOf(ticket, 1), honest.attestation.resultSeal);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.CommitmentRefused.selector, requestId, guesser.operator));
        commit(changed);
        awaitTurn(changed);
        bytes memory signature = signAttestation(changed.key, changed.attestation);
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.CommitmentMismatch.selector, requestId, changed.operator));
        vm.prank(changed.operator);
        lane.open(ticket, changed.attestation, signature, COMMITMENT_SALT, INPUT_SALT, "");
        open(honest, "");
        assertEq(coordinator.earningsOf(honest.operator), REWARD);
        assertEq(coordinator.earningsOf(guesser.operator), 0);
    }
}
