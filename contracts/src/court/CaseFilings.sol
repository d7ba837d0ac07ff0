// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {CaseRecords} from "./CaseRecords.sol";

/// @title How evidence is read and a case is opened.
abstract contract CaseFilings is CaseRecords {
    /// @dev The parts of an accusation; evidence is checked before.
    struct Accusation {
        CaseKind kind;
        bytes32 requestId;
        address accused;
        address opener;
    }

    uint256 private constant SALT_BYTES = 32;
    /// @dev Twin: `LIMITS.calldataInputBytes`, after the salt.
    uint256 private constant MAXIMUM_INPUT_BYTES = 8192 + SALT_BYTES;

    function _open(
        Accusation memory accusation,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata input,
        string calldata inputCid
    ) internal returns (bytes32 caseId) {
        bytes32 requestId = accusation.requestId;
        _requireNotResource(requestId, attestation.outcome);
        caseId = _nextCaseId(accusation, attestation);
        Docket storage docket = _dockets[caseId];
        _file(docket, accusation, ticket, attestation);
        docket.file.isInputGiven = _isInputGiven(requestId, ticket.inputSeal, input);
        _holdStakes(docket.file);
        _lastCaseAt[ticket.requester] = block.timestamp;
        emit CaseOpened(
            caseId,
            requestId,
            accusation.accused,
            accusation.opener,
            accusation.kind,
            ticket,
            attestation,
            input,
            inputCid
        );
        _callJury(caseId, docket.file, CaseStatus.FirstJury);
        if (accusation.kind == CaseKind.Challenge) {
            _pull(accusation.opener, uint256(docket.file.bond) + docket.file.cover);
        }
    }

    function _file(
        Docket storage docket,
        Accusation memory accusation,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation
    ) private {
        IProtocolParameters.Parameters memory parameters = _parameters.inForceAt(ticket.issuedAt);
        docket.terms = Terms({
            bond: parameters.challengeBond,
            jurorFee: parameters.jurorFee,
            slashBps: parameters.slashBps,
            challengerShareBps: parameters.challengerShareBps,
            jurySize: parameters.jurySize,
            minimumVotes: parameters.minimumVotes
        });
        Case storage file = docket.file;
        (file.kind, file.accused, file.opener) = (accusation.kind, accusation.accused, accusation.opener);
        file.epoch = _operators.currentEpoch();
        (file.requestId, file.functionId) = (accusation.requestId, ticket.functionId);
        (file.inputSeal, file.quoteId) = (ticket.inputSeal, ticket.quoteId);
        (file.resultSeal, file.outcome, file.httpStatus) =
        (attestation.resultSeal, attestation.outcome, attestation.status);
        (file.payer, file.payee, file.price) = (ticket.payer, ticket.payee, ticket.price);
        if (accusation.kind != CaseKind.Challenge) return;
        file.bond = parameters.challengeBond;
        if (_waitsInEscrow(ticket.quoteId)) file.cover = SafeCast.toUint96(ticket.price);
    }

    function _holdStakes(
        Case storage file
    ) private {
        bytes32 requestId = file.requestId;
        (address accused, address opener) = (file.accused, file.opener);
        ++_casesOf[requestId].open;
        ++_bonds[file.functionId].openCases;
        _isParty[requestId][accused] = true;
        _isParty[requestId][opener] = true;
        _operators.openCase(accused);
        if (file.kind != CaseKind.Challenge) _operators.openCase(opener);
    }

    /// @dev A case that judged nothing bars no other: else whoever lied would open one against itself, withhold the input, and
    /// be safe.
    function _nextCaseId(
        Accusation memory accusation,
        IExecutionCoordinator.Attestation calldata attestation
    ) private returns (bytes32) {
        bytes32 first = Hashes.caseId(
            accusation.requestId, accusation.accused, attestation.resultSeal, attestation.outcome, attestation.status
        );
        uint256 attempts = _attempts[first];
        if (attempts != 0) {
            bytes32 latest = _attemptId(first, attempts);
            CaseStatus status = _dockets[latest].file.status;
            bool isOver =
                status == CaseStatus.Unavailable || status == CaseStatus.Hung || status == CaseStatus.Undecided;
            require(isOver, CaseExists(latest));
            // It is decided anew.
            --_casesOf[accusation.requestId].lost;
            --_lostAbout[accusation.requestId][_resultOf(attestation)];
        }
        _attempts[first] = attempts + 1;
        return _attemptId(first, attempts + 1);
    }

    /// @dev An outcome that depends on the machine proves nothing about its operator.
    function _requireNotResource(
        bytes32 requestId,
        uint8 outcome
    ) internal pure {
        if (Messages.isResourceOutcome(outcome)) {
            _requireNone(requestId, IExecutionCoordinator.SkipReason.ResourceOutcome);
        }
    }

    function _waitsInEscrow(
        bytes32 quoteId
    ) private view returns (bool) {
        IPaymentEscrow.EscrowStatus status = _escrow.getEscrow(quoteId).status;
        return status == IPaymentEscrow.EscrowStatus.Open || status == IPaymentEscrow.EscrowStatus.Settled;
    }

    // ------------------------------------------------------------ evidence

    function _requireTicket(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata signature
    ) internal view returns (bytes32 requestId) {
        IExecutionCoordinator.SkipReason reason;
        (reason, requestId) = _verifyTicket(ticket, signature);
        _requireNone(requestId, reason);
        uint256 closesAt = uint256(ticket.deadline) + _challengeWindow;
        require(block.timestamp <= closesAt, WindowClosed(requestId, closesAt, block.timestamp));
    }

    function _requireAttestation(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (address operator) {
        IExecutionCoordinator.SkipReason reason;
        (reason, operator,) = _verifyAttestation(requestId, ticket, attestation, signature);
        _requireNone(requestId, reason);
    }

    /// @dev The same without the seat: what a key signed is its operator's word, seated or not.
    function _requireSigner(
        bytes32 requestId,
        uint40 signedFor,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (address operator, address executionKey) {
        IExecutionCoordinator.SkipReason reason;
        (reason, operator, executionKey) = _verifySigner(requestId, signedFor, attestation, signature);
        _requireNone(requestId, reason);
    }

    function _requireNone(
        bytes32 requestId,
        IExecutionCoordinator.SkipReason reason
    ) internal pure {
        require(reason == IExecutionCoordinator.SkipReason.None, EvidenceInvalid(requestId, reason));
    }

    /// @dev Whether the input is given in calldata; then it must open the ticket's seal.
    function _isInputGiven(
        bytes32 requestId,
        bytes32 inputSeal,
        bytes calldata input
    ) internal pure returns (bool) {
        if (input.length == 0) return false;
        require(input.length <= MAXIMUM_INPUT_BYTES, InputTooLarge(input.length, MAXIMUM_INPUT_BYTES));
        require(input.length >= SALT_BYTES, InputMismatch(requestId));
        bytes32 salt = bytes32(input[:SALT_BYTES]);
        require(Hashes.seal(keccak256(input[SALT_BYTES:]), salt) == inputSeal, InputMismatch(requestId));
        return true;
    }

    function _requireJudged(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view {
        string memory why = _whyTicketNotJudged(ticket);
        require(bytes(why).length == 0, NotJudged(ticket.functionId, why));
    }

    /// @dev Only what a juror can run again byte for byte is judged: this code, in this runtime, without an environment.
    function _whyTicketNotJudged(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (string memory why) {
        bytes32 runtimeDigest;
        (why, runtimeDigest) = _whyNotJudged(ticket.functionId, ticket.functionVersion, ticket.issuedAt);
        if (bytes(why).length != 0) return why;
        if (ticket.runtimeDigest != runtimeDigest) return "runtime";
        if (ticket.envVersion != 0) return "environment";
    }

    function _resultOf(
        IExecutionCoordinator.Attestation calldata attestation
    ) internal pure returns (bytes32) {
        return _resultOf(attestation.resultSeal, attestation.outcome, attestation.status);
    }
}
