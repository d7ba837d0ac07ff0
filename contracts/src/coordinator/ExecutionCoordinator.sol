// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Suite} from "../deployment/Suite.sol";
import {ICoordinatorAccounts} from "../interfaces/ICoordinatorAccounts.sol";
import {AccountsOffice} from "./AccountsOffice.sol";
import {BatchSettlement} from "./BatchSettlement.sol";
import {CoordinatorBase} from "./CoordinatorBase.sol";
import {CoordinatorViews} from "./CoordinatorViews.sol";
import {Reservations} from "./Reservations.sol";

/// @title Tickets, attestations, settlement; credit lines, requesters' bonds, earnings and the treasury.
/// @notice Immutable and without an administrator: no key can take anybody's money. What needs no speed is done by the
/// accounts' office, on this contract's storage.
contract ExecutionCoordinator is BatchSettlement, Reservations, CoordinatorViews {
    AccountsOffice private immutable _office;

    constructor(
        Suite memory suite_
    ) CoordinatorBase(suite_) {
        _office = new AccountsOffice(suite_);
    }

    /// @inheritdoc ICoordinatorAccounts
    function depositCredit(
        address,
        uint96
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function grantCreditLine(
        address,
        uint96,
        uint96
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function revokeCreditLine(
        address
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function requestCreditWithdrawal(
        uint96
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawCredit(
        address
    ) external returns (uint256) {
        return abi.decode(_askOffice(), (uint256));
    }

    /// @inheritdoc ICoordinatorAccounts
    function bondRequester(
        uint96
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function unbondRequester() external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawRequesterBond(
        address
    ) external returns (uint256) {
        return abi.decode(_askOffice(), (uint256));
    }

    /// @inheritdoc ICoordinatorAccounts
    function reportCommitSets(
        Ticket calldata,
        bytes32[] calldata,
        bytes calldata,
        bytes32[] calldata,
        bytes calldata
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function voidSequences(
        uint64,
        uint256
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawEarnings(
        address
    ) external returns (uint256) {
        return abi.decode(_askOffice(), (uint256));
    }

    /// @inheritdoc ICoordinatorAccounts
    function collectFees(
        address
    ) external returns (uint256, uint256) {
        return abi.decode(_askOffice(), (uint256, uint256));
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawTreasury() external returns (uint256) {
        return abi.decode(_askOffice(), (uint256));
    }

    /// @dev The office's code, this contract's storage, caller and address; its errors are passed on.
    function _askOffice() private returns (bytes memory) {
        return Address.functionDelegateCall(address(_office), msg.data);
    }
}
