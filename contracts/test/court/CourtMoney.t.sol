// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ClerksOffice} from "../../src/court/ClerksOffice.sol";
import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {CourtFixture} from "./CourtFixture.sol";

/// @dev A receiver that the token blocks, or that calls back: neither is ever called by a verdict.
contract CourtMoneyTest is CourtFixture {
    function test_withdraw_pullsTheBalance() public {
        sit(challengeLie(judgedTicket(0)), all(Says.Lie));
        uint256 owed = credited(0);
        vm.expectRevert(ICourtFilings.AddressZero.selector);
        vm.prank(operatorAt(0));
        court.withdraw(address(0));
        vm.expectEmit(address(court));
        emit ICourtFilings.Withdrawn(operatorAt(0), payee, owed);
        vm.prank(operatorAt(0));
        assertEq(court.withdraw(payee), owed);
        assertEq(token.balanceOf(payee), owed);
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NothingToWithdraw.selector, operatorAt(0)));
        vm.prank(operatorAt(0));
        court.withdraw(payee);
    }

    function test_burn_byAnyone() public {
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NothingToWithdraw.selector, BURN));
        court.burn();
        sitTwice(challengeLie(judgedTicket(0)), all(Says.Truth));
        uint256 owed = court.balanceOf(BURN);
        vm.expectEmit(address(court));
        emit ICourtFilings.Burned(owed);
        assertEq(court.burn(), owed);
        assertEq(token.balanceOf(BURN), owed);
        assertEq(court.balanceOf(BURN), 0);
    }

    function test_token_isTheSuites() public view {
        assertEq(court.token(), address(token));
    }

    /// @dev Whatever jurors do, every unit has an owner and the case ends.
    function testFuzz_moneyIsConserved(
        uint8[20] memory what,
        uint96 stake,
        bool isPaid,
        bool isGiven
    ) public {
        vm.prank(address(court));
        operators.slash(operatorAt(0), bound(stake, 0, STAKE), BURN);
        IExecutionCoordinator.Ticket memory ticket = isPaid ? paidTicket(0) : judgedTicket(0);
        bytes32 caseId = challengeOf(ticket, 0, LIE, isGiven ? givenInput() : bytes(""));
        for (uint256 jury; jury < 2 && isOpen(caseId); ++jury) {
            Says[10] memory said;
            for (uint256 i = 1; i < OPERATORS; ++i) {
                uint256 chosen = what[10 * jury + i];
                // Often enough the same, or no jury would ever convict.
                said[i] = chosen % 4 != 0 ? Says(1 + what[0] % 6) : Says(chosen / 4 % 8);
            }
            sit(caseId, said);
            assertConserved(caseId);
        }
        assertFalse(isOpen(caseId));
        assertEq(court.openCasesOf(idOf(ticket)), 0);
        assertEq(operators.getOperator(operatorAt(0)).openCases, 0);
    }

    function test_Attack_HostileToken_amounts() public {
        // A token that moves less than it was asked to cannot be accounted for.
        vm.mockCall(address(token), abi.encodeCall(token.balanceOf, (address(court))), abi.encode(1));
        fillPurse(owner, OWNER_BOND, address(court));
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.TokenAmountMismatch.selector, OWNER_BOND, 0));
        vm.prank(owner);
        court.bondFunction(functionId, OWNER_BOND);
    }

    function test_Attack_BlockedReceiver() public {
        bytes32 caseId = challengeLie(paidTicket(0));
        // The token refuses to move anything out of the court: the case closes, and each balance waits.
        vm.mockCallRevert(address(token), abi.encodeWithSelector(token.transfer.selector, challenger), "blocked");
        vm.mockCallRevert(address(token), abi.encodeWithSelector(token.transfer.selector, BURN), "blocked");
        sitTwice(caseId, all(Says.Truth));
        assertStatus(caseId, ICourtFilings.CaseStatus.Convicted);
        vm.prank(operatorAt(1));
        court.withdraw(operatorAt(1));
        assertEq(token.balanceOf(operatorAt(1)), 2 * JUROR_FEE);
        vm.expectRevert();
        vm.prank(challenger);
        court.withdraw(challenger);
        vm.prank(challenger);
        court.withdraw(payee);
    }

    function test_Attack_Reentrancy() public {
        CallingBack attacker = new CallingBack(court);
        sit(challengeLie(judgedTicket(0)), all(Says.Lie));
        vm.etch(address(token), address(new CallbackToken(address(attacker))).code);
        vm.prank(operatorAt(0));
        court.withdraw(operatorAt(0));
        assertEq(bytes4(attacker.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        assertEq(attacker.refusals(), 10);
    }

    function test_relay_actsForWhoeverSigned() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        fillPurse(signer, BOND, address(court));
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        bytes memory action = abi.encodeCall(
            ICourtFilings.challenge,
            (
                ticket,
                signTicket(REQUESTER_KEY, ticket),
                attestation,
                signAttestation(keyAt(0), attestation),
                givenInput(),
                ""
            )
        );
        uint40 deadline = uint40(vm.getBlockTimestamp());
        bytes32 digest = Messages.hashRelayedAction(
            Messages.domainSeparator(block.chainid, address(court)), signer, action, 0, deadline
        );
        bytes memory result = court.relay(signer, action, deadline, sign(key, digest));
        bytes32 caseId = abi.decode(result, (bytes32));
        assertEq(court.getCase(caseId).opener, signer);
        assertEq(token.balanceOf(signer), 0);
    }

    function test_office_canDoNothingOnItsOwn() public {
        ClerksOffice office = ClerksOffice(deployCode("ClerksOffice.sol:ClerksOffice", abi.encode(suite)));
        IExecutionCoordinator.Ticket memory ticket = judgedTicket(0);
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, LIE);
        IExecutionCoordinator.Attestation memory second = attest(ticket, TRUTH);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(0), attestation);
        bytes memory secondSignature = signAttestation(keyAt(0), second);
        // It has no bonds, so it judges nothing; and no other contract of the suite listens to it.
        vm.expectRevert(abi.encodeWithSelector(ICourtFilings.NotJudged.selector, functionId, "owner bond"));
        office.challenge(ticket, ticketSignature, attestation, signature, "", "");
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NotAuthorized.selector, address(office)));
        office.reportEquivocation(ticket, ticketSignature, attestation, signature, second, secondSignature);
    }
}

