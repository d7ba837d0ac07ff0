// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane, IExecutionCallback} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Suite} from "../../src/deployment/Suite.sol";

/// @dev A contract that orders executions and, when it is called back, tries whatever else it can take, and then fails or
/// returns more than anybody wants to read.
contract HostileCaller is IExecutionCallback {
    Suite private _suite;

    function learn(
        Suite calldata suite
    ) external {
        _suite = suite;
    }

    function onExecutionSettled(
        bytes32 requestId,
        uint8,
        uint16,
        bytes calldata
    ) external {
        try IExecutionCoordinator(_suite.coordinator).withdrawEarnings(address(this)) {} catch {}
        try IDisputeCourt(_suite.court).withdraw(address(this)) {} catch {}
        try IPaymentEscrow(_suite.escrow).withdraw(address(this)) {} catch {}
        IExecutionCoordinator.Ticket memory ticket;
        try IConfirmedLane(_suite.confirmedLane).expire(ticket) {} catch {}
        uint256 size = uint256(requestId) % 100_000;
        if (size % 2 == 0) {
            assembly ("memory-safe") {
                revert(0, size)
            }
        }
        assembly ("memory-safe") {
            return(0, size)
        }
    }
}
