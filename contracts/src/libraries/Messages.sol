// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";

/// @title The protocol's signed messages: EIP-712 types, digests and the numbers inside them.
/// @notice Each digest has a twin of the same name in packages/protocol; vectors/ holds the agreement.
library Messages {
    uint8 internal constant PROTOCOL_VERSION = 1;

    uint8 internal constant LANE_ATTESTED = 1;
    uint8 internal constant LANE_CONFIRMED = 2;

    uint8 internal constant SEAT_ALL_SEATED = 1;
    uint8 internal constant SEAT_DRAWN = 2;
    uint8 internal constant SEAT_WIDENED = 3;

    uint8 internal constant OUTCOME_COMPLETED = 1;
    uint8 internal constant OUTCOME_THREW = 2;
    uint8 internal constant OUTCOME_BAD_MODULE = 3;
    uint8 internal constant OUTCOME_OUTPUT_TOO_LARGE = 4;
    uint8 internal constant OUTCOME_TIMED_OUT = 5;
    uint8 internal constant OUTCOME_OUT_OF_MEMORY = 6;

    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant TICKET_TYPEHASH = keccak256(
        "Ticket(uint8 protocolVersion,bytes32 functionId,uint32 functionVersion,uint32 envVersion,bytes32 runtimeDigest,bytes32 inputSeal,address requester,uint32 epoch,uint64 sequence,uint8 quorum,uint8 lane,uint96 fee,uint40 issuedAt,uint40 deadline,address payer,address payee,uint128 price,bytes32 quoteId,address funder)"
    );
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(uint8 protocolVersion,bytes32 requestId,bytes32 resultSeal,uint8 outcome,uint16 status,uint8 seat)"
    );
    bytes32 internal constant SIGNED_COMMITMENT_TYPEHASH =
        keccak256("SignedCommitment(uint8 protocolVersion,bytes32 requestId,bytes32 commitment)");
    bytes32 internal constant COMMIT_SET_TYPEHASH =
        keccak256("CommitSet(uint8 protocolVersion,bytes32 requestId,bytes32[] commitments)");
    bytes32 internal constant BATCH_ROLL_TYPEHASH =
        keccak256("BatchRoll(uint8 protocolVersion,uint32 count,bytes32 root)");
    bytes32 internal constant EXECUTION_KEY_PROOF_TYPEHASH =
        keccak256("ExecutionKeyProof(uint8 protocolVersion,address operator,address executionKey,uint256 nonce)");
    bytes32 internal constant ESCROW_TERMS_TYPEHASH = keccak256(
        "EscrowTerms(address requester,bytes32 functionId,uint32 functionVersion,bytes32 inputSeal,address payee,uint128 price,uint40 deadline,bytes32 nonce)"
    );
    bytes32 internal constant RELAYED_ACTION_TYPEHASH =
        keccak256("RelayedAction(address account,bytes action,uint256 nonce,uint40 deadline)");

    /// @notice What every signature is bound to. Twin: `eip712Domain`.
    function domainSeparator(
        uint256 chainId,
        address coordinator
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("PeerHost"), keccak256("1"), chainId, coordinator));
    }

    /// @notice The request id: the ticket's digest. Twin: `requestId`. Vectors: ticket.json.
    function hashTicket(
        bytes32 domain,
        IExecutionCoordinator.Ticket memory ticket
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(TICKET_TYPEHASH, ticket)));
    }

    /// @notice The same digest of a ticket in calldata, hashed as it stands there. Members are checked when they are read: a
    /// word with bits beyond its type is part of the digest, which then is nobody's ticket.
    function hashTicketCalldata(
        bytes32 domain,
        IExecutionCoordinator.Ticket calldata ticket
    ) internal pure returns (bytes32) {
        bytes32 typehash = TICKET_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, typehash)
            calldatacopy(add(preimage, 0x20), ticket, 0x260)
            structHash := keccak256(preimage, 0x280)
        }
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    /// @notice The digest that an execution key signs. Vectors: attestation.json.
    function hashAttestation(
        bytes32 domain,
        IExecutionCoordinator.Attestation memory attestation
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(ATTESTATION_TYPEHASH, attestation)));
    }

    /// @notice The same digest of an attestation in calldata, see `hashTicketCalldata`.
    function hashAttestationCalldata(
        bytes32 domain,
        IExecutionCoordinator.Attestation calldata attestation
    ) internal pure returns (bytes32) {
        bytes32 typehash = ATTESTATION_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, typehash)
            calldatacopy(add(preimage, 0x20), attestation, 0xc0)
            structHash := keccak256(preimage, 0xe0)
        }
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    /// @notice What a worker of a quorum signs before anyone has opened. Vectors: signedCommitment.json.
    function hashSignedCommitment(
        bytes32 domain,
        uint8 protocolVersion,
        bytes32 requestId,
        bytes32 commitment
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(SIGNED_COMMITMENT_TYPEHASH, protocolVersion, requestId, commitment))
        );
    }

    /// @notice The ordered commitments of one request. Vectors: commitSet.json.
    function hashCommitSet(
        bytes32 domain,
        uint8 protocolVersion,
        bytes32 requestId,
        bytes32[] memory commitments
    ) internal pure returns (bytes32) {
        // EIP-712 encodes an array as the hash of its members one after the other; they are fixed-size, so nothing is ambiguous.
        bytes32 members = keccak256(abi.encodePacked(commitments));
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(COMMIT_SET_TYPEHASH, protocolVersion, requestId, members))
        );
    }

    /// @notice The same digest of commitments in calldata.
    function hashCommitSetCalldata(
        bytes32 domain,
        bytes32 requestId,
        bytes32[] calldata commitments
    ) internal pure returns (bytes32) {
        bytes32 members;
        assembly ("memory-safe") {
            let copied := mload(0x40)
            let size := mul(commitments.length, 0x20)
            calldatacopy(copied, commitments.offset, size)
            members := keccak256(copied, size)
        }
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(COMMIT_SET_TYPEHASH, PROTOCOL_VERSION, requestId, members))
        );
    }

    /// @notice One signature for all of a signer's messages in a batch. Vectors: batchRoll.json.
    function hashBatchRoll(
        bytes32 domain,
        uint256 count,
        bytes32 root
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(BATCH_ROLL_TYPEHASH, PROTOCOL_VERSION, count, root))
        );
    }

    /// @notice Shows that an operator holds its execution key. Vectors: executionKeyProof.json.
    function hashExecutionKeyProof(
        bytes32 domain,
        address operator,
        address executionKey,
        uint256 nonce
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(EXECUTION_KEY_PROOF_TYPEHASH, PROTOCOL_VERSION, operator, executionKey, nonce))
        );
    }

    /// @notice What an owner or operator signs so that anyone may send its action. `domain` is that of the called contract.
    /// Vectors: relayedAction.json.
    function hashRelayedAction(
        bytes32 domain,
        address account,
        bytes memory action,
        uint256 nonce,
        uint40 deadline
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            domain, keccak256(abi.encode(RELAYED_ACTION_TYPEHASH, account, keccak256(action), nonce, deadline))
        );
    }

    /// @notice The quote id in escrow mode: what the payer agrees to. Vectors: escrowTerms.json.
    function hashEscrowTerms(
        bytes32 domain,
        IPaymentEscrow.EscrowTerms memory terms
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(ESCROW_TERMS_TYPEHASH, terms)));
    }

    /// @notice Seconds since 1970 → epoch number. Twin: `epochAt`.
    function epochAt(
        uint256 time,
        uint256 epochSeconds
    ) internal pure returns (uint256) {
        return time / epochSeconds;
    }

    /// @notice True for an outcome that depends on the machine: one signature never settles it.
    function isResourceOutcome(
        uint8 outcome
    ) internal pure returns (bool) {
        return outcome == OUTCOME_TIMED_OUT || outcome == OUTCOME_OUT_OF_MEMORY;
    }
}
