// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Messages} from "../libraries/Messages.sol";
import {CaseFilings} from "./CaseFilings.sol";

/// @title What anybody may bring before the court: a wrong result, a conflict inside a quorum, two words of one key.
abstract contract Accusations is CaseFilings {
    /// @inheritdoc ICourtFilings
    function challenge(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes calldata input,
        string calldata inputCid
    ) external nonReentrant returns (bytes32 caseId) {
        bytes32 requestId = _requireTicket(ticket, ticketSignature);
        (address accused,) = _requireSigner(requestId, ticket.issuedAt, attestation, signature);
        _requireJudged(ticket);
        address opener = _actor();
        // An operator that acts through its execution key is no juror of its own case either.
        _isParty[requestId][_actingOperator()] = true;
        return _open(Accusation(CaseKind.Challenge, requestId, accused, opener), ticket, attestation, input, inputCid);
    }

    /// @inheritdoc ICourtFilings
    function reportConflict(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata first,
        bytes calldata firstSignature,
        IExecutionCoordinator.Attestation calldata second,
        bytes calldata secondSignature,
        bytes calldata input,
        string calldata inputCid
    ) external nonReentrant returns (bytes32 caseId) {
        bytes32 requestId = _requireTicket(ticket, ticketSignature);
        address accused = _requireAttestation(requestId, ticket, first, firstSignature);
        address opener = _requireAttestation(requestId, ticket, second, secondSignature);
        bool isConflict = ticket.quorum > 1 && accused != opener && _resultOf(first) != _resultOf(second);
        require(isConflict, NotConflicting(requestId));
        _requireNotResource(requestId, second.outcome);
        _requireJudged(ticket);
        return _open(Accusation(CaseKind.Conflict, requestId, accused, opener), ticket, first, input, inputCid);
    }

    /// @inheritdoc ICourtFilings
    function reportEquivocation(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata first,
        bytes calldata firstSignature,
        IExecutionCoordinator.Attestation calldata second,
        bytes calldata secondSignature
    ) external nonReentrant {
        bytes32 requestId = _requireTicket(ticket, ticketSignature);
        (address operator, address key) = _requireSigner(requestId, ticket.issuedAt, first, firstSignature);
        (, address otherKey) = _requireSigner(requestId, ticket.issuedAt, second, secondSignature);
        bool isEquivocation = key == otherKey && _resultOf(first) != _resultOf(second);
        // However many results it signed, it is one offence.
        isEquivocation = isEquivocation && !_hasEquivocated[requestId][operator];
        require(isEquivocation, NotEquivocation(requestId));
        _hasEquivocated[requestId][operator] = true;
        bool dependsOnMachine = Messages.isResourceOutcome(first.outcome) || Messages.isResourceOutcome(second.outcome);
        bool isSlashed = !dependsOnMachine && bytes(_whyTicketNotJudged(ticket)).length == 0;
        address reporter = _actor();
        uint256 slashed = isSlashed ? _slashEquivocation(ticket.issuedAt, operator, reporter) : 0;
        _operators.jail(operator, _unbondingPeriod);
        emit Equivocated(requestId, operator, reporter, slashed);
    }

    /// @inheritdoc ICourtFilings
    function giveCaseInput(
        bytes32 caseId,
        bytes calldata input,
        string calldata inputCid
    ) external {
        (Docket storage docket,) = _requireSitting(caseId);
        if (_isInputGiven(docket.file.requestId, docket.file.inputSeal, input)) docket.file.isInputGiven = true;
        emit CaseInputGiven(caseId, input, inputCid);
    }

    function _slashEquivocation(
        uint40 issuedAt,
        address operator,
        address reporter
    ) private returns (uint256 slashed) {
        IProtocolParameters.Parameters memory parameters = _parameters.inForceAt(issuedAt);
        uint256 stake = _operators.getOperator(operator).stake;
        slashed = _takeStake(operator, stake * parameters.slashBps / BASIS_POINTS);
        uint256 share = slashed * parameters.challengerShareBps / BASIS_POINTS;
        _credit(reporter, share);
        _credit(BURN_ADDRESS, slashed - share);
    }
}
