// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Test} from "forge-std/Test.sol";
import {ExecutionCoordinator} from "../src/ExecutionCoordinator.sol";
import {CoordinatorBase} from "../src/coordinator/CoordinatorBase.sol";
import {IExecutionCoordinator} from "../src/interfaces/IExecutionCoordinator.sol";
import {FeeTakingToken, ReentrantToken, RefusingToken} from "./fixtures/HostileTokens.sol";

contract HostileTokensTest is Test {
    function test_reentrancy_deposit() public {
        ReentrantToken token = new ReentrantToken();
        ExecutionCoordinator coordinator = deploy(address(token));
        token.mint(address(this), 10);
        bytes[5] memory calls = [
            abi.encodeCall(coordinator.depositCredit, (address(this), 1)),
            abi.encodeCall(coordinator.withdrawCredit, (address(this))),
            abi.encodeCall(coordinator.withdrawEarnings, (address(this))),
            abi.encodeCall(coordinator.withdrawStake, (address(this))),
            abi.encodeCall(coordinator.withdrawTreasury, ())
        ];
        for (uint256 i; i < calls.length; ++i) {
            token.callBackWith(address(coordinator), calls[i]);
            coordinator.depositCredit(address(this), 1);
            assertFalse(token.succeeded());
            assertEq(bytes4(token.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        }
    }

    function test_reentrancy_withdrawCreditPaysOnce() public {
        ReentrantToken token = new ReentrantToken();
        ExecutionCoordinator coordinator = deploy(address(token));
        token.mint(address(this), 10);
        coordinator.depositCredit(address(this), 10);
        coordinator.requestCreditWithdrawal(5);
        vm.warp(vm.getBlockTimestamp() + 1 days);
        token.callBackWith(address(coordinator), abi.encodeCall(coordinator.withdrawCredit, (address(this))));
        coordinator.withdrawCredit(address(this));
        assertFalse(token.succeeded());
        assertEq(token.balanceOf(address(coordinator)), 5);
    }

    function test_feeTakingTokenIsRefused() public {
        FeeTakingToken token = new FeeTakingToken();
        ExecutionCoordinator coordinator = deploy(address(token));
        token.mint(address(this), 10);
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.TokenAmountMismatch.selector, 10, 9));
        coordinator.depositCredit(address(this), 10);
    }

    function test_refusingTokenIsNoticed() public {
        RefusingToken token = new RefusingToken();
        ExecutionCoordinator coordinator = deploy(address(token));
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        coordinator.depositCredit(address(this), 10);
    }

    function test_parameters_areWhatTheConstructorGot() public {
        CoordinatorBase.Parameters memory parameters = valid(makeAddr("token"));
        ExecutionCoordinator coordinator = new ExecutionCoordinator(parameters);
        assertEq(coordinator.token(), parameters.token);
        assertEq(coordinator.treasury(), parameters.treasury);
        assertEq(coordinator.minimumStake(), parameters.minimumStake);
        assertEq(coordinator.protocolFeeBps(), parameters.protocolFeeBps);
        assertEq(coordinator.epochSeconds(), parameters.epochSeconds);
        assertEq(coordinator.settlementGrace(), parameters.settlementGrace);
        assertEq(coordinator.maximumTicketLifetime(), parameters.maximumTicketLifetime);
        assertEq(coordinator.unbondingPeriod(), parameters.unbondingPeriod);
    }

    function test_parameters_haveBounds() public {
        CoordinatorBase.Parameters memory parameters = valid(address(0));
        expectInvalid(parameters, "token");
        parameters = valid(makeAddr("token"));
        parameters.treasury = address(0);
        expectInvalid(parameters, "treasury");
        parameters = valid(makeAddr("token"));
        parameters.minimumStake = 0;
        expectInvalid(parameters, "minimumStake");
        parameters = valid(makeAddr("token"));
        parameters.protocolFeeBps = 5001;
        expectInvalid(parameters, "protocolFeeBps");
        parameters = valid(makeAddr("token"));
        parameters.epochSeconds = 0;
        expectInvalid(parameters, "epochSeconds");
        parameters = valid(makeAddr("token"));
        parameters.settlementGrace = 0;
        expectInvalid(parameters, "settlementGrace");
        parameters = valid(makeAddr("token"));
        parameters.maximumTicketLifetime = 0;
        expectInvalid(parameters, "maximumTicketLifetime");
        parameters = valid(makeAddr("token"));
        parameters.unbondingPeriod = 7800;
        expectInvalid(parameters, "unbondingPeriod");
    }

    function expectInvalid(
        CoordinatorBase.Parameters memory parameters,
        string memory name
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionCoordinator.ParameterInvalid.selector, name));
        new ExecutionCoordinator(parameters);
    }

    function valid(
        address token
    ) private returns (CoordinatorBase.Parameters memory) {
        return CoordinatorBase.Parameters(token, makeAddr("treasury"), 1, 1000, 3600, 3600, 300, 7801);
    }

    function deploy(
        address token
    ) private returns (ExecutionCoordinator) {
        return new ExecutionCoordinator(valid(token));
    }
}
