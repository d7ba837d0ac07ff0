// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "./IExecutionCoordinator.sol";

/// @title Audits, challenges and juries; equivocation; owners' bonds for determinism.
/// @notice A wrong result is a conviction of two independent juries at five sixths each. Doubt acquits. Only deterministic
/// functions with an owner's bond, open operators, no network and no secrets are judged.
interface IDisputeCourt {
    /// @notice Why a case was opened: by a bonded challenger, by an auditor, or by a conflict inside a quorum. The last two
    /// put the opener's own stake at risk in place of a bond.
    enum CaseKind {
        None,
        Challenge,
        Audit,
        Conflict
    }

    enum CaseStatus {
        None,
        FirstJury,
        SecondJury,
        Convicted,
        Acquitted,
        Flagged,
        Unavailable,
        Hung,
        Undecided
    }

    /// @notice What a juror says: the result it got (by its seal, outcome and status), that its own runs differ, or that the
    /// input or the bundle could not be had.
    enum Vote {
        None,
        Result,
        Differs,
        Unavailable
    }

    /// @param kind Why it was opened.
    /// @param accused Operator whose attestation is in question.
    /// @param opener Challenger, auditor or the conflicting operator.
    /// @param epoch Epoch whose counted stake draws both juries.
    /// @param seedBlock Block whose hash draws the jury that sits now.
    /// @param phaseEndsAt End of the jury's commit phase; it reveals for `juryPhase` seconds more.
    struct Case {
        CaseKind kind;
        CaseStatus status;
        address accused;
        address opener;
        uint32 epoch;
        uint64 seedBlock;
        uint40 phaseEndsAt;
        bytes32 requestId;
        bytes32 functionId;
        bytes32 resultSeal;
        uint8 outcome;
        uint16 httpStatus;
        uint96 bond;
        address payer;
        uint128 price;
    }

    /// @notice Votes of one jury. `leadingSeal` is the hash of the result, other than the accused's, that most jurors got.
    struct Tally {
        uint16 commits;
        uint16 votes;
        uint16 agree;
        uint16 leading;
        uint16 differs;
        uint16 unavailable;
        bytes32 leadingSeal;
    }

    struct OwnerBond {
        address owner;
        uint96 amount;
        uint40 withdrawableAt;
        bool isFlagged;
    }

    /// @notice This function is not judged: it is not deterministic, has no owner's bond, is flagged, uses the network or
    /// takes secrets.
    error NotJudged(bytes32 functionId, string why);
    /// @notice The evidence does not prove what it should.
    error EvidenceInvalid(bytes32 requestId, IExecutionCoordinator.SkipReason reason);
    /// @notice The two attestations are not of one key about one request with different contents.
    error NotEquivocation(bytes32 requestId);
    /// @notice The two attestations do not contradict each other.
    error NotConflicting(bytes32 requestId);
    /// @notice There is a case about this attestation already.
    error CaseExists(bytes32 caseId);
    /// @notice The case is in another status than this call needs.
    error CaseNotInStatus(bytes32 caseId, CaseStatus actual);
    /// @notice The challenge window of this request has passed.
    error WindowClosed(bytes32 requestId, uint256 closedAt, uint256 nowAt);
    /// @notice This operator has no seat in the jury.
    error NotJuror(bytes32 caseId, address operator);
    /// @notice The call belongs to another phase of the jury.
    error WrongPhase(bytes32 caseId, uint256 availableAt, uint256 nowAt);
    /// @notice The juror has voted, or what it reveals is not what it committed.
    error VoteInvalid(bytes32 caseId, address operator);
    /// @notice The audit lottery did not choose this request, or its seed is not there yet.
    error NotAudited(bytes32 requestId);
    /// @notice Only the owner of the function may do this.
    error NotFunctionOwner(bytes32 functionId, address owner, address caller);

    event OwnerBonded(bytes32 indexed functionId, address indexed owner, uint256 amount, uint256 bond);
    event OwnerUnbonding(bytes32 indexed functionId, uint40 withdrawableAt);
    event OwnerBondWithdrawn(bytes32 indexed functionId, address indexed to, uint256 amount);
    /// @notice The function gave different results to honest runs: it is judged no more, and its owner's bond is lost.
    event FunctionFlagged(
        bytes32 indexed functionId, bytes32 indexed caseId, address indexed compensated, uint256 amount
    );

    /// @notice A case was opened. `input` is `salt ‖ canonical request` or empty, `inputCid` says where it is else; jurors also
    /// find what they need in `ticket`.
    event CaseOpened(
        bytes32 indexed caseId,
        bytes32 indexed requestId,
        address indexed accused,
        address opener,
        CaseKind kind,
        IExecutionCoordinator.Ticket ticket,
        IExecutionCoordinator.Attestation attestation,
        bytes input,
        string inputCid
    );
    /// @notice A jury sits. It is drawn from the hash of `seedBlock`, commits until `commitEndsAt`, reveals until `revealEndsAt`.
    event JuryCalled(bytes32 indexed caseId, uint8 jury, uint64 seedBlock, uint40 commitEndsAt, uint40 revealEndsAt);
    event VoteCommitted(bytes32 indexed caseId, uint8 jury, address indexed operator, bytes32 commitment);
    event VoteRevealed(
        bytes32 indexed caseId,
        uint8 jury,
        address indexed operator,
        Vote vote,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    );
    event CaseClosed(bytes32 indexed caseId, bytes32 indexed requestId, CaseStatus status, uint256 slashed);
    event Equivocated(bytes32 indexed requestId, address indexed operator, address indexed reporter, uint256 slashed);
    /// @notice `matched`: the auditor got the same result and was paid.
    event Audited(bytes32 indexed requestId, address indexed auditor, bool matched, uint256 paid);
    event AuditInputRequested(bytes32 indexed requestId, address indexed auditor, uint40 answerUntil);
    event AuditInputGiven(bytes32 indexed requestId, bytes input, string inputCid);
    event AuditInputWithheld(bytes32 indexed requestId, address indexed operator, uint256 feeReturned);
    event Credited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    event Burned(uint256 amount);

