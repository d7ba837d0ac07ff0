// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The protocol's unsigned hashes.
/// @notice Each has a twin of the same name in packages/protocol; vectors/ holds the agreement.
library Hashes {
    bytes32 internal constant SEAL_TYPEHASH = keccak256("PeerHostSeal(bytes32 hash,bytes32 salt)");
    bytes32 internal constant COMMITMENT_TYPEHASH =
        keccak256("PeerHostCommitment(bytes32 requestId,address worker,bytes32 resultSeal,bytes32 salt)");
    bytes32 internal constant PAYMENT_TYPEHASH =
        keccak256("PeerHostPayment(uint256 chainId,address asset,address payer,bytes32 nonce)");

    /// @notice The name of a function for ever, through versions and owners. Vectors: functionId.json.
    function functionId(
        address creator,
        string memory project,
        string memory name
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(creator, keccak256(bytes(project)), keccak256(bytes(name))));
    }

    /// @notice The salted form in which an input or result hash appears on chain. Vectors: seal.json.
    function seal(
        bytes32 hash,
        bytes32 salt
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(SEAL_TYPEHASH, hash, salt));
    }

    /// @notice The hidden form of a result, bound to request and worker. Vectors: commitment.json.
    function commitment(
        bytes32 requestId,
        address worker,
        bytes32 resultSeal,
        bytes32 salt
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(COMMITMENT_TYPEHASH, requestId, worker, resultSeal, salt));
    }

    /// @notice Chains one more digest to a roll; a roll begins at zero. Vectors: batchRoll.json.
    function roll(
        bytes32 root,
        bytes32 digest
    ) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            mstore(0x00, root)
            mstore(0x20, digest)
            next := keccak256(0x00, 0x40)
        }
    }

    /// @notice The name of an EIP-3009 payment, in the ticket as `quoteId`. Vectors: paymentId.json.
    function paymentId(
        uint256 chainId,
        address asset,
        address payer,
        bytes32 nonce
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(PAYMENT_TYPEHASH, chainId, asset, payer, nonce));
    }

    /// @notice Hash of a canonical request's bytes. Vectors: request.json.
    function hashInput(
        bytes memory canonicalRequest
    ) internal pure returns (bytes32) {
        return keccak256(canonicalRequest);
    }

    /// @notice Hash of a canonical result's bytes. Vectors: result.json.
    function hashResult(
        bytes memory canonicalResult
    ) internal pure returns (bytes32) {
        return keccak256(canonicalResult);
    }
}
