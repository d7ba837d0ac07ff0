// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Operators: stake, execution keys, epochs with their seeds, seats.
/// @notice Changes of stake count from two epochs later, so that nobody can arrange stake after a seed is known. Only the
/// dispute court can take stake or jail, and the confirmed lane the small penalty for silence.
interface IOperatorRegistry {
    enum OperatorStatus {
        None,
        Active,
        Draining,
        Unbonding,
        Withdrawn,
        Jailed
    }

    /// @param executionKey The key that signs now; zero after it was revoked.
    /// @param capacity How many executions it offers to run at once; for routing only.
    /// @param openCases Disputes that hold its stake.
    struct Operator {
        OperatorStatus status;
        address executionKey;
        uint40 statusSince;
        uint40 jailedUntil;
        uint32 capacity;
        uint32 openCases;
        uint96 stake;
    }

    /// @notice A key belongs to one operator for ever and signs for tickets issued from `validFrom` to `validTo`.
    struct ExecutionKey {
        address operator;
        uint40 validFrom;
        uint40 validTo;
    }

    /// @notice What an epoch is drawn with.
    /// @param seed Zero until it is captured.
    /// @param capturedAt Drawn seats exist for tickets issued after it.
    /// @param totalStake Stake that counts in this epoch.
    /// @param operatorCount Operators whose stake counts in this epoch.
    struct Epoch {
        bytes32 seed;
        uint40 capturedAt;
        uint96 totalStake;
        uint32 operatorCount;
    }

    /// @notice An amount of nothing was staked.
    error AmountZero();
    /// @notice The zero address can neither be a key nor receive anything here.
    error AddressZero();
    /// @notice The token moved another amount than it was asked to: such a token cannot be accounted for.
    error TokenAmountMismatch(uint256 expected, uint256 received);
    /// @notice The call is possible from `availableAt` on.
    error TooEarly(uint256 availableAt, uint256 nowAt);
    /// @notice The operator is in another status than this call needs.
    error OperatorNotInStatus(address operator, OperatorStatus expected, OperatorStatus actual);
    /// @notice An active operator holds at least the minimum stake.
    error StakeTooLow(uint256 stake, uint256 minimum);
    /// @notice An execution key belongs to one operator for ever, even after it was rotated out.
    error ExecutionKeyTaken(address executionKey, address operator);
    /// @notice The proof is not the execution key's signature over `ExecutionKeyProof` with the operator's current `keyNonce`.
    error ExecutionKeyProofInvalid(address operator, address executionKey);
    /// @notice The operator has no key: bind another one first.
    error ExecutionKeyMissing(address operator);
    /// @notice Disputes hold this operator's stake until they end.
    error CasesOpen(address operator, uint256 openCases);
    /// @notice Only the contracts of the same suite may call this.
    error NotAuthorized(address caller);
    /// @notice The seed of this epoch cannot be captured (again) now.
    error SeedNotCapturable(uint32 epoch);
    /// @notice The block whose hash is the seed has not been mined.
    error SeedBlockPending(uint32 epoch, uint256 seedBlock, uint256 currentBlock);

    event OperatorRegistered(address indexed operator, address indexed executionKey, uint256 stake, uint32 capacity);
    event StakeAdded(address indexed operator, uint256 amount, uint256 stake);
    event StakeWithdrawn(address indexed operator, address indexed to, uint256 amount);
    event StakeSlashed(address indexed operator, address indexed recipient, uint256 amount, uint256 stake);
    /// @notice `stake` counts for seats from `epoch` on.
    event StakeCounted(
        address indexed operator, uint32 indexed epoch, uint256 stake, uint256 totalStake, uint256 operatorCount
    );
    event ExecutionKeyBound(address indexed operator, address indexed executionKey, uint40 validFrom);
    event ExecutionKeyClosed(address indexed operator, address indexed executionKey, uint40 validTo);
    event CapacityChanged(address indexed operator, uint32 capacity);
    event OperatorStatusChanged(address indexed operator, OperatorStatus status, uint40 jailedUntil);
    event CaseCountChanged(address indexed operator, uint32 openCases);
    event SeedScheduled(uint32 indexed epoch, uint256 seedBlock);
    event SeedCaptured(uint32 indexed epoch, bytes32 seed);

    // ------------------------------------------------------------ the operator's own

