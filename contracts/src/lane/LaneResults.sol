// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IExecutionCallback} from "../interfaces/IConfirmedLane.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {BoundedCall} from "./BoundedCall.sol";
import {LaneRecords} from "./LaneRecords.sol";

/// @title What becomes of a result: it is shown, and given to a contract that asked for it.
abstract contract LaneResults is LaneRecords {
    function _showOutput(
        bytes32 requestId,
        bytes32 resultSeal,
        bytes32 inputSalt,
        bytes calldata output,
        bool isNeeded
    ) internal {
        if (output.length == 0 && !isNeeded) return;
        require(Hashes.seal(keccak256(output), inputSalt) == resultSeal, OutputMismatch(requestId));
        emit ExecutionOutput(requestId, output);
    }

    /// @dev The last thing that happens: nothing here depends on what the requester does with it.
    function _callBack(
        bytes32 requestId,
        address requester,
        uint256 callbackGas,
        uint8 outcome,
        uint16 status,
        bytes calldata output
    ) internal {
        if (callbackGas == 0) return;
        bytes memory data = abi.encodeCall(IExecutionCallback.onExecutionSettled, (requestId, outcome, status, output));
        bool succeeded = BoundedCall.tryCall(requester, callbackGas, data);
        emit CallbackCalled(requestId, requester, succeeded);
    }

    function _blocksBetween(
        uint256 first,
        uint256 last
    ) internal pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(Math.min(last - first, type(uint16).max));
    }
}
