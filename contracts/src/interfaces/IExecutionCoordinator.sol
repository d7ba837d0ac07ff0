// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Suite} from "../deployment/Suite.sol";
import {ICoordinatorAccounts} from "./ICoordinatorAccounts.sol";
import {ITickets} from "./ITickets.sol";

/// @title Tickets, attestations, settlement; credit lines, requesters' bonds, earnings and the treasury.
/// @notice Money is in atomic units of the settlement token, times in seconds since 1970. All signed messages of the
/// protocol (see `Messages`) have this contract as their EIP-712 `verifyingContract`, whichever contract reads them.
interface IExecutionCoordinator is ITickets, ICoordinatorAccounts {
    // ---------------------------------------------------------------- types

    /// @notice A worker's signed result.
    struct Attestation {
        uint8 protocolVersion;
        bytes32 requestId;
        bytes32 resultSeal;
        uint8 outcome;
        uint16 status;
        uint8 seat;
    }

    /// @notice Why an item of a batch was left out, or a ticket or attestation refused. What is left out stays settleable.
    enum SkipReason {
        None,
        SequenceConsumed,
        Expired,
        NotYetValid,
        EpochMismatch,
        RequesterSignature,
        WorkerSignature,
        WorkerNotActive,
        CreditExhausted,
        QuorumNotMet,
        ResourceOutcome,
        LaneMismatch,
        TermsInvalid,
        NotSeated,
        RequesterNotBonded,
        SequenceAhead,
        CommitSetInvalid,
        ConflictWindowOpen,
        InDispute
    }

    /// @notice What a funder lets one requester spend. `closesAt` is zero while the line is open.
    struct CreditLine {
        uint96 capPerEpoch;
        uint96 maxFee;
        uint96 spentInEpoch;
        uint32 spentEpoch;
        uint40 closesAt;
    }

    /// @notice A requester's bond. It counts for drawn seats of epochs from `countsFrom` on.
    struct RequesterBond {
        uint96 amount;
        uint32 countsFrom;
        uint40 withdrawableAt;
    }

    // --------------------------------------------------------------- errors

    /// @notice An amount of nothing was sent, granted or asked for.
    error AmountZero();
    /// @notice The zero address can neither own nor receive anything here.
    error AddressZero();
    /// @notice The token moved another amount than it was asked to: such a token cannot be accounted for.
    error TokenAmountMismatch(uint256 expected, uint256 received);
    /// @notice The call is possible from `availableAt` on.
    error TooEarly(uint256 availableAt, uint256 nowAt);
    /// @notice There is nothing for this account to take out.
    error NothingToWithdraw(address account);
    /// @notice The credit that is free to be set aside is smaller than what was asked for.
    error BalanceTooLow(address account, uint256 balance, uint256 needed);
    /// @notice The funder has no open line for this requester.
    error CreditLineClosed(address funder, address requester);
    /// @notice The fee is over the line's cap, over its most per request, or over the funder's balance.
    error CreditExhausted(address funder, address requester, uint256 available, uint256 needed);
    /// @notice A ticket or attestation breaks a rule. `reason` says which.
    error TicketInvalid(bytes32 requestId, SkipReason reason);
    /// @notice The batch contradicts itself: it ends too early, names a worker it does not hold, or has bytes left over.
    error BatchMalformed(string what);
    /// @notice The two commit sets are one, are about another request, or are not both signed by the requester.
    error CommitSetsNotConflicting(bytes32 requestId);
    /// @notice This requester has no bond that could be taken.
    error NotBonded(address requester);
    /// @notice Only the contracts of the same suite may call this.
    error NotAuthorized(address caller);

    // --------------------------------------------------------------- events

    event CreditDeposited(address indexed funder, address indexed from, uint256 amount);
    event CreditLineGranted(address indexed funder, address indexed requester, uint96 capPerEpoch, uint96 maxFee);
    event CreditLineRevoked(address indexed funder, address indexed requester, uint40 closesAt);
    event CreditWithdrawalRequested(address indexed funder, uint256 amount, uint40 availableAt);
    event CreditWithdrawn(address indexed funder, address indexed to, uint256 amount);
    event EarningsWithdrawn(address indexed operator, address indexed to, uint256 amount);

