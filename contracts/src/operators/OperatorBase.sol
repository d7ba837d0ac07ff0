// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Suite} from "../deployment/Suite.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";

/// @title What every part of the operator registry needs: the record of an operator, its status, the token's way in and out.
abstract contract OperatorBase is IOperatorRegistry, RelayedActions, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct OperatorRecord {
        uint96 stake;
        uint40 statusSince;
        uint40 jailedUntil;
        uint32 capacity;
        uint32 openCases;
        OperatorStatus status;
        address executionKey;
        uint96 keyNonce;
    }

    /// @inheritdoc IOperatorRegistry
    address public immutable override token;
    IProtocolParameters internal immutable _parameters;
    address internal immutable _coordinator;
    address internal immutable _confirmedLane;
    address internal immutable _court;
    uint32 internal immutable _epochSeconds;
    uint32 internal immutable _unbondingPeriod;

    mapping(address operator => OperatorRecord) internal _operators;

    /// @inheritdoc IOperatorRegistry
    uint256 public override activeCount;

    constructor(
        Suite memory suite
    ) {
        _parameters = IProtocolParameters(suite.parameters);
        IProtocolParameters.Times memory times = _parameters.times();
        token = suite.token;
        _coordinator = suite.coordinator;
        _confirmedLane = suite.confirmedLane;
        _court = suite.court;
        _epochSeconds = times.epochSeconds;
        _unbondingPeriod = times.unbondingPeriod;
    }

    /// @inheritdoc IOperatorRegistry
    function getOperator(
        address operator
    ) external view returns (Operator memory) {
        OperatorRecord storage record = _operators[operator];
        return Operator({
            status: record.status,
            executionKey: record.executionKey,
            statusSince: record.statusSince,
            jailedUntil: record.jailedUntil,
            capacity: record.capacity,
            openCases: record.openCases,
            stake: record.stake
        });
    }

    /// @dev Only an active operator counts for seats, so whoever changes status or stake also calls `_countStake`.
    function _setStatus(
        address operator,
        OperatorStatus status
    ) internal {
        OperatorRecord storage record = _operators[operator];
        if (record.status == OperatorStatus.Active) --activeCount;
        if (status == OperatorStatus.Active) ++activeCount;
        record.status = status;
        record.statusSince = uint40(block.timestamp);
        emit OperatorStatusChanged(operator, status, record.jailedUntil);
    }

    function _requireStatus(
        address operator,
        OperatorStatus expected
    ) internal view {
        OperatorStatus actual = _operators[operator].status;
        require(actual == expected, OperatorNotInStatus(operator, expected, actual));
    }

    /// @dev An active or draining operator: it has a place in the network and may come back to work by itself.
    function _requireWorking(
        address operator
    ) internal view {
        if (_operators[operator].status != OperatorStatus.Draining) _requireStatus(operator, OperatorStatus.Active);
    }

    function _requireMinimumStake(
        uint256 stake
    ) internal view {
        uint256 minimum = _parameters.current().minimumStake;
        require(stake >= minimum, StakeTooLow(stake, minimum));
    }

    function _receiveTokens(
        address from,
        uint256 amount
    ) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, TokenAmountMismatch(amount, received));
    }

    function _sendTokens(
        address to,
        uint256 amount
    ) internal {
        if (amount != 0) IERC20(token).safeTransfer(to, amount);
    }
}
