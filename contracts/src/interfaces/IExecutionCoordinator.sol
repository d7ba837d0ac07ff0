// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Tickets, attestations, settlement; operators and their stake; credit lines.
/// @notice Money is in atomic units of the settlement token, times in seconds since 1970.
interface IExecutionCoordinator {
    // ---------------------------------------------------------------- types

    /// @notice A signed request: it is the job. Same members, same order as `Ticket` in packages/protocol/src/ticket.ts.
    struct Ticket {
        uint8 protocolVersion;
        bytes32 functionId;
        uint32 functionVersion;
        uint32 envVersion;
        bytes32 runtimeDigest;
        bytes32 inputSeal;
        address requester;
        uint32 epoch;
        uint64 sequence;
        uint8 quorum;
        uint8 lane;
        uint96 fee;
        uint40 issuedAt;
        uint40 deadline;
        address payer;
        address payee;
        uint128 price;
        bytes32 quoteId;
        address funder;
    }

    /// @notice A worker's signed result.
    struct Attestation {
        uint8 protocolVersion;
        bytes32 requestId;
        bytes32 resultSeal;
        uint8 outcome;
        uint16 status;
        uint8 seat;
    }

    /// @notice What is its own of each request in a settlement. `worker` is an index into `SettlementBatch.workers`.
    struct SettlementItem {
        bytes32 inputSeal;
        bytes32 resultSeal;
        bytes32 quoteId;
        address payer;
        uint64 sequence;
        uint40 issuedAt;
        uint40 deadline;
        uint8 outcome;
        uint16 status;
        uint8 seat;
        uint16 worker;
    }

    /// @notice What the requests of one group share.
    struct SettlementGroup {
        bytes32 functionId;
        uint32 functionVersion;
        uint32 envVersion;
        bytes32 runtimeDigest;
        uint32 epoch;
        uint8 quorum;
        uint8 lane;
        uint96 fee;
        address payee;
        uint128 price;
        address funder;
        SettlementItem[] items;
    }

    struct BatchWorker {
        address executionKey;
        bytes roll;
    }

    /// @notice Many requests of one requester. An empty roll means that this signer's messages are signed one by one:
    /// their signatures stand in `signatures`, per item in batch order, the ticket's before the attestation's.
    struct SettlementBatch {
        address requester;
        bytes requesterRoll;
        BatchWorker[] workers;
        SettlementGroup[] groups;
        bytes[] signatures;
    }

