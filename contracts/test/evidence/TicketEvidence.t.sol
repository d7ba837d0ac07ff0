// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../../src/deployment/Suite.sol";
import {TicketEvidence} from "../../src/evidence/TicketEvidence.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {WalletRequester} from "../fixtures/WalletRequester.sol";
import {SuiteFixture} from "../fixtures/SuiteFixture.sol";

/// @dev As the court and the escrow read evidence: from outside of the lane.
contract EvidenceReader is TicketEvidence {
    constructor(
        Suite memory suite
    ) TicketEvidence(suite) {}

    function verifyTicket(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata signature
    ) external view returns (IExecutionCoordinator.SkipReason, bytes32) {
        return _verifyTicket(ticket, signature);
    }

    function verifyAttestation(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) external view returns (IExecutionCoordinator.SkipReason, address, address) {
        return _verifyAttestation(_requestIdOf(ticket), ticket, attestation, signature);
    }

    function verifySigner(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) external view returns (IExecutionCoordinator.SkipReason, address, address) {
        return _verifySigner(_requestIdOf(ticket), ticket.issuedAt, attestation, signature);
    }
}

contract TicketEvidenceTest is SuiteFixture {
    uint256 private constant NETWORK_SIZE = 5;

    EvidenceReader private _reader;

    function parameters() internal view override returns (IProtocolParameters.Parameters memory tuned) {
        tuned = super.parameters();
        tuned.committeeSize = 3;
    }

    function setUp() public override {
        super.setUp();
        _reader = new EvidenceReader(suite);
        registerOperators(NETWORK_SIZE);
    }

    // ------------------------------------------------------------------ tickets

    function test_ticket_isTheRequesters() public view {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        _assertTicket(ticket, signTicket(REQUESTER_KEY, ticket), IExecutionCoordinator.SkipReason.None);
        _assertTicket(ticket, signTicket(0xBAD, ticket), IExecutionCoordinator.SkipReason.RequesterSignature);
        _assertTicket(ticket, hex"1234", IExecutionCoordinator.SkipReason.RequesterSignature);
        // Nobody posted it, so it needs a signature.
        _assertTicket(ticket, "", IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    /// @dev What cannot be recovered is nobody's signature, not the zero address's.
    function test_ticket_ofNobody() public view {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.requester = address(0);
        _assertTicket(ticket, hex"1234", IExecutionCoordinator.SkipReason.RequesterSignature);
        _assertTicket(ticket, new bytes(65), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_ticket_ofAContractWallet() public {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        WalletRequester wallet = new WalletRequester(requester);
        ticket.requester = address(wallet);
        bytes memory signature = signTicket(REQUESTER_KEY, ticket);
        _assertTicket(ticket, signature, IExecutionCoordinator.SkipReason.None);
        wallet.setOwner(address(this));
        _assertTicket(ticket, signature, IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_ticket_thatWasPostedNeedsNoSignature() public {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.lane = Messages.LANE_CONFIRMED;
        lane.post(ticket, signTicket(REQUESTER_KEY, ticket), "");
        _assertTicket(ticket, "", IExecutionCoordinator.SkipReason.None);
        // A signature that is shown is looked at all the same.
        _assertTicket(ticket, signTicket(0xBAD, ticket), IExecutionCoordinator.SkipReason.RequesterSignature);
    }

    function test_ticket_refusesEachBrokenTerm() public {
        skip(2 * times().epochSeconds);
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.protocolVersion = 2;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        _assertTicket(ticket, hex"1234", IExecutionCoordinator.SkipReason.TermsInvalid);
        ticket = newTicket(0);
        ticket.quorum = 0;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        ticket.quorum = 8;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        ticket.quorum = 7;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.None);
        ticket = newTicket(0);
        issueAt(ticket, vm.getBlockTimestamp() + 1);
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.NotYetValid);
        ticket = newTicket(0);
        ticket.deadline = ticket.issuedAt - 1;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
        ticket.deadline = ticket.issuedAt;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.None);
        ticket.deadline = ticket.issuedAt + times().maximumTicketLifetime;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.None);
        ticket.deadline += 1;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.TermsInvalid);
    }

    /// @dev A requester cannot reach back to an epoch whose seed suits it.
    function test_Attack_BackdatedTicket() public {
        skip(2 * times().epochSeconds);
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.epoch -= 1;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.EpochMismatch);
        ticket.epoch += 2;
        _assertTerms(ticket, IExecutionCoordinator.SkipReason.EpochMismatch);
    }

    // ------------------------------------------------------------------ attestations

    function test_attestation_namesOperatorAndKey() public view {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        (IExecutionCoordinator.SkipReason reason, address operator, address key) =
            _reader.verifyAttestation(ticket, attestation, signAttestation(keyAt(0), attestation));
        assertEq(uint8(reason), uint8(IExecutionCoordinator.SkipReason.None));
        assertEq(operator, operatorAt(0));
        assertEq(key, vm.addr(keyAt(0)));
    }

    function test_attestation_refusesEachBrokenMember() public view {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.protocolVersion = 2;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
        attestation = newAttestation(ticket);
        attestation.requestId = keccak256("another request");
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
        attestation.seat = Messages.SEAT_DRAWN;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
        attestation = newAttestation(ticket);
        for (uint8 outcome = 1; outcome <= 6; ++outcome) {
            attestation.outcome = outcome;
            _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.None);
        }
        attestation.outcome = 0;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
        attestation.outcome = 7;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
        attestation = newAttestation(ticket);
        attestation.status = 599;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.None);
        attestation.status = 600;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
        attestation.status = 199;
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.TermsInvalid);
    }

    function test_attestation_refusesWhoCouldNotSign() public {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        (IExecutionCoordinator.SkipReason reason, address operator, address key) =
            _reader.verifyAttestation(ticket, attestation, hex"1234");
        assertEq(uint8(reason), uint8(IExecutionCoordinator.SkipReason.WorkerSignature));
        assertEq(operator, address(0));
        assertEq(key, address(0));
        (reason, operator,) = _reader.verifyAttestation(ticket, attestation, signAttestation(0xBAD, attestation));
        assertEq(uint8(reason), uint8(IExecutionCoordinator.SkipReason.WorkerNotActive));
        skip(1);
        vm.prank(operatorAt(0));
        operators.unbond();
        // What was issued before it left, it may still have signed.
        _assertAttestation(ticket, attestation, IExecutionCoordinator.SkipReason.None);
        skip(1);
        ticket = newTicket(0);
        _assertAttestation(ticket, newAttestation(ticket), IExecutionCoordinator.SkipReason.WorkerNotActive);
    }

    // ------------------------------------------------------------------ seats

    function test_seat_allAreSeatedInASmallNetwork() public view {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        for (uint8 seat; seat < 5; ++seat) {
            _assertSeat(ticket, 0, seat, seat == Messages.SEAT_ALL_SEATED);
        }
    }

    function test_seat_isDrawnInALargeOne() public {
        _makeCounted();
        uint256 drawn;
        for (uint64 sequence; sequence < 8; ++sequence) {
            IExecutionCoordinator.Ticket memory ticket = newTicket(sequence);
            for (uint256 i; i < NETWORK_SIZE; ++i) {
                bool hasSeat = operators.isDrawn(
                    operators.getEpoch(ticket.epoch).seed,
                    Hashes.seatSubject(requester, sequence),
                    operatorAt(i),
                    ticket.epoch,
                    3
                );
                if (hasSeat) ++drawn;
                _assertSeat(ticket, i, Messages.SEAT_ALL_SEATED, false);
                _assertSeat(ticket, i, Messages.SEAT_DRAWN, hasSeat);
                _assertSeat(ticket, i, Messages.SEAT_WIDENED, false);
                _assertSeat(ticket, i, 0, false);
                _assertSeat(ticket, i, 4, false);
            }
        }
        // Three seats of five: 24 of 40 are expected.
        assertGt(drawn, 10);
        assertLt(drawn, 38);
    }

    function test_seat_isWidenedOnlyForWhatWasPosted() public {
        _makeCounted();
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        ticket.lane = Messages.LANE_CONFIRMED;
        vm.roll(vm.getBlockNumber() + 100);
        _assertSeat(ticket, 0, Messages.SEAT_WIDENED, false);
        lane.post(ticket, signTicket(REQUESTER_KEY, ticket), "");
        vm.roll(vm.getBlockNumber() + parameters().wideningBlocks - 1);
        _assertSeat(ticket, 0, Messages.SEAT_WIDENED, false);
        vm.roll(vm.getBlockNumber() + 1);
        _assertSeat(ticket, 0, Messages.SEAT_WIDENED, true);
    }

    function test_signer_needsNoSeat() public view {
        IExecutionCoordinator.Ticket memory ticket = newTicket(0);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.seat = Messages.SEAT_WIDENED;
        (IExecutionCoordinator.SkipReason reason, address operator,) =
            _reader.verifySigner(ticket, attestation, signAttestation(keyAt(1), attestation));
        assertEq(uint8(reason), uint8(IExecutionCoordinator.SkipReason.None));
        assertEq(operator, operatorAt(1));
    }

    /// @dev More operators than seats, all counted, the seed captured before the ticket is issued.
    function _makeCounted() private {
        skip(2 * times().epochSeconds);
        captureSeed();
    }

    function _assertTerms(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.SkipReason expected
    ) private view {
        _assertTicket(ticket, signTicket(REQUESTER_KEY, ticket), expected);
    }

    function _assertTicket(
        IExecutionCoordinator.Ticket memory ticket,
        bytes memory signature,
        IExecutionCoordinator.SkipReason expected
    ) private view {
        (IExecutionCoordinator.SkipReason reason, bytes32 requestId) = _reader.verifyTicket(ticket, signature);
        assertEq(uint8(reason), uint8(expected));
        assertEq(requestId, idOf(ticket));
    }

    function _assertAttestation(
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.Attestation memory attestation,
        IExecutionCoordinator.SkipReason expected
    ) private view {
        (IExecutionCoordinator.SkipReason reason,,) =
            _reader.verifyAttestation(ticket, attestation, signAttestation(keyAt(0), attestation));
        assertEq(uint8(reason), uint8(expected));
    }

    function _assertSeat(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 index,
        uint8 seat,
        bool hasSeat
    ) private view {
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.seat = seat;
        (IExecutionCoordinator.SkipReason reason,,) =
            _reader.verifyAttestation(ticket, attestation, signAttestation(keyAt(index), attestation));
        assertEq(
            uint8(reason),
            uint8(hasSeat ? IExecutionCoordinator.SkipReason.None : IExecutionCoordinator.SkipReason.NotSeated)
        );
    }
}
