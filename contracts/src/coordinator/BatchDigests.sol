// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {BatchRun} from "./BatchRun.sol";
import {PackedBatch} from "./PackedBatch.sol";

/// @title What a batch says before any of it is believed: every digest, and whose rolls over them are valid.
/// @notice Written out, since this is most of what a settlement computes. What is hashed again and again is laid out in
/// memory once and only what differs is written anew.
abstract contract BatchDigests is BatchRun {
    // Where things stand behind the place that `_openPreimages` gives: a ticket with its type hash before it (0x280 bytes,
    // the members a word each in the order of `Ticket`), an attestation (0xe0), a commitment (0xa0), a commit set (0x80),
    // `0x1901 ‖ domain ‖ struct hash` (66 bytes), and the commitments of an item's workers.
    uint256 private constant ATTESTATION = 0x280;
    uint256 private constant COMMITMENT = 0x360;
    uint256 private constant COMMIT_SET = 0x400;
    uint256 private constant TYPED_DATA = 0x480;
    uint256 private constant STRUCT_HASH = 0x4a2;
    uint256 private constant OWN = 0x4e0;
    uint256 private constant PREIMAGE_BYTES = 0x5c0;

    /// @dev Of the facts of an item of one worker: issue, lifetime, outcome, status and seat, 104 bits.
    uint256 internal constant REPEATED = 0xffffffffffffffffffffffffff0000000000000000000000;

    function _hashItems(
        Run memory run
    ) internal view {
        uint256 preimages = _openPreimages(run.requester);
        Cursor memory cursor = Cursor({offset: run.groupsAt, record: run.records});
        for (uint256 groups = run.groups; groups != 0;) {
            (uint256 items, uint256 quorum) = _readGroup(cursor, preimages);
            PackedBatch.requireWithin(cursor.offset, run.end);
            PackedBatch.requireWellFormed(quorum != 0 && quorum <= MAXIMUM_QUORUM, "group: quorum or flags");
            // A group has at most 255 items.
            unchecked {
                --groups;
                if (quorum == 1) {
                    PackedBatch.requireWithin(cursor.offset + items * PackedBatch.SINGLE_BYTES, run.end);
                    _hashSingles(run, cursor, preimages, items);
                    continue;
                }
                for (; items != 0; --items) {
                    _hashQuorum(run, cursor, preimages, quorum);
                }
            }
        }
        PackedBatch.requireWithin(cursor.offset, run.end);
        PackedBatch.requireWellFormed(run.count != 0, "batch: no items");
        run.signaturesAt = cursor.offset;
        _checkRolls(run, preimages);
    }

    function _openPreimages(
        address requester
    ) private view returns (uint256 place) {
        place = _allocate(PREIMAGE_BYTES);
        _store(place, uint256(Messages.TICKET_TYPEHASH));
        _store(place + 0x20, Messages.PROTOCOL_VERSION);
        _store(place + 0xe0, uint160(requester));
        _store(place + ATTESTATION, uint256(Messages.ATTESTATION_TYPEHASH));
        _store(place + ATTESTATION + 0x20, Messages.PROTOCOL_VERSION);
        _store(place + COMMITMENT, uint256(Hashes.COMMITMENT_TYPEHASH));
        _store(place + COMMIT_SET, uint256(Messages.COMMIT_SET_TYPEHASH));
        _store(place + COMMIT_SET + 0x20, Messages.PROTOCOL_VERSION);
        _store(place + TYPED_DATA, 0x1901 << 240);
        _store(place + TYPED_DATA + 2, uint256(_domainSeparator()));
    }

    /// @dev What all items of a group share goes into the ticket; into the records, from the lowest bit, what settling them
    /// needs: fee (96 bits), lane (8), quorum (8), epoch (32), how many items (8), where they begin. Then the funder.
    function _readGroup(
        Cursor memory cursor,
        uint256 preimages
    ) private pure returns (uint256 items, uint256 quorum) {
        assembly ("memory-safe") {
            let offset := mload(cursor)
            let facts := calldataload(offset)
            let flags := shr(248, facts)
            items := and(shr(240, facts), 0xff)
            mstore(add(preimages, 0x40), calldataload(add(offset, 2)))
            offset := add(offset, 34)
            // What is as in the group before is left out: 1 the runtime, 2 the funder; 4: the payee is the funder.
            if iszero(and(flags, 1)) {
                mstore(add(preimages, 0xa0), calldataload(offset))
                offset := add(offset, 32)
            }
            facts := calldataload(offset)
            offset := add(offset, 26)
            quorum := and(shr(152, facts), 0xff)
            mstore(add(preimages, 0x60), shr(224, facts))
            mstore(add(preimages, 0x80), and(shr(192, facts), 0xffffffff))
            mstore(add(preimages, 0x100), and(shr(160, facts), 0xffffffff))
            mstore(add(preimages, 0x140), quorum)
            mstore(add(preimages, 0x160), and(shr(144, facts), 0xff))
            mstore(add(preimages, 0x180), and(shr(48, facts), 0xffffffffffffffffffffffff))
            if iszero(and(flags, 2)) {
                mstore(add(preimages, 0x260), shr(96, calldataload(offset)))
                offset := add(offset, 20)
            }
            let payee := mload(add(preimages, 0x260))
            if iszero(and(flags, 4)) {
                payee := shr(96, calldataload(offset))
                offset := add(offset, 20)
            }
            mstore(add(preimages, 0x200), payee)
            mstore(add(preimages, 0x220), shr(128, calldataload(offset)))
            offset := add(offset, 16)
            let record := mload(add(cursor, 0x20))
            facts := and(shr(48, facts), 0xffffffffffffffffffffffffffffffffffff)
            mstore(record, or(facts, or(shl(144, items), shl(152, offset))))
            mstore(add(record, 0x20), mload(add(preimages, 0x260)))
            mstore(cursor, offset)
            mstore(add(cursor, 0x20), add(record, 0x40))
            // Flags that mean nothing are no way to write the same batch twice.
            quorum := mul(quorum, lt(flags, 8))
        }
    }

    /// @dev Items of one worker each: hashes ticket and attestation, chains both rolls and records both digests.
    function _hashSingles(
        Run memory run,
        Cursor memory cursor,
        uint256 preimages,
        uint256 items
    ) private pure {
        unchecked {
            run.count += items;
        }
        assembly ("memory-safe") {
            let offset := mload(cursor)
            let record := mload(add(cursor, 0x20))
            let known := not(0)
            for {} items { items := sub(items, 1) } {
                let facts := calldataload(add(offset, 116))
                let worker := and(shr(80, facts), 0xff)
                if iszero(lt(worker, mload(add(run, 0x180)))) { break }
                // Times, outcome, status and seat are often those of the item before.
                if xor(known, and(facts, REPEATED)) {
                    known := and(facts, REPEATED)
                    mstore(add(preimages, 0x1a0), shr(152, known))
                    mstore(add(preimages, 0x1c0), add(shr(152, known), and(shr(120, known), 0xffffffff)))
                    mstore(add(preimages, 0x300), and(shr(112, known), 0xff))
                    mstore(add(preimages, 0x320), and(shr(96, known), 0xffff))
                    mstore(add(preimages, 0x340), and(shr(88, known), 0xff))
                }
                mstore(add(preimages, 0xc0), calldataload(offset))
                mstore(add(preimages, 0x120), shr(192, facts))
                mstore(add(preimages, 0x1e0), shr(96, calldataload(add(offset, 96))))
                mstore(add(preimages, 0x240), calldataload(add(offset, 64)))
                mstore(add(preimages, STRUCT_HASH), keccak256(preimages, 0x280))
                let digest := keccak256(add(preimages, TYPED_DATA), 66)
                mstore(record, digest)
                mstore(0x00, mload(add(run, 0x120)))
                mstore(0x20, digest)
                mstore(add(run, 0x120), keccak256(0x00, 0x40))
                mstore(add(preimages, 0x2c0), digest)
                mstore(add(preimages, 0x2e0), calldataload(add(offset, 32)))
                mstore(add(preimages, STRUCT_HASH), keccak256(add(preimages, ATTESTATION), 0xe0))
                digest := keccak256(add(preimages, TYPED_DATA), 66)
                mstore(add(record, 0x20), digest)
                worker := add(add(mload(add(run, 0x160)), COUNT), mul(worker, WORKER_BYTES))
                mstore(worker, add(mload(worker), 1))
                worker := add(worker, 0x20)
                mstore(0x00, mload(worker))
                mstore(0x20, digest)
                mstore(worker, keccak256(0x00, 0x40))
                record := add(record, 0x40)
                offset := add(offset, 138)
            }
            mstore(cursor, offset)
            mstore(add(cursor, 0x20), record)
        }
        PackedBatch.requireWellFormed(items == 0, "seating: no such worker");
    }

    /// @dev One item of several workers: its ticket, then what they sign.
    function _hashQuorum(
        Run memory run,
        Cursor memory cursor,
        uint256 preimages,
        uint256 quorum
    ) private pure {
        uint256 least = PackedBatch.ITEM_BYTES + quorum * PackedBatch.SALTED_SEATING_BYTES;
        PackedBatch.requireWithin(cursor.offset + least + PackedBatch.SET_HEADER_BYTES, run.end);
        assembly ("memory-safe") {
            let offset := mload(cursor)
            let facts := calldataload(add(offset, 116))
            let issuedAt := and(shr(152, facts), 0xffffffffff)
            mstore(add(preimages, 0xc0), calldataload(offset))
            mstore(add(preimages, 0x120), shr(192, facts))
            mstore(add(preimages, 0x1a0), issuedAt)
            mstore(add(preimages, 0x1c0), add(issuedAt, and(shr(120, facts), 0xffffffff)))
            mstore(add(preimages, 0x1e0), shr(96, calldataload(add(offset, 96))))
            mstore(add(preimages, 0x240), calldataload(add(offset, 64)))
            mstore(add(preimages, 0x2e0), calldataload(add(offset, 32)))
            mstore(add(preimages, 0x300), and(shr(112, facts), 0xff))
            mstore(add(preimages, 0x320), and(shr(96, facts), 0xffff))
            mstore(add(preimages, 0x3c0), calldataload(add(offset, 32)))
            mstore(add(preimages, STRUCT_HASH), keccak256(preimages, 0x280))
            let requestId := keccak256(add(preimages, TYPED_DATA), 66)
            mstore(add(preimages, 0x2c0), requestId)
            mstore(add(preimages, 0x380), requestId)
            mstore(add(preimages, 0x440), requestId)
            mstore(mload(add(cursor, 0x20)), requestId)
            mstore(0x00, mload(add(run, 0x120)))
            mstore(0x20, requestId)
            mstore(add(run, 0x120), keccak256(0x00, 0x40))
            mstore(cursor, add(offset, 136))
        }
        PackedBatch.requireWellFormed(_hashSeatings(run, cursor, preimages, quorum), "seating: no such worker");
        PackedBatch.requireWellFormed(_hashCommitSet(run, cursor, preimages, quorum), "commit set: no such worker");
        PackedBatch.requireWithin(cursor.offset, run.end);
        unchecked {
            run.count += 2;
        }
    }

    /// @dev The workers of an item: each attestation goes to the records and on to its worker's roll, each commitment to the
    /// list of the item's own.
    /// @return isWellFormed False when a worker is named that the batch does not hold.
    function _hashSeatings(
        Run memory run,
        Cursor memory cursor,
        uint256 preimages,
        uint256 quorum
    ) private pure returns (bool isWellFormed) {
        assembly ("memory-safe") {
            let offset := mload(cursor)
            // Behind the request id, the set and where the next item begins.
            let record := add(mload(add(cursor, 0x20)), 0x60)
            let own := add(preimages, OWN)
            let end := add(own, shl(5, quorum))
            // No seat has this number.
            let seat := 0x100
            let digest := 0
            for {} lt(own, end) { own := add(own, 0x20) } {
                let worker := calldataload(offset)
                if xor(seat, shr(248, worker)) {
                    seat := shr(248, worker)
                    mstore(add(preimages, 0x340), seat)
                    mstore(add(preimages, STRUCT_HASH), keccak256(add(preimages, ATTESTATION), 0xe0))
                    digest := keccak256(add(preimages, TYPED_DATA), 66)
                }
                worker := and(shr(240, worker), 0xff)
                if iszero(lt(worker, mload(add(run, 0x180)))) { break }
                worker := add(mload(add(run, 0x160)), mul(worker, WORKER_BYTES))
                mstore(add(preimages, 0x3a0), mload(worker))
                mstore(add(preimages, 0x3e0), calldataload(add(offset, 2)))
                mstore(own, keccak256(add(preimages, COMMITMENT), 0xa0))
                mstore(record, digest)
                worker := add(worker, COUNT)
                mstore(worker, add(mload(worker), 1))
                worker := add(worker, 0x20)
                mstore(0x00, mload(worker))
                mstore(0x20, digest)
                mstore(worker, keccak256(0x00, 0x40))
                record := add(record, 0x20)
                offset := add(offset, 34)
            }
            isWellFormed := eq(own, end)
            mstore(cursor, offset)
        }
    }

    /// @dev The ordered set: the item's own commitments stand in it in the order of its workers, where the mask has a bit; the
    /// others follow here. It is hashed, recorded, and chained to the requester's roll.
    /// @return isWellFormed False when the mask has more bits than there are commitments or workers.
    function _hashCommitSet(
        Run memory run,
        Cursor memory cursor,
        uint256 preimages,
        uint256 quorum
    ) private pure returns (bool isWellFormed) {
        assembly ("memory-safe") {
            let offset := mload(cursor)
            let mask := calldataload(offset)
            let count := shr(248, mask)
            mask := and(shr(232, mask), 0xffff)
            offset := add(offset, 3)
            isWellFormed := iszero(shr(count, mask))
            let own := add(preimages, OWN)
            let set := mload(0x40)
            let next := set
            for {} count { count := sub(count, 1) } {
                switch and(mask, 1)
                case 1 {
                    mstore(next, mload(own))
                    own := add(own, 0x20)
                }
                default {
                    mstore(next, calldataload(offset))
                    offset := add(offset, 32)
                }
                mask := shr(1, mask)
                next := add(next, 0x20)
            }
            own := sub(own, add(preimages, OWN))
            isWellFormed := and(isWellFormed, iszero(gt(own, shl(5, quorum))))
            mstore(add(preimages, 0x460), keccak256(set, sub(next, set)))
            mstore(add(preimages, STRUCT_HASH), keccak256(add(preimages, COMMIT_SET), 0x80))
            let digest := keccak256(add(preimages, TYPED_DATA), 66)
            mstore(0x00, mload(add(run, 0x120)))
            mstore(0x20, digest)
            mstore(add(run, 0x120), keccak256(0x00, 0x40))
            let record := mload(add(cursor, 0x20))
            mstore(add(record, 0x20), digest)
            mstore(add(record, 0x40), or(shl(1, offset), eq(own, shl(5, quorum))))
            mstore(cursor, offset)
            mstore(add(cursor, 0x20), add(record, add(0x60, shl(5, quorum))))
        }
    }

    function _checkRolls(
        Run memory run,
        uint256 preimages
    ) private view {
        if (run.isRolled) {
            uint256 place;
            assembly ("memory-safe") {
                place := add(run, 0x100)
            }
            bytes calldata roll = PackedBatch.knownSignatureAt(run.rollAt);
            run.isRollValid = _isSignedByRequester(run.requester, _hashRoll(preimages, place), roll);
        }
        uint256 end = _workerAt(run, run.workerCount);
        unchecked {
            for (uint256 worker = run.workers; worker < end; worker += WORKER_BYTES) {
                _store(worker + PLAIN_FROM, type(uint256).max);
                if (_load(worker + IS_ROLLED) == 0 || _load(worker + OPERATOR) == 0) continue;
                bytes calldata roll = PackedBatch.knownSignatureAt(_load(worker + ROLL_AT));
                address key = address(uint160(_load(worker)));
                if (!_isSignedByKey(key, _hashRoll(preimages, worker + COUNT), roll)) continue;
                _store(worker + IS_ROLL_VALID, 1);
                _store(worker + PLAIN_FROM, _load(worker + VALID_FROM));
                // A key's time never ends before it begins.
                _store(worker + PLAIN_SECONDS, _load(worker + VALID_TO) - _load(worker + VALID_FROM));
            }
        }
    }

    /// @dev `Messages.hashBatchRoll` of the count and the root that stand at `place`.
    function _hashRoll(
        uint256 preimages,
        uint256 place
    ) private pure returns (bytes32 digest) {
        bytes32 typehash = Messages.BATCH_ROLL_TYPEHASH;
        uint256 version = Messages.PROTOCOL_VERSION;
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, typehash)
            mstore(add(preimage, 0x20), version)
            mcopy(add(preimage, 0x40), place, 0x40)
            mstore(add(preimages, STRUCT_HASH), keccak256(preimage, 0x80))
            digest := keccak256(add(preimages, TYPED_DATA), 66)
        }
    }
}
