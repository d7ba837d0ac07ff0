// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {ProtocolParameters} from "../../src/parameters/ProtocolParameters.sol";
import {ParametersFixture} from "./ParametersFixture.sol";

contract ProtocolParametersTest is ParametersFixture {
    ProtocolParameters private _parameters;
    uint256 private constant START = 1_800_000_000;
    uint256 private constant DELAY = 172_800;
    address private immutable _stranger = makeAddr("stranger");

    function setUp() public {
        vm.warp(START);
        _parameters = newParameters();
    }

    function test_new_isInForceForEveryTime() public {
        vm.expectEmit();
        emit IProtocolParameters.GovernorChanged(address(0), governor);
        vm.expectEmit();
        emit IProtocolParameters.ParametersAnnounced(defaults(), uint40(START));
        _parameters = newParameters();
        assertEq(_parameters.governor(), governor);
        assertEq(abi.encode(_parameters.times()), abi.encode(defaultTimes()));
        assertFees(0, 500, 5);
        assertFees(START, 500, 5);
        assertFees(START + 10 * DELAY, 500, 5);
        (, uint40 effectiveAt) = _parameters.announced();
        assertEq(effectiveAt, 0);
        assertTermsNow(500, 5, 0);
    }

    function test_announce_takesEffectAfterTheDelayOnly() public {
        vm.expectEmit(address(_parameters));
        emit IProtocolParameters.ParametersAnnounced(withFee(700, 6), uint40(START + DELAY));
        uint40 due = announce(700, 6);
        assertEq(due, START + DELAY);
        (IProtocolParameters.Parameters memory next, uint40 effectiveAt) = _parameters.announced();
        assertEq(effectiveAt, due);
        assertEq(abi.encode(next), abi.encode(withFee(700, 6)));
        assertTermsNow(500, 5, 0);
        vm.warp(due - 1);
        assertEq(abi.encode(_parameters.current()), abi.encode(defaults()));
        assertTermsNow(500, 5, 0);
        vm.warp(due);
        assertEq(abi.encode(_parameters.current()), abi.encode(withFee(700, 6)));
        assertTermsNow(700, 6, due);
        assertFees(due - 1, 500, 5);
        assertFees(due, 700, 6);
        (, effectiveAt) = _parameters.announced();
        assertEq(effectiveAt, 0);
    }

    function test_announce_replacesWhatHasNoEffectYet() public {
        announce(700, 6);
        vm.warp(START + DELAY - 1);
        uint40 due = announce(800, 7);
        vm.warp(START + DELAY);
        assertFees(START + DELAY, 500, 5);
        vm.warp(due);
        assertFees(due - 1, 500, 5);
        assertFees(due, 800, 7);
    }

    function test_announce_afterAnotherKeepsTheThreeThatCanBeAskedFor() public {
        uint40 first = announce(700, 6);
        vm.warp(first);
        uint40 second = announce(800, 7);
        assertFees(first - 1, 500, 5);
        assertFees(first, 700, 6);
        assertTermsNow(700, 6, first);
        vm.warp(second + 5);
        uint40 third = announce(900, 8);
        assertFees(first, 700, 6);
        assertFees(second - 1, 700, 6);
        assertFees(second, 800, 7);
        assertTermsNow(800, 7, second);
        vm.warp(third);
        assertFees(second - 1, 700, 6);
        assertFees(third - 1, 800, 7);
        assertFees(third, 900, 8);
    }

    function test_cancel() public {
        vm.startPrank(governor);
        vm.expectRevert(IProtocolParameters.NothingAnnounced.selector);
        _parameters.cancel();
        uint40 due = _parameters.announce(withFee(700, 6));
        vm.expectEmit(address(_parameters));
        emit IProtocolParameters.AnnouncementCancelled();
        _parameters.cancel();
        vm.warp(due);
        assertFees(due, 500, 5);
        vm.expectRevert(IProtocolParameters.NothingAnnounced.selector);
        _parameters.cancel();
    }

    function test_cancel_refusesWhatIsInForce() public {
        uint40 due = announce(700, 6);
        vm.warp(due);
        vm.expectRevert(IProtocolParameters.NothingAnnounced.selector);
        vm.prank(governor);
        _parameters.cancel();
        assertFees(due, 700, 6);
    }

    /// @dev Whoever keeps the terms asks again from `until` on: before it they never change, whatever is announced meanwhile.
    function testFuzz_settlementTerms_holdUntilTheySayTheyDo(
        uint32 wait,
        uint32 further,
        bool isAnnounced
    ) public {
        if (isAnnounced) announce(700, 6);
        skip(uint256(wait) % (2 * DELAY));
        (uint16 fee, uint8 size,, uint40 until) = _parameters.settlementTerms();
        announce(900, 8);
        uint256 askedAt = vm.getBlockTimestamp() + further % DELAY;
        if (askedAt >= until) return;
        vm.warp(askedAt);
        (uint16 feeThen, uint8 sizeThen,,) = _parameters.settlementTerms();
        assertEq(feeThen, fee);
        assertEq(sizeThen, size);
    }

    /// @dev Any history of announcements and cancellations: what was in force is remembered for as long as it can be asked.
    function testFuzz_inForceAt_isExactForEveryTimeThatCanBeSettledOrDisputed(
        uint32[12] calldata pauses,
        bool[12] calldata cancels,
        uint256 age
    ) public {
        uint256[] memory since = new uint256[](13);
        uint256[] memory fees = new uint256[](13);
        fees[0] = 500;
        uint256 count = 1;
        for (uint256 i; i < pauses.length; ++i) {
            uint16 fee = uint16(1000 + i);
            (, uint40 pending) = _parameters.announced();
            uint40 due = announce(fee, 5);
            // What had no effect yet is replaced.
            if (pending != 0) --count;
            (since[count], fees[count]) = (due, fee);
            ++count;
            skip(uint256(pauses[i]) % (2 * DELAY));
            if (cancels[i] && vm.getBlockTimestamp() < due) {
                vm.prank(governor);
                _parameters.cancel();
                --count;
            }
            // The longest that anything asks back: lifetime, grace and challenge window.
            uint256 asked = vm.getBlockTimestamp() - age % (300 + 3600 + 86_400 + 1);
            uint256 index = count - 1;
            while (since[index] > asked) {
                --index;
            }
            assertFees(asked, uint16(fees[index]), 5);
        }
    }

    function test_governor_isHandedOverInTwoSteps() public {
        vm.expectEmit(address(_parameters));
        emit IProtocolParameters.GovernorOffered(governor, _stranger);
        vm.prank(governor);
        _parameters.offerGovernor(_stranger);
        assertEq(_parameters.pendingGovernor(), _stranger);
        vm.expectRevert(abi.encodeWithSelector(IProtocolParameters.NotPendingGovernor.selector, _stranger, governor));
        vm.prank(governor);
        _parameters.acceptGovernor();
        vm.expectEmit(address(_parameters));
        emit IProtocolParameters.GovernorChanged(governor, _stranger);
        vm.prank(_stranger);
        _parameters.acceptGovernor();
        assertEq(_parameters.governor(), _stranger);
        assertEq(_parameters.pendingGovernor(), address(0));
    }

    function test_governor_renouncesForEver() public {
        uint40 due = announce(700, 6);
        vm.startPrank(governor);
        _parameters.offerGovernor(_stranger);
        _parameters.renounceGovernor();
        vm.stopPrank();
        assertEq(_parameters.governor(), address(0));
        vm.expectRevert(abi.encodeWithSelector(IProtocolParameters.NotPendingGovernor.selector, address(0), _stranger));
        vm.prank(_stranger);
        _parameters.acceptGovernor();
        vm.warp(due);
        assertFees(due, 700, 6);
    }

    function test_onlyTheGovernor() public {
        bytes memory refusal = abi.encodeWithSelector(IProtocolParameters.NotGovernor.selector, governor, _stranger);
        vm.startPrank(_stranger);
        vm.expectRevert(refusal);
        _parameters.announce(defaults());
        vm.expectRevert(refusal);
        _parameters.cancel();
        vm.expectRevert(refusal);
        _parameters.offerGovernor(_stranger);
        vm.expectRevert(refusal);
        _parameters.renounceGovernor();
    }

    function announce(
        uint16 fee,
        uint8 committee
    ) private returns (uint40) {
        vm.prank(governor);
        return _parameters.announce(withFee(fee, committee));
    }

    function withFee(
        uint16 fee,
        uint8 committee
    ) private pure returns (IProtocolParameters.Parameters memory next) {
        next = defaults();
        (next.protocolFeeBps, next.committeeSize) = (fee, committee);
    }

    function assertFees(
        uint256 issuedAt,
        uint16 fee,
        uint8 committee
    ) private view {
        IProtocolParameters.Parameters memory found = _parameters.inForceAt(issuedAt);
        assertEq(found.protocolFeeBps, fee);
        assertEq(found.committeeSize, committee);
        (uint16 terms, uint8 size) = _parameters.settlementTermsAt(issuedAt);
        assertEq(terms, fee);
        assertEq(size, committee);
    }

    function assertTermsNow(
        uint16 fee,
        uint8 committee,
        uint256 since
    ) private view {
        (uint16 terms, uint8 size, uint40 from, uint40 until) = _parameters.settlementTerms();
        assertEq(terms, fee);
        assertEq(size, committee);
        assertEq(from, since);
        // Nothing that is announced later takes effect before.
        (, uint40 effectiveAt) = _parameters.announced();
        uint256 soonest = vm.getBlockTimestamp() + DELAY;
        assertEq(until, effectiveAt != 0 && effectiveAt < soonest ? effectiveAt : soonest);
    }
}
