// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "./IExecutionCoordinator.sol";

/// @title What anybody may bring before the court, and the words that all of the court uses.
/// @notice `IDisputeCourt` is the whole; its contract answers all of it.
interface ICourtFilings {
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
    /// @param isInputGiven The input stands on chain: nobody can withhold it.
    /// @param accused Operator whose attestation is in question.
    /// @param phaseEndsAt End of the jury's commit phase; it reveals for `juryPhase` seconds more.
    /// @param opener Challenger, auditor or the conflicting operator.
    /// @param epoch Epoch whose counted stake draws both juries.
    /// @param seedBlock Block whose hash draws the jury that sits now.
    /// @param bond What a challenger loses when the accused is acquitted; zero for the other kinds.
    /// @param cover What a challenger puts down beside it when the price waits in escrow: the price itself, since a case that
    /// decides nothing gives the price back to the payer.
    struct Case {
        CaseKind kind;
        CaseStatus status;
        bool isInputGiven;
        uint8 outcome;
        uint16 httpStatus;
        uint40 phaseEndsAt;
        address accused;
        address opener;
        uint32 epoch;
        uint64 seedBlock;
        bytes32 requestId;
        bytes32 functionId;
        bytes32 inputSeal;
        bytes32 resultSeal;
        bytes32 quoteId;
        uint96 bond;
        address payer;
        uint96 cover;
        address payee;
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

    /// @param owner The function's owner now: the bond goes with the function.
    /// @param judgedFrom The function is judged for tickets issued from then on.
    /// @param withdrawableAt Zero while the bond is not on its way out.
    struct OwnerBond {
        address owner;
        uint96 amount;
        uint40 judgedFrom;
        uint40 withdrawableAt;
        uint32 openCases;
        bool isFlagged;
    }

    /// @notice An amount of nothing was sent.
    error AmountZero();
    /// @notice The zero address cannot receive anything.
    error AddressZero();
    /// @notice The token moved another amount than it was asked to: such a token cannot be accounted for.
    error TokenAmountMismatch(uint256 expected, uint256 received);
    /// @notice The call is possible from `availableAt` on; zero means that nothing has begun.
    error TooEarly(uint256 availableAt, uint256 nowAt);
    /// @notice There is nothing for this account to take out.
    error NothingToWithdraw(address account);
    /// @notice The bond is on its way out: nothing is added to it until it was withdrawn.
    error BondUnbonding(bytes32 functionId, uint256 withdrawableAt);
    /// @notice Disputes about this function hold its owner's bond until they end.
    error FunctionCasesOpen(bytes32 functionId, uint256 openCases);
    /// @notice More input than may travel in calldata.
    error InputTooLarge(uint256 length, uint256 maximum);
    /// @notice The input does not open the ticket's seal.
    error InputMismatch(bytes32 requestId);
    /// @notice The block whose hash draws the jury has not been mined, or the jury is drawn.
    error JuryNotDrawable(bytes32 caseId, uint256 seedBlock, uint256 currentBlock);
    /// @notice Nobody waits for this input: it was not asked for, was given, or the audit is done.
    error AuditNotOpen(bytes32 requestId);
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
    /// @notice Somebody gave an open case its input: `salt ‖ canonical request`, or where it is.
    event CaseInputGiven(bytes32 indexed caseId, bytes input, string inputCid);
    /// @notice From here on `isJuror` does not depend on what the chain remembers.
    event JuryDrawn(bytes32 indexed caseId, uint8 jury, bytes32 seed);
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

    // ------------------------------------------------------------ evidence

    /// @notice Opens a case against one attestation, settled or not, until ticket deadline + challenge window. The caller
    /// pays the bond and, while the price waits in escrow, the price as cover. The input travels in `input`
    /// (`salt ‖ canonical request`, at most 8 KiB) or by `inputCid`, or jurors ask the requester for it. A case that ended
    /// without a verdict about the result (unavailable, hung, undecided) may be opened again, under a new id.
    function challenge(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature,
        bytes calldata input,
        string calldata inputCid
    ) external returns (bytes32 caseId);
    /// @notice Two seated operators of one quorum contradict each other: the request cannot be settled, and a jury judges the
    /// first. The signer of the second is the opener, its stake in place of a bond. Anyone may show it; whoever is shown
    /// second may be accused in a case of its own.
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
    /// @notice Anyone: gives an open case its input, so that whoever opened it cannot withhold it.
    function giveCaseInput(
        bytes32 caseId,
        bytes calldata input,
        string calldata inputCid
    ) external;
}
