// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {OperatorFixture} from "./OperatorFixture.sol";

contract ExecutionKeysTest is OperatorFixture {
    address private _operator;
    uint256 private constant NEW_KEY = 0xBEEF;
    address private immutable _newcomer = makeAddr("newcomer");

    function setUp() public override {
        super.setUp();
        _operator = register(0);
    }

    function test_bind_opensFromNowForEver() public view {
        IOperatorRegistry.ExecutionKey memory key = operators.getExecutionKey(vm.addr(keyAt(0)));
        assertEq(key.operator, _operator);
        assertEq(key.validFrom, nowAt());
        assertEq(key.validTo, type(uint40).max);
        assertEq(operators.keyNonce(_operator), 1);
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt()), _operator);
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt() - 1), address(0));
        assertEq(operators.operatorForKey(stranger, nowAt()), address(0));
    }

    function test_bind_refusesAnotherOperatorsKey() public {
        bytes memory proof = proofOf(_newcomer, keyAt(0));
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.ExecutionKeyTaken.selector, vm.addr(keyAt(0)), _operator)
        );
        vm.prank(_newcomer);
        operators.registerOperator(vm.addr(keyAt(0)), proof, MINIMUM_STAKE, 1);
    }

    function test_bind_refusesProofOfSomebodyElse() public {
        bytes memory proof = proofOf(_operator, NEW_KEY);
        expectProofInvalid(_newcomer);
        vm.prank(_newcomer);
        operators.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE, 1);
        expectProofInvalid(_newcomer);
        vm.prank(_newcomer);
        operators.registerOperator(vm.addr(NEW_KEY), hex"00", MINIMUM_STAKE, 1);
    }

    function test_bind_refusesProofOfAnotherChain() public {
        bytes memory proof = proofOf(_newcomer, NEW_KEY);
        vm.chainId(block.chainid + 1);
        expectProofInvalid(_newcomer);
        vm.prank(_newcomer);
        operators.registerOperator(vm.addr(NEW_KEY), proof, MINIMUM_STAKE, 1);
    }

    function test_bind_refusesTheZeroKey() public {
        vm.expectRevert(IOperatorRegistry.AddressZero.selector);
        vm.prank(_newcomer);
        operators.registerOperator(address(0), "", MINIMUM_STAKE, 1);
    }

    function test_rotate_closesTheOldKeyAndOpensTheNew() public {
        skip(100);
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.ExecutionKeyClosed(_operator, vm.addr(keyAt(0)), nowAt());
        vm.expectEmit(address(operators));
        emit IOperatorRegistry.ExecutionKeyBound(_operator, vm.addr(NEW_KEY), nowAt());
        rotate(NEW_KEY);
        uint40 rotatedAt = nowAt();
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), rotatedAt), _operator);
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), rotatedAt + 1), address(0));
        assertEq(operators.operatorForKey(vm.addr(NEW_KEY), rotatedAt - 1), address(0));
        assertEq(operators.operatorForKey(vm.addr(NEW_KEY), rotatedAt), _operator);
        assertEq(operators.getExecutionKey(vm.addr(keyAt(0))).validTo, rotatedAt);
        assertEq(operators.keyNonce(_operator), 2);
        assertEq(operators.getOperator(_operator).executionKey, vm.addr(NEW_KEY));
    }

    function test_rotate_refusesAnOldKeyForEver() public {
        rotate(NEW_KEY);
        bytes memory proof = proofOf(_operator, keyAt(0));
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.ExecutionKeyTaken.selector, vm.addr(keyAt(0)), _operator)
        );
        vm.prank(_operator);
        operators.rotateExecutionKey(vm.addr(keyAt(0)), proof);
    }

    function test_rotate_refusesAUsedProof() public {
        bytes memory proof = proofOf(_operator, NEW_KEY);
        rotate(0xEA);
        expectProofInvalid(_operator);
        vm.prank(_operator);
        operators.rotateExecutionKey(vm.addr(NEW_KEY), proof);
    }

    function test_rotate_whileDraining() public {
        vm.prank(_operator);
        operators.drain();
        rotate(NEW_KEY);
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Draining);
        vm.prank(_operator);
        operators.resume();
    }

    function test_revoke_closesTheKeyAndDrains() public {
        skip(10);
        vm.startPrank(_operator);
        operators.revokeExecutionKey();
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Draining);
        assertEq(operators.activeCount(), 0);
        assertEq(operators.getOperator(_operator).executionKey, address(0));
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt()), _operator);
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), nowAt() + 1), address(0));
        bytes memory missing = abi.encodeWithSelector(IOperatorRegistry.ExecutionKeyMissing.selector, _operator);
        vm.expectRevert(missing);
        operators.revokeExecutionKey();
        vm.expectRevert(missing);
        operators.resume();
        vm.stopPrank();
        uint40 closedAt = nowAt();
        skip(10);
        rotate(NEW_KEY);
        assertEq(operators.getExecutionKey(vm.addr(keyAt(0))).validTo, closedAt);
        vm.prank(_operator);
        operators.resume();
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Active);
    }

    function test_revoke_whileDraining() public {
        vm.startPrank(_operator);
        operators.drain();
        operators.revokeExecutionKey();
        assertStatus(_operator, IOperatorRegistry.OperatorStatus.Draining);
    }

    function test_getExecutionKeys_answersInOrder() public {
        register(1);
        address[] memory asked = new address[](3);
        (asked[0], asked[1], asked[2]) = (vm.addr(keyAt(1)), stranger, vm.addr(keyAt(0)));
        IOperatorRegistry.ExecutionKey[] memory keys = operators.getExecutionKeys(asked);
        assertEq(keys[0].operator, operatorAt(1));
        assertEq(keys[1].operator, address(0));
        assertEq(keys[2].operator, _operator);
        assertEq(keys[2].validTo, type(uint40).max);
    }

    /// @dev Many at once are what each is alone.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_getExecutionKeys_areTheSameAsOneByOne(
        uint8[] calldata picks,
        uint32 wait
    ) public {
        register(1);
        skip(wait);
        rotate(NEW_KEY);
        address[4] memory known = [vm.addr(keyAt(0)), vm.addr(keyAt(1)), vm.addr(NEW_KEY), stranger];
        address[] memory asked = new address[](picks.length);
        for (uint256 i; i < asked.length; ++i) {
            asked[i] = known[picks[i] % 4];
        }
        IOperatorRegistry.ExecutionKey[] memory keys = operators.getExecutionKeys(asked);
        assertEq(keys.length, asked.length);
        for (uint256 i; i < asked.length; ++i) {
            assertEq(abi.encode(keys[i]), abi.encode(operators.getExecutionKey(asked[i])));
        }
    }

    /// @dev Work signed before a rotation is still paid, work issued after it is not: by each key's own times, whenever it is
    /// settled.
    function testFuzz_Attack_KeyRotationInFlight(
        uint16 wait,
        uint16 issuedAfter
    ) public {
        uint40 start = nowAt();
        skip(wait);
        uint40 rotatedAt = nowAt();
        rotate(NEW_KEY);
        uint40 issuedAt = start + issuedAfter;
        skip(30 days);
        bool isOld = issuedAt <= rotatedAt;
        assertEq(operators.operatorForKey(vm.addr(keyAt(0)), issuedAt), isOld ? _operator : address(0));
        bool isNew = issuedAt >= rotatedAt;
        assertEq(operators.operatorForKey(vm.addr(NEW_KEY), issuedAt), isNew ? _operator : address(0));
    }

    /// @dev Whoever leaves or is jailed is settled for what it signed before, and for nothing that is issued later.
    function test_Attack_KeyRotationInFlight_byUnbonding() public {
        address other = register(1);
        skip(10);
        vm.prank(_operator);
        operators.unbond();
        vm.prank(court);
        operators.jail(other, 1);
        for (uint256 i; i < 2; ++i) {
            address key = vm.addr(keyAt(i));
            assertEq(operators.operatorForKey(key, nowAt()), operatorAt(i));
            assertEq(operators.operatorForKey(key, nowAt() + 1), address(0));
        }
    }

    function rotate(
        uint256 key
    ) private {
        bytes memory proof = proofOf(_operator, key);
        vm.prank(_operator);
        operators.rotateExecutionKey(vm.addr(key), proof);
    }

    function expectProofInvalid(
        address operator
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.ExecutionKeyProofInvalid.selector, operator, vm.addr(NEW_KEY))
        );
    }
}
