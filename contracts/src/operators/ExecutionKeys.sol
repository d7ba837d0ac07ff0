// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Messages} from "../libraries/Messages.sol";
import {OperatorBase} from "./OperatorBase.sol";

/// @title Execution keys: whose they are, and for which tickets they sign.
abstract contract ExecutionKeys is OperatorBase {
    uint40 private constant FOR_EVER = type(uint40).max;

    mapping(address executionKey => ExecutionKey) private _executionKeys;

    /// @inheritdoc IOperatorRegistry
    function rotateExecutionKey(
        address executionKey,
        bytes calldata proof
    ) external {
        address operator = _actor();
        _requireWorking(operator);
        _closeKey(operator);
        _bindKey(operator, executionKey, proof);
    }

    /// @inheritdoc IOperatorRegistry
    function keyNonce(
        address operator
    ) external view returns (uint256) {
        return _operators[operator].keyNonce;
    }

    /// @inheritdoc IOperatorRegistry
    function getExecutionKey(
        address executionKey
    ) external view returns (ExecutionKey memory) {
        return _executionKeys[executionKey];
    }

    /// @inheritdoc IOperatorRegistry
    function getExecutionKeys(
        address[] calldata executionKeys
    ) external view returns (ExecutionKey[] memory) {
        mapping(address executionKey => ExecutionKey) storage records = _executionKeys;
        // Every settlement asks for its workers here: the answer is written as it is encoded, a slot read for each key.
        // Operator, from and to are 160, 40 and 40 bits of it.
        assembly {
            let count := executionKeys.length
            mstore(0x20, records.slot)
            let answer := mload(0x40)
            mstore(answer, 0x20)
            mstore(add(answer, 0x20), count)
            let entry := add(answer, 0x40)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                mstore(0x00, shr(96, shl(96, calldataload(add(executionKeys.offset, shl(5, i))))))
                let record := sload(keccak256(0x00, 0x40))
                mstore(entry, shr(96, shl(96, record)))
                mstore(add(entry, 0x20), and(shr(160, record), 0xffffffffff))
                mstore(add(entry, 0x40), and(shr(200, record), 0xffffffffff))
                entry := add(entry, 0x60)
            }
            return(answer, sub(entry, answer))
        }
    }

    /// @inheritdoc IOperatorRegistry
    function operatorForKey(
        address executionKey,
        uint40 issuedAt
    ) external view returns (address) {
        ExecutionKey memory key = _executionKeys[executionKey];
        return key.validFrom <= issuedAt && issuedAt <= key.validTo ? key.operator : address(0);
    }

    /// @dev Keys prove that they are held, and are signed for the coordinator like all messages of the protocol.
    function _bindKey(
        address operator,
        address executionKey,
        bytes calldata proof
    ) internal {
        require(executionKey != address(0), AddressZero());
        address holder = _executionKeys[executionKey].operator;
        require(holder == address(0), ExecutionKeyTaken(executionKey, holder));
        OperatorRecord storage record = _operators[operator];
        bytes32 domain = Messages.domainSeparator(block.chainid, _coordinator);
        bytes32 digest = Messages.hashExecutionKeyProof(domain, operator, executionKey, record.keyNonce);
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, proof);
        require(signer == executionKey, ExecutionKeyProofInvalid(operator, executionKey));
        ++record.keyNonce;
        record.executionKey = executionKey;
        uint40 validFrom = uint40(block.timestamp);
        _executionKeys[executionKey] = ExecutionKey({operator: operator, validFrom: validFrom, validTo: FOR_EVER});
        emit ExecutionKeyBound(operator, executionKey, validFrom);
    }

    /// @dev What was issued until now is still settled with the key; nothing that is issued later is.
    function _closeKey(
        address operator
    ) internal {
        OperatorRecord storage record = _operators[operator];
        address executionKey = record.executionKey;
        if (executionKey == address(0)) return;
        record.executionKey = address(0);
        uint40 validTo = uint40(block.timestamp);
        _executionKeys[executionKey].validTo = validTo;
        emit ExecutionKeyClosed(operator, executionKey, validTo);
    }
}
