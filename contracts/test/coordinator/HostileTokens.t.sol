// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {FeeTakingToken, ReentrantToken, RefusingToken} from "../fixtures/HostileTokens.sol";
import {SuiteDeployment} from "../fixtures/SuiteDeployment.sol";

contract ReentrantTokenTest is SuiteDeployment {
    ReentrantToken private _hostile;

    function setUp() public {
        deploySuite();
        _hostile.mint(address(this), 300e6);
    }

    function newToken() internal override returns (address) {
        _hostile = new ReentrantToken();
        return address(_hostile);
    }

    function test_Attack_ReEntrancy() public {
        IExecutionCoordinator.Ticket memory ticket;
        bytes32[] memory set;
        bytes[7] memory calls = [
            abi.encodeCall(coordinator.depositCredit, (address(this), 1)),
            abi.encodeCall(coordinator.withdrawCredit, (address(this))),
            abi.encodeCall(coordinator.withdrawEarnings, (address(this))),
            abi.encodeCall(coordinator.withdrawTreasury, ()),
            abi.encodeCall(coordinator.bondRequester, (1)),
            abi.encodeCall(coordinator.withdrawRequesterBond, (address(this))),
            abi.encodeCall(coordinator.reportCommitSets, (ticket, set, "", set, ""))
        ];
        for (uint256 i; i < calls.length; ++i) {
            _hostile.callBackWith(address(coordinator), calls[i]);
            coordinator.depositCredit(address(this), 1);
            assertFalse(_hostile.succeeded());
            assertEq(bytes4(_hostile.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        }
    }

    function test_reentrancy_whateverIsPaidIsPaidOnce() public {
        coordinator.depositCredit(address(this), 10);
        coordinator.requestCreditWithdrawal(5);
        coordinator.bondRequester(7);
        coordinator.unbondRequester();
        vm.warp(vm.getBlockTimestamp() + times().unbondingPeriod);
        _hostile.callBackWith(address(coordinator), abi.encodeCall(coordinator.withdrawCredit, (address(this))));
        coordinator.withdrawCredit(address(this));
        assertFalse(_hostile.succeeded());
        _hostile.callBackWith(address(coordinator), abi.encodeCall(coordinator.withdrawRequesterBond, (address(this))));
        coordinator.withdrawRequesterBond(address(this));
        assertFalse(_hostile.succeeded());
        assertEq(_hostile.balanceOf(address(coordinator)), 5);
    }
}

contract FeeTakingTokenTest is SuiteDeployment {
    function newToken() internal override returns (address) {
        return address(new FeeTakingToken());
    }

    function test_Attack_HostileToken_whatDoesNotArriveIsNoticed() public {
        deploySuite();
        FeeTakingToken(address(token)).mint(address(this), 20);
        bytes memory mismatch = abi.encodeWithSelector(IExecutionCoordinator.TokenAmountMismatch.selector, 10, 9);
        vm.expectRevert(mismatch);
        coordinator.depositCredit(address(this), 10);
        vm.expectRevert(mismatch);
        coordinator.bondRequester(10);
    }
}

contract RefusingTokenTest is SuiteDeployment {
    function newToken() internal override returns (address) {
        return address(new RefusingToken());
    }

    function test_Attack_HostileToken_refusalIsNoticed() public {
        deploySuite();
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        coordinator.depositCredit(address(this), 10);
    }
}
