// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test, Vm} from "forge-std/Test.sol";
import {FunctionRegistry} from "../../src/functions/FunctionRegistry.sol";
import {IFunctionRegistry} from "../../src/interfaces/IFunctionRegistry.sol";

/// @dev Whoever follows the events of the registry knows all that is in it: a random history is read back from its logs alone
/// and compared with what the contract answers.
contract RebuiltRegistryTest is Test {
    uint256 private constant ACTIONS = 24;
    uint256 private constant ACCOUNTS = 3;
    uint256 private constant NAMES = 3;

    FunctionRegistry private _registry;
    bytes32[] private _known;
    mapping(bytes32 functionId => IFunctionRegistry.FunctionState) private _states;
    mapping(bytes32 functionId => mapping(uint32 version => IFunctionRegistry.Deployment)) private _deployments;

    function setUp() public {
        _registry = new FunctionRegistry();
    }

    function testFuzz_registry_isRebuiltFromEvents(
        uint256 seed
    ) public {
        vm.recordLogs();
        uint256 done;
        for (uint256 i; i < ACTIONS; ++i) {
            if (_act(uint256(keccak256(abi.encode(seed, i))))) ++done;
        }
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            _read(logs[i]);
        }
        assertGt(done, 0);
        for (uint256 i; i < _known.length; ++i) {
            IFunctionRegistry.FunctionState memory state = _registry.getFunction(_known[i]);
            assertEq(abi.encode(_states[_known[i]]), abi.encode(state));
            for (uint32 version = 1; version <= state.latestVersion; ++version) {
                IFunctionRegistry.Deployment memory deployment = _registry.getDeployment(_known[i], version);
                assertEq(abi.encode(_deployments[_known[i]][version]), abi.encode(deployment));
            }
        }
    }

    // ------------------------------------------------------------------ a history

    /// @dev One call of somebody, which may be refused. A function that nobody published yet is published.
    function _act(
        uint256 seed
    ) private returns (bool succeeded) {
        address actor = _account(seed >> 8);
        bytes32 id = _registry.functionIdOf(_account(seed >> 16), "project", _name(seed >> 24));
        uint32 version = uint32(1 + (seed >> 32) % 3);
        uint256 choice = seed % 8;
        bytes memory call;
        if (choice < 3) {
            call = abi.encodeCall(IFunctionRegistry.publish, ("project", _specs(seed)));
        } else if (choice == 3) {
            call = abi.encodeCall(IFunctionRegistry.setCurrentVersion, (id, version));
        } else if (choice == 4) {
            call = abi.encodeCall(IFunctionRegistry.setPrice, (id, uint64(seed), actor, 1));
        } else if (choice == 5) {
            call = abi.encodeCall(IFunctionRegistry.offerOwnership, (id, _account(seed >> 40)));
        } else if (choice == 6) {
            call = abi.encodeCall(IFunctionRegistry.acceptOwnership, (id));
        } else {
            call = abi.encodeCall(IFunctionRegistry.publishVersions, (_account(seed >> 16), "project", _specs(seed)));
        }
        vm.prank(actor);
        (succeeded,) = address(_registry).call(call);
    }

    function _specs(
        uint256 seed
    ) private pure returns (IFunctionRegistry.FunctionSpec[] memory specs) {
        specs = new IFunctionRegistry.FunctionSpec[](1 + (seed >> 48) % 2);
        for (uint256 i; i < specs.length; ++i) {
            specs[i] = IFunctionRegistry.FunctionSpec({
                name: _name((seed >> 24) + i),
                bundleDigest: keccak256(abi.encode("bundle", seed)),
                metadataDigest: keccak256(abi.encode("metadata", seed)),
                runtimeDigest: keccak256(abi.encode("runtime", seed)),
                limitsClass: uint8(1 + (seed >> 56) % 3),
                flags: uint16(seed >> 64),
                quorum: uint8(1 + (seed >> 72) % 7),
                lane: uint8(1 + (seed >> 80) % 2),
                fee: uint96(seed >> 88),
                price: uint128((seed >> 96) % 3),
                payee: _account(seed >> 104),
                paymentMode: 1
            });
        }
    }

    function _account(
        uint256 seed
    ) private pure returns (address) {
        return address(uint160(0xacc0 + seed % ACCOUNTS));
    }

    function _name(
        uint256 seed
    ) private pure returns (string memory) {
        return string(abi.encodePacked("function-", bytes1(uint8(97 + seed % NAMES))));
    }

    // ------------------------------------------------------------------ a reader

    function _read(
        Vm.Log memory log
    ) private {
        (bytes32 what, bytes32 id) = (log.topics[0], log.topics[1]);
        IFunctionRegistry.FunctionState storage state = _states[id];
        if (what == IFunctionRegistry.FunctionCreated.selector) {
            _known.push(id);
            state.owner = address(uint160(uint256(log.topics[2])));
        } else if (what == IFunctionRegistry.DeploymentPublished.selector) {
            state.latestVersion = uint32(uint256(log.topics[2]));
            _deployments[id][state.latestVersion] = abi.decode(log.data, (IFunctionRegistry.Deployment));
        } else if (what == IFunctionRegistry.CurrentVersionChanged.selector) {
            state.currentVersion = uint32(uint256(log.topics[2]));
        } else if (what == IFunctionRegistry.PriceChanged.selector) {
            (state.price, state.payee, state.paymentMode) = abi.decode(log.data, (uint128, address, uint8));
        } else if (what == IFunctionRegistry.OwnershipOffered.selector) {
            state.pendingOwner = address(uint160(uint256(log.topics[3])));
        } else if (what == IFunctionRegistry.OwnershipTransferred.selector) {
            state.owner = address(uint160(uint256(log.topics[3])));
            state.pendingOwner = address(0);
        } else {
            revert("an event that no reader knows");
        }
    }
}
