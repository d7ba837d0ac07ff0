// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";

/// @title What makes a ticket and an attestation count, in either lane.
abstract contract Tickets is CoordinatorBase {
    uint256 private constant LOWEST_STATUS = 200;
    uint256 private constant HIGHEST_STATUS = 599;

    /// @dev One bit per sequence number, consumed once.
    mapping(address requester => mapping(uint256 word => uint256)) internal _consumed;

    /// @inheritdoc IExecutionCoordinator
    function isConsumed(
        address requester,
        uint64 sequence
    ) external view returns (bool) {
        return _consumed[requester][sequence >> 8] & _sequenceBit(sequence) != 0;
    }

    /// @inheritdoc IExecutionCoordinator
    function hashTicket(
        Ticket calldata ticket
    ) external view returns (bytes32) {
        return Messages.hashTicket(domainSeparator(), ticket);
    }

    function _sequenceBit(
        uint64 sequence
    ) internal pure returns (uint256) {
        // One, moved left: this order is meant.
        // forge-lint: disable-next-line(incorrect-shift)
        return 1 << (sequence & 0xff);
    }

    /// @dev What is wrong with a ticket's times.
    function _checkTimes(
        uint256 issuedAt,
        uint256 deadline,
        uint256 epoch
    ) internal view returns (SkipReason) {
        if (issuedAt > block.timestamp) return SkipReason.NotYetValid;
        if (epoch != Messages.epochAt(issuedAt, epochSeconds)) return SkipReason.EpochMismatch;
        // Callers pass 40-bit times and the parameters have 32 bits.
        unchecked {
            if (deadline < issuedAt || deadline - issuedAt > maximumTicketLifetime) return SkipReason.TermsInvalid;
            if (block.timestamp > deadline + settlementGrace) return SkipReason.Expired;
        }
        return SkipReason.None;
    }

    /// @dev What is wrong with a ticket's quorum or lane.
    function _checkLane(
        uint8 quorum,
        uint8 lane,
        uint8 expectedLane
    ) internal pure returns (SkipReason) {
        if (lane != expectedLane) return SkipReason.LaneMismatch;
        if (quorum != 1) return SkipReason.QuorumNotMet;
        return SkipReason.None;
    }

    /// @dev What is wrong with what a worker attests, as one signature.
    function _checkOutcome(
        uint8 outcome,
        uint16 status,
        uint8 seat
    ) internal pure returns (SkipReason) {
        if (Messages.isResourceOutcome(outcome)) return SkipReason.ResourceOutcome;
        if (outcome < Messages.OUTCOME_COMPLETED || outcome > Messages.OUTCOME_OUT_OF_MEMORY) {
            return SkipReason.TermsInvalid;
        }
        if (status < LOWEST_STATUS || status > HIGHEST_STATUS) return SkipReason.TermsInvalid;
        if (seat != Messages.SEAT_ALL_SEATED) return SkipReason.TermsInvalid;
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
