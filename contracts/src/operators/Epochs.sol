// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Messages} from "../libraries/Messages.sol";
import {OperatorBase} from "./OperatorBase.sol";

/// @title Epochs: whose stake counts in each, and the seed that seats are drawn with.
abstract contract Epochs is OperatorBase {
    using Checkpoints for Checkpoints.Trace224;

    /// @dev Stake is fixed before the seed of its epoch can be known: the seed is captured one epoch ahead at most.
    uint32 private constant EPOCHS_UNTIL_STAKE_COUNTS = 2;
    uint32 private constant EPOCHS_OF_SEEDS_AHEAD = 1;
    /// @dev Nobody knows the hash of this block when the seed is scheduled.
    uint256 private constant BLOCKS_UNTIL_SEED = 2;
    uint224 private constant COUNT_BITS = 32;

    struct Seed {
        bytes32 value;
        uint64 seedBlock;
        uint40 capturedAt;
    }

    mapping(uint32 epoch => Seed) internal _seeds;
    mapping(address operator => Checkpoints.Trace224) private _stakes;
    /// @dev Total stake and, in the lowest 32 bits, the number of operators that it belongs to.
    Checkpoints.Trace224 private _totals;

    /// @inheritdoc IOperatorRegistry
    function captureSeed(
        uint32 epoch
    ) external returns (bytes32 seed) {
        Seed storage record = _seeds[epoch];
        bool isOpen = record.value == 0 && epoch <= currentEpoch() + EPOCHS_OF_SEEDS_AHEAD;
        require(isOpen, SeedNotCapturable(epoch));
        uint256 seedBlock = record.seedBlock;
        if (seedBlock != 0) {
            require(block.number > seedBlock, SeedBlockPending(epoch, seedBlock, block.number));
            bytes32 hash = blockhash(seedBlock);
            if (hash != 0) {
                seed = keccak256(abi.encode(hash, epoch));
                record.value = seed;
                record.capturedAt = uint40(block.timestamp);
                emit SeedCaptured(epoch, seed);
                return seed;
            }
        }
        // Not scheduled yet, or nobody came before the chain forgot the hash: another block is drawn.
        seedBlock = block.number + BLOCKS_UNTIL_SEED;
        // A block number, in 64 bits for longer than any chain.
        // forge-lint: disable-next-line(unsafe-typecast)
        record.seedBlock = uint64(seedBlock);
        emit SeedScheduled(epoch, seedBlock);
    }

    /// @inheritdoc IOperatorRegistry
    function getEpoch(
        uint32 epoch
    ) external view returns (Epoch memory) {
        (uint96 totalStake, uint32 operatorCount) = _totalsAt(epoch);
        Seed storage record = _seeds[epoch];
        return Epoch({
            seed: record.value, capturedAt: record.capturedAt, totalStake: totalStake, operatorCount: operatorCount
        });
    }

    /// @inheritdoc IOperatorRegistry
    function seedBlockOf(
        uint32 epoch
    ) external view returns (uint256) {
        return _seeds[epoch].seedBlock;
    }

    /// @inheritdoc IOperatorRegistry
    function stakeAt(
        address operator,
        uint32 epoch
    ) public view returns (uint256) {
        return _stakes[operator].upperLookupRecent(epoch);
    }

    /// @inheritdoc IOperatorRegistry
    function currentEpoch() public view returns (uint32) {
        return uint32(Messages.epochAt(block.timestamp, _epochSeconds));
    }

    /// @dev Writes down what the operator's stake counts from two epochs on: all of it while it is active, else nothing.
    function _countStake(
        address operator
    ) internal {
        OperatorRecord storage record = _operators[operator];
        uint224 counted = record.status == OperatorStatus.Active ? record.stake : 0;
        uint224 before = _stakes[operator].latest();
        if (before == counted) return;
        uint32 epoch = currentEpoch() + EPOCHS_UNTIL_STAKE_COUNTS;
        _stakes[operator].push(epoch, counted);
        (uint96 totalStake, uint32 operatorCount) = _totalsAt(epoch);
        // What is taken away was added before, and what the token's supply holds fits in 96 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        totalStake = totalStake - uint96(before) + uint96(counted);
        if (before == 0) ++operatorCount;
        if (counted == 0) --operatorCount;
        _totals.push(epoch, uint224(totalStake) << COUNT_BITS | operatorCount);
        emit StakeCounted(operator, epoch, counted, totalStake, operatorCount);
    }

    function _totalsAt(
        uint32 epoch
    ) internal view returns (uint96 totalStake, uint32 operatorCount) {
        uint224 packed = _totals.upperLookupRecent(epoch);
        // Both were packed by `_countStake`.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (uint96(packed >> COUNT_BITS), uint32(packed));
    }
}
