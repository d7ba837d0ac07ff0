// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";

/// @title The bounds that no governor can leave.
/// @notice Amounts are in atomic units of a token with six decimals, like USDC.
library ParameterBounds {
    uint256 internal constant BASIS_POINTS = 10_000;
    uint256 internal constant JURIES = 2;
    /// @dev A jury commits in one phase and reveals in another.
    uint256 internal constant PHASES_OF_A_JURY = 2;
    /// @dev The audit lottery of an epoch is drawn with the seed of the third one after it, captured in that epoch at the latest.
    uint256 internal constant EPOCHS_UNTIL_AUDITED = 4;

    uint256 internal constant MAXIMUM_EPOCH_SECONDS = 7 days;
    uint256 internal constant MAXIMUM_TICKET_LIFETIME = 1 days;
    uint256 internal constant MAXIMUM_SETTLEMENT_GRACE = 7 days;
    uint256 internal constant MAXIMUM_CHALLENGE_WINDOW = 30 days;
    uint256 internal constant MAXIMUM_JURY_PHASE = 7 days;
    uint256 internal constant MAXIMUM_UNBONDING_PERIOD = 180 days;
    uint256 internal constant MAXIMUM_PARAMETER_DELAY = 60 days;

    uint256 internal constant MAXIMUM_PROTOCOL_FEE_BPS = 5000;
    uint256 internal constant MAXIMUM_COMMITTEE_SIZE = 64;
    uint256 internal constant MAXIMUM_JURY_SIZE = 64;
    uint256 internal constant LEAST_MINIMUM_VOTES = 3;
    uint256 internal constant MINIMUM_AUDIT_RATE_BPS = 10;
    uint256 internal constant MINIMUM_SLASH_BPS = 1000;
    uint256 internal constant MAXIMUM_CHALLENGER_SHARE_BPS = 5000;
    uint256 internal constant MAXIMUM_SPONSOR_SHARE_BPS = 5000;
    uint256 internal constant MINIMUM_WIDENING_BLOCKS = 2;
    uint256 internal constant MAXIMUM_WIDENING_BLOCKS = 10_000;
    uint256 internal constant MAXIMUM_MINIMUM_STAKE = 1_000_000e6;
    uint256 internal constant MAXIMUM_REQUESTER_BOND = 1_000_000e6;
    uint256 internal constant MAXIMUM_CHALLENGE_BOND = 10_000e6;
    uint256 internal constant MAXIMUM_JUROR_FEE = 1000e6;
    uint256 internal constant MAXIMUM_OWNER_BOND = 1_000_000e6;

    /// @dev Which time means nothing, or leaves a hole between two of them.
    function checkTimes(
        IProtocolParameters.Times memory times
    ) internal pure {
        _check(times.epochSeconds, 1, MAXIMUM_EPOCH_SECONDS, "epochSeconds");
        _check(times.maximumTicketLifetime, 1, MAXIMUM_TICKET_LIFETIME, "maximumTicketLifetime");
        _check(times.settlementGrace, 1, MAXIMUM_SETTLEMENT_GRACE, "settlementGrace");
        // A quorum is settled between the two.
        _check(times.conflictWindow, 1, uint256(times.settlementGrace) - 1, "conflictWindow");
        // What first shows in the last moment of the grace is open to a challenge as long again.
        uint256 shortest = 2 * uint256(times.settlementGrace);
        _check(times.challengeWindow, shortest, MAXIMUM_CHALLENGE_WINDOW, "challengeWindow");
        _check(times.juryPhase, 1, MAXIMUM_JURY_PHASE, "juryPhase");
        uint256 disputable = uint256(times.maximumTicketLifetime) + times.settlementGrace + times.challengeWindow;
        // Stake outlasts whatever its operator signed, and what follows from it.
        uint256 audits = EPOCHS_UNTIL_AUDITED * times.epochSeconds;
        uint256 juries = JURIES * PHASES_OF_A_JURY * times.juryPhase;
        _check(times.unbondingPeriod, 2 * disputable + 1, MAXIMUM_UNBONDING_PERIOD, "unbondingPeriod");
        _check(times.unbondingPeriod, disputable + audits + juries + 1, MAXIMUM_UNBONDING_PERIOD, "unbondingPeriod");
        // Two sets of parameters are enough for every ticket that can still be settled or disputed.
        _check(times.parameterDelay, disputable + 1, MAXIMUM_PARAMETER_DELAY, "parameterDelay");
    }

    function checkParameters(
        IProtocolParameters.Parameters memory parameters
    ) internal pure {
        _check(parameters.protocolFeeBps, 0, MAXIMUM_PROTOCOL_FEE_BPS, "protocolFeeBps");
        _check(parameters.committeeSize, 1, MAXIMUM_COMMITTEE_SIZE, "committeeSize");
        _check(parameters.jurySize, LEAST_MINIMUM_VOTES, MAXIMUM_JURY_SIZE, "jurySize");
        _check(parameters.minimumVotes, LEAST_MINIMUM_VOTES, parameters.jurySize, "minimumVotes");
        _check(parameters.auditRateBps, MINIMUM_AUDIT_RATE_BPS, BASIS_POINTS, "auditRateBps");
        _check(parameters.slashBps, MINIMUM_SLASH_BPS, BASIS_POINTS, "slashBps");
        _check(parameters.challengerShareBps, 0, MAXIMUM_CHALLENGER_SHARE_BPS, "challengerShareBps");
        _check(parameters.sponsorShareBps, 0, MAXIMUM_SPONSOR_SHARE_BPS, "sponsorShareBps");
        _check(parameters.wideningBlocks, MINIMUM_WIDENING_BLOCKS, MAXIMUM_WIDENING_BLOCKS, "wideningBlocks");
        _check(parameters.minimumStake, 1, MAXIMUM_MINIMUM_STAKE, "minimumStake");
        _check(parameters.requesterBond, 1, MAXIMUM_REQUESTER_BOND, "requesterBond");
        _check(parameters.jurorFee, 0, MAXIMUM_JUROR_FEE, "jurorFee");
        // Whoever loses pays the jurors, and a flagged function pays the slash that it would have cost an honest worker.
        uint256 juries = JURIES * parameters.jurySize * parameters.jurorFee;
        uint256 slash = uint256(parameters.minimumStake) * parameters.slashBps / BASIS_POINTS;
        require(slash >= juries, IProtocolParameters.ParameterInvalid("slashBps"));
        _check(parameters.challengeBond, juries, MAXIMUM_CHALLENGE_BOND, "challengeBond");
        _check(parameters.ownerBond, slash, MAXIMUM_OWNER_BOND, "ownerBond");
    }

    function _check(
        uint256 value,
        uint256 minimum,
        uint256 maximum,
        string memory name
    ) private pure {
        require(value >= minimum && value <= maximum, IProtocolParameters.ParameterInvalid(name));
    }
}