    event RequesterBonded(address indexed requester, uint256 amount, uint256 bond, uint32 countsFrom);
    event RequesterUnbonding(address indexed requester, uint40 withdrawableAt);
    event RequesterBondWithdrawn(address indexed requester, address indexed to, uint256 amount);
    /// @notice Two commit sets for one request cost the whole bond: half to the reporter, half burned.
    event RequesterBondSlashed(
        address indexed requester, bytes32 indexed requestId, address indexed reporter, uint256 amount
    );
    event SequencesVoided(address indexed requester, uint64 word, uint256 mask);

    /// @notice A request was settled and `operator` credited with `reward`: its worker, or the first of its quorum.
    event ExecutionSettled(
        bytes32 indexed requestId,
        address indexed operator,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status,
        uint96 reward
    );
    /// @notice The other workers of a quorum, in the same transaction: each is credited with `reward`.
    event RewardsShared(bytes32 indexed requestId, address[] operators, uint96 reward);
    event ExecutionSkipped(bytes32 indexed requestId, SkipReason reason);

    event FeesCollected(address indexed requester, uint256 toTreasury, uint256 toSponsor);
    event TreasuryWithdrawn(address indexed to, uint256 amount);
    event AuditPaid(address indexed operator, uint256 amount);

    // ------------------------------------------------------------ settlement

    /// @notice Settles many requests of one requester in one transaction. One bad item is skipped with an event and spoils
    /// nothing. `batch` is packed as docs/contracts/settlement.md says; `encodeSettlement` of packages/protocol writes it.
    /// @return settled How many items were paid.
    function settle(
        bytes calldata batch
    ) external returns (uint256 settled);

    // ------------------------------------------------------------ the suite's

    /// @notice Consumes a posted ticket's sequence and sets its fee aside; the confirmed lane only. Reverts with
    /// `TicketInvalid`, `CreditLineClosed` or `CreditExhausted`.
    function reserve(
        bytes32 requestId,
        Ticket calldata ticket
    ) external;
    /// @notice Pays a reserved fee to the workers by `weights` (equal when all are the same), less the protocol's share of
    /// `protocolFeeBps`, and emits `ExecutionSettled` for the first, who also gets what a division leaves, and `RewardsShared`
    /// for each other; the confirmed lane only.
    function settleReserved(
        Ticket calldata ticket,
        Attestation calldata attestation,
        uint256 protocolFeeBps,
        address[] calldata operators,
        uint256[] calldata weights
    ) external;
    /// @notice Gives a reserved fee back to its funder; the confirmed lane only.
    function freeReserved(
        address funder,
        uint96 fee
    ) external;
    /// @notice Pays an auditor from the treasury's balance, as far as it reaches; the court only.
    function payAudit(
        address operator,
        uint256 amount
    ) external returns (uint256 paid);

    // ---------------------------------------------------------------- views

    function token() external view returns (address);
    function treasury() external view returns (address);
    function treasuryBalance() external view returns (uint256);
    /// @notice Every contract of this version: who knows the coordinator finds the rest.
    function suite() external view returns (Suite memory);
    function domainSeparator() external view returns (bytes32);
    function earningsOf(
        address operator
    ) external view returns (uint256);
    /// @notice Protocol fees that came in through `requester` and were not collected yet.
    function uncollectedFees(
        address requester
    ) external view returns (uint256);
    function requesterBond(
        address requester
    ) external view returns (RequesterBond memory);
    function creditOf(
        address funder
    ) external view returns (uint256 available, uint256 withdrawing, uint40 withdrawableAt);
    function getCreditLine(
        address funder,
        address requester
    ) external view returns (CreditLine memory);
    /// @notice What `requester` may still spend of `funder`'s credit in this epoch, and the most per request.
    function availableCredit(
        address funder,
        address requester
    ) external view returns (uint256 available, uint256 maxFee);
    function isConsumed(
        address requester,
        uint64 sequence
    ) external view returns (bool);
    /// @notice Why this requester has no drawn seats for a ticket of that sequence, epoch and time: `RequesterNotBonded` when
    /// its bond does not count for it, `SequenceAhead` when the number is outside of the window; `None` when it has.
    function drawReason(
        address requester,
        uint64 sequence,
        uint32 epoch,
        uint40 issuedAt
    ) external view returns (SkipReason);
    function hashTicket(
        Ticket calldata ticket
    ) external view returns (bytes32);
}
