// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";

/// @title The coordinator's calls about a ticket that is in calldata, passed on as it stands there.
/// @notice Encoding a ticket anew costs more than some of the checks; the coordinator looks at every member that it reads.
library TicketCalls {
    /// @notice `coordinator.reserve(requestId, ticket)`.
    function reserve(
        IExecutionCoordinator coordinator,
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket
    ) internal {
        bytes4 selector = IExecutionCoordinator.reserve.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), requestId)
            calldatacopy(add(data, 0x24), ticket, 0x260)
            if iszero(call(gas(), coordinator, 0, data, 0x284, 0, 0)) {
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
        }
    }

    /// @notice `coordinator.settleReserved(ticket, attestation, protocolFeeBps, [operator], [1])`.
    function settleSingle(
        IExecutionCoordinator coordinator,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        uint256 protocolFeeBps,
        address operator
    ) internal {
        bytes4 selector = IExecutionCoordinator.settleReserved.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            calldatacopy(add(data, 0x04), ticket, 0x260)
            calldatacopy(add(data, 0x264), attestation, 0xc0)
            mstore(add(data, 0x324), protocolFeeBps)
            mstore(add(data, 0x344), 0x380)
            mstore(add(data, 0x364), 0x3c0)
            mstore(add(data, 0x384), 1)
            mstore(add(data, 0x3a4), operator)
            mstore(add(data, 0x3c4), 1)
            mstore(add(data, 0x3e4), 1)
            if iszero(call(gas(), coordinator, 0, data, 0x404, 0, 0)) {
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
        }
    }
}
