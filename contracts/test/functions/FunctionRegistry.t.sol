// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {FunctionRegistry} from "../../src/functions/FunctionRegistry.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {IFunctionRegistry} from "../../src/interfaces/IFunctionRegistry.sol";

contract FunctionRegistryTest is Test {
    uint256 private constant SIGNER_KEY = 0x51;
    uint40 private constant DEADLINE = 1_900_000_000;
    FunctionRegistry private _registry;
    address private immutable _creator = makeAddr("creator");
    address private immutable _stranger = makeAddr("stranger");

    function setUp() public {
        _registry = new FunctionRegistry();
    }

    function test_publish_createsFunctionsAndTheirFirstVersion() public {
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](2);
        specs[0] = spec("now");
        specs[1] = spec("daily/report");
        bytes32 id = _registry.functionIdOf(_creator, "weather", "now");
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.FunctionCreated(id, _creator, "weather", "now");
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.DeploymentPublished(id, 1, deploymentOf(specs[0]));
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.CurrentVersionChanged(id, 1);
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.PriceChanged(id, 1000, address(0), 1);
        vm.prank(_creator);
        (bytes32[] memory ids, uint32[] memory versions) = _registry.publish("weather", specs);
        assertEq(ids[0], id);
        assertEq(ids[1], keccak256(abi.encode(_creator, keccak256("weather"), keccak256("daily/report"))));
        assertEq(versions[0], 1);
        assertEq(versions[1], 1);
        IFunctionRegistry.FunctionState memory state = _registry.getFunction(id);
        assertEq(state.owner, _creator);
        assertEq(state.currentVersion, 1);
        assertEq(state.latestVersion, 1);
        assertEq(state.price, 1000);
        assertEq(state.paymentMode, 1);
        IFunctionRegistry.Deployment memory deployment = _registry.getDeployment(id, 1);
        assertEq(abi.encode(deployment), abi.encode(deploymentOf(specs[0])));
    }

    function test_publish_nextVersionBecomesCurrentAndTheOldOneStays() public {
        bytes32 id = publish(spec("now"));
        IFunctionRegistry.FunctionSpec memory next = spec("now");
        next.bundleDigest = keccak256("next bundle");
        next.price = 2000;
        publish(next);
        IFunctionRegistry.FunctionState memory state = _registry.getFunction(id);
        assertEq(state.currentVersion, 2);
        assertEq(state.latestVersion, 2);
        assertEq(state.price, 2000);
        assertEq(_registry.getDeployment(id, 1).bundleDigest, keccak256("bundle"));
        assertEq(_registry.getDeployment(id, 2).bundleDigest, keccak256("next bundle"));
    }

    function test_publish_samePriceIsNoChange() public {
        publish(spec("now"));
        vm.recordLogs();
        publish(spec("now"));
        assertEq(vm.getRecordedLogs().length, 2);
    }

    function test_publish_anyOtherTermIsAChange() public {
        bytes32 id = publish(spec("now"));
        IFunctionRegistry.FunctionSpec memory next = spec("now");
        next.payee = _stranger;
        publish(next);
        assertEq(_registry.getFunction(id).payee, _stranger);
        next.paymentMode = 3;
        publish(next);
        assertEq(_registry.getFunction(id).paymentMode, 3);
    }

    function test_publish_refusesNothing() public {
        vm.expectRevert(IFunctionRegistry.NothingToPublish.selector);
        _registry.publish("weather", new IFunctionRegistry.FunctionSpec[](0));
    }

    function test_publish_refusesNames() public {
        string[9] memory names = ["", "-a", "a-", "A", "a_b", "a//b", "/a", "a/", "a/-b"];
        for (uint256 i; i < names.length; ++i) {
            expectRefused("weather", spec(names[i]), invalidName(names[i]));
        }
        string memory long = "a234567890123456789012345678901234567890123456789012345678901234";
        publish(spec(long));
        long = string.concat(long, "5");
        expectRefused("weather", spec(long), invalidName(long));
        expectRefused("a/b", spec("now"), invalidName("a/b"));
        string[4] memory good = ["a", "0", "a--b", "a/b-c/0"];
        for (uint256 i; i < good.length; ++i) {
            publish(spec(good[i]));
        }
    }

    function test_publish_refusesSpecs() public {
        IFunctionRegistry.FunctionSpec memory broken = spec("now");
        broken.bundleDigest = 0;
        expectRefused("weather", broken, invalidSpec("bundleDigest"));
        broken = spec("now");
        broken.runtimeDigest = 0;
        expectRefused("weather", broken, invalidSpec("runtimeDigest"));
        broken = spec("now");
        broken.limitsClass = 0;
        expectRefused("weather", broken, invalidSpec("limitsClass"));
        broken = spec("now");
        broken.quorum = 0;
        expectRefused("weather", broken, invalidSpec("quorum"));
        broken = spec("now");
        broken.lane = 0;
        expectRefused("weather", broken, invalidSpec("lane"));
        broken.lane = 3;
        expectRefused("weather", broken, invalidSpec("lane"));
        broken.lane = 2;
        publish(broken);
        broken = spec("now");
        broken.paymentMode = 0;
        expectRefused("weather", broken, invalidSpec("paymentMode"));
    }

    function test_publish_refusesACreatorThatGaveItAway() public {
        bytes32 id = publish(spec("now"));
        handOver(id);
        expectRefused(
            "weather", spec("now"), abi.encodeWithSelector(IFunctionRegistry.NotOwner.selector, id, _stranger, _creator)
        );
    }

    function test_setCurrentVersion_rollsBackAndForward() public {
        bytes32 id = publish(spec("now"));
        publish(spec("now"));
        vm.startPrank(_creator);
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.CurrentVersionChanged(id, 1);
        _registry.setCurrentVersion(id, 1);
        assertEq(_registry.getFunction(id).currentVersion, 1);
        _registry.setCurrentVersion(id, 2);
        uint32[2] memory unknown = [uint32(0), 3];
        for (uint256 i; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.VersionUnknown.selector, id, unknown[i], 2));
            _registry.setCurrentVersion(id, unknown[i]);
            vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.VersionUnknown.selector, id, unknown[i], 2));
            _registry.getDeployment(id, unknown[i]);
        }
    }

    function test_setPrice() public {
        bytes32 id = publish(spec("now"));
        vm.startPrank(_creator);
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.PriceChanged(id, 5, _stranger, 2);
        _registry.setPrice(id, 5, _stranger, 2);
        assertEq(_registry.getFunction(id).payee, _stranger);
        vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.PaymentModeInvalid.selector, id, 4));
        _registry.setPrice(id, 5, _stranger, 4);
    }

    function test_onlyTheOwner() public {
        bytes32 id = publish(spec("now"));
        bytes memory refusal = abi.encodeWithSelector(IFunctionRegistry.NotOwner.selector, id, _creator, _stranger);
        vm.startPrank(_stranger);
        vm.expectRevert(refusal);
        _registry.setPrice(id, 5, _stranger, 2);
        vm.expectRevert(refusal);
        _registry.setCurrentVersion(id, 1);
        vm.expectRevert(refusal);
        _registry.offerOwnership(id, _stranger);
    }

    function test_ownership_takesTwoSteps() public {
        bytes32 id = publish(spec("now"));
        vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.NotPendingOwner.selector, id, address(0), _stranger));
        vm.prank(_stranger);
        _registry.acceptOwnership(id);
        handOver(id);
        IFunctionRegistry.FunctionState memory state = _registry.getFunction(id);
        assertEq(state.owner, _stranger);
        assertEq(state.pendingOwner, address(0));
        vm.prank(_stranger);
        _registry.setPrice(id, 9, address(0), 1);
    }

    function test_ownership_offerIsWithdrawnByZero() public {
        bytes32 id = publish(spec("now"));
        vm.startPrank(_creator);
        _registry.offerOwnership(id, _stranger);
        _registry.offerOwnership(id, address(0));
        vm.stopPrank();
        vm.expectPartialRevert(IFunctionRegistry.NotPendingOwner.selector);
        vm.prank(_stranger);
        _registry.acceptOwnership(id);
    }

    function test_ownership_theNewOwnerPublishesUnderTheSameId() public {
        bytes32 id = publish(spec("now"));
        handOver(id);
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](1);
        specs[0] = spec("now");
        vm.prank(_stranger);
        (bytes32[] memory ids, uint32[] memory versions) = _registry.publishVersions(_creator, "weather", specs);
        assertEq(ids[0], id);
        assertEq(versions[0], 2);
        vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.NotOwner.selector, id, _stranger, _creator));
        vm.prank(_creator);
        _registry.publishVersions(_creator, "weather", specs);
    }

    function test_publishVersions_createsNothingInAnothersName() public {
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](1);
        specs[0] = spec("now");
        bytes32 id = _registry.functionIdOf(_creator, "weather", "now");
        vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.FunctionUnknown.selector, id));
        vm.prank(_stranger);
        _registry.publishVersions(_creator, "weather", specs);
    }

    function test_unknownFunction() public {
        bytes memory unknown = abi.encodeWithSelector(IFunctionRegistry.FunctionUnknown.selector, bytes32("x"));
        vm.expectRevert(unknown);
        _registry.getFunction("x");
        vm.expectRevert(unknown);
        _registry.setPrice("x", 1, address(0), 1);
        vm.expectRevert(unknown);
        _registry.acceptOwnership("x");
    }

    /// @dev Whoever signed is the creator and the owner, whoever sends it.
    function test_relay_publishesInTheNameOfTheSigner() public {
        address signer = vm.addr(SIGNER_KEY);
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](1);
        specs[0] = spec("now");
        bytes memory result = relay(abi.encodeCall(IFunctionRegistry.publish, ("weather", specs)), 0);
        (bytes32[] memory ids, uint32[] memory versions) = abi.decode(result, (bytes32[], uint32[]));
        assertEq(ids[0], _registry.functionIdOf(signer, "weather", "now"));
        assertEq(versions[0], 1);
        assertEq(_registry.getFunction(ids[0]).owner, signer);
        relay(abi.encodeCall(IFunctionRegistry.publishVersions, (signer, "weather", specs)), 1);
        relay(abi.encodeCall(IFunctionRegistry.setCurrentVersion, (ids[0], 1)), 2);
        relay(abi.encodeCall(IFunctionRegistry.setPrice, (ids[0], 5, _stranger, 2)), 3);
        relay(abi.encodeCall(IFunctionRegistry.offerOwnership, (ids[0], _creator)), 4);
        IFunctionRegistry.FunctionState memory state = _registry.getFunction(ids[0]);
        assertEq(state.latestVersion, 2);
        assertEq(state.currentVersion, 1);
        assertEq(state.price, 5);
        assertEq(state.pendingOwner, _creator);
        vm.startPrank(_creator);
        _registry.acceptOwnership(ids[0]);
        _registry.offerOwnership(ids[0], signer);
        vm.stopPrank();
        relay(abi.encodeCall(IFunctionRegistry.acceptOwnership, (ids[0])), 5);
        assertEq(_registry.getFunction(ids[0]).owner, signer);
    }

    function test_relay_refusesWhatTheSignerDoesNotOwn() public {
        bytes32 id = publish(spec("now"));
        address signer = vm.addr(SIGNER_KEY);
        bytes memory action = abi.encodeCall(IFunctionRegistry.setPrice, (id, 5, signer, 2));
        bytes memory signature = signRelay(action, 0);
        vm.expectRevert(abi.encodeWithSelector(IFunctionRegistry.NotOwner.selector, id, _creator, signer));
        vm.prank(_creator);
        _registry.relay(signer, action, DEADLINE, signature);
    }

    function testFuzz_publish_keepsEveryVersion(
        uint8 count
    ) public {
        count = uint8(bound(count, 1, 20));
        bytes32 id;
        for (uint256 i = 1; i <= count; ++i) {
            IFunctionRegistry.FunctionSpec memory next = spec("now");
            next.bundleDigest = bytes32(i);
            id = publish(next);
        }
        for (uint32 i = 1; i <= count; ++i) {
            assertEq(_registry.getDeployment(id, i).bundleDigest, bytes32(uint256(i)));
        }
    }

    function relay(
        bytes memory action,
        uint256 nonce
    ) private returns (bytes memory) {
        bytes memory signature = signRelay(action, nonce);
        vm.prank(_stranger);
        return _registry.relay(vm.addr(SIGNER_KEY), action, DEADLINE, signature);
    }

    function signRelay(
        bytes memory action,
        uint256 nonce
    ) private view returns (bytes memory) {
        bytes32 domain = Messages.domainSeparator(block.chainid, address(_registry));
        bytes32 digest = Messages.hashRelayedAction(domain, vm.addr(SIGNER_KEY), action, nonce, DEADLINE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER_KEY, digest);
        return abi.encodePacked(r, s, v);
    }

    function handOver(
        bytes32 id
    ) private {
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.OwnershipOffered(id, _creator, _stranger);
        vm.prank(_creator);
        _registry.offerOwnership(id, _stranger);
        vm.expectEmit(address(_registry));
        emit IFunctionRegistry.OwnershipTransferred(id, _creator, _stranger);
        vm.prank(_stranger);
        _registry.acceptOwnership(id);
    }

    function publish(
        IFunctionRegistry.FunctionSpec memory one
    ) private returns (bytes32) {
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](1);
        specs[0] = one;
        vm.prank(_creator);
        (bytes32[] memory ids,) = _registry.publish("weather", specs);
        return ids[0];
    }

    function expectRefused(
        string memory project,
        IFunctionRegistry.FunctionSpec memory one,
        bytes memory refusal
    ) private {
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](1);
        specs[0] = one;
        vm.expectRevert(refusal);
        vm.prank(_creator);
        _registry.publish(project, specs);
    }

    function invalidName(
        string memory name
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFunctionRegistry.NameInvalid.selector, name);
    }

    function invalidSpec(
        string memory member
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFunctionRegistry.SpecInvalid.selector, "now", member);
    }

    function spec(
        string memory name
    ) private pure returns (IFunctionRegistry.FunctionSpec memory) {
        return IFunctionRegistry.FunctionSpec({
            name: name,
            bundleDigest: keccak256("bundle"),
            metadataDigest: keccak256("metadata"),
            runtimeDigest: keccak256("runtime"),
            limitsClass: 1,
            flags: 1,
            quorum: 1,
            lane: 1,
            fee: 100,
            price: 1000,
            payee: address(0),
            paymentMode: 1
        });
    }

    function deploymentOf(
        IFunctionRegistry.FunctionSpec memory one
    ) private pure returns (IFunctionRegistry.Deployment memory) {
        return IFunctionRegistry.Deployment(
            one.bundleDigest,
            one.metadataDigest,
            one.runtimeDigest,
            one.limitsClass,
            one.flags,
            one.quorum,
            one.lane,
            one.fee
        );
    }
}
