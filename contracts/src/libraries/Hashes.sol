// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The protocol's unsigned hashes.
/// @notice Each has a twin of the same name in packages/protocol; vectors/ holds the agreement.
library Hashes {
    /// @notice What a juror says, and where. Seal, outcome and status are zero unless it is a result.
    struct Ballot {
        bytes32 caseId;
        uint8 jury;
        address operator;
        uint8 vote;
        bytes32 resultSeal;
        uint8 outcome;
        uint16 status;
    }

    bytes32 internal constant SEAL_TYPEHASH = keccak256("PeerHostSeal(bytes32 hash,bytes32 salt)");
    bytes32 internal constant COMMITMENT_TYPEHASH =
        keccak256("PeerHostCommitment(bytes32 requestId,address worker,bytes32 resultSeal,bytes32 salt)");
    bytes32 internal constant PAYMENT_TYPEHASH =
        keccak256("PeerHostPayment(uint256 chainId,address asset,address payer,bytes32 nonce)");
    bytes32 internal constant SEAT_SUBJECT_TYPEHASH = keccak256("PeerHostSeat(address requester,uint64 sequence)");
    bytes32 internal constant DRAW_TYPEHASH = keccak256("PeerHostDraw(bytes32 seed,bytes32 subject,address operator)");

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

    /// @notice What a seat is drawn about: fixed before the requester can try alternatives. Vectors: seatDraw.json.
    function seatSubject(
        address requester,
        uint64 sequence
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(SEAT_SUBJECT_TYPEHASH, requester, sequence));
    }

    /// @notice One operator's lot: a number below 2^128. Vectors: seatDraw.json.
    function lot(
        bytes32 seed,
        bytes32 subject,
        address operator
    ) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(DRAW_TYPEHASH, seed, subject, operator))) >> 128;
    }

    /// @notice Whether a lot wins one of `size` seats: `lot / 2^128 < stake / totalStake × size`, in integers. A zero stake or
    /// total never wins. Vectors: seatDraw.json.
    function wins(
        uint256 drawnLot,
        uint256 stake,
        uint256 totalStake,
        uint256 size
    ) internal pure returns (bool) {
        if (stake == 0 || totalStake == 0) return false;
        return drawnLot * totalStake < stake * size * 2 ** 128;
    }

    /// @notice The hidden form of a juror's vote. Vectors: vote.json.
    function vote(
        Ballot memory ballot,
        bytes32 salt
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(ballot, salt));
    }

    /// @notice Names a case: one attested result of one operator for one request. Vectors: vote.json.
    function caseId(
        bytes32 requestId,
        address accused,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(requestId, accused, resultSeal, outcome, status));
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
