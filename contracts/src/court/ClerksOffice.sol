// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {Audits} from "./Audits.sol";
import {CourtBase} from "./CourtBase.sol";

/// @title The part of the court that reads evidence: it runs on the court's storage and under the court's address.
/// @notice One contract would be larger than a contract may be. The court creates this one and nobody can replace it; called
/// directly it can do nothing, since no other contract of the suite listens to it.
contract ClerksOffice is Audits {
    constructor(
        Suite memory suite
    ) CourtBase(suite) {}
}