    // ------------------------------------------------------------ owners

    /// @notice Adds to the bond that makes a deterministic function judgeable. Only its owner; the bond stays with it.
    function bondFunction(
        bytes32 functionId,
        uint96 amount
    ) external;
    /// @notice Begins the bond's way out: the function is judged for tickets issued until now only.
    function unbondFunction(
        bytes32 functionId
    ) external;
    function withdrawOwnerBond(
        bytes32 functionId,
        address to
    ) external returns (uint256 amount);

    // ------------------------------------------------------------ evidence

    /// @notice Opens a case against one attestation, settled or not, until ticket deadline + challenge window. The caller
    /// pays the bond. The input travels in `input` (`salt ‖ canonical request`, at most 8 KiB) or by `inputCid`.
    function challenge(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes calldata input,
        string calldata inputCid
    ) external returns (bytes32 caseId);
    /// @notice Two seated operators of one quorum contradict each other: the request cannot be settled, and a jury judges the
    /// first. The signer of the second is the opener, its stake in place of a bond.
    function reportConflict(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata first,
        bytes calldata firstSignature,
        IExecutionCoordinator.Attestation calldata second,
        bytes calldata secondSignature,
        bytes calldata input,
        string calldata inputCid
    ) external returns (bytes32 caseId);
    /// @notice One key signed two different results for one request. Slashed without a jury for judged functions; otherwise
    /// the operator is jailed.
    function reportEquivocation(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata first,
        bytes calldata firstSignature,
        IExecutionCoordinator.Attestation calldata second,
        bytes calldata secondSignature
    ) external;

    // ------------------------------------------------------------ audits

    /// @notice Whether the audit lottery chose this request, and whether `operator` has a seat as its auditor. The seed is
    /// that of the third epoch after the ticket's: nobody knew it when the result was signed.
    function auditOf(
        bytes32 requestId,
        uint32 epoch,
        address operator
    ) external view returns (bool isAudited, bool isAuditor);
    /// @notice A drawn auditor asks for the input of a settled request; who holds it answers until the phase ends.
    function requestAuditInput(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) external;
    function giveAuditInput(
        bytes32 requestId,
        bytes calldata input,
        string calldata inputCid
    ) external;
    /// @notice Anyone, after the phase: the input was withheld, so the worker's fee is taken from its stake and goes to the funder.
    function closeAudit(
        bytes32 requestId
    ) external;
    /// @notice A drawn auditor's own attestation of an audited request. Equal: it is paid the request's fee from the
    /// treasury. Different: a case opens, with the auditor's stake in place of a bond.
    function audit(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        IExecutionCoordinator.Attestation calldata own,
        bytes calldata ownSignature,
        bytes calldata input,
        string calldata inputCid
    ) external returns (bytes32 caseId);

    // ------------------------------------------------------------ juries

    /// @notice A juror's commitment: `keccak256(abi.encode(caseId, jury, operator, vote, resultSeal, outcome, status, salt))`.
    /// The caller is the operator or its execution key.
    function commitVote(
        bytes32 caseId,
        bytes32 commitment
    ) external;
    function revealVote(
        bytes32 caseId,
        Vote vote,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status,
        bytes32 salt
    ) external;
    /// @notice Anyone, after a jury's last phase: counts, calls the second jury, or closes the case.
    function concludeJury(
        bytes32 caseId
    ) external;

    // ------------------------------------------------------------ money and views

    function withdraw(
        address to
    ) external returns (uint256 amount);
    function balanceOf(
        address account
    ) external view returns (uint256);
    function getOwnerBond(
        bytes32 functionId
    ) external view returns (OwnerBond memory);
    /// @notice Whether a result of this deployment, for a ticket issued at `issuedAt`, can be judged.
    function isJudged(
        bytes32 functionId,
        uint32 functionVersion,
        uint40 issuedAt
    ) external view returns (bool);
    /// @notice `keccak256(abi.encode(requestId, accused, resultSeal, outcome, status))`.
    function caseIdOf(
        bytes32 requestId,
        address accused,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external pure returns (bytes32);
    function getCase(
        bytes32 caseId
    ) external view returns (Case memory);
    function getTally(
        bytes32 caseId,
        uint8 jury
    ) external view returns (Tally memory);
    /// @notice Whether `operator` may sit in the jury that is called now; false until its seed block is mined.
    function isJuror(
        bytes32 caseId,
        address operator
    ) external view returns (bool);
    /// @notice Open cases about a request: settlement and release wait for them.
    function openCasesOf(
        bytes32 requestId
    ) external view returns (uint256);
    /// @notice True when a case about this request is open or was lost: what settlement of a quorum asks, in one read.
    function isContested(
        bytes32 requestId
    ) external view returns (bool);
    /// @notice Cases about a request that ended without an acquittal: convicted, flagged, hung, unavailable or undecided. Its money goes back.
    function lostCasesOf(
        bytes32 requestId
    ) external view returns (uint256);
}
