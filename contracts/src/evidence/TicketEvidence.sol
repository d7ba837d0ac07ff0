// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Suite} from "../deployment/Suite.sol";
import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Messages} from "../libraries/Messages.sol";

/// @title What a ticket and an attestation prove, wherever they are shown: in the confirmed lane, in court, to the escrow.
/// @notice Every check answers with a `SkipReason` and reverts for nothing, so that the caller says it in its own words.
/// How long evidence may be shown is the caller's own rule.
abstract contract TicketEvidence {
    uint256 private constant LOWEST_STATUS = 200;
    uint256 private constant HIGHEST_STATUS = 599;
    /// @dev Twin: `LIMITS.quorum`.
    uint256 private constant MAXIMUM_QUORUM = 7;

    IProtocolParameters internal immutable _parameters;
    IOperatorRegistry internal immutable _operators;
    IExecutionCoordinator internal immutable _coordinator;
    IConfirmedLane internal immutable _confirmedLane;
    uint256 internal immutable _epochSeconds;
    uint256 internal immutable _maximumTicketLifetime;
    uint256 private immutable _chainId;
    bytes32 private immutable _domain;

    constructor(
        Suite memory suite
    ) {
        _parameters = IProtocolParameters(suite.parameters);
        _operators = IOperatorRegistry(suite.operators);
        _coordinator = IExecutionCoordinator(suite.coordinator);
        _confirmedLane = IConfirmedLane(suite.confirmedLane);
        IProtocolParameters.Times memory times = IProtocolParameters(suite.parameters).times();
        _epochSeconds = times.epochSeconds;
        _maximumTicketLifetime = times.maximumTicketLifetime;
        _chainId = block.chainid;
        _domain = Messages.domainSeparator(block.chainid, suite.coordinator);
    }

    /// @dev The domain of every message about executions, whichever contract reads it. A chain that splits has another number.
    function _messageDomain() internal view returns (bytes32) {
        if (block.chainid == _chainId) return _domain;
        return Messages.domainSeparator(block.chainid, address(_coordinator));
    }

    function _requestIdOf(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (bytes32) {
        return Messages.hashTicketCalldata(_messageDomain(), ticket);
    }

    /// @dev Whether the requester signed this ticket, or it was posted on chain: then the lane has checked it, and a contract's
    /// request has no signature at all. Pass an empty signature for a posted ticket.
    function _verifyTicket(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata signature
    ) internal view returns (IExecutionCoordinator.SkipReason reason, bytes32 requestId) {
        requestId = _requestIdOf(ticket);
        reason = _checkTerms(ticket);
        bool isAuthentic = signature.length == 0
            ? _postedBlockOf(requestId) != 0
            : _isSignedByAccount(ticket.requester, requestId, signature);
        if (reason == IExecutionCoordinator.SkipReason.None && !isAuthentic) {
            reason = IExecutionCoordinator.SkipReason.RequesterSignature;
        }
    }

    /// @dev What is wrong with what a ticket says, signatures aside.
    function _checkTerms(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (IExecutionCoordinator.SkipReason) {
        (uint256 issuedAt, uint256 deadline) = (ticket.issuedAt, ticket.deadline);
        if (ticket.protocolVersion != Messages.PROTOCOL_VERSION) return IExecutionCoordinator.SkipReason.TermsInvalid;
        if (!_isQuorum(ticket.quorum)) return IExecutionCoordinator.SkipReason.TermsInvalid;
        if (issuedAt > block.timestamp) return IExecutionCoordinator.SkipReason.NotYetValid;
        if (ticket.epoch != Messages.epochAt(issuedAt, _epochSeconds)) {
            return IExecutionCoordinator.SkipReason.EpochMismatch;
        }
        if (deadline < issuedAt || deadline > issuedAt + _maximumTicketLifetime) {
            return IExecutionCoordinator.SkipReason.TermsInvalid;
        }
        return IExecutionCoordinator.SkipReason.None;
    }

    /// @dev Whether a seated operator of this request signed this result, and who. `requestId` is the verified ticket's.
    function _verifyAttestation(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (IExecutionCoordinator.SkipReason reason, address operator, address executionKey) {
        (reason, operator, executionKey) = _verifySigner(requestId, ticket.issuedAt, attestation, signature);
        if (reason == IExecutionCoordinator.SkipReason.None && !_hasSeat(requestId, ticket, operator, attestation.seat))
        {
            reason = IExecutionCoordinator.SkipReason.NotSeated;
        }
    }

    /// @dev The same without the seat: whose key signed this result, when it could sign for a ticket issued at `issuedAt`.
    function _verifySigner(
        bytes32 requestId,
        uint40 issuedAt,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (IExecutionCoordinator.SkipReason reason, address operator, address executionKey) {
        if (!_isWellFormed(attestation, requestId)) {
            return (IExecutionCoordinator.SkipReason.TermsInvalid, address(0), address(0));
        }
        ECDSA.RecoverError failure;
        (executionKey, failure,) =
            ECDSA.tryRecoverCalldata(Messages.hashAttestationCalldata(_messageDomain(), attestation), signature);
        if (failure != ECDSA.RecoverError.NoError) {
            return (IExecutionCoordinator.SkipReason.WorkerSignature, address(0), address(0));
        }
        operator = _operators.operatorForKey(executionKey, issuedAt);
        if (operator == address(0)) reason = IExecutionCoordinator.SkipReason.WorkerNotActive;
    }

    /// @dev 1 where all operators are seated, 2 where they are drawn, 3 where a ticket on chain waited long enough.
    function _hasSeat(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        address operator,
        uint8 seat
    ) internal view returns (bool) {
        if (seat == Messages.SEAT_WIDENED) {
            uint256 postedBlock = _postedBlockOf(requestId);
            return
                postedBlock != 0 && block.number >= postedBlock + _parameters.inForceAt(ticket.issuedAt).wideningBlocks;
        }
        (bool areAllSeated, uint256 committeeSize) = _seatingOf(ticket.epoch, ticket.issuedAt);
        if (areAllSeated) return seat == Messages.SEAT_ALL_SEATED;
        return seat == Messages.SEAT_DRAWN && _isDrawnFor(ticket, operator, committeeSize);
    }

    /// @dev How seats of tickets of an epoch are given. The lane remembers it.
    function _seatingOf(
        uint32 epoch,
        uint40 issuedAt
    ) internal view virtual returns (bool areAllSeated, uint256 committeeSize) {
        (, committeeSize) = _parameters.settlementTermsAt(issuedAt);
        areAllSeated = _operators.isAllSeated(epoch, committeeSize);
    }

    /// @dev Only where not all are seated, or every active operator is.
    function _isDrawnFor(
        IExecutionCoordinator.Ticket calldata ticket,
        address operator,
        uint256 committeeSize
    ) private view returns (bool) {
        return
            _operators.isSeated(
                operator, ticket.requester, ticket.sequence, ticket.epoch, ticket.issuedAt, committeeSize
            );
    }

    /// @dev Why this requester has no drawn seats, whoever won them: it is not bonded, or it chose its sequence number. One
    /// would try addresses and numbers until its own operators win.
    function _drawReason(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (IExecutionCoordinator.SkipReason) {
        return _coordinator.drawReason(ticket.requester, ticket.sequence, ticket.epoch, ticket.issuedAt);
    }

    /// @dev A requester is a wallet of either kind. Plain signatures come first: a wallet that delegates (EIP-7702) has code
    /// and still signs with its key.
    function _isSignedByAccount(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }

    /// @dev Block in which the ticket was posted, zero when it never was. The lane reads its own storage.
    function _postedBlockOf(
        bytes32 requestId
    ) internal view virtual returns (uint256) {
        return _confirmedLane.getPosted(requestId).postedBlock;
    }

    function _isQuorum(
        uint256 quorum
    ) private pure returns (bool) {
        return quorum != 0 && quorum <= MAXIMUM_QUORUM;
    }

    function _isWellFormed(
        IExecutionCoordinator.Attestation calldata attestation,
        bytes32 requestId
    ) private pure returns (bool) {
        return attestation.protocolVersion == Messages.PROTOCOL_VERSION && attestation.requestId == requestId
            && attestation.outcome >= Messages.OUTCOME_COMPLETED
            && attestation.outcome <= Messages.OUTCOME_OUT_OF_MEMORY && attestation.status >= LOWEST_STATUS
            && attestation.status <= HIGHEST_STATUS;
    }
}
