// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {PackedBatch} from "./PackedBatch.sol";
import {Tickets} from "./Tickets.sol";

/// @title A batch under way: what its header says, its workers, and the memory that it needs.
abstract contract BatchRun is Tickets {
    /// @dev A worker of the batch is twelve words in memory: its key and whose it is, the times of tickets it signs for, its
    /// roll, what it signed so far, what it earned so far; and, when its roll is valid, that tickets issued up to
    /// `PLAIN_SECONDS` after `PLAIN_FROM` need no further look at its key. No struct, since every pointer to one that a
    /// function returns is first made to point to a new one.
    uint256 internal constant WORKER_BYTES = 0x180;
    uint256 internal constant OPERATOR = 0x20;
    uint256 internal constant VALID_FROM = 0x40;
    uint256 internal constant VALID_TO = 0x60;
    uint256 internal constant ROLL_AT = 0x80;
    uint256 internal constant IS_ROLLED = 0xa0;
    uint256 internal constant IS_ROLL_VALID = 0xc0;
    /// @dev Count and root of what it signed so far, one behind the other.
    uint256 internal constant COUNT = 0xe0;
    uint256 internal constant EARNED = 0x120;
    uint256 internal constant PLAIN_FROM = 0x140;
    uint256 internal constant PLAIN_SECONDS = 0x160;
    /// @dev Nothing is known of any epoch yet.
    uint256 internal constant NO_EPOCH = type(uint256).max;
    /// @dev No word of sequence numbers is at hand.
    uint256 internal constant NO_WORD = type(uint256).max;

    /// @dev The batch under way. `count` and `root` are the requester's roll, one behind the other. `workers` is where they
    /// stand in memory, one behind the other. `records` is where the digests stand, in batch order: for each group its
    /// terms (see `_readGroup`) and its funder; of an item of one worker its request id and attestation; of a quorum its
    /// request id, commit set, where the next item begins (twice that, plus one when every worker's commitment is in the
    /// set), and each attestation.
    struct Run {
        address requester;
        uint256 end;
        uint256 rollAt;
        uint256 groups;
        uint256 groupsAt;
        uint256 signaturesAt;
        bool isRolled;
        bool isRollValid;
        uint256 count;
        bytes32 root;
        uint256 records;
        uint256 workers;
        uint256 workerCount;
        uint256 sequenceWord;
        uint256 sequenceBits;
        uint256 protocolFees;
        uint256 settled;
        uint256 feeBps;
        uint256 committeeSize;
        uint256 termsSince;
        uint256 plainSince;
        uint256 seatedEpoch;
        bool isAllSeated;
        bool isQuorumOpen;
        bool isBonded;
        uint256 lastCaseAt;
    }

    /// @dev Where in the batch and in `records` the reader stands.
    struct Cursor {
        uint256 offset;
        uint256 record;
    }

    function _openRun(
        bytes calldata batch
    ) internal view returns (Run memory run) {
        PackedBatch.requireWithin(PackedBatch.HEADER_BYTES, batch.length);
        uint256 offset;
        assembly ("memory-safe") {
            offset := batch.offset
        }
        PackedBatch.requireWellFormed(PackedBatch.uint8At(offset) == PackedBatch.VERSION, "batch: unknown version");
        run.end = offset + batch.length;
        run.requester = PackedBatch.addressAt(offset + 1);
        run.workerCount = PackedBatch.uint8At(offset + 21);
        run.groups = PackedBatch.uint8At(offset + 22);
        run.sequenceWord = NO_WORD;
        run.rollAt = offset + PackedBatch.HEADER_BYTES;
        bytes calldata roll;
        (roll, offset) = PackedBatch.signatureAt(run.rollAt, run.end);
        run.isRolled = roll.length != 0;
        run.groupsAt = _readWorkers(run, offset);
        PackedBatch.requireWithin(run.groupsAt, run.end);
        // No record is longer than what it was read from.
        run.records = _reserve(batch.length);
    }

    /// @dev Each worker's key and roll, and in one call to the registry whose key it is. Written out: decoding the answer as
    /// structs costs more than the call.
    function _readWorkers(
        Run memory run,
        uint256 offset
    ) private view returns (uint256 next) {
        uint256 count = run.workerCount;
        uint256 workers = _allocate(count * WORKER_BYTES);
        run.workers = workers;
        address operators = address(_operators);
        bytes32 selector = IOperatorRegistry.getExecutionKeys.selector;
        bool isAnswered;
        next = offset;
        assembly ("memory-safe") {
            let question := mload(0x40)
            mstore(question, selector)
            mstore(add(question, 0x04), 0x20)
            mstore(add(question, 0x24), count)
            let key := add(question, 0x44)
            let end := add(workers, mul(count, WORKER_BYTES))
            for { let worker := workers } lt(worker, end) { worker := add(worker, WORKER_BYTES) } {
                let executionKey := shr(96, calldataload(next))
                mstore(key, executionKey)
                key := add(key, 0x20)
                next := add(next, 20)
                let length := shr(240, calldataload(next))
                mstore(worker, executionKey)
                mstore(add(worker, ROLL_AT), next)
                mstore(add(worker, IS_ROLLED), gt(length, 0))
                next := add(next, add(length, 2))
            }
            let size := mul(count, 0x60)
            isAnswered := staticcall(gas(), operators, question, sub(key, question), 0, 0)
            isAnswered := and(isAnswered, eq(returndatasize(), add(size, 0x40)))
            if isAnswered {
                returndatacopy(question, 0x40, size)
                for { let worker := workers } lt(worker, end) { worker := add(worker, WORKER_BYTES) } {
                    let operator := mload(question)
                    mstore(add(worker, OPERATOR), operator)
                    // A key that nobody has bound is valid from the end of time.
                    mstore(add(worker, VALID_FROM), or(mload(add(question, 0x20)), sub(0, iszero(operator))))
                    mstore(add(worker, VALID_TO), mload(add(question, 0x40)))
                    question := add(question, 0x60)
                }
            }
        }
        PackedBatch.requireWellFormed(isAnswered, "workers: not to be had");
    }

    /// @dev `index` is one that the batch was found to hold.
    function _workerAt(
        Run memory run,
        uint256 index
    ) internal pure returns (uint256) {
        unchecked {
            return run.workers + index * WORKER_BYTES;
        }
    }

    function _operatorOf(
        uint256 worker
    ) internal pure returns (address) {
        return address(uint160(_load(worker + OPERATOR)));
    }

    function _load(
        uint256 place
    ) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(place)
        }
    }

    /// @dev `place` is one of a worker's words.
    function _store(
        uint256 place,
        uint256 value
    ) internal pure {
        assembly ("memory-safe") {
            mstore(place, value)
        }
    }

    /// @dev Not zeroed: for what is written before it is read.
    function _reserve(
        uint256 length
    ) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, and(add(length, 0x3f), not(0x1f))))
        }
    }

    /// @dev Zeroed: what was written behind the free memory before may stand there.
    function _allocate(
        uint256 length
    ) internal pure returns (uint256 place) {
        place = _reserve(length);
        assembly ("memory-safe") {
            calldatacopy(place, calldatasize(), length)
        }
    }
}
