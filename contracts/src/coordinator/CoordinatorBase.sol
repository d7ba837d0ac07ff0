// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Suite} from "../deployment/Suite.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {ICoordinatorAccounts} from "../interfaces/ICoordinatorAccounts.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Messages} from "../libraries/Messages.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";

/// @title The suite, its times, and the token's way in and out.
abstract contract CoordinatorBase is ICoordinatorAccounts, RelayedActions, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 internal constant BASIS_POINTS = 10_000;
    /// @dev Where burned tokens go: nobody has its key.
    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    address internal immutable _token;
    address internal immutable _treasury;
    IProtocolParameters internal immutable _parameters;
    IOperatorRegistry internal immutable _operators;
    IDisputeCourt internal immutable _court;
    address internal immutable _functions;
    address internal immutable _confirmedLane;
    address internal immutable _escrow;

    uint256 private immutable _chainId;
    bytes32 private immutable _domain;
    uint256 internal immutable _epochSeconds;
    uint256 internal immutable _maximumTicketLifetime;
    uint256 internal immutable _settlementGrace;
    uint256 internal immutable _conflictWindow;
    uint256 internal immutable _unbondingPeriod;

    modifier onlyConfirmedLane() {
        _requireCaller(_confirmedLane);
        _;
    }

    modifier onlyCourt() {
        _requireCaller(address(_court));
        _;
    }

    constructor(
        Suite memory suite_
    ) {
        _token = suite_.token;
        _treasury = suite_.treasury;
        _parameters = IProtocolParameters(suite_.parameters);
        _operators = IOperatorRegistry(suite_.operators);
        _court = IDisputeCourt(suite_.court);
        _functions = suite_.functions;
        _confirmedLane = suite_.confirmedLane;
        _escrow = suite_.escrow;
        IProtocolParameters.Times memory times = IProtocolParameters(suite_.parameters).times();
        _chainId = block.chainid;
        _domain = Messages.domainSeparator(block.chainid, suite_.coordinator);
        _epochSeconds = times.epochSeconds;
        _maximumTicketLifetime = times.maximumTicketLifetime;
        _settlementGrace = times.settlementGrace;
        _conflictWindow = times.conflictWindow;
        _unbondingPeriod = times.unbondingPeriod;
    }

    /// @dev What all messages of the protocol are signed for. A chain that splits has another number.
    function _domainSeparator() internal view returns (bytes32) {
        return block.chainid == _chainId ? _domain : Messages.domainSeparator(block.chainid, address(this));
    }

    /// @dev The longest time that a ticket which is issued now may take until nobody can settle it any more.
    function _settleableSeconds() internal view returns (uint256) {
        return _maximumTicketLifetime + _settlementGrace;
    }

    /// @dev First moment at which no ticket issued until now can be settled any more.
    function _afterOpenTickets() internal view returns (uint40) {
        return uint40(block.timestamp + _settleableSeconds() + 1);
    }

    function _currentEpoch() internal view returns (uint32) {
        return uint32(Messages.epochAt(block.timestamp, _epochSeconds));
    }

    function _toUint96(
        uint256 amount
    ) internal pure returns (uint96) {
        return SafeCast.toUint96(amount);
    }

    function _receiveTokens(
        address from,
        uint256 amount
    ) internal {
        uint256 before = IERC20(_token).balanceOf(address(this));
        IERC20(_token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(_token).balanceOf(address(this)) - before;
        require(received == amount, IExecutionCoordinator.TokenAmountMismatch(amount, received));
    }

    function _sendTokens(
        address to,
        uint256 amount
    ) internal {
        IERC20(_token).safeTransfer(to, amount);
    }

    function _requireCaller(
        address expected
    ) private view {
        require(msg.sender == expected, IExecutionCoordinator.NotAuthorized(msg.sender));
    }
}
