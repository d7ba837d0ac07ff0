// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev A settlement batch as structs, and the bytes that `settle` takes: what `encodeSettlement` writes in TypeScript.
library BatchPacking {
    struct Batch {
        address requester;
        bytes requesterRoll;
        Worker[] workers;
        Group[] groups;
        bytes[] signatures;
    }

    struct Worker {
        address executionKey;
        bytes roll;
    }

    struct Group {
        bytes32 functionId;
        bytes32 runtimeDigest;
        uint32 functionVersion;
        uint32 envVersion;
        uint32 epoch;
        uint8 quorum;
        uint8 lane;
        uint96 fee;
        address funder;
        address payee;
        uint128 price;
        Item[] items;
    }

    struct Item {
        bytes32 inputSeal;
        bytes32 resultSeal;
        bytes32 quoteId;
        address payer;
        uint64 sequence;
        uint40 issuedAt;
        uint40 deadline;
        uint8 outcome;
        uint16 status;
        Seating[] seatings;
        Entry[] commitSet;
    }

    struct Seating {
        uint8 worker;
        uint8 seat;
        bytes32 salt;
    }

    /// @dev The commitment of the next of the item's workers, or somebody else's.
    struct Entry {
        bool isOwn;
        bytes32 other;
    }

    function pack(
        Batch memory batch
    ) internal pure returns (bytes memory packed) {
        packed = abi.encodePacked(
            uint8(1),
            batch.requester,
            uint8(batch.workers.length),
            uint8(batch.groups.length),
            _signature(batch.requesterRoll)
        );
        for (uint256 i; i < batch.workers.length; ++i) {
            packed = abi.encodePacked(packed, batch.workers[i].executionKey, _signature(batch.workers[i].roll));
        }
        for (uint256 i; i < batch.groups.length; ++i) {
            packed = abi.encodePacked(packed, _group(batch.groups[i], batch.groups[i == 0 ? 0 : i - 1], i == 0));
        }
        for (uint256 i; i < batch.signatures.length; ++i) {
            packed = abi.encodePacked(packed, _signature(batch.signatures[i]));
        }
    }

    /// @dev What is as in the group before is left out: 1 the runtime, 2 the funder; 4: the payee is the funder.
    function _group(
        Group memory group,
        Group memory before,
        bool isFirst
    ) private pure returns (bytes memory packed) {
        bool isSameRuntime = !isFirst && group.runtimeDigest == before.runtimeDigest;
        bool isSameFunder = !isFirst && group.funder == before.funder;
        bool isOwnPayee = group.payee == group.funder;
        uint8 flags = (isSameRuntime ? 1 : 0) + (isSameFunder ? 2 : 0) + (isOwnPayee ? 4 : 0);
        packed = abi.encodePacked(flags, uint8(group.items.length), group.functionId);
        if (!isSameRuntime) packed = abi.encodePacked(packed, group.runtimeDigest);
        packed = abi.encodePacked(packed, group.functionVersion, group.envVersion, group.epoch, group.quorum);
        packed = abi.encodePacked(packed, group.lane, group.fee);
        if (!isSameFunder) packed = abi.encodePacked(packed, group.funder);
        if (!isOwnPayee) packed = abi.encodePacked(packed, group.payee);
        packed = abi.encodePacked(packed, group.price);
        for (uint256 i; i < group.items.length; ++i) {
            packed = abi.encodePacked(packed, _item(group.items[i], group.quorum));
        }
    }

    function _item(
        Item memory item,
        uint8 quorum
    ) private pure returns (bytes memory packed) {
        packed = abi.encodePacked(item.inputSeal, item.resultSeal, item.quoteId, item.payer, item.sequence);
        packed =
            abi.encodePacked(packed, item.issuedAt, uint32(item.deadline - item.issuedAt), item.outcome, item.status);
        for (uint256 i; i < item.seatings.length; ++i) {
            packed = abi.encodePacked(packed, item.seatings[i].seat, item.seatings[i].worker);
            if (quorum != 1) packed = abi.encodePacked(packed, item.seatings[i].salt);
        }
        if (quorum == 1) return packed;
        uint16 mask;
        bytes memory others;
        for (uint256 i; i < item.commitSet.length; ++i) {
            if (item.commitSet[i].isOwn) mask |= uint16(1 << i);
            else others = abi.encodePacked(others, item.commitSet[i].other);
        }
        return abi.encodePacked(packed, uint8(item.commitSet.length), mask, others);
    }

    function _signature(
        bytes memory signature
    ) private pure returns (bytes memory) {
        return abi.encodePacked(uint16(signature.length), signature);
    }
}
