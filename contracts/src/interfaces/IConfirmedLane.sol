// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "./IExecutionCoordinator.sol";

/// @title Requests and results on chain: for callers without a gateway, for value at stake, and where an aggregator stalls.
/// @notice A result is never taken from an open race, since whoever copies fastest would win it: a worker first commits,
/// either to the requester (who signs the ordered set) or on chain, and only then opens.
interface IConfirmedLane {
    enum PostedStatus {
        None,
        Open,
        Agreed,
        Settled,
        Expired
    }

    /// @notice What a contract that calls on its own behalf asks for; sequence, epoch and times are added here. Its own
    /// credit pays. `lifetime` in seconds. With `callbackGas` it is called back, see `IExecutionCallback`.
    struct Order {
        bytes32 functionId;
        uint32 functionVersion;
        bytes32 runtimeDigest;
        bytes32 inputSeal;
        uint8 quorum;
        uint96 fee;
        uint32 lifetime;
        uint32 callbackGas;
    }

    /// @notice A posted request. `postedBlock` is where it stands, `commitments` how many stand on chain for it,
    /// `agreedAt` when a quorum agreed.
    struct Posted {
        PostedStatus status;
        uint64 postedBlock;
        uint8 commitments;
        uint8 openings;
        uint32 callbackGas;
        uint40 agreedAt;
    }

    /// @notice A commitment on chain: its place in the order, and the block it was made in.
    struct Commitment {
        bytes32 commitment;
        uint8 position;
        uint64 atBlock;
        bool isOpened;
    }

    /// @notice Nobody posted this ticket.
    error NotPosted(bytes32 requestId);
    /// @notice This ticket was posted before.
    error AlreadyPosted(bytes32 requestId);
    /// @notice The posted ticket is in another status than this call needs.
    error PostedNotInStatus(bytes32 requestId, PostedStatus expected, PostedStatus actual);
    /// @notice More input than may travel in calldata.
    error InputTooLarge(uint256 length, uint256 maximum);
    /// @notice The operator has committed already, or the request has all the commitments it takes.
    error CommitmentRefused(bytes32 requestId, address operator);
    /// @notice What is opened is not what was committed.
    error CommitmentMismatch(bytes32 requestId, address operator);
    /// @notice Whoever committed earlier may open first; this operator from `atBlock` on (never, while too few committed).
    error NotYourTurn(bytes32 requestId, address operator, uint256 atBlock, uint256 currentBlock);
    /// @notice The output does not open the attested seal, or is missing where a callback was ordered.
    error OutputMismatch(bytes32 requestId);
    /// @notice What was posted as input does not open the ticket's seal.
    error InputMismatch(bytes32 requestId);
    /// @notice Only the operator whose attestation it is, or its execution key, brings it: others could leave the output out.
    error NotTheWorker(address operator, address caller);
    /// @notice The transaction has not enough gas left for the callback that was ordered.
    error GasTooLow(uint256 available, uint256 needed);
    /// @notice More gas was ordered for a callback than the most.
    error CallbackGasTooHigh(uint256 gas, uint256 maximum);
    /// @notice This operator answered, was not seated, or nobody else answered: its silence is no fault.
    error NotSilent(bytes32 requestId, address operator);

    /// @notice A ticket became a job that every seated worker sees. `input` is `salt ‖ canonical request`, or empty when
    /// workers ask the requester for it.
    event ExecutionRequested(
        bytes32 indexed requestId,
        bytes32 indexed functionId,
        address indexed requester,
        IExecutionCoordinator.Ticket ticket,
        bytes input
    );
    event CommitmentPosted(bytes32 indexed requestId, address indexed operator, bytes32 commitment, uint8 position);
    event CommitmentOpened(
        bytes32 indexed requestId, address indexed operator, bytes32 resultSeal, uint8 outcome, uint16 status
    );
    /// @notice A quorum agreed; it is paid after the conflict window.
    event QuorumAgreed(bytes32 indexed requestId, bytes32 resultSeal, uint40 payableAt);
    /// @notice The canonical result.
    event ExecutionOutput(bytes32 indexed requestId, bytes output);
    event ExecutionExpired(bytes32 indexed requestId);
    event CallbackCalled(bytes32 indexed requestId, address indexed requester, bool succeeded);
    event SilencePenalized(bytes32 indexed requestId, address indexed operator, uint256 amount);

