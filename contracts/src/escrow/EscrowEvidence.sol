// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Messages} from "../libraries/Messages.sol";
import {Deposits} from "./Deposits.sol";

/// @title What proves to the escrow that the request of its terms has this result.
abstract contract EscrowEvidence is Deposits {
    uint256 internal immutable _settlementGrace;

    constructor(
        Suite memory suite
    ) Deposits(suite) {
        _settlementGrace = IProtocolParameters(suite.parameters).times().settlementGrace;
    }

    /// @dev The ticket of these terms, and as many agreeing attestations of seated operators as its quorum asks.
    function _requireEvidence(
        bytes32 quoteId,
        EscrowTerms calldata terms,
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes[] calldata signatures
    ) internal view returns (bytes32 requestId) {
        _requireMatch(quoteId, terms, ticket);
        IExecutionCoordinator.SkipReason reason;
        (reason, requestId) = _verifyTicket(ticket, ticketSignature);
        _requireNone(requestId, reason);
        bool isLate = block.timestamp > ticket.deadline + _settlementGrace;
        if (isLate) _refuse(requestId, IExecutionCoordinator.SkipReason.Expired);
        // It depends on the machine: a second operator has to have met it too.
        if (ticket.quorum == 1 && Messages.isResourceOutcome(attestation.outcome)) {
            _refuse(requestId, IExecutionCoordinator.SkipReason.ResourceOutcome);
        }
        if (attestation.seat == Messages.SEAT_DRAWN) _requireNone(requestId, _drawReason(ticket));
        _requireQuorum(requestId, ticket, attestation, signatures);
    }

    function _requireQuorum(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes[] calldata signatures
    ) private view {
        uint256 quorum = ticket.quorum;
        if (signatures.length != quorum) _refuse(requestId, IExecutionCoordinator.SkipReason.QuorumNotMet);
        address[] memory signers = new address[](quorum);
        for (uint256 i; i < quorum; ++i) {
            (IExecutionCoordinator.SkipReason reason, address operator,) =
                _verifyAttestation(requestId, ticket, attestation, signatures[i]);
            _requireNone(requestId, reason);
            for (uint256 j; j < i; ++j) {
                if (signers[j] == operator) _refuse(requestId, IExecutionCoordinator.SkipReason.QuorumNotMet);
            }
            signers[i] = operator;
        }
    }

    function _requireMatch(
        bytes32 quoteId,
        EscrowTerms calldata terms,
        IExecutionCoordinator.Ticket calldata ticket
    ) private pure {
        require(ticket.quoteId == quoteId, TicketMismatch(quoteId, "quoteId"));
        require(ticket.requester == terms.requester, TicketMismatch(quoteId, "requester"));
        require(ticket.functionId == terms.functionId, TicketMismatch(quoteId, "functionId"));
        require(ticket.functionVersion == terms.functionVersion, TicketMismatch(quoteId, "functionVersion"));
        require(ticket.inputSeal == terms.inputSeal, TicketMismatch(quoteId, "inputSeal"));
        require(ticket.payee == terms.payee, TicketMismatch(quoteId, "payee"));
        require(ticket.price == terms.price, TicketMismatch(quoteId, "price"));
        require(ticket.deadline <= terms.deadline, TicketMismatch(quoteId, "deadline"));
    }

    function _requireNone(
        bytes32 requestId,
        IExecutionCoordinator.SkipReason reason
    ) private pure {
        if (reason != IExecutionCoordinator.SkipReason.None) _refuse(requestId, reason);
    }

    function _refuse(
        bytes32 requestId,
        IExecutionCoordinator.SkipReason reason
    ) private pure {
        revert EvidenceInvalid(requestId, reason);
    }
}
