// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {PackedBatch} from "./PackedBatch.sol";
import {Tickets} from "./Tickets.sol";

/// @title What a batch says before any of it is believed: every digest, and whose rolls over them are valid.
abstract contract BatchDigests is Tickets {
    uint256 private constant WORD = 32;
    /// @dev No request was issued in this epoch: nothing is known of any yet.
    uint256 private constant NO_EPOCH = type(uint256).max;

    /// @dev A worker of the batch: whose key it is, what it signed so far, what it earned so far. A key that nobody has
    /// bound is valid from the end of time.
    struct Worker {
        address executionKey;
        address operator;
        uint256 validFrom;
        uint256 validTo;
        uint256 rollAt;
        bool isRolled;
        bool isRollValid;
        uint256 count;
        bytes32 root;
        uint256 earned;
    }

    /// @dev The batch under way. `records` is where the digests stand in memory, in batch order: of an item of one worker its
    /// request id and attestation; of a quorum request id, commit set, whether every worker's commitment is in it, and then
    /// each attestation.
    struct Run {
        bytes32 domain;
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
        Worker[] workers;
        uint256 sequenceWord;
        uint256 sequenceBits;
        uint256 protocolFees;
        uint256 settled;
        uint256 feeBps;
        uint256 committeeSize;
        uint256 termsSince;
        uint256 seatedEpoch;
        bool isAllSeated;
    }

    /// @dev Where in the batch and in `records` the reader stands.
    struct Cursor {
        uint256 offset;
        uint256 record;
    }

    /// @dev `Hashes.commitment` as it enters its hash.
    struct CommitmentPreimage {
        bytes32 typehash;
        bytes32 requestId;
        address worker;
        bytes32 resultSeal;
        bytes32 salt;
    }

    function _openRun(
        bytes calldata batch
    ) internal view returns (Run memory run) {
        PackedBatch.requireWithin(PackedBatch.HEADER_BYTES, batch.length);
        uint256 offset;
        assembly ("memory-safe") {
            offset := batch.offset
        }
        require(PackedBatch.uint8At(offset) == PackedBatch.VERSION, BatchMalformed("batch: unknown version"));
        run.domain = domainSeparator();
        run.end = offset + batch.length;
        run.requester = PackedBatch.addressAt(offset + 1);
        run.groups = PackedBatch.uint8At(offset + 22);
        run.sequenceWord = type(uint256).max;
        run.seatedEpoch = NO_EPOCH;
        uint256 workers = PackedBatch.uint8At(offset + 21);
        offset = _openWorkers(run, workers, offset + PackedBatch.HEADER_BYTES);
        run.groupsAt = offset;
        run.records = _allocate(batch.length);
    }

    /// @dev The requester's roll, then each worker's key and roll.
    function _openWorkers(
        Run memory run,
        uint256 count,
        uint256 offset
    ) private view returns (uint256) {
        bytes calldata roll;
        run.rollAt = offset;
        (roll, offset) = PackedBatch.signatureAt(offset, run.end);
        run.isRolled = roll.length != 0;
        run.workers = new Worker[](count);
        address[] memory keys = new address[](count);
        for (uint256 i; i < count; ++i) {
            Worker memory worker = run.workers[i];
            worker.executionKey = PackedBatch.addressAt(offset);
            worker.rollAt = offset + PackedBatch.ADDRESS_BYTES;
            (roll, offset) = PackedBatch.signatureAt(worker.rollAt, run.end);
            worker.isRolled = roll.length != 0;
            keys[i] = worker.executionKey;
        }
        IOperatorRegistry.ExecutionKey[] memory found = _operators.getExecutionKeys(keys);
        for (uint256 i; i < count; ++i) {
            Worker memory worker = run.workers[i];
            worker.operator = found[i].operator;
            worker.validFrom = worker.operator == address(0) ? type(uint256).max : found[i].validFrom;
            worker.validTo = found[i].validTo;
        }
        return offset;
    }

    function _hashItems(
        Run memory run
    ) internal pure {
        Messages.TicketPreimage memory ticket;
        Messages.AttestationPreimage memory attestation;
        CommitmentPreimage memory commitment;
        ticket.typehash = Messages.TICKET_TYPEHASH;
        ticket.protocolVersion = Messages.PROTOCOL_VERSION;
        ticket.requester = run.requester;
        attestation.typehash = Messages.ATTESTATION_TYPEHASH;
        attestation.protocolVersion = Messages.PROTOCOL_VERSION;
        commitment.typehash = Hashes.COMMITMENT_TYPEHASH;
        Cursor memory cursor = Cursor({offset: run.groupsAt, record: run.records});
        for (uint256 groups = run.groups; groups != 0; --groups) {
            uint256 items = PackedBatch.readGroup(cursor.offset, ticket);
            cursor.offset += PackedBatch.GROUP_BYTES;
            for (; items != 0; --items) {
                _hashItem(run, cursor, ticket, attestation, commitment);
            }
        }
        run.signaturesAt = cursor.offset;
        PackedBatch.requireWithin(cursor.offset, run.end);
        require(cursor.record != run.records, BatchMalformed("batch: no items"));
    }

    function _hashItem(
        Run memory run,
        Cursor memory cursor,
        Messages.TicketPreimage memory ticket,
        Messages.AttestationPreimage memory attestation,
        CommitmentPreimage memory commitment
    ) private pure {
        uint256 offset = cursor.offset;
        PackedBatch.requireWithin(offset + PackedBatch.ITEM_BYTES + 1, run.end);
        PackedBatch.readItem(offset, ticket, attestation);
        bytes32 requestId = Messages.hashTicketPreimage(run.domain, ticket);
        _record(cursor, requestId);
        run.root = Hashes.roll(run.root, requestId);
        attestation.requestId = requestId;
        cursor.offset = offset + PackedBatch.ITEM_BYTES;
        if (ticket.quorum == 1) {
            _hashSeating(run, cursor, attestation);
            cursor.offset += PackedBatch.SEATING_BYTES;
            unchecked {
                ++run.count;
            }
            return;
        }
        commitment.requestId = requestId;
        commitment.resultSeal = attestation.resultSeal;
        _hashQuorum(run, cursor, ticket.quorum, attestation, commitment);
        unchecked {
            run.count += 2;
        }
    }

    /// @dev One worker's attestation: into the records, and on to its roll.
    function _hashSeating(
        Run memory run,
        Cursor memory cursor,
        Messages.AttestationPreimage memory attestation
    ) private pure returns (Worker memory worker) {
        uint256 seating = PackedBatch.word(cursor.offset);
        worker = _workerAt(run, seating >> 248);
        attestation.seat = uint8(seating >> 240);
        bytes32 digest = Messages.hashAttestationPreimage(run.domain, attestation);
        _record(cursor, digest);
        worker.root = Hashes.roll(worker.root, digest);
        unchecked {
            ++worker.count;
        }
    }

    /// @dev The workers of a quorum and their commitments, then the set that these must stand in.
    function _hashQuorum(
        Run memory run,
        Cursor memory cursor,
        uint256 quorum,
        Messages.AttestationPreimage memory attestation,
        CommitmentPreimage memory commitment
    ) private pure {
        uint256 start = cursor.offset;
        PackedBatch.requireWithin(start + quorum * PackedBatch.SALTED_SEATING_BYTES + 1, run.end);
        // Set and mark are recorded before the attestations and known after them.
        uint256 setRecord = cursor.record;
        _record(cursor, bytes32(0));
        _record(cursor, bytes32(0));
        bytes32[] memory own = new bytes32[](quorum);
        for (uint256 i; i < quorum; ++i) {
            commitment.worker = _hashSeating(run, cursor, attestation).executionKey;
            commitment.salt = bytes32(PackedBatch.word(cursor.offset + PackedBatch.SEATING_BYTES));
            own[i] = _hashCommitment(commitment);
            cursor.offset += PackedBatch.SALTED_SEATING_BYTES;
        }
        (bytes32[] memory commitments, bool isComplete) = _readCommitSet(run, cursor, own);
        bytes32 digest =
            Messages.hashCommitSet(run.domain, Messages.PROTOCOL_VERSION, attestation.requestId, commitments);
        run.root = Hashes.roll(run.root, digest);
        assembly ("memory-safe") {
            mstore(setRecord, digest)
            mstore(add(setRecord, WORD), isComplete)
        }
    }

    /// @dev The ordered set, in which the workers' own commitments are named by their place. Complete: all of them are there.
    function _readCommitSet(
        Run memory run,
        Cursor memory cursor,
        bytes32[] memory own
    ) private pure returns (bytes32[] memory commitments, bool isComplete) {
        uint256 offset = cursor.offset;
        commitments = new bytes32[](PackedBatch.uint8At(offset));
        uint256 seen;
        ++offset;
        for (uint256 i; i < commitments.length; ++i) {
            uint256 entry = PackedBatch.uint8At(offset);
            ++offset;
            if (entry == PackedBatch.FOREIGN_COMMITMENT) {
                commitments[i] = bytes32(PackedBatch.word(offset));
                offset += WORD;
            } else {
                require(entry < own.length, BatchMalformed("commit set: no such worker"));
                commitments[i] = own[entry];
                // One, moved left: this order is meant.
                // forge-lint: disable-next-line(incorrect-shift)
                seen |= 1 << entry;
            }
            PackedBatch.requireWithin(offset, run.end);
        }
        cursor.offset = offset;
        // forge-lint: disable-next-line(incorrect-shift)
        isComplete = seen == (1 << own.length) - 1;
    }

    function _checkRolls(
        Run memory run
    ) internal view {
        bytes calldata roll;
        if (run.isRolled) {
            (roll,) = PackedBatch.signatureAt(run.rollAt, run.end);
            bytes32 digest = Messages.hashBatchRoll(run.domain, run.count, run.root);
            run.isRollValid = _isSignedByRequester(run.requester, digest, roll);
        }
        for (uint256 i; i < run.workers.length; ++i) {
            Worker memory worker = run.workers[i];
            if (!worker.isRolled || worker.operator == address(0)) continue;
            (roll,) = PackedBatch.signatureAt(worker.rollAt, run.end);
            bytes32 digest = Messages.hashBatchRoll(run.domain, worker.count, worker.root);
            worker.isRollValid = _isSignedByKey(worker.executionKey, digest, roll);
        }
    }

    function _workerAt(
        Run memory run,
        uint256 index
    ) internal pure returns (Worker memory) {
        require(index < run.workers.length, BatchMalformed("seating: no such worker"));
        return run.workers[index];
    }

    function _readRecord(
        uint256 offset
    ) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(offset)
        }
    }

    function _record(
        Cursor memory cursor,
        bytes32 value
    ) private pure {
        uint256 offset = cursor.record;
        // Every record is shorter than what it was read from, and as much was allocated as the batch is long.
        assembly ("memory-safe") {
            mstore(offset, value)
        }
        unchecked {
            cursor.record = offset + WORD;
        }
    }

    function _hashCommitment(
        CommitmentPreimage memory preimage
    ) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(preimage, 0xa0)
        }
    }

    function _allocate(
        uint256 length
    ) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := mload(0x40)
            mstore(0x40, and(add(add(offset, length), 0x3f), not(0x1f)))
        }
    }
}
