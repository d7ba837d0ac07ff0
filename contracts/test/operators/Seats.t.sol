// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {OperatorFixture} from "./OperatorFixture.sol";

contract SeatsTest is OperatorFixture {
    uint256 private constant COMMITTEE = 3;
    uint256 private constant OPERATORS = 12;
    uint256 private constant REQUESTS = 400;
    address private immutable _requester = makeAddr("requester");

    uint32 private _epoch;

    /// @dev Twelve operators whose stake counts, in an epoch whose seed is captured.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < OPERATORS; ++i) {
            register(i);
        }
        skipEpochs(2);
        _epoch = epochNow();
        captureSeed(_epoch);
        skip(1);
    }

    function test_allSeated_whereThereAreNoMoreThanTheCommittee() public view {
        assertFalse(operators.isAllSeated(_epoch, OPERATORS - 1));
        assertTrue(operators.isAllSeated(_epoch, OPERATORS));
        assertTrue(operators.isAllSeated(_epoch - 1, 1));
        assertTrue(operators.isSeated(operatorAt(0), _requester, 1, _epoch, 0, OPERATORS));
        assertFalse(operators.isSeated(stranger, _requester, 1, _epoch, 0, OPERATORS));
    }

    function test_drawn_isWhatTheLotSays() public view {
        IOperatorRegistry.Epoch memory found = operators.getEpoch(_epoch);
        uint256 seated;
        for (uint64 sequence; sequence < 50; ++sequence) {
            for (uint256 i; i < OPERATORS; ++i) {
                bytes32 subject = Hashes.seatSubject(_requester, sequence);
                uint256 lot = Hashes.lot(found.seed, subject, operatorAt(i));
                bool expected = Hashes.wins(lot, MINIMUM_STAKE, OPERATORS * MINIMUM_STAKE, COMMITTEE);
                assertEq(isSeated(operatorAt(i), sequence), expected);
                assertEq(operators.isDrawn(found.seed, subject, operatorAt(i), _epoch, COMMITTEE), expected);
                if (expected) ++seated;
            }
        }
        // Three of twelve seats in expectation, fifty times.
        assertApproxEqAbs(seated, 50 * COMMITTEE, 45);
    }

    function test_drawn_onlyWhoseStakeCounts() public {
        address late = register(OPERATORS, 10_000 * MINIMUM_STAKE);
        for (uint64 sequence; sequence < 50; ++sequence) {
            assertFalse(isSeated(late, sequence));
        }
        skipEpochs(2);
        uint32 epoch = epochNow();
        captureSeed(epoch);
        assertTrue(operators.isSeated(late, _requester, 1, epoch, nowAt() + 1, COMMITTEE));
        assertFalse(operators.isAllSeated(epoch, COMMITTEE));
        assertEq(operators.stakeAt(late, _epoch), 0);
    }

    function test_drawn_nobodyOutsideAndNobodyWithoutASeed() public view {
        bytes32 seed = operators.getEpoch(_epoch).seed;
        assertFalse(operators.isDrawn(seed, "subject", stranger, _epoch, type(uint64).max));
        assertTrue(operators.isDrawn(seed, "subject", operatorAt(0), _epoch, OPERATORS));
        assertFalse(operators.isDrawn(0, "subject", operatorAt(0), _epoch, OPERATORS));
        // The epoch before had neither stake nor seed.
        assertFalse(operators.isDrawn(seed, "subject", operatorAt(0), _epoch - 1, OPERATORS));
    }

    /// @dev A missing seed seats nobody, for a ticket of any time.
    function test_Attack_ZeroSeed() public {
        skipEpochs(1);
        uint32 epoch = epochNow();
        assertEq(operators.getEpoch(epoch).seed, 0);
        for (uint64 sequence; sequence < 50; ++sequence) {
            for (uint256 i; i < OPERATORS; ++i) {
                assertFalse(operators.isSeated(operatorAt(i), _requester, sequence, epoch, nowAt(), COMMITTEE));
                assertFalse(operators.isSeated(operatorAt(i), _requester, sequence, epoch, type(uint40).max, COMMITTEE));
            }
        }
    }

    /// @dev A requester that knows the seed cannot choose: tickets count if they were issued after the capture, and what is
    /// drawn about is fixed by who it is and by its next sequence number.
    function test_Attack_SeatGrinding() public view {
        uint40 capturedAt = operators.getEpoch(_epoch).capturedAt;
        uint256 seated;
        for (uint64 sequence; sequence < 100; ++sequence) {
            for (uint256 i; i < OPERATORS; ++i) {
                address operator = operatorAt(i);
                assertFalse(operators.isSeated(operator, _requester, sequence, _epoch, capturedAt, COMMITTEE));
                assertFalse(operators.isSeated(operator, _requester, sequence, _epoch, capturedAt - 1, COMMITTEE));
                if (operators.isSeated(operator, _requester, sequence, _epoch, capturedAt + 1, COMMITTEE)) ++seated;
                // When it is issued, and with what content, changes nothing.
                assertEq(
                    operators.isSeated(operator, _requester, sequence, _epoch, capturedAt + 1, COMMITTEE),
                    operators.isSeated(operator, _requester, sequence, _epoch, capturedAt + 1000, COMMITTEE)
                );
            }
        }
        assertGt(seated, 0);
    }

    /// @dev Nor does it find a number for itself in the draws of others: each requester's are its own, number by number.
    function test_Attack_SeatGrinding_inDrawsOfOthers() public {
        address other = makeAddr("another requester");
        uint40 issuedAt = operators.getEpoch(_epoch).capturedAt + 1;
        (uint256 ofOther, uint256 ofNext) = (0, 0);
        for (uint64 sequence; sequence < 100; ++sequence) {
            for (uint256 i; i < OPERATORS; ++i) {
                address operator = operatorAt(i);
                bool hasSeat = operators.isSeated(operator, _requester, sequence, _epoch, issuedAt, COMMITTEE);
                if (hasSeat != operators.isSeated(operator, other, sequence, _epoch, issuedAt, COMMITTEE)) ++ofOther;
                if (hasSeat != operators.isSeated(operator, _requester, sequence + 1, _epoch, issuedAt, COMMITTEE)) {
                    ++ofNext;
                }
            }
        }
        assertGt(ofOther, 100);
        assertGt(ofNext, 100);
    }

    /// @dev Stake that is added when a seed can be known does not count with it: seeds are captured one epoch ahead at most,
    /// stake counts two epochs later.
    function test_Attack_SeatGrinding_byArrangingStake() public {
        uint32 next = _epoch + 1;
        bytes32 seed = captureSeed(next);
        address grinder = register(OPERATORS, 1_000_000 * MINIMUM_STAKE);
        bytes32 subject = Hashes.seatSubject(_requester, 1);
        assertFalse(operators.isDrawn(seed, subject, grinder, next, COMMITTEE));
        vm.expectPartialRevert(IOperatorRegistry.SeedNotCapturable.selector);
        operators.captureSeed(_epoch + 2);
        assertEq(operators.stakeAt(grinder, next), 0);
        assertGt(operators.stakeAt(grinder, next + 1), 0);
    }

    /// @dev Who splits its stake into many operators gets no more seats than with one.
    function test_Attack_SybilOperators() public {
        address whale = register(OPERATORS, uint96(OPERATORS * MINIMUM_STAKE));
        skipEpochs(2);
        uint32 epoch = epochNow();
        bytes32 seed = captureSeed(epoch);
        // Half of the stake is one operator's, the other half is split among twelve of one owner.
        (uint256 whole, uint256 split) = (0, 0);
        for (uint256 sequence; sequence < REQUESTS; ++sequence) {
            bytes32 subject = Hashes.seatSubject(_requester, uint64(sequence));
            if (operators.isDrawn(seed, subject, whale, epoch, 2)) ++whole;
            for (uint256 i; i < OPERATORS; ++i) {
                if (operators.isDrawn(seed, subject, operatorAt(i), epoch, 2)) ++split;
            }
        }
        // Two seats are drawn: each half of the stake gets one in expectation.
        assertEq(whole, REQUESTS);
        assertApproxEqAbs(split, REQUESTS, REQUESTS / 5);
    }

    /// @dev With less than the minimum nobody is an operator, so cheap ones cannot fill a committee where all are seated.
    function test_Attack_SybilOperators_cheap() public {
        vm.expectPartialRevert(IOperatorRegistry.StakeTooLow.selector);
        vm.prank(stranger);
        operators.registerOperator(stranger, "", 1, 1);
    }

    /// @dev What has left counts two epochs later no more, so nobody is seated on stake that could be gone: the unbonding
    /// period is longer.
    function test_Attack_StaleStake() public {
        vm.prank(operatorAt(0));
        operators.unbond();
        assertEq(operators.stakeAt(operatorAt(0), _epoch + 1), MINIMUM_STAKE);
        assertEq(operators.stakeAt(operatorAt(0), _epoch + 2), 0);
        assertEq(operators.getEpoch(_epoch + 2).totalStake, (OPERATORS - 1) * MINIMUM_STAKE);
        skipEpochs(2);
        uint32 epoch = epochNow();
        bytes32 seed = captureSeed(epoch);
        assertFalse(operators.isDrawn(seed, "subject", operatorAt(0), epoch, OPERATORS));
        assertGt(UNBONDING, 2 * EPOCH_SECONDS);
        // Its key was closed at once, so that even what still counts signs for nothing new.
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt()), address(0));
    }

    /// @dev Where the seed's block is replaced, the seed is another one, and so are the seats: nothing of the lost branch
    /// counts on the new one.
    function test_Attack_ReorgOfSeed() public {
        skipEpochs(1);
        uint32 epoch = epochNow();
        operators.captureSeed(epoch);
        uint256 seedBlock = operators.seedBlockOf(epoch);
        vm.roll(seedBlock + 1);
        uint256 fork = vm.snapshotState();
        bytes32 lost = operators.captureSeed(epoch);
        uint256 seatsLost = seatsOf(epoch);
        vm.revertToState(fork);
        vm.setBlockhash(seedBlock, keccak256("another block"));
        assertEq(operators.getEpoch(epoch).seed, 0);
        bytes32 kept = operators.captureSeed(epoch);
        assertTrue(lost != kept);
        assertTrue(seatsLost != seatsOf(epoch));
    }

    /// @dev No stake leaves before its disputes can end: not before the unbonding period, which outlasts twice what can be
    /// disputed, and not while one is open.
    function testFuzz_Attack_StakeExitBeforeDispute(
        uint32 disputedAfter
    ) public {
        address operator = operatorAt(0);
        uint40 signedAt = nowAt();
        skip(1);
        vm.prank(operator);
        operators.unbond();
        // The last moment of a challenge: a ticket of the longest lifetime, and the window after its deadline.
        uint256 lastChallenge = uint256(signedAt) + 300 + 86_400;
        vm.warp(signedAt + 1 + uint256(disputedAfter) % (lastChallenge - signedAt));
        vm.expectPartialRevert(IOperatorRegistry.TooEarly.selector);
        vm.prank(operator);
        operators.withdrawStake(operator);
        vm.prank(court);
        operators.openCase(operator);
        skip(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.CasesOpen.selector, operator, 1));
        vm.prank(operator);
        operators.withdrawStake(operator);
        vm.startPrank(court);
        assertEq(operators.slash(operator, MINIMUM_STAKE / 2, court), MINIMUM_STAKE / 2);
        operators.closeCase(operator);
        vm.stopPrank();
        vm.prank(operator);
        assertEq(operators.withdrawStake(operator), MINIMUM_STAKE / 2);
    }

    function isSeated(
        address operator,
        uint64 sequence
    ) private view returns (bool) {
        return operators.isSeated(operator, _requester, sequence, _epoch, nowAt(), COMMITTEE);
    }

    /// @dev Who sits for sixteen requests, one bit each.
    function seatsOf(
        uint32 epoch
    ) private view returns (uint256 seats) {
        for (uint64 sequence; sequence < 16; ++sequence) {
            for (uint256 i; i < OPERATORS; ++i) {
                bool seated =
                    operators.isSeated(operatorAt(i), _requester, sequence, epoch, type(uint40).max, COMMITTEE);
                seats = seats << 1 | (seated ? 1 : 0);
            }
        }
    }
}
