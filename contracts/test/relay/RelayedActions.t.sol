// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Test} from "forge-std/Test.sol";
import {IRelayedActions} from "../../src/interfaces/IRelayedActions.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {WalletRequester} from "../fixtures/WalletRequester.sol";
import {Actions, CallsBack} from "./Actions.sol";

contract RelayedActionsTest is Test {
    uint256 private constant KEY = 0xA11CE;
    uint40 private constant DEADLINE = 1_800_000_100;
    address private immutable _account = vm.addr(KEY);
    address private immutable _relayer = makeAddr("relayer");

    Actions private _actions;
    bytes private _action;

    function setUp() public {
        vm.warp(DEADLINE - 100);
        _actions = new Actions();
        _action = abi.encodeCall(Actions.set, (7));
    }

    function test_direct_actsForWhoSends() public {
        vm.prank(_account);
        (address actor,) = _actions.set(1);
        assertEq(actor, _account);
        assertEq(_actions.values(_account), 1);
    }

    function test_relay_actsForWhoSigned() public {
        bytes memory signature = signed(KEY, _account, _action, 0);
        vm.expectEmit(address(_actions));
        emit IRelayedActions.ActionRelayed(_account, _relayer, 0);
        vm.prank(_relayer);
        bytes memory result = _actions.relay(_account, _action, DEADLINE, signature);
        (address actor, uint256 before) = abi.decode(result, (address, uint256));
        assertEq(actor, _account);
        assertEq(before, 0);
        assertEq(_actions.values(_account), 7);
        assertEq(_actions.values(_relayer), 0);
        assertEq(_actions.lastSender(), address(_actions));
        assertEq(_actions.actionNonce(_account), 1);
    }

    /// @dev All in one transaction, where what is transient is still there: nothing is left of an actor afterwards.
    function test_relay_leavesNoActorBehind() public {
        _actions.relay(_account, _action, DEADLINE, signed(KEY, _account, _action, 0));
        vm.prank(_relayer);
        _actions.set(3);
        assertEq(_actions.lastActor(), _relayer);
        bytes memory next = abi.encodeCall(Actions.set, (8));
        _actions.relay(_account, next, DEADLINE, signed(KEY, _account, next, 1));
        assertEq(_actions.values(_account), 8);
        vm.prank(address(_actions));
        _actions.set(4);
        assertEq(_actions.lastActor(), address(0));
    }

    function test_relay_worksUntilItsDeadline() public {
        bytes memory signature = signed(KEY, _account, _action, 0);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayedActions.ActionExpired.selector, DEADLINE, DEADLINE + 1));
        _actions.relay(_account, _action, DEADLINE, signature);
        vm.warp(DEADLINE);
        _actions.relay(_account, _action, DEADLINE, signature);
    }

    function test_relay_revertsWithTheActionsOwnError() public {
        bytes memory refused = abi.encodeCall(Actions.refuse, (9));
        bytes memory signature = signed(KEY, _account, refused, 0);
        vm.expectRevert(abi.encodeWithSelector(Actions.Refused.selector, _account, 9));
        _actions.relay(_account, refused, DEADLINE, signature);
        assertEq(_actions.actionNonce(_account), 0);
        signature = signed(KEY, _account, "", 0);
        vm.expectRevert(Errors.FailedCall.selector);
        _actions.relay(_account, "", DEADLINE, signature);
    }

    function test_relay_refusesAnyOtherSignature() public {
        expectInvalid(signed(KEY, _account, abi.encodeCall(Actions.set, (8)), 0), 0);
        expectInvalid(signed(0xB0B, _account, _action, 0), 0);
        expectInvalid(signed(KEY, _relayer, _action, 0), 0);
        expectInvalid("", 0);
        bytes memory signature = signed(KEY, _account, _action, 0);
        vm.expectPartialRevert(IRelayedActions.ActionSignatureInvalid.selector);
        _actions.relay(_account, _action, DEADLINE + 1, signature);
        vm.expectPartialRevert(IRelayedActions.ActionSignatureInvalid.selector);
        _actions.relay(address(0), _action, DEADLINE, "");
    }

    // ------------------------------------------------------------ replays

    function test_Attack_ReplayOnAnotherNonce() public {
        bytes memory signature = signed(KEY, _account, _action, 0);
        _actions.relay(_account, _action, DEADLINE, signature);
        expectInvalid(signature, 1);
        expectInvalid(signed(KEY, _account, _action, 2), 1);
        _actions.relay(_account, _action, DEADLINE, signed(KEY, _account, _action, 1));
        assertEq(_actions.actionNonce(_account), 2);
    }

    function test_Attack_ReplayOnAnotherChain() public {
        bytes memory signature = signed(KEY, _account, _action, 0);
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        expectInvalid(signature, 0);
        vm.chainId(chainId);
        _actions.relay(_account, _action, DEADLINE, signature);
    }

    function test_Attack_ReplayOnAnotherContract() public {
        bytes memory signature = signed(KEY, _account, _action, 0);
        Actions other = new Actions();
        vm.expectRevert(abi.encodeWithSelector(IRelayedActions.ActionSignatureInvalid.selector, _account, 0));
        other.relay(_account, _action, DEADLINE, signature);
    }

    // ------------------------------------------------------------ contract wallets

    function test_relay_erc1271() public {
        WalletRequester wallet = new WalletRequester(_account);
        bytes memory signature = signed(KEY, address(wallet), _action, 0);
        _actions.relay(address(wallet), _action, DEADLINE, signature);
        assertEq(_actions.values(address(wallet)), 7);
        assertEq(_actions.values(_account), 0);
        wallet.setOwner(_relayer);
        signature = signed(KEY, address(wallet), _action, 1);
        vm.expectRevert(abi.encodeWithSelector(IRelayedActions.ActionSignatureInvalid.selector, address(wallet), 1));
        _actions.relay(address(wallet), _action, DEADLINE, signature);
    }

    /// @dev A contract without ERC-1271 has signed nothing, whatever it answers with.
    function test_relay_aContractThatCannotSignHasNotSigned() public {
        address contractAccount = address(new CallsBack());
        vm.expectPartialRevert(IRelayedActions.ActionSignatureInvalid.selector);
        _actions.relay(contractAccount, _action, DEADLINE, hex"00");
        vm.expectPartialRevert(IRelayedActions.ActionSignatureInvalid.selector);
        _actions.relay(address(_actions), _action, DEADLINE, hex"00");
    }

    /// @dev A wallet with code that still signs with its own key (EIP-7702).
    function test_relay_walletWithCodeSignsWithItsKey() public {
        vm.etch(_account, address(new CallsBack()).code);
        _actions.relay(_account, _action, DEADLINE, signed(KEY, _account, _action, 0));
        assertEq(_actions.values(_account), 7);
    }

    // ------------------------------------------------------------ from inside

    function test_Attack_NestedRelay() public {
        bytes memory inner =
            abi.encodeCall(IRelayedActions.relay, (_account, _action, DEADLINE, signed(KEY, _account, _action, 1)));
        bytes memory outer = signed(KEY, _account, inner, 0);
        vm.expectRevert(IRelayedActions.ActionNested.selector);
        _actions.relay(_account, inner, DEADLINE, outer);
    }

    /// @dev Who is called in the middle of a relayed action and calls back acts in its own name, not in the signer's.
    function test_Attack_CallbackInheritsTheActor() public {
        CallsBack intruder = new CallsBack();
        bytes memory callBack = abi.encodeCall(CallsBack.callBack, (address(_actions), _action));
        bytes memory outer = abi.encodeCall(Actions.callOut, (address(intruder), callBack));
        _actions.relay(_account, outer, DEADLINE, signed(KEY, _account, outer, 0));
        assertTrue(intruder.succeeded());
        assertEq(_actions.values(_account), 0);
        assertEq(_actions.values(address(intruder)), 7);
        // And the action goes on in the signer's name.
        assertEq(_actions.lastActor(), _account);
    }

    function test_Attack_CallbackRelaysAnother() public {
        CallsBack intruder = new CallsBack();
        bytes memory inner =
            abi.encodeCall(IRelayedActions.relay, (_account, _action, DEADLINE, signed(KEY, _account, _action, 1)));
        bytes memory callBack = abi.encodeCall(CallsBack.callBack, (address(_actions), inner));
        bytes memory outer = abi.encodeCall(Actions.callOut, (address(intruder), callBack));
        _actions.relay(_account, outer, DEADLINE, signed(KEY, _account, outer, 0));
        assertFalse(intruder.succeeded());
        assertEq(intruder.answer(), abi.encodeWithSelector(IRelayedActions.ActionNested.selector));
        assertEq(_actions.values(_account), 0);
    }

    function testFuzz_relay_anyValueAnyNonce(
        uint256[8] calldata values
    ) public {
        for (uint256 i; i < values.length; ++i) {
            bytes memory action = abi.encodeCall(Actions.set, (values[i]));
            _actions.relay(_account, action, DEADLINE, signed(KEY, _account, action, i));
            assertEq(_actions.values(_account), values[i]);
        }
        assertEq(_actions.actionNonce(_account), values.length);
    }

    function expectInvalid(
        bytes memory signature,
        uint256 nonce
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IRelayedActions.ActionSignatureInvalid.selector, _account, nonce));
        _actions.relay(_account, _action, DEADLINE, signature);
    }

    function signed(
        uint256 key,
        address account,
        bytes memory action,
        uint256 nonce
    ) private view returns (bytes memory) {
        bytes32 domain = Messages.domainSeparator(block.chainid, address(_actions));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, Messages.hashRelayedAction(domain, account, action, nonce, DEADLINE));
        return abi.encodePacked(r, s, v);
    }
}
