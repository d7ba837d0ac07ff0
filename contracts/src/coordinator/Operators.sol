// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";

/// @title Operators: their stake, their execution keys, what they earned.
abstract contract Operators is CoordinatorBase {
    /// @dev What settlement touches stands in the first slot.
    struct OperatorRecord {
        uint96 stake;
        uint96 earnings;
        uint40 statusSince;
        OperatorStatus status;
        address executionKey;
        uint96 keyNonce;
    }

    uint40 private constant FOR_EVER = type(uint40).max;

    mapping(address operator => OperatorRecord) private _operators;
    mapping(address executionKey => ExecutionKey) private _executionKeys;

    /// @inheritdoc IExecutionCoordinator
    uint256 public override operatorCount;

    /// @inheritdoc IExecutionCoordinator
    function registerOperator(
        address executionKey,
        bytes calldata proof,
        uint96 stake
    ) external nonReentrant {
        OperatorRecord storage record = _operators[msg.sender];
        if (record.status != OperatorStatus.Withdrawn) _requireStatus(msg.sender, OperatorStatus.None);
        require(stake >= minimumStake, StakeTooLow(stake, minimumStake));
        _bindExecutionKey(record, executionKey, proof);
        record.stake = stake;
        ++operatorCount;
        emit OperatorRegistered(msg.sender, executionKey, stake);
        _setStatus(record, OperatorStatus.Active);
        _receiveTokens(stake);
    }

    /// @inheritdoc IExecutionCoordinator
    function addStake(
        uint96 amount
    ) external nonReentrant {
        require(amount != 0, AmountZero());
        OperatorRecord storage record = _working(msg.sender);
        record.stake += amount;
        emit StakeAdded(msg.sender, amount, record.stake);
        _receiveTokens(amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function rotateExecutionKey(
        address executionKey,
        bytes calldata proof
    ) external {
        OperatorRecord storage record = _working(msg.sender);
        address previousKey = record.executionKey;
        _executionKeys[previousKey].validTo = uint40(block.timestamp);
        _bindExecutionKey(record, executionKey, proof);
        emit ExecutionKeyRotated(msg.sender, previousKey, executionKey, uint40(block.timestamp));
    }

    /// @inheritdoc IExecutionCoordinator
    function drain() external {
        _requireStatus(msg.sender, OperatorStatus.Active);
        --operatorCount;
        _setStatus(_operators[msg.sender], OperatorStatus.Draining);
    }

    /// @inheritdoc IExecutionCoordinator
    function resume() external {
        _requireStatus(msg.sender, OperatorStatus.Draining);
        ++operatorCount;
        _setStatus(_operators[msg.sender], OperatorStatus.Active);
    }

    /// @inheritdoc IExecutionCoordinator
    function unbond() external {
        OperatorRecord storage record = _working(msg.sender);
        if (record.status == OperatorStatus.Active) --operatorCount;
        // From here on the key signs for nothing new; what was issued before is settled while the stake still stands.
        _executionKeys[record.executionKey].validTo = uint40(block.timestamp);
        _setStatus(record, OperatorStatus.Unbonding);
    }

    /// @inheritdoc IExecutionCoordinator
    function withdrawStake(
        address to
    ) external nonReentrant {
        require(to != address(0), AddressZero());
        _requireStatus(msg.sender, OperatorStatus.Unbonding);
        OperatorRecord storage record = _operators[msg.sender];
        uint256 availableAt = uint256(record.statusSince) + unbondingPeriod;
        require(block.timestamp >= availableAt, TooEarly(availableAt, block.timestamp));
        uint256 amount = record.stake;
        record.stake = 0;
        emit StakeWithdrawn(msg.sender, to, amount);
        _setStatus(record, OperatorStatus.Withdrawn);
        _sendTokens(to, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function withdrawEarnings(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        OperatorRecord storage record = _operators[msg.sender];
        amount = record.earnings;
        require(amount != 0, NothingToWithdraw(msg.sender));
        record.earnings = 0;
        emit EarningsWithdrawn(msg.sender, to, amount);
        _sendTokens(to, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function keyNonce(
        address operator
    ) external view returns (uint256) {
        return _operators[operator].keyNonce;
    }

    /// @inheritdoc IExecutionCoordinator
    function getOperator(
        address operator
    ) external view returns (Operator memory) {
        OperatorRecord storage record = _operators[operator];
        return Operator(record.status, record.executionKey, record.statusSince, record.stake, record.earnings);
    }

    /// @inheritdoc IExecutionCoordinator
    function getExecutionKey(
        address executionKey
    ) external view returns (ExecutionKey memory) {
        return _executionKeys[executionKey];
    }

    /// @inheritdoc IExecutionCoordinator
    function operatorForKey(
        address executionKey,
        uint40 issuedAt
    ) external view returns (address) {
        ExecutionKey memory key = _executionKeys[executionKey];
        return _isValidFor(key.validFrom, key.validTo, issuedAt) ? key.operator : address(0);
    }

    function _executionKeyOf(
        address executionKey
    ) internal view returns (ExecutionKey memory) {
        return _executionKeys[executionKey];
    }

    function _isValidFor(
        uint256 validFrom,
        uint256 validTo,
        uint256 issuedAt
    ) internal pure returns (bool) {
        return validFrom <= issuedAt && issuedAt <= validTo;
    }

    /// @dev True while an operator is paid for what its key signed. An unbonding operator's key is closed, so only tickets
    /// from before are left.
    function _isPaid(
        address operator
    ) internal view returns (bool) {
        OperatorStatus status = _operators[operator].status;
        return
            status == OperatorStatus.Active || status == OperatorStatus.Draining || status == OperatorStatus.Unbonding;
    }

    function _addEarnings(
        address operator,
        uint256 amount
    ) internal {
        OperatorRecord storage record = _operators[operator];
        record.earnings = _toUint96(record.earnings + amount);
    }

    function _bindExecutionKey(
        OperatorRecord storage record,
        address executionKey,
        bytes calldata proof
    ) private {
        require(executionKey != address(0), AddressZero());
        address holder = _executionKeys[executionKey].operator;
        require(holder == address(0), ExecutionKeyTaken(executionKey, holder));
        bytes32 digest = Messages.hashExecutionKeyProof(domainSeparator(), msg.sender, executionKey, record.keyNonce);
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, proof);
        require(signer == executionKey, ExecutionKeyProofInvalid(msg.sender, executionKey));
        ++record.keyNonce;
        record.executionKey = executionKey;
        _executionKeys[executionKey] =
            ExecutionKey({operator: msg.sender, validFrom: uint40(block.timestamp), validTo: FOR_EVER});
    }

    function _setStatus(
        OperatorRecord storage record,
        OperatorStatus status
    ) private {
        record.status = status;
        record.statusSince = uint40(block.timestamp);
        emit OperatorStatusChanged(msg.sender, status);
    }

    function _requireStatus(
        address operator,
        OperatorStatus expected
    ) private view {
        OperatorStatus actual = _operators[operator].status;
        require(actual == expected, OperatorNotInStatus(operator, expected, actual));
    }

    function _working(
        address operator
    ) private view returns (OperatorRecord storage record) {
        record = _operators[operator];
        if (record.status != OperatorStatus.Draining) _requireStatus(operator, OperatorStatus.Active);
    }
}
