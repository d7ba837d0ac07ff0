// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IFunctionRegistry} from "../../src/interfaces/IFunctionRegistry.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {SuiteFixture} from "../fixtures/SuiteFixture.sol";

/// @dev Ten operators, all of them seated and, except for the parties of a case, in every jury; one judged function.
/// Operator 0 lies.
abstract contract CourtFixture is SuiteFixture {
    /// @dev What a juror does: `Silent` does not commit, `Hides` commits and does not reveal, `Machine` ran out of memory.
    enum Says {
        Silent,
        Truth,
        Lie,
        Other,
        Differs,
        Unavailable,
        Machine,
        Hides
    }

    uint256 internal constant OPERATORS = 10;
    uint96 internal constant BOND = 20e6;
    uint96 internal constant JUROR_FEE = 0.5e6;
    uint96 internal constant OWNER_BOND = 50e6;
    uint96 internal constant STAKE = 100e6;
    uint32 internal constant PHASE = 3600;
    uint32 internal constant WINDOW = 86_400;
    uint32 internal constant UNBONDING = 259_200;
    uint128 internal constant PRICE = 7e6;
    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;
    bytes32 internal constant TRUTH = keccak256("truth");
    bytes32 internal constant LIE = keccak256("lie");
    bytes32 internal constant OTHER = keccak256("other");
    bytes32 internal constant SALT = keccak256("salt");
    bytes internal constant REQUEST = '{"v":1}';
    uint16 internal constant DETERMINISTIC = 1;

    address internal immutable owner = makeAddr("owner");
    address internal immutable challenger = makeAddr("challenger");
    address internal immutable payer = makeAddr("payer");
    address internal immutable payee = makeAddr("payee");
    bytes32 internal functionId;

    function parameters() internal view virtual override returns (IProtocolParameters.Parameters memory values) {
        values = super.parameters();
        values.committeeSize = 10;
        // Every stake wins a seat, so that tests choose who votes.
        values.jurySize = 10;
    }

    function setUp() public virtual override {
        super.setUp();
        registerOperators(OPERATORS);
        functionId = publish("judged", DETERMINISTIC);
        bondFunction(functionId, OWNER_BOND);
        skip(3 * times().epochSeconds);
        fillPurse(challenger, 1000e6, address(court));
    }

    // ------------------------------------------------------------ functions

    function publish(
        string memory name,
        uint16 flags
    ) internal returns (bytes32) {
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](1);
        specs[0] = IFunctionRegistry.FunctionSpec({
            name: name,
            bundleDigest: keccak256("bundle"),
            metadataDigest: 0,
            runtimeDigest: keccak256("runtime"),
            limitsClass: 1,
            flags: flags,
            quorum: 1,
            lane: 1,
            fee: FEE,
            price: PRICE,
            payee: payee,
            paymentMode: 1
        });
        vm.prank(owner);
        (bytes32[] memory ids,) = functions.publish("project", specs);
        return ids[0];
    }

    function bondFunction(
        bytes32 id,
        uint96 amount
    ) internal {
        fillPurse(owner, amount, address(court));
        vm.prank(owner);
        court.bondFunction(id, amount);
    }

    // ------------------------------------------------------------ evidence

    function judgedTicket(
        uint64 sequence
    ) internal view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = newTicket(sequence);
        ticket.functionId = functionId;
        ticket.inputSeal = Hashes.seal(keccak256(REQUEST), SALT);
    }

    function paidTicket(
        uint64 sequence
    ) internal view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = judgedTicket(sequence);
        (ticket.payer, ticket.payee, ticket.price, ticket.quoteId) = (payer, payee, PRICE, keccak256("payment"));
    }

    function attest(
        IExecutionCoordinator.Ticket memory ticket,
        bytes32 resultSeal
    ) internal view returns (IExecutionCoordinator.Attestation memory attestation) {
        attestation = newAttestation(ticket);
        attestation.resultSeal = resultSeal;
    }

    function givenInput() internal pure returns (bytes memory) {
        return abi.encodePacked(SALT, REQUEST);
    }

    /// @dev Challenges operator 0's lie, its input given by CID.
    function challengeLie(
        IExecutionCoordinator.Ticket memory ticket
    ) internal returns (bytes32) {
        return challengeOf(ticket, 0, LIE, "");
    }

    function challengeOf(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 accused,
        bytes32 resultSeal,
        bytes memory input
    ) internal returns (bytes32) {
        IExecutionCoordinator.Attestation memory attestation = attest(ticket, resultSeal);
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        bytes memory signature = signAttestation(keyAt(accused), attestation);
        vm.prank(challenger);
        return court.challenge(ticket, ticketSignature, attestation, signature, input, "cid");
    }

    /// @dev `accused` says `first`, `opener` says `second`.
    function conflictOf(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 accused,
        bytes32 first,
        uint256 opener,
        bytes32 second
    ) internal returns (bytes32) {
        return court.reportConflict(
            ticket,
            signTicket(REQUESTER_KEY, ticket),
            attest(ticket, first),
            signAttestation(keyAt(accused), attest(ticket, first)),
            attest(ticket, second),
            signAttestation(keyAt(opener), attest(ticket, second)),
            "",
            ""
        );
    }

    // ------------------------------------------------------------ juries

    /// @dev Everybody but operator 0 says the same.
    function all(
        Says what
    ) internal pure returns (Says[10] memory said) {
        for (uint256 i = 1; i < OPERATORS; ++i) {
            said[i] = what;
        }
    }

    /// @dev The first `count` of the others say `what`, the rest of them `rest`.
    function some(
        uint256 count,
        Says what,
        Says rest
    ) internal pure returns (Says[10] memory said) {
        said = all(rest);
        for (uint256 i = 1; i <= count; ++i) {
            said[i] = what;
        }
    }

    function statusOf(
        bytes32 caseId
    ) internal view returns (ICourtFilings.CaseStatus) {
        return court.getCase(caseId).status;
    }

    function assertStatus(
        bytes32 caseId,
        ICourtFilings.CaseStatus expected
    ) internal view {
        assertEq(uint8(statusOf(caseId)), uint8(expected), "case status");
    }

    /// @dev One jury from its seed to its conclusion.
    function sit(
        bytes32 caseId,
        Says[10] memory said
    ) internal {
        sitUntilTheEnd(caseId, said);
        court.concludeJury(caseId);
    }

    /// @dev All of it but the conclusion.
    function sitUntilTheEnd(
        bytes32 caseId,
        Says[10] memory said
    ) internal {
        commitAll(caseId, said);
        revealAll(caseId, said);
        skip(PHASE);
    }

    function sitTwice(
        bytes32 caseId,
        Says[10] memory said
    ) internal {
        sit(caseId, said);
        sit(caseId, said);
    }

    function mineSeed(
        bytes32 caseId
    ) internal {
        vm.roll(court.getCase(caseId).seedBlock + 1);
    }

    function commitAll(
        bytes32 caseId,
        Says[10] memory said
    ) internal {
        mineSeed(caseId);
        for (uint256 i; i < OPERATORS; ++i) {
            if (said[i] != Says.Silent) commitVote(caseId, i, said[i]);
        }
    }

    function revealAll(
        bytes32 caseId,
        Says[10] memory said
    ) internal {
        vm.warp(court.getCase(caseId).phaseEndsAt + 1);
        for (uint256 i; i < OPERATORS; ++i) {
            if (said[i] != Says.Silent && said[i] != Says.Hides) revealVote(caseId, i, said[i]);
        }
    }

    function commitVote(
        bytes32 caseId,
        uint256 juror,
        Says says
    ) internal {
        bytes32 commitment = Hashes.vote(ballotOf(caseId, juror, says), SALT);
        vm.prank(operatorAt(juror));
        court.commitVote(caseId, commitment);
    }

    function revealVote(
        bytes32 caseId,
        uint256 juror,
        Says says
    ) internal {
        Hashes.Ballot memory ballot = ballotOf(caseId, juror, says);
        vm.prank(operatorAt(juror));
        court.revealVote(
            caseId, ICourtFilings.Vote(ballot.vote), ballot.resultSeal, ballot.outcome, ballot.status, SALT
        );
    }

    function juryOf(
        bytes32 caseId
    ) internal view returns (uint8) {
        return statusOf(caseId) == ICourtFilings.CaseStatus.SecondJury ? 2 : 1;
    }

    function ballotOf(
        bytes32 caseId,
        uint256 juror,
        Says says
    ) internal view returns (Hashes.Ballot memory ballot) {
        ballot.caseId = caseId;
        ballot.jury = juryOf(caseId);
        ballot.operator = operatorAt(juror);
        ballot.vote = uint8(ICourtFilings.Vote.Result);
        if (says == Says.Differs) ballot.vote = uint8(ICourtFilings.Vote.Differs);
        if (says == Says.Unavailable) ballot.vote = uint8(ICourtFilings.Vote.Unavailable);
        if (ballot.vote != uint8(ICourtFilings.Vote.Result)) return ballot;
        ballot.resultSeal = says == Says.Lie ? LIE : says == Says.Other ? OTHER : TRUTH;
        ballot.outcome = says == Says.Machine ? Messages.OUTCOME_OUT_OF_MEMORY : Messages.OUTCOME_COMPLETED;
        ballot.status = 200;
    }

    // ------------------------------------------------------------ money

    function stakeOf(
        uint256 index
    ) internal view returns (uint256) {
        return operators.getOperator(operatorAt(index)).stake;
    }

    function credited(
        uint256 index
    ) internal view returns (uint256) {
        return court.balanceOf(operatorAt(index));
    }

    /// @dev Every balance that the fixture's people have in court.
    function balances() internal view returns (uint256 total) {
        for (uint256 i; i < OPERATORS; ++i) {
            total += credited(i);
        }
        total += court.balanceOf(challenger) + court.balanceOf(payer) + court.balanceOf(payee) + court.balanceOf(owner);
        total += court.balanceOf(funder) + court.balanceOf(BURN) + court.balanceOf(requester);
    }

    function isOpen(
        bytes32 caseId
    ) internal view returns (bool) {
        ICourtFilings.CaseStatus status = statusOf(caseId);
        return status == ICourtFilings.CaseStatus.FirstJury || status == ICourtFilings.CaseStatus.SecondJury;
    }

    /// @dev The court holds what it owes: balances, the owner's bond, and the bond and cover of each open case.
    function assertConserved(
        bytes32[] memory caseIds
    ) internal view {
        uint256 claims = balances() + court.getOwnerBond(functionId).amount;
        for (uint256 i; i < caseIds.length; ++i) {
            ICourtFilings.Case memory file = court.getCase(caseIds[i]);
            if (isOpen(caseIds[i])) claims += uint256(file.bond) + file.cover;
        }
        assertEq(token.balanceOf(address(court)), claims, "money in court");
    }

    function assertConserved(
        bytes32 caseId
    ) internal view {
        bytes32[] memory caseIds = new bytes32[](1);
        caseIds[0] = caseId;
        assertConserved(caseIds);
    }
}
