// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IFunctionRegistry} from "../../src/interfaces/IFunctionRegistry.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev What owners put down, and which functions are judged.
contract OwnerBondsTest is CourtFixture {
    function judgedNow(
        bytes32 id
    ) private view returns (bool) {
        return court.isJudged(id, 1, uint40(vm.getBlockTimestamp()));
    }

    function unbond() private {
        vm.prank(owner);
        court.unbondFunction(functionId);
    }

    function test_bond_judgesFromNowOn() public {
        bytes32 id = publish("fresh", DETERMINISTIC);
        assertFalse(judgedNow(id));
        fillPurse(owner, OWNER_BOND, address(court));
        vm.expectEmit(address(court));
        emit ICourtFilings.OwnerBonded(id, owner, OWNER_BOND, OWNER_BOND);
        vm.prank(owner);
        court.bondFunction(id, OWNER_BOND);
        assertTrue(judgedNow(id));
        // A ticket from before was run as one that nobody judges.
        assertFalse(court.isJudged(id, 1, uint40(vm.getBlockTimestamp() - 1)));
        assertEq(court.getOwnerBond(id).owner, owner);
        assertEq(token.balanceOf(address(court)), 2 * OWNER_BOND);
    }

    function test_bond_inPartsJudgesWhenWhole() public {
        bytes32 id = publish("fresh", DETERMINISTIC);
        bondFunction(id, OWNER_BOND - 1);
        assertFalse(judgedNow(id));
        skip(10);
        bondFunction(id, 1);
        assertTrue(judgedNow(id));
        assertFalse(court.isJudged(id, 1, uint40(vm.getBlockTimestamp() - 1)));
        // More of it changes nothing about what is covered.
        uint40 wholeAt = uint40(vm.getBlockTimestamp());
        skip(10);
        bondFunction(id, 1);
        assertTrue(court.isJudged(id, 1, wholeAt));
    }

    function test_bond_revertsWithoutAmount() public {
        vm.expectRevert(ICourtFilings.AmountZero.selector);
        vm.prank(owner);
        court.bondFunction(functionId, 0);
    }

    function test_bond_onlyTheOwner() public {
        bytes memory refusal =
            abi.encodeWithSelector(ICourtFilings.NotFunctionOwner.selector, functionId, owner, challenger);
        vm.startPrank(challenger);
        vm.expectRevert(refusal);
        court.bondFunction(functionId, 1);
        vm.expectRevert(refusal);
        court.unbondFunction(functionId);
        vm.expectRevert(refusal);
        court.withdrawOwnerBond(functionId, challenger);
    }

    function test_bond_goesWithTheFunction() public {
        vm.prank(owner);
        functions.offerOwnership(functionId, challenger);
        vm.startPrank(challenger);
        functions.acceptOwnership(functionId);
        assertEq(court.getOwnerBond(functionId).owner, challenger);
        court.unbondFunction(functionId);
        skip(UNBONDING);
        court.withdrawOwnerBond(functionId, challenger);
        assertEq(token.balanceOf(challenger), 1000e6 + OWNER_BOND);
    }

    function test_bond_notOfAFlaggedFunction() public {
        sit(challengeLie(judgedTicket(0)), all(Says.Differs));
        fillPurse(owner, OWNER_BOND, address(court));
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotJudged.selector, functionId, "flagged"));
        vm.prank(owner);
        court.bondFunction(functionId, OWNER_BOND);
    }

    function test_unbond_judgesWhatWasIssuedUntilThen() public {
        uint40 before = uint40(vm.getBlockTimestamp());
        uint40 withdrawableAt = before + UNBONDING;
        vm.expectEmit(address(court));
        emit ICourtFilings.OwnerUnbonding(functionId, withdrawableAt);
        unbond();
        assertTrue(court.isJudged(functionId, 1, before));
        assertFalse(court.isJudged(functionId, 1, before + 1));
    }

    function test_unbond_cannotBeTakenBack() public {
        unbond();
        bytes memory refusal = abi.encodeWithSelector(
            ICourtFilings.BondUnbonding.selector, functionId, vm.getBlockTimestamp() + UNBONDING
        );
        vm.expectRevert(refusal);
        unbond();
        fillPurse(owner, 1, address(court));
        vm.expectRevert(refusal);
        vm.prank(owner);
        court.bondFunction(functionId, 1);
    }

    function test_unbond_needsABond() public {
        bytes32 id = publish("fresh", DETERMINISTIC);
        vm.expectRevert(ICourtFilings.AmountZero.selector);
        vm.prank(owner);
        court.unbondFunction(id);
    }

    function test_withdraw_afterTheUnbondingPeriod() public {
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.TooEarly.selector, 0, vm.getBlockTimestamp()));
        vm.prank(owner);
        court.withdrawOwnerBond(functionId, owner);
        unbond();
        uint256 availableAt = vm.getBlockTimestamp() + UNBONDING;
        vm.warp(availableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.TooEarly.selector, availableAt, availableAt - 1));
        vm.prank(owner);
        court.withdrawOwnerBond(functionId, owner);
        vm.warp(availableAt);
        vm.expectRevert(ICourtFilings.AddressZero.selector);
        vm.prank(owner);
        court.withdrawOwnerBond(functionId, address(0));
        vm.expectEmit(address(court));
        emit ICourtFilings.OwnerBondWithdrawn(functionId, payee, OWNER_BOND);
        vm.prank(owner);
        assertEq(court.withdrawOwnerBond(functionId, payee), OWNER_BOND);
        assertEq(token.balanceOf(payee), OWNER_BOND);
        assertFalse(judgedNow(functionId));
        // And from the beginning again.
        bondFunction(functionId, OWNER_BOND);
        assertTrue(judgedNow(functionId));
    }

    function test_withdraw_waitsForOpenCases() public {
        bytes32 caseId = challengeLie(judgedTicket(0));
        unbond();
        vm.warp(vm.getBlockTimestamp() + UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.FunctionCasesOpen.selector, functionId, 1));
        vm.prank(owner);
        court.withdrawOwnerBond(functionId, owner);
        court.concludeJury(caseId);
        vm.prank(owner);
        court.withdrawOwnerBond(functionId, owner);
    }

    function test_withdraw_ofAFlaggedFunctionThatKeptItsBond() public {
        sit(challengeLie(judgedTicket(0)), some(1, Says.Differs, Says.Truth));
        unbond();
        skip(UNBONDING);
        vm.prank(owner);
        assertEq(court.withdrawOwnerBond(functionId, owner), OWNER_BOND);
    }

    function test_judged_onlyWhatCanBeRunAgain() public {
        assertFalse(court.isJudged(keccak256("nobody's"), 1, uint40(vm.getBlockTimestamp())));
        assertFalse(court.isJudged(functionId, 2, uint40(vm.getBlockTimestamp())));
        string[4] memory names = ["plain", "network", "secrets", "bondless"];
        uint16[4] memory flags = [uint16(0), DETERMINISTIC | 2, DETERMINISTIC | 4, DETERMINISTIC];
        string[4] memory why = ["not deterministic", "network", "secrets", "owner bond"];
        for (uint256 i; i < names.length; ++i) {
            bytes32 id = publish(names[i], flags[i]);
            if (i < 3) bondFunction(id, OWNER_BOND);
            assertFalse(judgedNow(id));
            IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
            ticket.functionId = id;
            expectNotJudged(ticket, why[i]);
        }
        IExecutionCoordinator.Ticket memory otherRuntime = judgedTicket(0);
        otherRuntime.runtimeDigest = keccak256("another");
        expectNotJudged(otherRuntime, "runtime");
        IExecutionCoordinator.Ticket memory withEnvironment = judgedTicket(0);
        withEnvironment.envVersion = 1;
        expectNotJudged(withEnvironment, "environment");
        IExecutionCoordinator.Ticket memory unknown = judgedTicket(0);
        unknown.functionVersion = 2;
        expectNotJudged(unknown, "unknown");
    }

    function expectNotJudged(
        IExecutionCoordinator.Ticket memory ticket,
        string memory why
    ) private {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotJudged.selector, ticket.functionId, why));
        vm.prank(challenger);
        court.challenge(ticket, ticketSignature, attestation, signature, "", "");
    }
}
