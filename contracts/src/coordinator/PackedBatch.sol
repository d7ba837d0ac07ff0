// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";

/// @title The bytes of a settlement batch, read where they stand.
/// @notice Calldata is a quarter of what a settlement costs, and decoding it as structs was a third of the rest. The layout
/// is written down in docs/contracts/settlement.md; `encodeSettlement` in packages/protocol is its twin. Offsets are places
/// in calldata. Whatever is read past the end of the batch is noticed before it is used.
library PackedBatch {
    uint256 internal constant VERSION = 1;

    uint256 internal constant HEADER_BYTES = 23;
    /// @dev An item without its seatings and its commit set.
    uint256 internal constant ITEM_BYTES = 136;
    /// @dev An item of one worker.
    uint256 internal constant SINGLE_BYTES = 138;
    uint256 internal constant SEATING_BYTES = 2;
    uint256 internal constant SALTED_SEATING_BYTES = 34;
    /// @dev How many commitments a set has, and which of them are the item's own.
    uint256 internal constant SET_HEADER_BYTES = 3;
    uint256 internal constant ADDRESS_BYTES = 20;
    uint256 internal constant LENGTH_BYTES = 2;

    uint256 private constant ITEM_FACTS_AT = 116;

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

    /// @dev Of a seating: seat, then worker.
    function seatAt(
        uint256 offset
    ) internal pure returns (uint256) {
        return word(offset) >> 248;
    }

    function workerAt(
        uint256 offset
    ) internal pure returns (uint256) {
        return word(offset) >> 240 & type(uint8).max;
    }

    /// @dev Sequence, issue, lifetime, outcome, status and the first seating of an item, as they stand: 64, 40, 32, 8, 16, 8
    /// and 8 bits.
    function itemFacts(
        uint256 offset
    ) internal pure returns (uint256) {
        return word(offset + ITEM_FACTS_AT);
    }

    /// @dev A signature behind its length, and where the next thing stands.
    function signatureAt(
        uint256 offset,
        uint256 end
    ) internal pure returns (bytes calldata signature, uint256 next) {
        signature = knownSignatureAt(offset);
        next = offset + LENGTH_BYTES + signature.length;
        requireWithin(next, end);
    }

    /// @dev The same of one that was found to be within the batch.
    function knownSignatureAt(
        uint256 offset
    ) internal pure returns (bytes calldata signature) {
        assembly ("memory-safe") {
            signature.offset := add(offset, LENGTH_BYTES)
            signature.length := shr(240, calldataload(offset))
        }
    }

    function requireWithin(
        uint256 offset,
        uint256 end
    ) internal pure {
        requireWellFormed(offset <= end, "batch: ends too early");
    }

    /// @dev `what` is text of at most 32 bytes.
    function requireWellFormed(
        bool condition,
        bytes32 what
    ) internal pure {
        if (!condition) _revertMalformed(what);
    }

    function _revertMalformed(
        bytes32 what
    ) private pure {
        bytes32 selector = IExecutionCoordinator.BatchMalformed.selector;
        assembly ("memory-safe") {
            let length := 0
            for {} byte(length, what) {} { length := add(length, 1) }
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), 0x20)
            mstore(add(data, 0x24), length)
            mstore(add(data, 0x44), what)
            revert(data, 0x64)
        }
    }
}
