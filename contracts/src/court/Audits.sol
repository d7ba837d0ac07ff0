// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Accusations} from "./Accusations.sol";

/// @title Audits: a part of what was settled is run again by operators that nobody could know beforehand.
abstract contract Audits is Accusations {
    /// @dev The seed of this many epochs later draws the lottery: it is captured when every result of the epoch is signed.
    uint32 private constant EPOCHS_UNTIL_AUDIT = 3;
    uint256 private constant AUDITOR_SEATS = 2;

    /// @inheritdoc ICourtFilings
    function requestAuditInput(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) external {
        (bytes32 requestId, address worker, address auditor) =
            _requireAuditor(ticket, ticketSignature, attestation, signature);
        Audit storage record = _audits[requestId];
        require(!record.wasAsked && !record.isPaid, AuditNotOpen(requestId));
        record.wasAsked = true;
        record.worker = worker;
        record.fee = ticket.fee / ticket.quorum;
        record.funder = ticket.funder;
        record.answerUntil = uint40(block.timestamp) + _juryPhase;
        record.inputSeal = ticket.inputSeal;
        emit AuditInputRequested(requestId, auditor, record.answerUntil);
    }

    /// @inheritdoc ICourtFilings
    function giveAuditInput(
        bytes32 requestId,
        bytes calldata input,
        string calldata inputCid
    ) external {
        Audit storage record = _requireAsked(requestId);
        uint256 answerUntil = record.answerUntil;
        require(block.timestamp <= answerUntil, WrongPhase(requestId, answerUntil, block.timestamp));
        // A CID is a promise that nobody here can check: it helps the auditor, but only the input itself ends the question.
        if (_isInputGiven(requestId, record.inputSeal, input)) record.answerUntil = 0;
        emit AuditInputGiven(requestId, input, inputCid);
    }

    /// @inheritdoc ICourtFilings
    function closeAudit(
        bytes32 requestId
    ) external nonReentrant {
        Audit storage record = _requireAsked(requestId);
        uint256 answerUntil = record.answerUntil;
        require(block.timestamp > answerUntil, WrongPhase(requestId, answerUntil + 1, block.timestamp));
        record.answerUntil = 0;
        uint256 returned = _takeStake(record.worker, record.fee);
        _credit(record.funder, returned);
        emit AuditInputWithheld(requestId, record.worker, returned);
    }

    /// @inheritdoc ICourtFilings
    function audit(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        IExecutionCoordinator.Attestation calldata own,
        bytes calldata ownSignature,
        bytes calldata input,
        string calldata inputCid
    ) external nonReentrant returns (bytes32 caseId) {
        (bytes32 requestId, address worker, address auditor) =
            _requireAuditor(ticket, ticketSignature, attestation, signature);
        // Its word is of today: its key must be too.
        (address signer,) = _requireSigner(requestId, uint40(block.timestamp), own, ownSignature);
        require(signer == auditor, NotJuror(requestId, signer));
        Audit storage record = _audits[requestId];
        record.answerUntil = 0;
        if (_resultOf(own) != _resultOf(attestation)) {
            _requireNotResource(requestId, own.outcome);
            emit Audited(requestId, auditor, false, 0);
            return _open(Accusation(CaseKind.Audit, requestId, worker, auditor), ticket, attestation, input, inputCid);
        }
        require(!record.isPaid, AuditNotOpen(requestId));
        record.isPaid = true;
        emit Audited(requestId, auditor, true, _coordinator.payAudit(auditor, ticket.fee));
    }

    /// @inheritdoc ICourtFilings
    function auditOf(
        bytes32 requestId,
        uint32 epoch,
        address operator
    ) public view returns (bool isAudited, bool isAuditor) {
        uint32 auditEpoch = epoch + EPOCHS_UNTIL_AUDIT;
        bytes32 seed = _operators.getEpoch(auditEpoch).seed;
        if (seed == 0) return (false, false);
        uint256 lot = uint256(keccak256(abi.encode(seed, requestId))) % BASIS_POINTS;
        isAudited = lot < _parameters.current().auditRateBps;
        isAuditor = isAudited && _operators.isDrawn(seed, requestId, operator, auditEpoch, AUDITOR_SEATS);
    }

    function _requireAuditor(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) private view returns (bytes32 requestId, address worker, address auditor) {
        requestId = _requireTicket(ticket, ticketSignature);
        worker = _requireAttestation(requestId, ticket, attestation, signature);
        _requireJudged(ticket);
        auditor = _actingOperator();
        (bool isAudited, bool isAuditor) = auditOf(requestId, ticket.epoch, auditor);
        isAudited = isAudited && _coordinator.isConsumed(ticket.requester, ticket.sequence);
        require(isAudited, NotAudited(requestId));
        require(isAuditor && auditor != worker, NotJuror(requestId, auditor));
    }

    function _requireAsked(
        bytes32 requestId
    ) private view returns (Audit storage record) {
        record = _audits[requestId];
        require(record.answerUntil != 0, AuditNotOpen(requestId));
    }
}
