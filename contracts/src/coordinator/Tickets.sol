// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";

/// @title What makes a ticket and an attestation count, and which sequence numbers are used up.
abstract contract Tickets is CoordinatorBase {
    uint256 private constant LOWEST_STATUS = 200;
    uint256 private constant HIGHEST_STATUS = 599;
    /// @dev Twin: `LIMITS.quorum`.
    uint256 internal constant MAXIMUM_QUORUM = 7;
    /// @dev From here on numbers are given by the confirmed lane.
    uint256 internal constant FIRST_LANE_SEQUENCE = 1 << 63;
    uint256 private constant SEQUENCES_PER_WORD = 256;
    /// @dev Words of sequence numbers that may be open at once. Twin: `LIMITS.sequenceWindow`.
    uint256 private constant WINDOW_WORDS = 2;

    /// @dev One bit per sequence number, consumed once.
    mapping(address requester => mapping(uint256 word => uint256)) internal _consumed;

    /// @inheritdoc IExecutionCoordinator
    function isConsumed(
        address requester,
        uint64 sequence
    ) external view returns (bool) {
        return _consumed[requester][sequence / SEQUENCES_PER_WORD] & _sequenceBit(sequence) != 0;
    }

    /// @inheritdoc IExecutionCoordinator
    function hashTicket(
        Ticket calldata ticket
    ) external view returns (bytes32) {
        return _hashTicket(domainSeparator(), ticket);
    }

    function _hashTicket(
        bytes32 domain,
        Ticket calldata ticket
    ) internal pure returns (bytes32) {
        return Messages.hashTicket(domain, ticket);
    }

    function _hashCommitSet(
        bytes32 domain,
        bytes32 requestId,
        bytes32[] calldata commitments
    ) internal pure returns (bytes32) {
        return Messages.hashCommitSet(domain, Messages.PROTOCOL_VERSION, requestId, commitments);
    }

    function _sequenceBit(
        uint256 sequence
    ) internal pure returns (uint256) {
        // One, moved left: this order is meant.
        // forge-lint: disable-next-line(incorrect-shift)
        return 1 << (sequence % SEQUENCES_PER_WORD);
    }

    function _sequenceWord(
        uint256 sequence
    ) internal pure returns (uint256) {
        return sequence / SEQUENCES_PER_WORD;
    }

    /// @dev Whether everything two words before is used up: who may choose among many numbers would choose the seats.
    function _isInWindow(
        address requester,
        uint256 sequence
    ) internal view returns (bool) {
        if (sequence % FIRST_LANE_SEQUENCE < WINDOW_WORDS * SEQUENCES_PER_WORD) return true;
        return _consumed[requester][_sequenceWord(sequence) - WINDOW_WORDS] == type(uint256).max;
    }

    /// @dev What is wrong with a ticket's times.
    function _checkTimes(
        uint256 issuedAt,
        uint256 deadline,
        uint256 epoch
    ) internal view returns (SkipReason) {
        if (issuedAt > block.timestamp) return SkipReason.NotYetValid;
        if (epoch != Messages.epochAt(issuedAt, _epochSeconds)) return SkipReason.EpochMismatch;
        // Callers pass 41-bit times and the protocol's have 32 bits.
        unchecked {
            if (deadline < issuedAt || deadline - issuedAt > _maximumTicketLifetime) return SkipReason.TermsInvalid;
            if (block.timestamp > deadline + _settlementGrace) return SkipReason.Expired;
        }
        return SkipReason.None;
    }

    /// @dev What is wrong with a ticket's quorum or lane.
    function _checkLane(
        uint256 quorum,
        uint256 lane,
        uint256 expectedLane
    ) internal pure returns (SkipReason) {
        if (lane != expectedLane) return SkipReason.LaneMismatch;
        if (quorum == 0 || quorum > MAXIMUM_QUORUM) return SkipReason.QuorumNotMet;
        return SkipReason.None;
    }

    /// @dev What is wrong with what a worker attests. An outcome that depends on the machine needs a second one to agree.
    function _checkOutcome(
        uint256 outcome,
        uint256 status,
        uint256 quorum
    ) internal pure returns (SkipReason) {
        if (outcome > Messages.OUTCOME_OUTPUT_TOO_LARGE) {
            if (outcome > Messages.OUTCOME_OUT_OF_MEMORY) return SkipReason.TermsInvalid;
            if (quorum == 1) return SkipReason.ResourceOutcome;
        }
        if (outcome < Messages.OUTCOME_COMPLETED) return SkipReason.TermsInvalid;
        if (status < LOWEST_STATUS || status > HIGHEST_STATUS) return SkipReason.TermsInvalid;
        return SkipReason.None;
    }

    /// @dev A requester is a wallet of either kind. Plain signatures come first: a wallet that delegates (EIP-7702) has code
    /// and still signs with its key.
    function _isSignedByRequester(
        address requester,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool) {
        if (_isSignedByKey(requester, digest, signature)) return true;
        return
            requester.code.length != 0
                && SignatureChecker.isValidERC1271SignatureNowCalldata(requester, digest, signature);
    }

    function _isSignedByKey(
        address key,
        bytes32 digest,
        bytes calldata signature
    ) internal pure returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == key;
    }
}
