// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {ReentrantToken} from "../fixtures/HostileTokens.sol";
import {WalletRequester} from "../fixtures/WalletRequester.sol";
import {OperatorFixture} from "./OperatorFixture.sol";

/// @dev The whole life of an operator without gas of its own.
contract RelayedOperatorsTest is OperatorFixture {
    uint256 private constant OPERATOR_KEY = 0x0E;
    uint256 private constant FIRST_KEY = 0xE1;
    uint256 private constant SECOND_KEY = 0xE2;
    address private immutable _operator = vm.addr(OPERATOR_KEY);
    address private immutable _relayer = makeAddr("relayer");

    function test_relay_fromRegistrationToWithdrawal() public {
        fillPurse(_operator, 2 * MINIMUM_STAKE);
        relay(_operator, registration(_operator, FIRST_KEY));
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
        assertEq(operators.operatorForKey(vm.addr(FIRST_KEY), nowAt()), _operator);
        relay(_operator, abi.encodeCall(operators.addStake, (MINIMUM_STAKE)));
        assertEq(stakeOf(_operator), 2 * MINIMUM_STAKE);
        assertEq(token.balanceOf(_operator), 0);
        relay(_operator, abi.encodeCall(operators.setCapacity, (8)));
        bytes memory proof = proofOf(_operator, SECOND_KEY);
        relay(_operator, abi.encodeCall(operators.rotateExecutionKey, (vm.addr(SECOND_KEY), proof)));
        assertEq(operators.getOperator(_operator).executionKey, vm.addr(SECOND_KEY));
        relay(_operator, abi.encodeCall(operators.drain, ()));
        relay(_operator, abi.encodeCall(operators.resume, ()));
        relay(_operator, abi.encodeCall(operators.revokeExecutionKey, ()));
        relay(_operator, abi.encodeCall(operators.unbond, ()));
        skip(UNBONDING);
        relay(_operator, abi.encodeCall(operators.withdrawStake, (_operator)));
        assertEq(token.balanceOf(_operator), 2 * MINIMUM_STAKE);
        assertEq(token.balanceOf(_relayer), 0);
    }

    function test_relay_release() public {
        fillPurse(_operator, MINIMUM_STAKE);
        relay(_operator, registration(_operator, FIRST_KEY));
        vm.prank(court);
        operators.jail(_operator, 10);
        skip(10);
        bytes memory proof = proofOf(_operator, SECOND_KEY);
        relay(_operator, abi.encodeCall(operators.release, (vm.addr(SECOND_KEY), proof)));
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
    }

    function test_relay_operatorThatIsAContractWallet() public {
        address wallet = address(new WalletRequester(_operator));
        fillPurse(wallet, MINIMUM_STAKE);
        relay(wallet, registration(wallet, FIRST_KEY));
        assertStatus(wallet, IOperatorRegistry.OperatorStatus.Active);
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.None);
    }

    /// @dev Nobody can speak for the court by relaying: what is the suite's is asked of the sender.
    function test_Attack_RelayedSuiteCalls() public {
        address victim = register(0);
        bytes[4] memory calls = [
            abi.encodeCall(operators.slash, (victim, 1, _operator)),
            abi.encodeCall(operators.jail, (victim, 1)),
            abi.encodeCall(operators.openCase, (victim)),
            abi.encodeCall(operators.closeCase, (victim))
        ];
        for (uint256 i; i < calls.length; ++i) {
            bytes memory signature = signAction(_operator, calls[i]);
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NotAuthorized.selector, address(operators)));
            operators.relay(_operator, calls[i], nowAt(), signature);
        }
    }

    /// @dev A token that is called in the middle of a relayed registration speaks for itself only, not for the operator.
    function test_Attack_ReentrancyByToken_inARelayedAction() public {
        ReentrantToken hostile = new ReentrantToken();
        operators = newRegistry(address(hostile));
        hostile.mint(_operator, MINIMUM_STAKE);
        hostile.callBackWith(address(operators), abi.encodeCall(operators.unbond, ()));
        relay(_operator, registration(_operator, FIRST_KEY));
        assertFalse(hostile.succeeded());
        assertEq(
            hostile.answer(),
            abi.encodeWithSelector(
                IOperatorRegistry.OperatorNotInStatus.selector,
                address(hostile),
                IOperatorRegistry.OperatorStatus.Active,
                IOperatorRegistry.OperatorStatus.None
            )
        );
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
    }

    function registration(
        address operator,
        uint256 key
    ) private view returns (bytes memory) {
        bytes memory proof = proofOf(operator, key);
        return abi.encodeCall(operators.registerOperator, (vm.addr(key), proof, MINIMUM_STAKE, 1));
    }

    function relay(
        address account,
        bytes memory action
    ) private {
        bytes memory signature = signAction(account, action);
        vm.prank(_relayer);
        operators.relay(account, action, nowAt(), signature);
    }

    function signAction(
        address account,
        bytes memory action
    ) private view returns (bytes memory) {
        bytes32 domain = Messages.domainSeparator(block.chainid, address(operators));
        uint256 nonce = operators.actionNonce(account);
        return sign(OPERATOR_KEY, Messages.hashRelayedAction(domain, account, action, nonce, nowAt()));
    }
}
