// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {Ledger} from "./Ledger.sol";

/// @title What makes a ticket and an attestation count, and which sequence numbers are used up.
abstract contract Tickets is Ledger {
    uint256 private constant LOWEST_STATUS = 200;
    uint256 private constant HIGHEST_STATUS = 599;
    /// @dev Twin: `LIMITS.quorum`.
    uint256 internal constant MAXIMUM_QUORUM = 7;
    /// @dev From here on numbers are given by the confirmed lane.
    uint256 internal constant FIRST_LANE_SEQUENCE = 1 << 63;
    uint256 internal constant SEQUENCES_PER_WORD = 256;
    /// @dev Words of sequence numbers that may be open at once. Twin: `LIMITS.sequenceWindow`.
    uint256 private constant WINDOW_WORDS = 2;

    uint256 private constant SIGNATURE_BYTES = 65;
    /// @dev Half the order of secp256k1: above it lies the second signature that anyone can make of a first.
    uint256 private constant HIGHEST_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

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
    ) internal view returns (IExecutionCoordinator.SkipReason) {
        if (issuedAt > block.timestamp) return IExecutionCoordinator.SkipReason.NotYetValid;
        if (epoch != Messages.epochAt(issuedAt, _epochSeconds)) return IExecutionCoordinator.SkipReason.EpochMismatch;
        // Callers pass 41-bit times and the protocol's have 32 bits.
        unchecked {
            if (deadline < issuedAt || deadline - issuedAt > _maximumTicketLifetime) {
                return IExecutionCoordinator.SkipReason.TermsInvalid;
            }
            if (block.timestamp > deadline + _settlementGrace) return IExecutionCoordinator.SkipReason.Expired;
        }
        return IExecutionCoordinator.SkipReason.None;
    }

    /// @dev What is wrong with what a worker attests. An outcome that depends on the machine needs a second one to agree.
    function _checkOutcome(
        uint256 outcome,
        uint256 status,
        uint256 quorum
    ) internal pure returns (IExecutionCoordinator.SkipReason) {
        if (outcome > Messages.OUTCOME_OUTPUT_TOO_LARGE) {
            if (outcome > Messages.OUTCOME_OUT_OF_MEMORY) return IExecutionCoordinator.SkipReason.TermsInvalid;
            if (quorum == 1) return IExecutionCoordinator.SkipReason.ResourceOutcome;
        }
        if (outcome < Messages.OUTCOME_COMPLETED) return IExecutionCoordinator.SkipReason.TermsInvalid;
        if (status < LOWEST_STATUS || status > HIGHEST_STATUS) return IExecutionCoordinator.SkipReason.TermsInvalid;
        return IExecutionCoordinator.SkipReason.None;
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

    /// @dev What `ECDSA.tryRecoverCalldata` accepts, and only that: 65 bytes, v of 27 or 28, the lower s. Written out, since a
    /// settlement does it for every signer.
    function _isSignedByKey(
        address key,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool isSigned) {
        if (signature.length != SIGNATURE_BYTES) return false;
        assembly ("memory-safe") {
            let input := mload(0x40)
            let v := byte(0, calldataload(add(signature.offset, 0x40)))
            mstore(input, digest)
            mstore(add(input, 0x20), v)
            calldatacopy(add(input, 0x40), signature.offset, 0x40)
            isSigned := and(eq(shr(1, sub(v, 1)), 13), iszero(gt(mload(add(input, 0x60)), HIGHEST_S)))
            if isSigned {
                mstore(0x00, 0)
                // The precompile answers nothing when there is no signer.
                pop(staticcall(gas(), 1, input, 0x80, 0x00, 0x20))
                isSigned := and(eq(mload(0x00), shr(96, shl(96, key))), gt(returndatasize(), 0))
            }
        }
    }
}
