// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";

/// @title The bytes of a settlement batch, read where they stand.
/// @notice Calldata is half of what a settlement costs, and decoding it as structs was a third of the rest. The layout is
/// written down in docs/contracts/settlement.md; `encodeSettlement` in packages/protocol is its twin. Positions (`offset`) are
/// places in calldata. Whatever is read past the end of the batch is noticed before it is used.
library PackedBatch {
    uint256 internal constant VERSION = 1;

    uint256 internal constant HEADER_BYTES = 23;
    uint256 internal constant GROUP_BYTES = 147;
    /// @dev An item without its seatings and its commit set.
    uint256 internal constant ITEM_BYTES = 136;
    uint256 internal constant SEATING_BYTES = 2;
    uint256 internal constant SALTED_SEATING_BYTES = 34;
    uint256 internal constant ADDRESS_BYTES = 20;
    uint256 internal constant LENGTH_BYTES = 2;

    /// @dev A commitment of somebody who is not among the seatings follows.
    uint256 internal constant FOREIGN_COMMITMENT = 0xff;

    uint256 private constant ITEM_FACTS_AT = 116;
    uint256 private constant SEATING_AT = 136;

    function word(
        uint256 offset
    ) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(offset)
        }
    }

    function uint8At(
        uint256 offset
    ) internal pure returns (uint256) {
        return word(offset) >> 248;
    }

    function addressAt(
        uint256 offset
    ) internal pure returns (address) {
        return address(uint160(word(offset) >> 96));
    }

    function requireWithin(
        uint256 offset,
        uint256 end
    ) internal pure {
        require(offset <= end, IExecutionCoordinator.BatchMalformed("batch: ends too early"));
    }

    /// @dev A signature behind its length, and where the next thing stands.
    function signatureAt(
        uint256 offset,
        uint256 end
    ) internal pure returns (bytes calldata signature, uint256 next) {
        uint256 length = word(offset) >> 240;
        next = offset + LENGTH_BYTES + length;
        requireWithin(next, end);
        assembly ("memory-safe") {
            signature.offset := add(offset, LENGTH_BYTES)
            signature.length := length
        }
    }

    /// @dev What all items of a group share, laid out for hashing.
    /// @return items How many items follow.
    function readGroup(
        uint256 offset,
        Messages.TicketPreimage memory ticket
    ) internal pure returns (uint256 items) {
        ticket.functionId = bytes32(word(offset));
        ticket.runtimeDigest = bytes32(word(offset + 32));
        uint256 facts = word(offset + 64);
        ticket.functionVersion = uint32(facts >> 224);
        ticket.envVersion = uint32(facts >> 192);
        ticket.epoch = uint32(facts >> 160);
        ticket.quorum = uint8(facts >> 152);
        ticket.lane = uint8(facts >> 144);
        ticket.fee = uint96(facts >> 48);
        ticket.funder = addressAt(offset + 90);
        ticket.payee = addressAt(offset + 110);
        ticket.price = uint128(word(offset + 130) >> 128);
        return uint8At(offset + 146);
    }

    /// @dev What is one item's own, laid out for hashing.
    function readItem(
        uint256 offset,
        Messages.TicketPreimage memory ticket,
        Messages.AttestationPreimage memory attestation
    ) internal pure {
        ticket.inputSeal = bytes32(word(offset));
        attestation.resultSeal = bytes32(word(offset + 32));
        ticket.quoteId = bytes32(word(offset + 64));
        ticket.payer = addressAt(offset + 96);
        uint256 facts = word(offset + ITEM_FACTS_AT);
        ticket.sequence = uint64(facts >> 192);
        uint256 issuedAt = facts >> 152 & type(uint40).max;
        ticket.issuedAt = uint40(issuedAt);
        // A lifetime that leads out of 40 bits is longer than any that settles.
        unchecked {
            ticket.deadline = uint40(issuedAt + (facts >> 120 & type(uint32).max));
        }
        attestation.outcome = uint8(facts >> 112);
        attestation.status = uint16(facts >> 96);
    }

    /// @dev Sequence, times, outcome, status and the first seating of an item, as they stand.
    function itemFacts(
        uint256 offset
    ) internal pure returns (uint256) {
        return word(offset + ITEM_FACTS_AT);
    }
}