/// @dev Tries everything that is guarded while the court sends tokens.
contract CallingBack {
    IDisputeCourt private immutable _court;
    bytes public answer;
    uint256 public refusals;

    constructor(
        IDisputeCourt court
    ) {
        _court = court;
    }

    function onTransfer() external {
        _try(abi.encodeCall(IDisputeCourt.withdraw, (address(this))));
        _try(abi.encodeCall(IDisputeCourt.burn, ()));
        _try(abi.encodeCall(IDisputeCourt.concludeJury, (bytes32(0))));
        _try(abi.encodeCall(ICourtFilings.closeAudit, (bytes32(0))));
        _try(abi.encodeCall(IDisputeCourt.bondFunction, (bytes32(0), 1)));
        _try(abi.encodeCall(IDisputeCourt.withdrawOwnerBond, (bytes32(0), address(this))));
        IExecutionCoordinator.Ticket memory ticket;
        IExecutionCoordinator.Attestation memory word;
        _try(abi.encodeCall(ICourtFilings.challenge, (ticket, "", word, "", "", "")));
        _try(abi.encodeCall(ICourtFilings.reportConflict, (ticket, "", word, "", word, "", "", "")));
        _try(abi.encodeCall(ICourtFilings.reportEquivocation, (ticket, "", word, "", word, "")));
        _try(abi.encodeCall(ICourtFilings.audit, (ticket, "", word, "", word, "", "", "")));
    }

    function _try(
        bytes memory data
    ) private {
        (bool succeeded, bytes memory result) = address(_court).call(data);
        if (succeeded || bytes4(result) != ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector) return;
        answer = result;
        ++refusals;
    }
}

/// @dev Put in the token's place: calls back in the middle of a transfer.
contract CallbackToken {
    CallingBack private immutable _receiver;

    constructor(
        address receiver
    ) {
        _receiver = CallingBack(receiver);
    }

    function transfer(
        address,
        uint256
    ) external returns (bool) {
        _receiver.onTransfer();
        return true;
    }
}
