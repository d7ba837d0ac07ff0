// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What the protocol is tuned with: amounts and shares that may change slowly, and times that never do.
/// @notice A change is announced, waits for `parameterDelay`, and stays inside bounds that are part of the code. Tickets keep
/// the parameters of the moment they were issued. The governor can do nothing else, and can give its office up for ever.
interface IProtocolParameters {
    /// @notice Seconds, fixed for the life of the contracts.
    /// @param epochSeconds Length of an epoch: seeds, stake and credit caps are counted per epoch.
    /// @param maximumTicketLifetime Most seconds from a ticket's issue to its deadline.
    /// @param settlementGrace Seconds after a ticket's deadline in which it may still be settled.
    /// @param conflictWindow Seconds after the deadline in which a conflicting attestation stops the settlement of a quorum.
    /// @param challengeWindow Seconds after the deadline in which an attestation may be challenged.
    /// @param juryPhase Seconds that jurors have to commit, and again to reveal.
    /// @param unbondingPeriod Seconds from leaving to the withdrawal of stake or bonds.
    /// @param parameterDelay Seconds from announcing a change to its first effect.
    struct Times {
        uint32 epochSeconds;
        uint32 maximumTicketLifetime;
        uint32 settlementGrace;
        uint32 conflictWindow;
        uint32 challengeWindow;
        uint32 juryPhase;
        uint32 unbondingPeriod;
        uint32 parameterDelay;
    }

    /// @notice Amounts in atomic units of the settlement token, shares in basis points.
    /// @param protocolFeeBps Protocol's share of every fee.
    /// @param committeeSize Seats of a request. With no more operators than that, all are seated.
    /// @param jurySize Seats of one jury.
    /// @param minimumVotes Fewest votes for a verdict of one jury.
    /// @param auditRateBps Share of settled requests that may be audited.
    /// @param slashBps Share of an operator's stake that a conviction costs.
    /// @param challengerShareBps Challenger's share of what is slashed, after the jurors' pay.
    /// @param sponsorShareBps Sponsor's share of the protocol fees that came in through it; at most half.
    /// @param wideningBlocks Blocks after a ticket was posted on chain from which seats are open to all.
    /// @param minimumStake Least stake of an active operator.
    /// @param requesterBond Bond of a requester that uses drawn seats or quorums.
    /// @param challengeBond Bond of a challenger.
    /// @param jurorFee Pay of one vote.
    /// @param ownerBond Bond that makes a deterministic function judgeable.
    struct Parameters {
        uint16 protocolFeeBps;
        uint8 committeeSize;
        uint8 jurySize;
        uint8 minimumVotes;
        uint16 auditRateBps;
        uint16 slashBps;
        uint16 challengerShareBps;
        uint16 sponsorShareBps;
        uint16 wideningBlocks;
        uint96 minimumStake;
        uint96 requesterBond;
        uint96 challengeBond;
        uint96 jurorFee;
        uint96 ownerBond;
    }

    /// @notice A time or parameter is outside of its bounds.
    error ParameterInvalid(string name);
    /// @notice Only the governor announces changes.
    error NotGovernor(address governor, address caller);
    /// @notice Only the address that the office was offered to may accept it.
    error NotPendingGovernor(address pendingGovernor, address caller);
    /// @notice There is no announced change that could be cancelled.
    error NothingAnnounced();

    event ParametersAnnounced(Parameters parameters, uint40 effectiveAt);
    event AnnouncementCancelled();
    event GovernorOffered(address indexed governor, address indexed pendingGovernor);
    event GovernorChanged(address indexed previousGovernor, address indexed governor);

    /// @notice Announces the next parameters; replaces an announcement that has no effect yet.
    function announce(
        Parameters calldata parameters
    ) external returns (uint40 effectiveAt);
    /// @notice Takes back an announcement that has no effect yet.
    function cancel() external;
    /// @notice First step of handing the office over.
    function offerGovernor(
        address newGovernor
    ) external;
    /// @notice Second step: the caller becomes the governor.
    function acceptGovernor() external;
    /// @notice Nobody is governor any more; the parameters stay as they are (an announced change still takes effect).
    function renounceGovernor() external;

    function governor() external view returns (address);
    function pendingGovernor() external view returns (address);
    function times() external view returns (Times memory);
    /// @notice The parameters now.
    function current() external view returns (Parameters memory);
    /// @notice The parameters of tickets issued at `issuedAt`. Exact for any time that can still be settled.
    function inForceAt(
        uint256 issuedAt
    ) external view returns (Parameters memory);
    /// @notice What settlement needs of them, in one read.
    function settlementTermsAt(
        uint256 issuedAt
    ) external view returns (uint16 protocolFeeBps, uint8 committeeSize);
    /// @notice The same for now, since when, and until when at least: tickets issued in between need no further read, and
    /// before `until` nobody has to ask again.
    function settlementTerms()
        external
        view
        returns (uint16 protocolFeeBps, uint8 committeeSize, uint40 since, uint40 until);
    /// @notice The announced change, and when it takes effect; zero when there is none.
    function announced() external view returns (Parameters memory parameters, uint40 effectiveAt);
}
