// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {Audits} from "./Audits.sol";
import {CourtBase} from "./CourtBase.sol";

/// @title Audits, challenges and juries; equivocation; owners' bonds for determinism.
/// @notice Immutable and without an administrator. It holds bonds and balances, never stake: what a verdict takes from an
/// operator goes to balances here in the same call.
contract DisputeCourt is Audits {
    constructor(
        Suite memory suite
    ) CourtBase(suite) {}
}
