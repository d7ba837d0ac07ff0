// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFunctionRegistry} from "../interfaces/IFunctionRegistry.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Names} from "../libraries/Names.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";

/// @title Functions, their immutable deployments and their prices.
contract FunctionRegistry is IFunctionRegistry, RelayedActions {
    uint8 private constant LAST_LANE = 2;
    uint8 private constant LAST_PAYMENT_MODE = 3;

    mapping(bytes32 functionId => FunctionState) private _functions;
    mapping(bytes32 functionId => mapping(uint32 version => Deployment)) private _deployments;

    /// @inheritdoc IFunctionRegistry
    function publish(
        string calldata project,
        FunctionSpec[] calldata specs
    ) external returns (bytes32[] memory functionIds, uint32[] memory versions) {
        return _publish(_actor(), project, specs);
    }

    /// @inheritdoc IFunctionRegistry
    function publishVersions(
        address creator,
        string calldata project,
        FunctionSpec[] calldata specs
    ) external returns (bytes32[] memory functionIds, uint32[] memory versions) {
        return _publish(creator, project, specs);
    }

    /// @inheritdoc IFunctionRegistry
    function setCurrentVersion(
        bytes32 functionId,
        uint32 version
    ) external {
        FunctionState storage state = _owned(functionId);
        require(
            version != 0 && version <= state.latestVersion, VersionUnknown(functionId, version, state.latestVersion)
        );
        state.currentVersion = version;
        emit CurrentVersionChanged(functionId, version);
    }

    /// @inheritdoc IFunctionRegistry
    function setPrice(
        bytes32 functionId,
        uint128 price,
        address payee,
        uint8 paymentMode
    ) external {
        FunctionState storage state = _owned(functionId);
        require(_isPaymentMode(paymentMode), PaymentModeInvalid(functionId, paymentMode));
        _setPrice(functionId, state, price, payee, paymentMode);
    }

    /// @inheritdoc IFunctionRegistry
    function offerOwnership(
        bytes32 functionId,
        address newOwner
    ) external {
        FunctionState storage state = _owned(functionId);
        state.pendingOwner = newOwner;
        emit OwnershipOffered(functionId, state.owner, newOwner);
    }

    /// @inheritdoc IFunctionRegistry
    function acceptOwnership(
        bytes32 functionId
    ) external {
        FunctionState storage state = _known(functionId);
        address actor = _actor();
        require(state.pendingOwner == actor, NotPendingOwner(functionId, state.pendingOwner, actor));
        address previousOwner = state.owner;
        state.owner = actor;
        state.pendingOwner = address(0);
        emit OwnershipTransferred(functionId, previousOwner, actor);
    }

    /// @inheritdoc IFunctionRegistry
    function getFunction(
        bytes32 functionId
    ) external view returns (FunctionState memory) {
        return _known(functionId);
    }

    /// @inheritdoc IFunctionRegistry
    function getDeployment(
        bytes32 functionId,
        uint32 version
    ) external view returns (Deployment memory) {
        uint32 latestVersion = _functions[functionId].latestVersion;
        require(version != 0 && version <= latestVersion, VersionUnknown(functionId, version, latestVersion));
        return _deployments[functionId][version];
    }

    /// @inheritdoc IFunctionRegistry
    function functionIdOf(
        address creator,
        string calldata project,
        string calldata name
    ) external pure returns (bytes32) {
        return Hashes.functionId(creator, project, name);
    }

    function _publish(
        address creator,
        string calldata project,
        FunctionSpec[] calldata specs
    ) private returns (bytes32[] memory functionIds, uint32[] memory versions) {
        require(specs.length != 0, NothingToPublish());
        require(Names.isProjectName(bytes(project)), NameInvalid(project));
        functionIds = new bytes32[](specs.length);
        versions = new uint32[](specs.length);
        for (uint256 i; i < specs.length; ++i) {
            (functionIds[i], versions[i]) = _publishOne(creator, project, specs[i]);
        }
    }

    function _publishOne(
        address creator,
        string calldata project,
        FunctionSpec calldata spec
    ) private returns (bytes32 functionId, uint32 version) {
        _assertSpec(spec);
        functionId = Hashes.functionId(creator, project, spec.name);
        FunctionState storage state = _functions[functionId];
        address actor = _actor();
        bool isNew = state.owner == address(0);
        if (isNew) {
            require(creator == actor, FunctionUnknown(functionId));
            state.owner = actor;
            emit FunctionCreated(functionId, actor, project, spec.name);
        } else {
            require(state.owner == actor, NotOwner(functionId, state.owner, actor));
        }
        version = ++state.latestVersion;
        state.currentVersion = version;
        Deployment memory deployment = Deployment({
            bundleDigest: spec.bundleDigest,
            metadataDigest: spec.metadataDigest,
            runtimeDigest: spec.runtimeDigest,
            limitsClass: spec.limitsClass,
            flags: spec.flags,
            quorum: spec.quorum,
            lane: spec.lane,
            fee: spec.fee
        });
        _deployments[functionId][version] = deployment;
        emit DeploymentPublished(functionId, version, deployment);
        emit CurrentVersionChanged(functionId, version);
        bool samePrice = state.price == spec.price && state.payee == spec.payee && state.paymentMode == spec.paymentMode;
        if (isNew || !samePrice) _setPrice(functionId, state, spec.price, spec.payee, spec.paymentMode);
    }

    function _setPrice(
        bytes32 functionId,
        FunctionState storage state,
        uint128 price,
        address payee,
        uint8 paymentMode
    ) private {
        state.price = price;
        state.payee = payee;
        state.paymentMode = paymentMode;
        emit PriceChanged(functionId, price, payee, paymentMode);
    }

    function _assertSpec(
        FunctionSpec calldata spec
    ) private pure {
        require(Names.isFunctionName(bytes(spec.name)), NameInvalid(spec.name));
        require(spec.bundleDigest != 0, SpecInvalid(spec.name, "bundleDigest"));
        require(spec.runtimeDigest != 0, SpecInvalid(spec.name, "runtimeDigest"));
        require(spec.limitsClass != 0, SpecInvalid(spec.name, "limitsClass"));
        require(spec.quorum != 0, SpecInvalid(spec.name, "quorum"));
        require(spec.lane != 0 && spec.lane <= LAST_LANE, SpecInvalid(spec.name, "lane"));
        require(_isPaymentMode(spec.paymentMode), SpecInvalid(spec.name, "paymentMode"));
    }

    function _isPaymentMode(
        uint8 paymentMode
    ) private pure returns (bool) {
        return paymentMode != 0 && paymentMode <= LAST_PAYMENT_MODE;
    }

    function _known(
        bytes32 functionId
    ) private view returns (FunctionState storage state) {
        state = _functions[functionId];
        require(state.owner != address(0), FunctionUnknown(functionId));
    }

    function _owned(
        bytes32 functionId
    ) private view returns (FunctionState storage state) {
        state = _known(functionId);
        address actor = _actor();
        require(state.owner == actor, NotOwner(functionId, state.owner, actor));
    }
}
