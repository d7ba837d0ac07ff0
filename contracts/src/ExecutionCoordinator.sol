// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BatchSettlement} from "./coordinator/BatchSettlement.sol";
import {ConfirmedLane} from "./coordinator/ConfirmedLane.sol";
import {CoordinatorBase} from "./coordinator/CoordinatorBase.sol";

/// @title Tickets, attestations, settlement; operators and their stake; credit lines.
/// @notice Immutable and without an administrator: no key can change a parameter or take anybody's money.
contract ExecutionCoordinator is BatchSettlement, ConfirmedLane {
    constructor(
        Parameters memory parameters
    ) CoordinatorBase(parameters) {}
}
