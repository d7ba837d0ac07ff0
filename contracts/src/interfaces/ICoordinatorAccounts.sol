// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ITickets} from "./ITickets.sol";

/// @title What funders, requesters and workers do with their money.
/// @notice `IExecutionCoordinator` is the whole; its contract answers all of it. Money is in atomic units of the settlement
/// token, times in seconds since 1970.
interface ICoordinatorAccounts {
    // --------------------------------------------------------------- credit

    /// @notice Adds to `funder`'s credit, from the caller's tokens. A sponsor is a funder that pays for others' free calls.
    function depositCredit(
        address funder,
        uint96 amount
    ) external;
    /// @notice Opens or changes the line of `requester`. A closing line is opened again.
    function grantCreditLine(
        address requester,
        uint96 capPerEpoch,
        uint96 maxFee
    ) external;
    /// @notice Closes the line after the longest ticket lifetime and settlement grace.
    function revokeCreditLine(
        address requester
    ) external;
    /// @notice Sets an amount aside; it may be withdrawn after the longest ticket lifetime and settlement grace.
    function requestCreditWithdrawal(
        uint96 amount
    ) external;
    function withdrawCredit(
        address to
    ) external returns (uint256 amount);

    // ------------------------------------------------------------ requesters

    /// @notice Adds to the caller's bond. It counts for drawn seats from two epochs later, and for quorums at once.
    function bondRequester(
        uint96 amount
    ) external;
    /// @notice Begins the bond's way out; from now on it counts for no new ticket.
    function unbondRequester() external;
    function withdrawRequesterBond(
        address to
    ) external returns (uint256 amount);
    /// @notice Proof that a requester closed two different commit sets for one request: its bond is lost. The two
    /// signatures are evidence enough; nobody judges.
    function reportCommitSets(
        ITickets.Ticket calldata ticket,
        bytes32[] calldata first,
        bytes calldata firstSignature,
        bytes32[] calldata second,
        bytes calldata secondSignature
    ) external;
    /// @notice Consumes sequence numbers of the caller that will never be used, so that the window moves on. `mask` has a bit
    /// for each number of the word.
    function voidSequences(
        uint64 word,
        uint256 mask
    ) external;

    // ------------------------------------------------------------ money that was earned

    function withdrawEarnings(
        address to
    ) external returns (uint256 amount);
    /// @notice Anyone: moves the protocol fees that came in through `requester` to the treasury, less the sponsor's share,
    /// which becomes credit of `requester`.
    function collectFees(
        address requester
    ) external returns (uint256 toTreasury, uint256 toSponsor);
    /// @notice Anyone: pays the treasury's balance to the treasury's address.
    function withdrawTreasury() external returns (uint256 amount);
}
