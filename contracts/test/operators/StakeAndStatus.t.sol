// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {OperatorFixture} from "./OperatorFixture.sol";

contract StakeAndStatusTest is OperatorFixture {
    address private _operator;
    uint256 private constant NEW_KEY = 0xBEEF;
    bytes4 private constant WRONG_STATUS = IOperatorRegistry.OperatorNotInStatus.selector;

    function setUp() public override {
        super.setUp();
        _operator = register(0);
    }

    // ------------------------------------------------------------ in

    function test_register_stakesAndBindsKey() public {
        address newcomer = operatorAt(1);
        bytes memory proof = proofOf(newcomer, NEW_KEY);
        fillPurse(newcomer, MINIMUM_STAKE);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.ExecutionKeyBound(newcomer, vm.addr(NEW_KEY), nowAt());
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.OperatorRegistered(newcomer, vm.addr(NEW_KEY), MINIMUM_STAKE, 7);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.OperatorStatusChanged(newcomer, IOperatorRegistry.OperatorStatus.Active, 0);
        vm.prank(newcomer);
        operators.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE, 7);
        IOperatorRegistry.Operator memory found = operators.getOperator(newcomer);
        assertStatus(newcomer, IOperatorRegistry.OperatorStatus.Active);
        assertEq(found.executionKey, vm.addr(NEW_KEY));
        assertEq(found.stake, MINIMUM_STAKE);
        assertEq(found.capacity, 7);
        assertEq(found.statusSince, nowAt());
        assertEq(operators.activeCount(), 2);
        assertEq(token.balanceOf(address(operators)), 2 * MINIMUM_STAKE);
        assertEq(operators.token(), address(token));
    }

    function test_register_refusesLowStake() public {
        bytes memory proof = proofOf(stranger, NEW_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.StakeTooLow.selector, MINIMUM_STAKE - 1, MINIMUM_STAKE)
        );
        vm.prank(stranger);
        operators.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE - 1, 1);
    }

    function test_register_asksForTheMinimumOfNow() public {
        vm.prank(governor);
        vm.warp(parameters.announce(defaultsWith(200e6)));
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.StakeTooLow.selector, 200e6 - 1, 200e6));
        vm.prank(stranger);
        operators.registerOperator(vm.addr(NEW_KEY), "", 200e6 - 1, 1);
        register(1, 200e6);
    }

    function test_register_refusesASecondTime() public {
        bytes memory proof = proofOf(_operator, NEW_KEY);
        expectStatus(_operator, IOperatorRegistry.OperatorStatus.None, IOperatorRegistry.OperatorStatus.Active);
        vm.prank(_operator);
        operators.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE, 1);
    }

    function test_addStake() public {
        fillPurse(_operator, 7);
        vm.startPrank(_operator);
        vm.expectRevert(IOperatorRegistry.AmountZero.selector);
        operators.addStake(0);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.StakeAdded(_operator, 7, MINIMUM_STAKE + 7);
        operators.addStake(7);
        assertEq(stakeOf(_operator), MINIMUM_STAKE + 7);
        assertEq(token.balanceOf(address(operators)), MINIMUM_STAKE + 7);
        vm.stopPrank();
        expectStatus(stranger, IOperatorRegistry.OperatorStatus.Active, IOperatorRegistry.OperatorStatus.None);
        vm.prank(stranger);
        operators.addStake(7);
    }

    function test_setCapacity() public {
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.CapacityChanged(_operator, 9);
        vm.prank(_operator);
        operators.setCapacity(9);
        assertEq(operators.getOperator(_operator).capacity, 9);
        vm.expectPartialRevert(WRONG_STATUS);
        vm.prank(stranger);
        operators.setCapacity(9);
    }

    // ------------------------------------------------------------ draining

    function test_drainAndResume() public {
        vm.startPrank(_operator);
        expectStatus(_operator, IOperatorRegistry.OperatorStatus.Draining, IOperatorRegistry.OperatorStatus.Active);
        operators.resume();
        skip(5);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.OperatorStatusChanged(_operator, IOperatorRegistry.OperatorStatus.Draining, 0);
        operators.drain();
        assertEq(operators.activeCount(), 0);
        assertEq(operators.getOperator(_operator).statusSince, nowAt());
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt() + 1), _operator);
        expectStatus(_operator, IOperatorRegistry.OperatorStatus.Active, IOperatorRegistry.OperatorStatus.Draining);
        operators.drain();
        operators.resume();
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
        assertEq(operators.activeCount(), 1);
    }

    function test_resume_asksForTheMinimumStake() public {
        vm.prank(_operator);
        operators.drain();
        vm.prank(court);
        operators.slash(_operator, 1, court);
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.StakeTooLow.selector, MINIMUM_STAKE - 1, MINIMUM_STAKE)
        );
        vm.prank(_operator);
        operators.resume();
        fillPurse(_operator, 1);
        vm.startPrank(_operator);
        operators.addStake(1);
        operators.resume();
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
    }

    // ------------------------------------------------------------ out

    function test_exit_stakeLeavesAfterTheUnbondingPeriodOnly() public {
        address to = makeAddr("safe");
        vm.startPrank(_operator);
        expectStatus(_operator, IOperatorRegistry.OperatorStatus.Unbonding, IOperatorRegistry.OperatorStatus.Active);
        operators.withdrawStake(to);
        operators.unbond();
        assertEq(operators.activeCount(), 0);
        uint256 availableAt = vm.getBlockTimestamp() + UNBONDING;
        vm.warp(availableAt - 1);
        expectTooEarly(availableAt);
        operators.withdrawStake(to);
        vm.warp(availableAt);
        vm.expectRevert(IOperatorRegistry.AddressZero.selector);
        operators.withdrawStake(address(0));
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.StakeWithdrawn(_operator, to, MINIMUM_STAKE);
        assertEq(operators.withdrawStake(to), MINIMUM_STAKE);
        assertEq(token.balanceOf(to), MINIMUM_STAKE);
        assertEq(stakeOf(_operator), 0);
        expectStatus(_operator, IOperatorRegistry.OperatorStatus.Unbonding, IOperatorRegistry.OperatorStatus.Withdrawn);
        operators.withdrawStake(to);
    }

    function test_exit_nothingWorksWhileUnbonding() public {
        vm.startPrank(_operator);
        operators.unbond();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.unbond();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.addStake(1);
        vm.expectPartialRevert(WRONG_STATUS);
        operators.drain();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.resume();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.setCapacity(1);
        vm.expectPartialRevert(WRONG_STATUS);
        operators.rotateExecutionKey(vm.addr(NEW_KEY), "");
        vm.expectPartialRevert(WRONG_STATUS);
        operators.revokeExecutionKey();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.release(vm.addr(NEW_KEY), "");
        vm.expectPartialRevert(WRONG_STATUS);
        operators.registerOperator(vm.addr(NEW_KEY), "", MINIMUM_STAKE, 1);
    }

    function test_exit_whoDrainsOrHasNoKeyLeavesToo() public {
        vm.startPrank(_operator);
        operators.drain();
        operators.revokeExecutionKey();
        operators.unbond();
        skip(UNBONDING);
        assertEq(operators.withdrawStake(_operator), MINIMUM_STAKE);
    }

    function test_exit_andBackWithANewKey() public {
        vm.startPrank(_operator);
        operators.drain();
        operators.unbond();
        skip(UNBONDING);
        operators.withdrawStake(_operator);
        vm.stopPrank();
        registerWith(_operator, NEW_KEY, MINIMUM_STAKE);
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt()), address(0));
        assertEq(operators.operatorForKey(vm.addr(NEW_KEY), nowAt()), _operator);
        assertEq(operators.activeCount(), 1);
    }

    // ------------------------------------------------------------ the court's

    function test_slash_sendsWhatItTakes() public {
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.StakeSlashed(_operator, stranger, 30e6, MINIMUM_STAKE - 30e6);
        vm.prank(court);
        assertEq(operators.slash(_operator, 30e6, stranger), 30e6);
        assertEq(token.balanceOf(stranger), 30e6);
        assertEq(token.balanceOf(address(operators)), stakeOf(_operator));
        vm.prank(lane);
        assertEq(operators.slash(_operator, MINIMUM_STAKE, stranger), MINIMUM_STAKE - 30e6);
        assertEq(stakeOf(_operator), 0);
        vm.prank(court);
        assertEq(operators.slash(_operator, 1, stranger), 0);
        assertEq(token.balanceOf(stranger), MINIMUM_STAKE);
    }

    function test_slash_whoHasTooLittleLeftDrains() public {
        address rich = register(1, 2 * MINIMUM_STAKE);
        vm.startPrank(court);
        operators.slash(rich, MINIMUM_STAKE, stranger);
        assertStatus(rich, IOperatorRegistry.OperatorStatus.Active);
        operators.slash(rich, 1, stranger);
        assertStatus(rich, IOperatorRegistry.OperatorStatus.Draining);
        assertEq(operators.activeCount(), 1);
    }

    function test_slash_reachesStakeOnItsWayOut() public {
        vm.startPrank(_operator);
        operators.unbond();
        skip(UNBONDING - 1);
        vm.stopPrank();
        vm.prank(court);
        operators.slash(_operator, MINIMUM_STAKE, stranger);
        skip(1);
        vm.startPrank(_operator);
        assertEq(operators.withdrawStake(_operator), 0);
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Withdrawn);
    }

    function test_jail_closesTheKeyAndBars() public {
        uint40 until = nowAt() + 100;
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.ExecutionKeyClosed(_operator, vm.addr(keyAt(0)), nowAt());
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.OperatorStatusChanged(_operator, IOperatorRegistry.OperatorStatus.Jailed, until);
        vm.prank(court);
        operators.jail(_operator, 100);
        assertEq(operators.activeCount(), 0);
        assertEq(operators.getOperator(_operator).executionKey, address(0));
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt() + 1), address(0));
        vm.startPrank(_operator);
        vm.expectPartialRevert(WRONG_STATUS);
        operators.resume();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.drain();
        vm.expectPartialRevert(WRONG_STATUS);
        operators.rotateExecutionKey(vm.addr(NEW_KEY), "");
    }

    /// @dev It may not come back from draining by itself.
    function test_jail_alsoWhoDrains() public {
        vm.prank(_operator);
        operators.drain();
        vm.prank(court);
        operators.jail(_operator, 100);
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Jailed);
    }

    function test_jail_isNeverShortened() public {
        vm.startPrank(court);
        operators.jail(_operator, 100);
        operators.jail(_operator, 10);
        assertEq(operators.getOperator(_operator).jailedUntil, nowAt() + 100);
        operators.jail(_operator, 200);
        assertEq(operators.getOperator(_operator).jailedUntil, nowAt() + 200);
    }

    function test_jail_leavesWhoIsOnTheWayOutThere() public {
        vm.prank(_operator);
        operators.unbond();
        uint40 since = nowAt();
        skip(10);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.OperatorStatusChanged(
            _operator, IOperatorRegistry.OperatorStatus.Unbonding, nowAt() + 4_000_000
        );
        vm.prank(court);
        operators.jail(_operator, 4_000_000);
        assertEq(operators.getOperator(_operator).statusSince, since);
        skip(UNBONDING - 10);
        vm.startPrank(_operator);
        operators.withdrawStake(_operator);
        // Leaving is no way out of jail.
        uint40 until = operators.getOperator(_operator).jailedUntil;
        expectTooEarly(until);
        operators.registerOperator(vm.addr(NEW_KEY), "", MINIMUM_STAKE, 1);
        vm.stopPrank();
        vm.warp(until);
        registerWith(_operator, NEW_KEY, MINIMUM_STAKE);
    }

    function test_release_afterTheTimeWithAFreshKeyAndTheMinimumStake() public {
        vm.startPrank(court);
        operators.jail(_operator, 100);
        operators.slash(_operator, 1, court);
        vm.stopPrank();
        bytes memory proof = proofOf(_operator, NEW_KEY);
        uint256 until = nowAt() + 100;
        vm.startPrank(_operator);
        expectTooEarly(until);
        operators.release(vm.addr(NEW_KEY), proof);
        vm.warp(until);
        vm.expectPartialRevert(IOperatorRegistry.StakeTooLow.selector);
        operators.release(vm.addr(NEW_KEY), proof);
        vm.stopPrank();
        fillPurse(_operator, 1);
        vm.startPrank(_operator);
        operators.addStake(1);
        vm.expectPartialRevert(IOperatorRegistry.ExecutionKeyTaken.selector);
        operators.release(vm.addr(keyAt(0)), proof);
        operators.release(vm.addr(NEW_KEY), proof);
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
        assertEq(operators.activeCount(), 1);
        assertEq(operators.operatorForKey(vm.addr(NEW_KEY), nowAt()), _operator);
        expectStatus(_operator, IOperatorRegistry.OperatorStatus.Jailed, IOperatorRegistry.OperatorStatus.Active);
        operators.release(vm.addr(NEW_KEY), proof);
    }

    function test_jailed_mayLeave() public {
        vm.prank(court);
        operators.jail(_operator, type(uint32).max);
        vm.startPrank(_operator);
        operators.unbond();
        assertEq(operators.activeCount(), 0);
        skip(UNBONDING);
        assertEq(operators.withdrawStake(_operator), MINIMUM_STAKE);
    }

    function test_cases_holdTheStake() public {
        vm.prank(_operator);
        operators.unbond();
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.CaseCountChanged(_operator, 1);
        vm.startPrank(court);
        operators.openCase(_operator);
        operators.openCase(_operator);
        vm.stopPrank();
        skip(UNBONDING);
        for (uint256 open = 2; open > 0; --open) {
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.CasesOpen.selector, _operator, open));
            vm.prank(_operator);
            operators.withdrawStake(_operator);
            vm.expectEmit(address(operators));
            emit IOperatorRegistry.CaseCountChanged(_operator, uint32(open - 1));
            vm.prank(court);
            operators.closeCase(_operator);
        }
        vm.prank(_operator);
        operators.withdrawStake(_operator);
    }

    function test_onlyTheSuite() public {
        address[2] memory callers = [stranger, lane];
        for (uint256 i; i < callers.length; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IOperatorRegistry.NotAuthorized.selector, callers[i]);
            vm.startPrank(callers[i]);
            vm.expectRevert(refusal);
            operators.jail(_operator, 1);
            vm.expectRevert(refusal);
            operators.openCase(_operator);
            vm.expectRevert(refusal);
            operators.closeCase(_operator);
            vm.stopPrank();
        }
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NotAuthorized.selector, stranger));
        vm.prank(stranger);
        operators.slash(_operator, 1, stranger);
    }
}
