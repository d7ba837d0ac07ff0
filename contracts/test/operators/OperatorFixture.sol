// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../../src/deployment/Suite.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {OperatorRegistry} from "../../src/operators/OperatorRegistry.sol";
import {ProtocolParameters} from "../../src/parameters/ProtocolParameters.sol";
import {TestUSDC} from "../../src/token/TestUSDC.sol";
import {ParametersFixture} from "../parameters/ParametersFixture.sol";

/// @dev A registry alone. The court and the confirmed lane are accounts that the test speaks for.
abstract contract OperatorFixture is ParametersFixture {
    uint96 internal constant MINIMUM_STAKE = 100e6;
    uint256 internal constant EPOCH_SECONDS = 3600;
    uint256 internal constant UNBONDING = 259_200;
    uint256 internal constant START = 1_800_000_000;

    address internal immutable court = makeAddr("court");
    address internal immutable lane = makeAddr("confirmed lane");
    address internal immutable coordinator = makeAddr("coordinator");
    address internal immutable stranger = makeAddr("stranger");

    TestUSDC internal token;
    ProtocolParameters internal parameters;
    OperatorRegistry internal operators;

    function setUp() public virtual {
        vm.warp(START);
        parameters = newParameters();
        token = new TestUSDC();
        operators = newRegistry(address(token));
    }

    function newRegistry(
        address stakeToken
    ) internal returns (OperatorRegistry) {
        Suite memory suite;
        suite.token = stakeToken;
        suite.parameters = address(parameters);
        suite.coordinator = coordinator;
        suite.confirmedLane = lane;
        suite.court = court;
        return new OperatorRegistry(suite);
    }

    function operatorAt(
        uint256 index
    ) internal pure returns (address) {
        return vm.addr(0xF000 + index);
    }

    /// @dev The key that operator `index` registers with.
    function keyAt(
        uint256 index
    ) internal pure returns (uint256) {
        return 0xE000 + index;
    }

    function register(
        uint256 index
    ) internal returns (address operator) {
        return register(index, MINIMUM_STAKE);
    }

    function register(
        uint256 index,
        uint96 stake
    ) internal returns (address operator) {
        operator = operatorAt(index);
        registerWith(operator, keyAt(index), stake);
    }

    function registerWith(
        address operator,
        uint256 key,
        uint96 stake
    ) internal {
        bytes memory proof = proofOf(operator, key);
        fillPurse(operator, stake);
        vm.prank(operator);
        operators.registerOperator(vm.addr(key), proof, stake, 4);
    }

    function fillPurse(
        address account,
        uint256 amount
    ) internal {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(operators), type(uint256).max);
    }

    function proofOf(
        address operator,
        uint256 key
    ) internal view returns (bytes memory) {
        bytes32 domain = Messages.domainSeparator(block.chainid, coordinator);
        return sign(key, Messages.hashExecutionKeyProof(domain, operator, vm.addr(key), operators.keyNonce(operator)));
    }

    function sign(
        uint256 key,
        bytes32 digest
    ) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function nowAt() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    function epochNow() internal view returns (uint32) {
        return operators.currentEpoch();
    }

    /// @dev To the first second of the epoch that is `count` later.
    function skipEpochs(
        uint256 count
    ) internal {
        vm.warp((epochNow() + count) * EPOCH_SECONDS);
    }

    /// @dev Schedules and captures the seed, two transactions with three blocks between them.
    function captureSeed(
        uint32 epoch
    ) internal returns (bytes32) {
        assertEq(operators.captureSeed(epoch), 0);
        vm.roll(operators.seedBlockOf(epoch) + 1);
        return operators.captureSeed(epoch);
    }

    function statusOf(
        address operator
    ) internal view returns (IOperatorRegistry.OperatorStatus) {
        return operators.getOperator(operator).status;
    }

    function stakeOf(
        address operator
    ) internal view returns (uint256) {
        return operators.getOperator(operator).stake;
    }

    function assertStatus(
        address operator,
        IOperatorRegistry.OperatorStatus expected
    ) internal view {
        assertEq(uint256(statusOf(operator)), uint256(expected));
    }

    /// @dev What counts in an epoch, by operator and in all.
    function assertCounted(
        address operator,
        uint32 epoch,
        uint256 stake,
        uint256 totalStake,
        uint256 operatorCount
    ) internal view {
        assertEq(operators.stakeAt(operator, epoch), stake);
        IOperatorRegistry.Epoch memory found = operators.getEpoch(epoch);
        assertEq(found.totalStake, totalStake);
        assertEq(found.operatorCount, operatorCount);
    }

    function expectStatus(
        address operator,
        IOperatorRegistry.OperatorStatus expected,
        IOperatorRegistry.OperatorStatus actual
    ) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.OperatorNotInStatus.selector, operator, expected, actual)
        );
    }

    function expectTooEarly(
        uint256 availableAt
    ) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.TooEarly.selector, availableAt, vm.getBlockTimestamp())
        );
    }

    function defaultsWith(
        uint96 minimumStake
    ) internal pure returns (IProtocolParameters.Parameters memory next) {
        next = defaults();
        next.minimumStake = minimumStake;
        next.ownerBond = minimumStake;
    }
}
