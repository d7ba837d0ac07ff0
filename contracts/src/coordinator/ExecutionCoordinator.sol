// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {BatchSettlement} from "./BatchSettlement.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";
import {Reservations} from "./Reservations.sol";

/// @title Tickets, attestations, settlement; credit lines, requesters' bonds, earnings and the treasury.
/// @notice Immutable and without an administrator: no key can take anybody's money.
contract ExecutionCoordinator is BatchSettlement, Reservations {
    constructor(
        Suite memory suite_
    ) CoordinatorBase(suite_) {}
}
