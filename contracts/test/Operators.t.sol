// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../src/interfaces/IExecutionCoordinator.sol";
import {CoordinatorFixture} from "./fixtures/CoordinatorFixture.sol";

contract OperatorsTest is CoordinatorFixture {
    address private immutable _newcomer = makeAddr("newcomer");
    uint256 private constant NEW_KEY = 0xE9;

    function test_register_stakesAndBindsKey() public {
        fillPurse(_newcomer, MINIMUM_STAKE);
        bytes memory proof = keyProof(_newcomer, NEW_KEY);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.OperatorRegistered(_newcomer, vm.addr(NEW_KEY), MINIMUM_STAKE);
        vm.prank(_newcomer);
        coordinator.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE);
        IExecutionCoordinator.Operator memory operator = coordinator.getOperator(_newcomer);
        assertTrue(operator.status == IExecutionCoordinator.OperatorStatus.Active);
        assertEq(operator.executionKey, vm.addr(NEW_KEY));
        assertEq(operator.stake, MINIMUM_STAKE);
        assertEq(operator.statusSince, vm.getBlockTimestamp());
        assertEq(coordinator.operatorCount(), 3);
        assertEq(coordinator.keyNonce(_newcomer), 1);
        assertEq(coordinator.operatorForKey(vm.addr(NEW_KEY), uint40(vm.getBlockTimestamp())), _newcomer);
        assertEq(coordinator.operatorForKey(vm.addr(NEW_KEY), uint40(vm.getBlockTimestamp() - 1)), address(0));
        assertEq(token.balanceOf(address(coordinator)), 3 * MINIMUM_STAKE + 100e6);
    }

    function test_register_refusesLowStake() public {
        bytes memory proof = keyProof(_newcomer, NEW_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.StakeTooLow.selector, MINIMUM_STAKE - 1, MINIMUM_STAKE)
        );
        vm.prank(_newcomer);
        coordinator.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE - 1);
    }

    function test_register_refusesASecondTime() public {
        bytes memory proof = keyProof(firstOperator, NEW_KEY);
        vm.prank(firstOperator);
        _expectStatus(
            firstOperator, IExecutionCoordinator.OperatorStatus.None, IExecutionCoordinator.OperatorStatus.Active
        );
        coordinator.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE);
    }

    function test_register_refusesAnotherOperatorsKey() public {
        bytes memory proof = keyProof(_newcomer, FIRST_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.ExecutionKeyTaken.selector, vm.addr(FIRST_KEY), firstOperator)
        );
        vm.prank(_newcomer);
        coordinator.registerOperator(vm.addr(FIRST_KEY), proof, MINIMUM_STAKE);
    }

    function test_register_refusesProofOfSomebodyElse() public {
        bytes memory proof = keyProof(firstOperator, NEW_KEY);
        _expectProofInvalid(_newcomer);
        vm.prank(_newcomer);
        coordinator.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE);
        _expectProofInvalid(_newcomer);
        vm.prank(_newcomer);
        coordinator.registerOperator(vm.addr(NEW_KEY), hex"00", MINIMUM_STAKE);
    }

    function test_register_refusesProofOfAnotherChain() public {
        bytes memory proof = keyProof(_newcomer, NEW_KEY);
        vm.chainId(block.chainid + 1);
        _expectProofInvalid(_newcomer);
        vm.prank(_newcomer);
        coordinator.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE);
    }

    function test_register_refusesTheZeroKey() public {
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        vm.prank(_newcomer);
        coordinator.registerOperator(address(0), "", MINIMUM_STAKE);
    }

    function test_addStake() public {
        fillPurse(firstOperator, 7);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.StakeAdded(firstOperator, 7, MINIMUM_STAKE + 7);
        vm.prank(firstOperator);
        coordinator.addStake(7);
        assertEq(coordinator.getOperator(firstOperator).stake, MINIMUM_STAKE + 7);
        vm.expectRevert(IExecutionCoordinator.AmountZero.selector);
        vm.prank(firstOperator);
        coordinator.addStake(0);
        _expectStatus(_newcomer, IExecutionCoordinator.OperatorStatus.Active, IExecutionCoordinator.OperatorStatus.None);
        vm.prank(_newcomer);
        coordinator.addStake(7);
    }

    function test_rotate_closesTheOldKeyAndOpensTheNew() public {
        vm.warp(vm.getBlockTimestamp() + 100);
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.ExecutionKeyRotated(
            firstOperator, vm.addr(FIRST_KEY), vm.addr(NEW_KEY), uint40(vm.getBlockTimestamp())
        );
        rotate(firstOperator, NEW_KEY);
        uint40 nowAt = uint40(vm.getBlockTimestamp());
        assertEq(coordinator.operatorForKey(vm.addr(FIRST_KEY), nowAt), firstOperator);
        assertEq(coordinator.operatorForKey(vm.addr(FIRST_KEY), nowAt + 1), address(0));
        assertEq(coordinator.operatorForKey(vm.addr(NEW_KEY), nowAt - 1), address(0));
        assertEq(coordinator.operatorForKey(vm.addr(NEW_KEY), nowAt), firstOperator);
        assertEq(coordinator.getExecutionKey(vm.addr(FIRST_KEY)).validTo, nowAt);
        assertEq(coordinator.keyNonce(firstOperator), 2);
    }

    function test_rotate_refusesAnOldKeyForEver() public {
        rotate(firstOperator, NEW_KEY);
        bytes memory proof = keyProof(firstOperator, FIRST_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.ExecutionKeyTaken.selector, vm.addr(FIRST_KEY), firstOperator)
        );
        vm.prank(firstOperator);
        coordinator.rotateExecutionKey(vm.addr(FIRST_KEY), proof);
    }

    function test_rotate_refusesAUsedProof() public {
        bytes memory proof = keyProof(firstOperator, NEW_KEY);
        rotate(firstOperator, 0xEA);
        _expectProofInvalid(firstOperator);
        vm.prank(firstOperator);
        coordinator.rotateExecutionKey(vm.addr(NEW_KEY), proof);
    }

    function test_drainAndResume() public {
        vm.startPrank(firstOperator);
        coordinator.drain();
        assertEq(coordinator.operatorCount(), 1);
        assertTrue(coordinator.getOperator(firstOperator).status == IExecutionCoordinator.OperatorStatus.Draining);
        _expectStatus(
            firstOperator, IExecutionCoordinator.OperatorStatus.Active, IExecutionCoordinator.OperatorStatus.Draining
        );
        coordinator.drain();
        coordinator.resume();
        assertEq(coordinator.operatorCount(), 2);
        _expectStatus(
            firstOperator, IExecutionCoordinator.OperatorStatus.Draining, IExecutionCoordinator.OperatorStatus.Active
        );
        coordinator.resume();
    }

    function test_exit_stakeLeavesAfterTheUnbondingPeriodOnly() public {
        address to = makeAddr("safe");
        vm.startPrank(firstOperator);
        _expectStatus(
            firstOperator, IExecutionCoordinator.OperatorStatus.Unbonding, IExecutionCoordinator.OperatorStatus.Active
        );
        coordinator.withdrawStake(to);
        coordinator.unbond();
        assertEq(coordinator.operatorCount(), 1);
        uint256 availableAt = vm.getBlockTimestamp() + UNBONDING;
        vm.warp(availableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TooEarly.selector, availableAt, availableAt - 1));
        coordinator.withdrawStake(to);
        vm.warp(availableAt);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.withdrawStake(address(0));
        coordinator.withdrawStake(to);
        assertEq(token.balanceOf(to), MINIMUM_STAKE);
        _expectStatus(
            firstOperator,
            IExecutionCoordinator.OperatorStatus.Unbonding,
            IExecutionCoordinator.OperatorStatus.Withdrawn
        );
        coordinator.withdrawStake(to);
    }

    function test_exit_nothingWorksWhileUnbonding() public {
        vm.startPrank(firstOperator);
        coordinator.unbond();
        bytes4 selector = IExecutionCoordinator.OperatorNotInStatus.selector;
        vm.expectPartialRevert(selector);
        coordinator.unbond();
        vm.expectPartialRevert(selector);
        coordinator.addStake(1);
        vm.expectPartialRevert(selector);
        coordinator.drain();
        vm.expectPartialRevert(selector);
        coordinator.resume();
        vm.expectPartialRevert(selector);
        coordinator.rotateExecutionKey(vm.addr(NEW_KEY), "");
    }

    function test_exit_andBackWithANewKey() public {
        vm.startPrank(firstOperator);
        coordinator.drain();
        coordinator.unbond();
        assertEq(coordinator.operatorCount(), 1);
        vm.warp(vm.getBlockTimestamp() + UNBONDING);
        coordinator.withdrawStake(firstOperator);
        vm.stopPrank();
        register(firstOperator, NEW_KEY);
        assertEq(coordinator.operatorForKey(vm.addr(FIRST_KEY), uint40(vm.getBlockTimestamp())), address(0));
        assertEq(coordinator.operatorForKey(vm.addr(NEW_KEY), uint40(vm.getBlockTimestamp())), firstOperator);
        assertEq(coordinator.operatorCount(), 2);
    }

    function test_withdrawEarnings() public {
        coordinator.settle(planRolled(list(newExecution(0))));
        address to = makeAddr("purse");
        vm.startPrank(firstOperator);
        vm.expectRevert(IExecutionCoordinator.AddressZero.selector);
        coordinator.withdrawEarnings(address(0));
        vm.expectEmit(address(coordinator));
        emit IExecutionCoordinator.EarningsWithdrawn(firstOperator, to, REWARD);
        assertEq(coordinator.withdrawEarnings(to), REWARD);
        assertEq(token.balanceOf(to), REWARD);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.NothingToWithdraw.selector, firstOperator));
        coordinator.withdrawEarnings(to);
    }

    function test_earningsOutliveTheOperator() public {
        coordinator.settle(planRolled(list(newExecution(0))));
        vm.startPrank(firstOperator);
        coordinator.unbond();
        vm.warp(vm.getBlockTimestamp() + UNBONDING);
        coordinator.withdrawStake(firstOperator);
        assertEq(coordinator.withdrawEarnings(firstOperator), REWARD);
    }

    function _expectProofInvalid(
        address operator
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.ExecutionKeyProofInvalid.selector, operator, vm.addr(NEW_KEY))
        );
    }

    function _expectStatus(
        address operator,
        IExecutionCoordinator.OperatorStatus expected,
        IExecutionCoordinator.OperatorStatus actual
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionCoordinator.OperatorNotInStatus.selector, operator, expected, actual)
        );
    }
}
