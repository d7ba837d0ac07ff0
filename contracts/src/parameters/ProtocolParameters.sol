// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {ParameterBounds} from "./ParameterBounds.sol";

/// @title What the protocol is tuned with, its bounds, and who may announce a change.
/// @notice Three sets are kept: the previous, the current and the next one. A set is in force for at least
/// `parameterDelay`, which is longer than any ticket can be settled or disputed, so no older one is ever asked for.
contract ProtocolParameters is IProtocolParameters {
    /// @dev What settlement asks for, once per set, and from when the last two sets are in force: one slot.
    struct Terms {
        uint16 previousFeeBps;
        uint8 previousCommitteeSize;
        uint16 currentFeeBps;
        uint8 currentCommitteeSize;
        uint16 nextFeeBps;
        uint8 nextCommitteeSize;
        uint40 currentFrom;
        uint40 nextFrom;
    }

    uint40 private constant NEVER = type(uint40).max;

    uint32 private immutable _epochSeconds;
    uint32 private immutable _maximumTicketLifetime;
    uint32 private immutable _settlementGrace;
    uint32 private immutable _conflictWindow;
    uint32 private immutable _challengeWindow;
    uint32 private immutable _juryPhase;
    uint32 private immutable _unbondingPeriod;
    uint32 private immutable _parameterDelay;

    Terms private _terms;
    Parameters private _previous;
    Parameters private _current;
    Parameters private _next;

    /// @inheritdoc IProtocolParameters
    address public override governor;
    /// @inheritdoc IProtocolParameters
    address public override pendingGovernor;

    modifier onlyGovernor() {
        _requireGovernor();
        _;
    }

    constructor(
        address governor_,
        Times memory times_,
        Parameters memory parameters
    ) {
        require(governor_ != address(0), ParameterInvalid("governor"));
        ParameterBounds.checkTimes(times_);
        ParameterBounds.checkParameters(parameters);
        _epochSeconds = times_.epochSeconds;
        _maximumTicketLifetime = times_.maximumTicketLifetime;
        _settlementGrace = times_.settlementGrace;
        _conflictWindow = times_.conflictWindow;
        _challengeWindow = times_.challengeWindow;
        _juryPhase = times_.juryPhase;
        _unbondingPeriod = times_.unbondingPeriod;
        _parameterDelay = times_.parameterDelay;
        _current = parameters;
        _terms.currentFeeBps = parameters.protocolFeeBps;
        _terms.currentCommitteeSize = parameters.committeeSize;
        _terms.nextFrom = NEVER;
        governor = governor_;
        emit GovernorChanged(address(0), governor_);
        emit ParametersAnnounced(parameters, uint40(block.timestamp));
    }

    // ------------------------------------------------------------ the governor's

    /// @inheritdoc IProtocolParameters
    function announce(
        Parameters calldata parameters
    ) external onlyGovernor returns (uint40 effectiveAt) {
        ParameterBounds.checkParameters(parameters);
        Terms memory terms = _terms;
        if (terms.nextFrom <= block.timestamp) {
            _previous = _current;
            _current = _next;
            terms.previousFeeBps = terms.currentFeeBps;
            terms.previousCommitteeSize = terms.currentCommitteeSize;
            terms.currentFeeBps = terms.nextFeeBps;
            terms.currentCommitteeSize = terms.nextCommitteeSize;
            terms.currentFrom = terms.nextFrom;
        }
        effectiveAt = uint40(block.timestamp + _parameterDelay);
        _next = parameters;
        terms.nextFeeBps = parameters.protocolFeeBps;
        terms.nextCommitteeSize = parameters.committeeSize;
        terms.nextFrom = effectiveAt;
        _terms = terms;
        emit ParametersAnnounced(parameters, effectiveAt);
    }

    /// @inheritdoc IProtocolParameters
    function cancel() external onlyGovernor {
        require(_isAnnounced(_terms.nextFrom), NothingAnnounced());
        _terms.nextFrom = NEVER;
        emit AnnouncementCancelled();
    }

    /// @inheritdoc IProtocolParameters
    function offerGovernor(
        address newGovernor
    ) external onlyGovernor {
        pendingGovernor = newGovernor;
        emit GovernorOffered(governor, newGovernor);
    }

    /// @inheritdoc IProtocolParameters
    function acceptGovernor() external {
        require(msg.sender == pendingGovernor, NotPendingGovernor(pendingGovernor, msg.sender));
        _setGovernor(msg.sender);
    }

    /// @inheritdoc IProtocolParameters
    function renounceGovernor() external onlyGovernor {
        _setGovernor(address(0));
    }

    // ------------------------------------------------------------ views

    /// @inheritdoc IProtocolParameters
    function times() external view returns (Times memory) {
        return Times({
            epochSeconds: _epochSeconds,
            maximumTicketLifetime: _maximumTicketLifetime,
            settlementGrace: _settlementGrace,
            conflictWindow: _conflictWindow,
            challengeWindow: _challengeWindow,
            juryPhase: _juryPhase,
            unbondingPeriod: _unbondingPeriod,
            parameterDelay: _parameterDelay
        });
    }

    /// @inheritdoc IProtocolParameters
    function current() external view returns (Parameters memory) {
        return inForceAt(block.timestamp);
    }

    /// @inheritdoc IProtocolParameters
    function settlementTermsAt(
        uint256 issuedAt
    ) external view returns (uint16 protocolFeeBps, uint8 committeeSize) {
        Terms memory terms = _terms;
        if (issuedAt >= terms.nextFrom) return (terms.nextFeeBps, terms.nextCommitteeSize);
        if (issuedAt >= terms.currentFrom) return (terms.currentFeeBps, terms.currentCommitteeSize);
        return (terms.previousFeeBps, terms.previousCommitteeSize);
    }

    /// @inheritdoc IProtocolParameters
    function settlementTerms()
        external
        view
        returns (uint16 protocolFeeBps, uint8 committeeSize, uint40 since, uint40 until)
    {
        Terms memory terms = _terms;
        // What is announced from now on takes effect after the delay.
        until = uint40(block.timestamp + _parameterDelay);
        if (block.timestamp >= terms.nextFrom) {
            return (terms.nextFeeBps, terms.nextCommitteeSize, terms.nextFrom, until);
        }
        if (terms.nextFrom < until) until = terms.nextFrom;
        return (terms.currentFeeBps, terms.currentCommitteeSize, terms.currentFrom, until);
    }

    /// @inheritdoc IProtocolParameters
    function announced() external view returns (Parameters memory parameters, uint40 effectiveAt) {
        uint40 nextFrom = _terms.nextFrom;
        if (_isAnnounced(nextFrom)) return (_next, nextFrom);
    }

    /// @inheritdoc IProtocolParameters
    function inForceAt(
        uint256 issuedAt
    ) public view returns (Parameters memory) {
        if (issuedAt >= _terms.nextFrom) return _next;
        if (issuedAt >= _terms.currentFrom) return _current;
        return _previous;
    }

    function _isAnnounced(
        uint40 nextFrom
    ) private view returns (bool) {
        return nextFrom != NEVER && nextFrom > block.timestamp;
    }

    function _setGovernor(
        address newGovernor
    ) private {
        emit GovernorChanged(governor, newGovernor);
        governor = newGovernor;
        pendingGovernor = address(0);
    }

    function _requireGovernor() private view {
        require(msg.sender == governor, NotGovernor(governor, msg.sender));
    }
}
