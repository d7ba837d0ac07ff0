// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../interfaces/IConfirmedLane.sol";

/// @title A call to a stranger that costs what it may cost, and tells nothing back but whether it succeeded.
library BoundedCall {
    /// @dev For the call itself, a cold account, a delegation (EIP-7702), and what the caller does after it.
    uint256 internal constant OVERHEAD = 30_000;

    /// @notice Calls with exactly `gasLimit`. Reverts when the transaction cannot provide it: whoever sends the transaction
    /// must not be able to make the call fail for want of gas.
    function tryCall(
        address target,
        uint256 gasLimit,
        bytes memory data
    ) internal returns (bool succeeded) {
        // EIP-150 keeps one part in 64 of the gas back from every call.
        uint256 needed = gasLimit * 64 / 63 + OVERHEAD;
        uint256 available = gasleft();
        require(available >= needed, IConfirmedLane.GasTooLow(available, needed));
        // Nothing is copied of what comes back, however much it is.
        assembly ("memory-safe") {
            succeeded := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
        }
    }
}