    /// @notice Puts a signed ticket on chain, consumes its sequence, reserves its fee and tells the workers.
    function post(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata signature,
        bytes calldata input
    ) external returns (bytes32 requestId);
    /// @notice The same for a caller that is a contract: it is the requester, and needs no signature.
    /// @param input `salt ‖ canonical request`; not empty, since nobody could ask a contract for it.
    function request(
        Order calldata order,
        bytes calldata input
    ) external returns (bytes32 requestId);
    /// @notice A worker's commitment on chain, `Hashes.commitment(requestId, executionKey, resultSeal, salt)`. The caller is
    /// the operator or its execution key. The ticket shows the seat.
    function commit(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes32 commitment
    ) external;
    /// @notice Opens a commitment that stands on chain, from the block that `opensAtBlock` says. With quorum 1 the worker is
    /// paid at once; with more when enough agree and the conflict window has passed (`finalise`). `output` must open the seal
    /// with `inputSalt`, the request's own salt; it may be empty unless a callback was ordered and quorum is 1. The caller is
    /// the operator or its execution key.
    function open(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt,
        bytes32 inputSalt,
        bytes calldata output
    ) external;
    /// @notice Opens against a commit set that the requester signed: no commitment has to stand on chain. Quorum 1 only. The
    /// first of the set at any time, later ones from `8 × position` blocks after the post. Output and caller as in `open`.
    function submit(
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes32 salt,
        bytes32[] calldata commitments,
        bytes calldata setSignature,
        bytes32 inputSalt,
        bytes calldata output
    ) external;
    /// @notice Anyone: pays a quorum that agreed, after the conflict window and unless a dispute is open or lost.
    function finalise(
        IExecutionCoordinator.Ticket calldata ticket
    ) external;
    /// @notice The same with the output, for a request that ordered a callback.
    function finaliseWithOutput(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes32 inputSalt,
        bytes calldata output
    ) external;
    /// @notice Anyone: gives back what an unanswered posted ticket reserved, once nobody can settle it any more; and that of a
    /// quorum which lost a dispute.
    function expire(
        IExecutionCoordinator.Ticket calldata ticket
    ) external;
    /// @notice Anyone: a drawn operator that stayed silent about a posted ticket until seats were open to all, and which another
    /// one answered then, pays the ticket's fee (at most a juror's) from its stake; it is burned. Only when the input was
    /// posted too, or the requester could have told it to one operator alone.
    function reportSilence(
        IExecutionCoordinator.Ticket calldata ticket,
        address operator
    ) external;

    function getPosted(
        bytes32 requestId
    ) external view returns (Posted memory);
    function getCommitment(
        bytes32 requestId,
        address operator
    ) external view returns (Commitment memory);
    /// @notice The first block in which `operator` may open its commitment as things stand; the highest number while too few
    /// committed. Zero without a commitment.
    function opensAtBlock(
        IExecutionCoordinator.Ticket calldata ticket,
        address operator
    ) external view returns (uint256);
    /// @notice The sequence number that the next `request` of `requester` gets. Numbers from 2^63 on are given here only.
    function nextSequence(
        address requester
    ) external view returns (uint64);
}

/// @title What a contract implements to be called back with its result.
interface IExecutionCallback {
    /// @notice Called once, with at most the gas that was ordered; what it returns or reverts with is ignored.
    /// @param output Canonical result.
    function onExecutionSettled(
        bytes32 requestId,
        uint8 outcome,
        uint16 status,
        bytes calldata output
    ) external;
}
