// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "./ICourtFilings.sol";

/// @title Audits, challenges and juries; equivocation; owners' bonds for determinism.
/// @notice A wrong result is a conviction of two independent juries at five sixths each. Doubt acquits. Only deterministic
/// functions with an owner's bond, open operators, no network and no secrets are judged.
interface IDisputeCourt is ICourtFilings {
    // ------------------------------------------------------------ owners

    /// @notice Adds to the bond that makes a deterministic function judgeable, for tickets issued from now on. Only its owner;
    /// the bond goes with the function when that changes hands.
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
    /// @notice Anyone: draws the jury while the chain remembers its seed block, or calls another block when it was forgotten.
    /// The first commitment does it as well.
    function drawJury(
        bytes32 caseId
    ) external;
    /// @notice Anyone, when all who committed have revealed, or after the last phase: counts, calls the second jury, or closes
    /// the case.
    function concludeJury(
        bytes32 caseId
    ) external;

    // ------------------------------------------------------------ money and views

    function withdraw(
        address to
    ) external returns (uint256 amount);
    /// @notice Anyone: sends what convictions cost beyond their costs to where nobody can spend it. Until then it is the balance
    /// of that address.
    function burn() external returns (uint256 amount);
    function balanceOf(
        address account
    ) external view returns (uint256);
    function token() external view returns (address);
    function getOwnerBond(
        bytes32 functionId
    ) external view returns (OwnerBond memory);
    /// @notice Whether a result of this deployment, for a ticket issued at `issuedAt`, can be judged.
    function isJudged(
        bytes32 functionId,
        uint32 functionVersion,
        uint40 issuedAt
    ) external view returns (bool);
    /// @notice `keccak256(abi.encode(requestId, accused, resultSeal, outcome, status))`: the id of the first case about it.
    function caseIdOf(
        bytes32 requestId,
        address accused,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external pure returns (bytes32);
    /// @notice The newest case about the attestation that `caseIdOf` names; zero when there was none.
    function latestCaseOf(
        bytes32 firstCaseId
    ) external view returns (bytes32);
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
    /// @notice When the last case about any ticket of this requester was opened: `isContested` is false for all that was issued
    /// later, so that settlement need not ask for each.
    function lastCaseAt(
        address requester
    ) external view returns (uint256);
    /// @notice Attestations about a request whose last case ended without an acquittal: convicted, flagged, hung, unavailable
    /// or undecided. Its money goes back.
    function lostCasesOf(
        bytes32 requestId
    ) external view returns (uint256);
    /// @notice The same for one result of the request: a wrong attestation that nobody settled says nothing about the one that
    /// was.
    function lostCasesAbout(
        bytes32 requestId,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external view returns (uint256);
}