    /// @notice Stakes and becomes an active operator. `proof` is the execution key's signature over `ExecutionKeyProof`.
    /// A withdrawn operator may register again.
    function registerOperator(
        address executionKey,
        bytes calldata proof,
        uint96 stake,
        uint32 capacity
    ) external;
    /// @notice Adds to the stake; counts from two epochs later.
    function addStake(
        uint96 amount
    ) external;
    /// @notice Closes the old key for tickets issued from now on and binds a new one for them.
    function rotateExecutionKey(
        address executionKey,
        bytes calldata proof
    ) external;
    /// @notice Closes the key at once, for one that may be stolen. The operator drains until it binds another.
    function revokeExecutionKey() external;
    function setCapacity(
        uint32 capacity
    ) external;
    /// @notice No new work; what is under way is still settled.
    function drain() external;
    /// @notice Back to work from draining.
    function resume() external;
    /// @notice Begins the exit, from jail as well; stake may be withdrawn after the unbonding period and the last dispute.
    function unbond() external;
    function withdrawStake(
        address to
    ) external returns (uint256 amount);
    /// @notice Back from jail when its time is over, with a fresh key and at least the minimum stake.
    function release(
        address executionKey,
        bytes calldata proof
    ) external;

    // ------------------------------------------------------------ the suite's

    /// @notice Takes up to `amount` of the stake and sends it to `recipient`; the court and the confirmed lane only. An active
    /// operator that is left with less than the minimum stake drains until it adds what is missing.
    /// @return taken What was there to take.
    function slash(
        address operator,
        uint256 amount,
        address recipient
    ) external returns (uint256 taken);
    /// @notice Closes the key and bars the operator for at least `seconds_`; the court only.
    function jail(
        address operator,
        uint32 seconds_
    ) external;
    /// @notice Holds the stake while a dispute is open; the court only.
    function openCase(
        address operator
    ) external;
    function closeCase(
        address operator
    ) external;

    // ------------------------------------------------------------ epochs

    /// @notice Anyone: schedules the seed of `epoch`, or captures it once its block is mined. Possible from the beginning of
    /// the epoch before; a missed one is drawn again. Zero is never a seed.
    /// @return seed The seed, or zero when it was only scheduled.
    function captureSeed(
        uint32 epoch
    ) external returns (bytes32 seed);
    function currentEpoch() external view returns (uint32);
    function getEpoch(
        uint32 epoch
    ) external view returns (Epoch memory);
    /// @notice The block whose hash becomes the seed of `epoch`; zero while it is not scheduled.
    function seedBlockOf(
        uint32 epoch
    ) external view returns (uint256);
    /// @notice Stake of `operator` that counts in `epoch`.
    function stakeAt(
        address operator,
        uint32 epoch
    ) external view returns (uint256);

    // ------------------------------------------------------------ seats

    /// @notice True when the operators whose stake counts in `epoch` are no more than `committeeSize`.
    function isAllSeated(
        uint32 epoch,
        uint256 committeeSize
    ) external view returns (bool);
    /// @notice Whether `operator` has a seat for the request: every operator where all are seated, else by
    /// `H(epochSeed, requester, sequence, operator) < stake / totalStake × committeeSize`, for tickets issued after the
    /// seed was captured. That it was active then is shown by its execution key: ask `operatorForKey` as well.
    function isSeated(
        address operator,
        address requester,
        uint64 sequence,
        uint32 epoch,
        uint40 issuedAt,
        uint256 committeeSize
    ) external view returns (bool);
    /// @notice The same draw on any subject and seed, with the stake of `epoch`: juries and audits.
    function isDrawn(
        bytes32 seed,
        bytes32 subject,
        address operator,
        uint32 epoch,
        uint256 size
    ) external view returns (bool);

    // ------------------------------------------------------------ views

    function token() external view returns (address);
    function keyNonce(
        address operator
    ) external view returns (uint256);
    function getOperator(
        address operator
    ) external view returns (Operator memory);
    function getExecutionKey(
        address executionKey
    ) external view returns (ExecutionKey memory);
    /// @notice Many keys at once, in the order asked for: what a settlement needs.
    function getExecutionKeys(
        address[] calldata executionKeys
    ) external view returns (ExecutionKey[] memory);
    /// @notice The operator whose key this is when it may sign for a ticket issued at `issuedAt`, else zero.
    function operatorForKey(
        address executionKey,
        uint40 issuedAt
    ) external view returns (address);
    /// @notice How many operators are active now.
    function activeCount() external view returns (uint256);
}
