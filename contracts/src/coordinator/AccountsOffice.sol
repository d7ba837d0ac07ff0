// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";
import {CreditActions} from "./CreditActions.sol";
import {EarningActions} from "./EarningActions.sol";
import {RequesterActions} from "./RequesterActions.sol";

/// @title The part of the coordinator that keeps accounts: it runs on the coordinator's storage and under its address.
/// @notice One contract would be larger than a contract may be. The coordinator creates this one and nobody can replace it;
/// called directly it keeps accounts of its own, of which nothing is ever spent.
contract AccountsOffice is CreditActions, RequesterActions, EarningActions {
    constructor(
        Suite memory suite_
    ) CoordinatorBase(suite_) {}
}