    /// @notice Why an item of a batch was left out. It stays settleable.
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
        TermsInvalid
    }

    enum OperatorStatus {
        None,
        Active,
        Draining,
        Unbonding,
        Withdrawn,
        Jailed
    }

    struct Operator {
        OperatorStatus status;
        address executionKey;
        uint40 statusSince;
        uint96 stake;
        uint96 earnings;
    }

    struct ExecutionKey {
        address operator;
        uint40 validFrom;
        uint40 validTo;
    }

    /// @notice What a funder lets one requester spend. `closesAt` is zero while the line is open.
    struct CreditLine {
        uint96 capPerEpoch;
        uint96 maxFee;
        uint96 spentInEpoch;
        uint32 spentEpoch;
        uint40 closesAt;
    }

    enum PostedStatus {
        None,
        Open,
        Settled,
        Expired
    }

    // --------------------------------------------------------------- errors

    /// @notice A constructor parameter is outside of its bounds.
    error ParameterInvalid(string name);
    /// @notice An amount of nothing was sent, granted or asked for.
    error AmountZero();
    /// @notice The zero address can neither own nor receive anything here.
    error AddressZero();
    /// @notice The token moved another amount than it was asked to: such a token cannot be accounted for.
    error TokenAmountMismatch(uint256 expected, uint256 received);
    /// @notice An active operator holds at least the minimum stake.
    error StakeTooLow(uint256 stake, uint256 minimum);
    /// @notice The operator is in another status than this call needs.
    error OperatorNotInStatus(address operator, OperatorStatus expected, OperatorStatus actual);
    /// @notice An execution key belongs to one operator for ever, even after it was rotated out.
    error ExecutionKeyTaken(address executionKey, address operator);
    /// @notice The proof is not the execution key's signature over `ExecutionKeyProof` with the operator's current `keyNonce`.
    error ExecutionKeyProofInvalid(address operator, address executionKey);
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
    /// @notice A posted ticket, or the attestation submitted for it, breaks a rule. `reason` says which.
    error TicketInvalid(bytes32 requestId, SkipReason reason);
    /// @notice Nobody posted this ticket.
    error NotPosted(bytes32 requestId);
    /// @notice This ticket was posted before.
    error AlreadyPosted(bytes32 requestId);
    /// @notice The posted ticket was answered or has expired.
    error PostedNotOpen(bytes32 requestId, PostedStatus actual);
    /// @notice Until the ticket's deadline only the worker itself submits its result, later anyone, but without an output:
    /// else a copied attestation could come with other bytes, or with none.
    error SubmitterNotWorker(address operator, address caller);
    /// @notice More input than may travel in calldata.
    error InputTooLarge(uint256 length, uint256 maximum);
    /// @notice The batch contradicts itself: an index without its worker, or another number of signatures than needed.
    error BatchMalformed(string what);

    // --------------------------------------------------------------- events

    event OperatorRegistered(address indexed operator, address indexed executionKey, uint256 stake);
    event StakeAdded(address indexed operator, uint256 amount, uint256 stake);
    event ExecutionKeyRotated(
        address indexed operator, address indexed previousKey, address indexed executionKey, uint40 previousValidTo
    );
    event OperatorStatusChanged(address indexed operator, OperatorStatus status);
    event StakeWithdrawn(address indexed operator, address indexed to, uint256 amount);
    event EarningsWithdrawn(address indexed operator, address indexed to, uint256 amount);

    event CreditDeposited(address indexed funder, address indexed from, uint256 amount);
    event CreditLineGranted(address indexed funder, address indexed requester, uint96 capPerEpoch, uint96 maxFee);
    event CreditLineRevoked(address indexed funder, address indexed requester, uint40 closesAt);
    event CreditWithdrawalRequested(address indexed funder, uint256 amount, uint40 availableAt);
    event CreditWithdrawn(address indexed funder, address indexed to, uint256 amount);

    /// @notice A ticket became a job that every seated worker sees. `input` is `salt ‖ canonical request`, or empty when
    /// workers ask the requester for it.
    event ExecutionRequested(
        bytes32 indexed requestId, bytes32 indexed functionId, address indexed requester, Ticket ticket, bytes input
    );
    /// @notice A request was settled and its worker credited with `reward`. `output` is `canonical result`, or empty.
    event ExecutionSettled(
        bytes32 indexed requestId,
        address indexed operator,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status,
        uint96 reward
    );
    event ExecutionOutput(bytes32 indexed requestId, bytes output);
    event ExecutionSkipped(bytes32 indexed requestId, SkipReason reason);
    event ExecutionExpired(bytes32 indexed requestId);
    event TreasuryWithdrawn(address indexed to, uint256 amount);

    // ------------------------------------------------------------ operators

    /// @notice Stakes and becomes an active operator. `proof` is the execution key's signature over `ExecutionKeyProof`.
    function registerOperator(
        address executionKey,
        bytes calldata proof,
        uint96 stake
    ) external;
    function addStake(
        uint96 amount
    ) external;
    /// @notice The old key stays valid for tickets issued until now, the new one signs for those issued from now on.
    function rotateExecutionKey(
        address executionKey,
        bytes calldata proof
    ) external;
    /// @notice No new work; what is under way is still settled.
    function drain() external;
    /// @notice Back to work from draining.
    function resume() external;
    /// @notice Begins the exit; stake may be withdrawn after the unbonding period.
    function unbond() external;
    function withdrawStake(
        address to
    ) external;
    function withdrawEarnings(
        address to
    ) external returns (uint256 amount);

    // --------------------------------------------------------------- credit

    /// @notice Adds to `funder`'s credit, from the caller's tokens.
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

    // ------------------------------------------------------------ execution

    /// @notice Settles many requests in one transaction. One bad item is skipped with an event and spoils nothing.
    /// @return settled How many items were paid.
    function settle(
        SettlementBatch calldata batch
    ) external returns (uint256 settled);
    /// @notice Confirmed lane: puts a ticket on chain, consumes its sequence, reserves its fee and tells the workers.
    function post(
        Ticket calldata ticket,
        bytes calldata signature,
        bytes calldata input
    ) external returns (bytes32 requestId);
    /// @notice Confirmed lane: the first valid result wins and is paid.
    function submit(
        Ticket calldata ticket,
        Attestation calldata attestation,
        bytes calldata signature,
        bytes calldata output
    ) external;
    /// @notice Releases what an unanswered posted ticket reserved, once nobody can settle it any more.
    function expire(
        Ticket calldata ticket
    ) external;

    // ---------------------------------------------------------------- views

    function token() external view returns (address);
    function treasury() external view returns (address);
    function treasuryBalance() external view returns (uint256);
    function minimumStake() external view returns (uint96);
    function protocolFeeBps() external view returns (uint16);
    function epochSeconds() external view returns (uint32);
    function settlementGrace() external view returns (uint32);
    function maximumTicketLifetime() external view returns (uint32);
    function unbondingPeriod() external view returns (uint32);
    function domainSeparator() external view returns (bytes32);
    function keyNonce(
        address operator
    ) external view returns (uint256);
    function getOperator(
        address operator
    ) external view returns (Operator memory);
    function getExecutionKey(
        address executionKey
    ) external view returns (ExecutionKey memory);
    function operatorCount() external view returns (uint256);
    /// @notice The operator whose key this is when it may sign for a ticket issued at `issuedAt`, else zero.
    function operatorForKey(
        address executionKey,
        uint40 issuedAt
    ) external view returns (address);
    function creditOf(
        address funder
    ) external view returns (uint256 available, uint256 reserved, uint256 withdrawing, uint40 withdrawableAt);
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
    function postedStatus(
        bytes32 requestId
    ) external view returns (PostedStatus);
    function hashTicket(
        Ticket calldata ticket
    ) external view returns (bytes32);
    /// @notice Pays protocol fees to the treasury address. Anyone may call.
    function withdrawTreasury() external returns (uint256 amount);
}
