// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {FeeTakingToken, ReentrantToken, RefusingToken} from "../fixtures/HostileTokens.sol";
import {OperatorFixture} from "./OperatorFixture.sol";

contract OperatorsHostileTokensTest is OperatorFixture {
    uint256 private constant KEY = 0xBEEF;
    address private immutable _operator = makeAddr("operator");

    /// @dev The token calls back from inside every transfer: each entry that moves money is closed meanwhile.
    function test_Attack_ReentrancyByToken() public {
        ReentrantToken hostile = new ReentrantToken();
        operators = newRegistry(address(hostile));
        hostile.mint(_operator, 3 * MINIMUM_STAKE);
        bytes memory proof = proofOf(_operator, KEY);
        hostile.callBackWith(address(operators), abi.encodeCall(operators.addStake, (1)));
        vm.prank(_operator);
        operators.registerOperator(vm.addr(KEY), proof, MINIMUM_STAKE, 1);
        assertRefused(hostile);
        hostile.callBackWith(address(operators), abi.encodeCall(operators.registerOperator, (address(1), "", 1e9, 1)));
        vm.prank(_operator);
        operators.addStake(MINIMUM_STAKE);
        assertRefused(hostile);
        hostile.callBackWith(address(operators), abi.encodeCall(operators.withdrawStake, (stranger)));
        vm.prank(court);
        operators.slash(_operator, 1, stranger);
        assertRefused(hostile);
        vm.prank(_operator);
        operators.unbond();
        skip(UNBONDING);
        hostile.callBackWith(address(operators), abi.encodeCall(operators.slash, (_operator, 1, stranger)));
        vm.prank(_operator);
        operators.withdrawStake(_operator);
        assertRefused(hostile);
        assertEq(hostile.balanceOf(address(operators)), 0);
    }

    function test_Attack_HostileToken_takesAFee() public {
        FeeTakingToken hostile = new FeeTakingToken();
        operators = newRegistry(address(hostile));
        hostile.mint(_operator, MINIMUM_STAKE);
        bytes memory proof = proofOf(_operator, KEY);
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.TokenAmountMismatch.selector, MINIMUM_STAKE, MINIMUM_STAKE - 1)
        );
        vm.prank(_operator);
        operators.registerOperator(vm.addr(KEY), proof, MINIMUM_STAKE, 1);
    }

    function test_Attack_HostileToken_refusesByItsAnswer() public {
        operators = newRegistry(address(new RefusingToken()));
        bytes memory proof = proofOf(_operator, KEY);
        vm.expectPartialRevert(SafeERC20.SafeERC20FailedOperation.selector);
        vm.prank(_operator);
        operators.registerOperator(vm.addr(KEY), proof, MINIMUM_STAKE, 1);
    }

    function assertRefused(
        ReentrantToken hostile
    ) private view {
        assertFalse(hostile.succeeded());
        assertEq(
            hostile.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }
}
