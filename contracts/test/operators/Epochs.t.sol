// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {OperatorFixture} from "./OperatorFixture.sol";

contract EpochsTest is OperatorFixture {
    uint96 private constant STAKE = 300e6;

    function test_epochs_areCountedFromZeroTime() public {
        assertEq(epochNow(), START / EPOCH_SECONDS);
        vm.warp(START + EPOCH_SECONDS - START % EPOCH_SECONDS);
        assertEq(epochNow(), START / EPOCH_SECONDS + 1);
    }

    function test_stake_countsFromTwoEpochsLater() public {
        uint32 epoch = epochNow();
        bytes memory proof = proofOf(operatorAt(0), keyAt(0));
        fillPurse(operatorAt(0), STAKE);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.StakeCounted(operatorAt(0), epoch + 2, STAKE, STAKE, 1);
        vm.prank(operatorAt(0));
        operators.registerOperator(vm.addr(keyAt(0)), proof, STAKE, 1);
        address first = operatorAt(0);
        assertCounted(first, epoch + 1, 0, 0, 0);
        assertCounted(first, epoch + 2, STAKE, STAKE, 1);
        assertCounted(first, epoch + 1000, STAKE, STAKE, 1);
        skipEpochs(1);
        address second = register(1);
        assertCounted(second, epoch + 2, 0, STAKE, 1);
        assertCounted(second, epoch + 3, MINIMUM_STAKE, STAKE + MINIMUM_STAKE, 2);
    }

    function test_stake_addedCountsFromTwoEpochsLater() public {
        address first = register(0, STAKE);
        uint32 epoch = epochNow();
        skipEpochs(1);
        fillPurse(first, 7);
        vm.prank(first);
        operators.addStake(7);
        assertCounted(first, epoch + 2, STAKE, STAKE, 1);
        assertCounted(first, epoch + 3, STAKE + 7, STAKE + 7, 1);
    }

    function test_stake_addedByWhoDoesNotWorkCountsWhenItDoes() public {
        address first = register(0, STAKE);
        skipEpochs(5);
        uint32 epoch = epochNow();
        fillPurse(first, 7);
        vm.startPrank(first);
        operators.drain();
        operators.addStake(7);
        assertCounted(first, epoch + 1, STAKE, STAKE, 1);
        assertCounted(first, epoch + 2, 0, 0, 0);
        skipEpochs(1);
        operators.resume();
        assertCounted(first, epoch + 2, 0, 0, 0);
        assertCounted(first, epoch + 3, STAKE + 7, STAKE + 7, 1);
    }

    function test_stake_ofWhoComesBackInTheSameEpochNeverStoppedCounting() public {
        address first = register(0, STAKE);
        skipEpochs(5);
        vm.startPrank(first);
        operators.drain();
        operators.resume();
        uint32 epoch = epochNow();
        assertCounted(first, epoch + 1, STAKE, STAKE, 1);
        assertCounted(first, epoch + 2, STAKE, STAKE, 1);
    }

    /// @dev Each way out of work ends the counting, two epochs later and not sooner.
    function test_stake_countsNothingForWhoDoesNotWork() public {
        for (uint256 way; way < 4; ++way) {
            address leaving = register(way, STAKE);
            skipEpochs(5);
            uint32 epoch = epochNow();
            if (way == 3) {
                vm.prank(court);
                operators.jail(leaving, 1);
            } else {
                vm.startPrank(leaving);
                if (way == 0) operators.drain();
                else if (way == 1) operators.revokeExecutionKey();
                else operators.unbond();
                vm.stopPrank();
            }
            assertCounted(leaving, epoch + 1, STAKE, STAKE, 1);
            assertCounted(leaving, epoch + 2, 0, 0, 0);
        }
    }

    function test_stake_thatWasSlashedCountsLess() public {
        address first = register(0, STAKE);
        address second = register(1, STAKE);
        skipEpochs(5);
        uint32 epoch = epochNow();
        vm.startPrank(court);
        operators.slash(first, 50e6, stranger);
        assertCounted(first, epoch + 1, STAKE, 2 * STAKE, 2);
        assertCounted(first, epoch + 2, STAKE - 50e6, 2 * STAKE - 50e6, 2);
        operators.slash(first, 200e6, stranger);
        assertCounted(first, epoch + 2, 0, STAKE, 1);
        assertCounted(second, epoch + 2, STAKE, STAKE, 1);
    }

    /// @dev The total of an epoch is the sum of what counts in it, whatever anybody does.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_totals_areTheSumOfWhatCounts(
        uint256[24] calldata moves
    ) public {
        for (uint256 i; i < 4; ++i) {
            register(i, uint96(MINIMUM_STAKE + i * 50e6));
        }
        for (uint256 i; i < moves.length; ++i) {
            _move(operatorAt(moves[i] % 4), (moves[i] >> 8) % 8, uint96(1 + (moves[i] >> 16) % 90e6));
        }
        for (uint32 epoch = epochNow() - 3; epoch < epochNow() + 4; ++epoch) {
            (uint256 sum, uint256 count) = (0, 0);
            for (uint256 i; i < 4; ++i) {
                uint256 counted = operators.stakeAt(operatorAt(i), epoch);
                sum += counted;
                if (counted != 0) ++count;
            }
            IOperatorRegistry.Epoch memory found = operators.getEpoch(epoch);
            assertEq(found.totalStake, sum);
            assertEq(found.operatorCount, count);
        }
    }

    function _move(
        address operator,
        uint256 kind,
        uint96 amount
    ) private {
        IOperatorRegistry.OperatorStatus status = statusOf(operator);
        if (kind == 0 && status == IOperatorRegistry.OperatorStatus.Active) {
            vm.prank(operator);
            operators.drain();
        }
        if (kind == 1 && status == IOperatorRegistry.OperatorStatus.Draining && stakeOf(operator) >= MINIMUM_STAKE) {
            vm.prank(operator);
            operators.resume();
        }
        if (kind == 2 && status < IOperatorRegistry.OperatorStatus.Unbonding) {
            fillPurse(operator, amount);
            vm.prank(operator);
            operators.addStake(amount);
        }
        if (kind == 3) {
            vm.prank(court);
            operators.slash(operator, amount, stranger);
        }
        if (kind == 4 && amount % 5 == 0) {
            vm.prank(court);
            operators.jail(operator, 1);
        }
        if (kind > 4) skipEpochs(1);
    }

    // ------------------------------------------------------------ seeds

    function test_seed_isScheduledThenCaptured() public {
        uint32 epoch = epochNow() + 1;
        vm.roll(1000);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.SeedScheduled(epoch, 1002);
        assertEq(operators.captureSeed(epoch), 0);
        assertEq(operators.seedBlockOf(epoch), 1002);
        for (uint256 number = 1000; number <= 1002; ++number) {
            vm.roll(number);
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.SeedBlockPending.selector, epoch, 1002, number));
            operators.captureSeed(epoch);
        }
        vm.roll(1003);
        skip(7);
        bytes32 expected = keccak256(abi.encode(blockhash(1002), epoch));
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.SeedCaptured(epoch, expected);
        assertEq(operators.captureSeed(epoch), expected);
        IOperatorRegistry.Epoch memory found = operators.getEpoch(epoch);
        assertEq(found.seed, expected);
        assertEq(found.capturedAt, nowAt());
        expectNotCapturable(epoch);
        operators.captureSeed(epoch);
    }

    function test_seed_notBeforeTheEpochBefore() public {
        uint32 epoch = epochNow() + 2;
        expectNotCapturable(epoch);
        operators.captureSeed(epoch);
        skipEpochs(1);
        operators.captureSeed(epoch);
    }

    function test_seed_mayBeCapturedLate() public {
        uint32 epoch = epochNow();
        skipEpochs(10);
        assertTrue(captureSeed(epoch) != 0);
        assertEq(operators.getEpoch(epoch).capturedAt, nowAt());
    }

    function test_seed_differsFromEpochToEpoch() public {
        uint32 epoch = epochNow();
        operators.captureSeed(epoch);
        operators.captureSeed(epoch + 1);
        vm.roll(vm.getBlockNumber() + 3);
        assertTrue(operators.captureSeed(epoch) != operators.captureSeed(epoch + 1));
    }

    /// @dev The chain forgets a hash after 256 blocks: nobody gets a seed of a block that is gone, and the epoch gets
    /// another.
    function test_Attack_MissedSeedIsRedrawn() public {
        uint32 epoch = epochNow();
        operators.captureSeed(epoch);
        uint256 first = operators.seedBlockOf(epoch);
        vm.roll(first + 257);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.SeedScheduled(epoch, first + 259);
        assertEq(operators.captureSeed(epoch), 0);
        assertEq(operators.getEpoch(epoch).seed, 0);
        assertEq(operators.seedBlockOf(epoch), first + 259);
        vm.roll(first + 260);
        assertEq(operators.captureSeed(epoch), keccak256(abi.encode(blockhash(first + 259), epoch)));
    }

    /// @dev A seed that the chain still knows is taken; whoever dislikes it cannot have another.
    function test_Attack_SeedIsNotRedrawnAtWill() public {
        uint32 epoch = epochNow();
        operators.captureSeed(epoch);
        uint256 seedBlock = operators.seedBlockOf(epoch);
        vm.roll(seedBlock + 256);
        assertEq(operators.captureSeed(epoch), keccak256(abi.encode(blockhash(seedBlock), epoch)));
    }

    function expectNotCapturable(
        uint32 epoch
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.SeedNotCapturable.selector, epoch));
    }
}
