// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";

/// @title The list of coordinator versions, and who works for which.
contract Directory is IDirectory, RelayedActions {
    /// @inheritdoc IDirectory
    address public immutable override governor;
    /// @inheritdoc IDirectory
    uint32 public immutable override delay;
    /// @inheritdoc IDirectory
    uint32 public override latestVersion;

    mapping(uint32 version => Suite) private _suites;
    mapping(uint32 version => mapping(address operator => bool)) private _optIns;
    /// @inheritdoc IDirectory
    mapping(uint32 version => uint256) public override optInCount;

    modifier onlyGovernor() {
        _requireGovernor();
        _;
    }

    constructor(
        address governor_,
        uint32 delay_
    ) {
        require(governor_ != address(0), ParameterInvalid("governor"));
        require(delay_ != 0, ParameterInvalid("delay"));
        governor = governor_;
        delay = delay_;
    }

    /// @inheritdoc IDirectory
    function announce(
        Suite calldata suite
    ) external onlyGovernor returns (uint32 version) {
        _requireCode(suite.functions);
        _requireCode(suite.parameters);
        _requireCode(suite.operators);
        _requireCode(suite.coordinator);
        _requireCode(suite.confirmedLane);
        _requireCode(suite.escrow);
        _requireCode(suite.court);
        version = ++latestVersion;
        Suite storage stored = _suites[version];
        _suites[version] = suite;
        stored.status = SuiteStatus.Announced;
        stored.listedAt = uint40(block.timestamp) + delay;
        emit SuiteAnnounced(version, stored, stored.listedAt);
    }

    /// @inheritdoc IDirectory
    function list(
        uint32 version
    ) external {
        Suite storage suite = _requireStatus(version, SuiteStatus.Announced);
        require(block.timestamp >= suite.listedAt, TooEarly(suite.listedAt, block.timestamp));
        suite.status = SuiteStatus.Listed;
        suite.listedAt = uint40(block.timestamp);
        emit SuiteListed(version);
    }

    /// @inheritdoc IDirectory
    function retire(
        uint32 version
    ) external onlyGovernor {
        Suite storage suite = _suites[version];
        // An announcement may be taken back before it is listed.
        if (suite.status != SuiteStatus.Announced) _requireStatus(version, SuiteStatus.Listed);
        suite.status = SuiteStatus.Retired;
        emit SuiteRetired(version);
    }

    /// @inheritdoc IDirectory
    function optIn(
        uint32 version
    ) external {
        _requireStatus(version, SuiteStatus.Listed);
        address operator = _actor();
        require(!_optIns[version][operator], NothingToChange(version, operator));
        _optIns[version][operator] = true;
        ++optInCount[version];
        emit OptedIn(version, operator);
    }

    /// @inheritdoc IDirectory
    function optOut(
        uint32 version
    ) external {
        address operator = _actor();
        require(_optIns[version][operator], NothingToChange(version, operator));
        _optIns[version][operator] = false;
        --optInCount[version];
        emit OptedOut(version, operator);
    }

    /// @inheritdoc IDirectory
    function listGateway(
        string calldata url
    ) external {
        emit GatewayListed(_actor(), url);
    }

    /// @inheritdoc IDirectory
    function getSuite(
        uint32 version
    ) external view returns (Suite memory) {
        return _suites[version];
    }

    /// @inheritdoc IDirectory
    function hasOptedIn(
        uint32 version,
        address operator
    ) external view returns (bool) {
        return _optIns[version][operator];
    }

    function _requireStatus(
        uint32 version,
        SuiteStatus expected
    ) private view returns (Suite storage suite) {
        suite = _suites[version];
        require(suite.status == expected, SuiteNotInStatus(version, expected, suite.status));
    }

    function _requireCode(
        address part
    ) private view {
        require(part.code.length != 0, SuiteIncomplete(part));
    }

    function _requireGovernor() private view {
        require(msg.sender == governor, NotGovernor(governor, msg.sender));
    }
}
