// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {OwnerBonds} from "./OwnerBonds.sol";

/// @title Cases: how one is opened, what it holds, and what a request owes to those about it.
abstract contract Cases is OwnerBonds {
    /// @dev The parameters of the ticket's time, which a long case outlives.
    struct Terms {
        uint96 bond;
        uint96 jurorFee;
        uint16 slashBps;
        uint16 challengerShareBps;
        uint8 jurySize;
        uint8 minimumVotes;
    }

    /// @dev `seen` holds who revealed, in order; `ballots` what each said, as one word.
    struct Jury {
        bytes32 seed;
        Tally tally;
        address[] seen;
        mapping(address operator => bytes32) commitments;
        mapping(address operator => bytes32) ballots;
        mapping(bytes32 ballot => uint16) counts;
    }

    struct Docket {
        Case file;
        Terms terms;
        mapping(uint8 jury => Jury) juries;
    }

    struct RequestCases {
        uint32 open;
        uint32 lost;
    }

    /// @dev Nobody knows the hash of this block when the jury is called.
    uint256 internal constant BLOCKS_UNTIL_SEED = 2;

    mapping(bytes32 caseId => Docket) internal _dockets;
    mapping(bytes32 requestId => RequestCases) private _casesOf;
    mapping(bytes32 requestId => mapping(bytes32 result => uint256)) private _lostAbout;
    mapping(bytes32 firstCaseId => uint256) private _attempts;
    /// @dev Whoever attested, was accused or accuses sits in no jury about the request.
    mapping(bytes32 requestId => mapping(address operator => bool)) internal _isParty;

    // ------------------------------------------------------------ views

    /// @inheritdoc IDisputeCourt
    function caseIdOf(
        bytes32 requestId,
        address accused,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external pure returns (bytes32) {
        return Hashes.caseId(requestId, accused, resultSeal, outcome, status);
    }

    /// @inheritdoc IDisputeCourt
    function latestCaseOf(
        bytes32 firstCaseId
    ) external view returns (bytes32) {
        uint256 attempts = _attempts[firstCaseId];
        return attempts == 0 ? bytes32(0) : _attemptId(firstCaseId, attempts);
    }

    /// @inheritdoc IDisputeCourt
    function getCase(
        bytes32 caseId
    ) external view returns (Case memory) {
        return _dockets[caseId].file;
    }

    /// @inheritdoc IDisputeCourt
    function getTally(
        bytes32 caseId,
        uint8 jury
    ) external view returns (Tally memory) {
        return _dockets[caseId].juries[jury].tally;
    }

    /// @inheritdoc IDisputeCourt
    function openCasesOf(
        bytes32 requestId
    ) external view returns (uint256) {
        return _casesOf[requestId].open;
    }

    /// @inheritdoc IDisputeCourt
    function lostCasesOf(
        bytes32 requestId
    ) external view returns (uint256) {
        return _casesOf[requestId].lost;
    }

    /// @inheritdoc IDisputeCourt
    function lostCasesAbout(
        bytes32 requestId,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external view returns (uint256) {
        return _lostAbout[requestId][_resultOf(resultSeal, outcome, status)];
    }

    /// @inheritdoc IDisputeCourt
    function isContested(
        bytes32 requestId
    ) external view returns (bool) {
        RequestCases storage cases = _casesOf[requestId];
        return cases.open != 0 || cases.lost != 0;
    }

    // ------------------------------------------------------------ opening and closing

    /// @dev The parts of an accusation; evidence is checked before.
    struct Accusation {
        CaseKind kind;
        bytes32 requestId;
        address accused;
        address opener;
    }

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

    function _freeStakes(
        Case storage file
    ) internal {
        bytes32 requestId = file.requestId;
        --_casesOf[requestId].open;
        --_bonds[file.functionId].openCases;
        if (file.status != CaseStatus.Acquitted) {
            ++_casesOf[requestId].lost;
            ++_lostAbout[requestId][_accusedResult(file)];
        }
        _operators.closeCase(file.accused);
        if (file.kind != CaseKind.Challenge) _operators.closeCase(file.opener);
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

    function _attemptId(
        bytes32 firstCaseId,
        uint256 attempt
    ) private pure returns (bytes32) {
        return attempt == 1 ? firstCaseId : keccak256(abi.encode(firstCaseId, attempt));
    }

    function _callJury(
        bytes32 caseId,
        Case storage file,
        CaseStatus status
    ) internal {
        file.status = status;
        file.phaseEndsAt = uint40(block.timestamp) + _juryPhase;
        _scheduleSeed(caseId, file);
    }

    function _scheduleSeed(
        bytes32 caseId,
        Case storage file
    ) internal {
        file.seedBlock = uint64(block.number + BLOCKS_UNTIL_SEED);
        uint40 commitEndsAt = file.phaseEndsAt;
        emit JuryCalled(caseId, _juryOf(file), file.seedBlock, commitEndsAt, commitEndsAt + _juryPhase);
    }

    /// @dev The jury that sits now, zero when none does.
    function _juryOf(
        Case storage file
    ) internal view returns (uint8) {
        CaseStatus status = file.status;
        if (status == CaseStatus.FirstJury) return 1;
        return status == CaseStatus.SecondJury ? 2 : 0;
    }

    function _requireSitting(
        bytes32 caseId
    ) internal view returns (Docket storage docket, uint8 jury) {
        docket = _dockets[caseId];
        jury = _juryOf(docket.file);
        require(jury != 0, CaseNotInStatus(caseId, docket.file.status));
    }

    function _accusedResult(
        Case storage file
    ) internal view returns (bytes32) {
        return _resultOf(file.resultSeal, file.outcome, file.httpStatus);
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
}
