// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {ExecutionKeys} from "./ExecutionKeys.sol";
import {OperatorBase} from "./OperatorBase.sol";
import {Seats} from "./Seats.sol";

/// @title Operators: their stake and their status, from registration to the withdrawal of what is left.
/// @notice Holds nothing but stake: its balance of the token is the sum of all operators' stakes.
contract OperatorRegistry is ExecutionKeys, Seats {
    constructor(
        Suite memory suite
    ) OperatorBase(suite) {}

    // ------------------------------------------------------------ the operator's own

    /// @inheritdoc IOperatorRegistry
    function registerOperator(
        address executionKey,
        bytes calldata proof,
        uint96 stake,
        uint32 capacity
    ) external nonReentrant {
        address operator = _actor();
        OperatorRecord storage record = _operators[operator];
        if (record.status != OperatorStatus.Withdrawn) _requireStatus(operator, OperatorStatus.None);
        _requireOutOfJail(record);
        _requireMinimumStake(stake);
        _bindKey(operator, executionKey, proof);
        record.stake = stake;
        record.capacity = capacity;
        emit OperatorRegistered(operator, executionKey, stake, capacity);
        _setStatus(operator, OperatorStatus.Active);
        _countStake(operator);
        _receiveTokens(operator, stake);
    }

    /// @inheritdoc IOperatorRegistry
    function addStake(
        uint96 amount
    ) external nonReentrant {
        require(amount != 0, AmountZero());
        address operator = _actor();
        OperatorRecord storage record = _operators[operator];
        if (record.status != OperatorStatus.Jailed) _requireWorking(operator);
        record.stake += amount;
        emit StakeAdded(operator, amount, record.stake);
        _countStake(operator);
        _receiveTokens(operator, amount);
    }

    /// @inheritdoc IOperatorRegistry
    function revokeExecutionKey() external {
        address operator = _actor();
        _requireWorking(operator);
        OperatorRecord storage record = _operators[operator];
        require(record.executionKey != address(0), ExecutionKeyMissing(operator));
        _closeKey(operator);
        if (record.status == OperatorStatus.Active) _leaveWork(operator, OperatorStatus.Draining);
    }

    /// @inheritdoc IOperatorRegistry
    function setCapacity(
        uint32 capacity
    ) external {
        address operator = _actor();
        _requireWorking(operator);
        _operators[operator].capacity = capacity;
        emit CapacityChanged(operator, capacity);
    }

    /// @inheritdoc IOperatorRegistry
    function drain() external {
        address operator = _actor();
        _requireStatus(operator, OperatorStatus.Active);
        _leaveWork(operator, OperatorStatus.Draining);
    }

    /// @inheritdoc IOperatorRegistry
    function resume() external {
        address operator = _actor();
        _requireStatus(operator, OperatorStatus.Draining);
        OperatorRecord storage record = _operators[operator];
        require(record.executionKey != address(0), ExecutionKeyMissing(operator));
        _requireMinimumStake(record.stake);
        _setStatus(operator, OperatorStatus.Active);
        _countStake(operator);
    }

    /// @inheritdoc IOperatorRegistry
    function unbond() external {
        address operator = _actor();
        if (_operators[operator].status != OperatorStatus.Jailed) _requireWorking(operator);
        // From here on the key signs for nothing new; what was issued before is settled while the stake still stands.
        _closeKey(operator);
        _leaveWork(operator, OperatorStatus.Unbonding);
    }

    /// @inheritdoc IOperatorRegistry
    function withdrawStake(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address operator = _actor();
        _requireStatus(operator, OperatorStatus.Unbonding);
        OperatorRecord storage record = _operators[operator];
        uint256 availableAt = uint256(record.statusSince) + _unbondingPeriod;
        require(block.timestamp >= availableAt, TooEarly(availableAt, block.timestamp));
        require(record.openCases == 0, CasesOpen(operator, record.openCases));
        amount = record.stake;
        record.stake = 0;
        emit StakeWithdrawn(operator, to, amount);
        _setStatus(operator, OperatorStatus.Withdrawn);
        _sendTokens(to, amount);
    }

    /// @inheritdoc IOperatorRegistry
    function release(
        address executionKey,
        bytes calldata proof
    ) external {
        address operator = _actor();
        _requireStatus(operator, OperatorStatus.Jailed);
        OperatorRecord storage record = _operators[operator];
        _requireOutOfJail(record);
        _requireMinimumStake(record.stake);
        _bindKey(operator, executionKey, proof);
        _setStatus(operator, OperatorStatus.Active);
        _countStake(operator);
    }

    // ------------------------------------------------------------ the suite's

    /// @inheritdoc IOperatorRegistry
    function slash(
        address operator,
        uint256 amount,
        address recipient
    ) external nonReentrant returns (uint256 taken) {
        require(msg.sender == _court || msg.sender == _confirmedLane, NotAuthorized(msg.sender));
        OperatorRecord storage record = _operators[operator];
        uint96 stake = record.stake;
        taken = amount < stake ? amount : stake;
        if (taken == 0) return 0;
        // No more is taken than there is.
        // forge-lint: disable-next-line(unsafe-typecast)
        stake -= uint96(taken);
        record.stake = stake;
        emit StakeSlashed(operator, recipient, taken, stake);
        if (record.status == OperatorStatus.Active) {
            bool isTooLow = stake < _parameters.current().minimumStake;
            if (isTooLow) _leaveWork(operator, OperatorStatus.Draining);
            else _countStake(operator);
        }
        _sendTokens(recipient, taken);
    }

    /// @inheritdoc IOperatorRegistry
    function jail(
        address operator,
        uint32 seconds_
    ) external onlyCourt {
        OperatorRecord storage record = _operators[operator];
        uint40 until = uint40(block.timestamp + seconds_);
        if (until > record.jailedUntil) record.jailedUntil = until;
        _closeKey(operator);
        // Whoever is on its way out stays there, and is barred from coming back as long.
        bool isIn = record.status == OperatorStatus.Active || record.status == OperatorStatus.Draining
            || record.status == OperatorStatus.Jailed;
        if (isIn) _leaveWork(operator, OperatorStatus.Jailed);
        else emit OperatorStatusChanged(operator, record.status, record.jailedUntil);
    }

    /// @inheritdoc IOperatorRegistry
    function openCase(
        address operator
    ) external onlyCourt {
        uint32 openCases = ++_operators[operator].openCases;
        emit CaseCountChanged(operator, openCases);
    }

    /// @inheritdoc IOperatorRegistry
    function closeCase(
        address operator
    ) external onlyCourt {
        uint32 openCases = --_operators[operator].openCases;
        emit CaseCountChanged(operator, openCases);
    }

    modifier onlyCourt() {
        _requireCourt();
        _;
    }

    function _requireCourt() private view {
        require(msg.sender == _court, NotAuthorized(msg.sender));
    }

    function _requireOutOfJail(
        OperatorRecord storage record
    ) private view {
        require(block.timestamp >= record.jailedUntil, TooEarly(record.jailedUntil, block.timestamp));
    }

    function _leaveWork(
        address operator,
        OperatorStatus status
    ) private {
        _setStatus(operator, status);
        _countStake(operator);
    }
}
