// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {JudgedFunctions} from "./JudgedFunctions.sol";

/// @title What is written down about cases and audits.
abstract contract CaseRecords is JudgedFunctions {
    /// @dev The parameters of the ticket's time, which a long case outlives.
    struct Terms {
        uint96 bond;
        uint96 jurorFee;
        uint16 slashBps;
        uint16 challengerShareBps;
        uint8 jurySize;
        uint8 minimumVotes;
    }

    /// @dev `seen` holds who revealed, in order; `ballots` what each said, as one word.
    struct Jury {
        bytes32 seed;
        Tally tally;
        address[] seen;
        mapping(address operator => bytes32) commitments;
        mapping(address operator => bytes32) ballots;
        mapping(bytes32 ballot => uint16) counts;
    }

    struct Docket {
        Case file;
        Terms terms;
        mapping(uint8 jury => Jury) juries;
    }

    struct RequestCases {
        uint32 open;
        uint32 lost;
    }

    /// @dev `answerUntil` is zero unless somebody waits for the input.
    struct Audit {
        address worker;
        uint96 fee;
        address funder;
        uint40 answerUntil;
        bool wasAsked;
        bool isPaid;
        bytes32 inputSeal;
    }

    /// @dev Nobody knows the hash of this block when the jury is called.
    uint256 internal constant BLOCKS_UNTIL_SEED = 2;

    mapping(bytes32 caseId => Docket) internal _dockets;
    mapping(bytes32 requestId => RequestCases) internal _casesOf;
    mapping(address requester => uint256) internal _lastCaseAt;
    mapping(bytes32 requestId => mapping(bytes32 result => uint256)) internal _lostAbout;
    mapping(bytes32 firstCaseId => uint256) internal _attempts;
    /// @dev Whoever attested, was accused or accuses sits in no jury about the request.
    mapping(bytes32 requestId => mapping(address operator => bool)) internal _isParty;
    mapping(bytes32 requestId => mapping(address operator => bool)) internal _hasEquivocated;
    mapping(bytes32 requestId => Audit) internal _audits;

    function _attemptId(
        bytes32 firstCaseId,
        uint256 attempt
    ) internal pure returns (bytes32) {
        return attempt == 1 ? firstCaseId : keccak256(abi.encode(firstCaseId, attempt));
    }

    function _callJury(
        bytes32 caseId,
        Case storage file,
        CaseStatus status
    ) internal {
        file.status = status;
        file.phaseEndsAt = uint40(block.timestamp) + _juryPhase;
        _scheduleSeed(caseId, file);
    }

    function _scheduleSeed(
        bytes32 caseId,
        Case storage file
    ) internal {
        // Block numbers fit in 64 bits for longer than there are chains.
        // forge-lint: disable-next-line(unsafe-typecast)
        file.seedBlock = uint64(block.number + BLOCKS_UNTIL_SEED);
        uint40 commitEndsAt = file.phaseEndsAt;
        emit JuryCalled(caseId, _juryOf(file), file.seedBlock, commitEndsAt, commitEndsAt + _juryPhase);
    }

    /// @dev The jury that sits now, zero when none does.
    function _juryOf(
        Case storage file
    ) internal view returns (uint8) {
        CaseStatus status = file.status;
        if (status == CaseStatus.FirstJury) return 1;
        return status == CaseStatus.SecondJury ? 2 : 0;
    }

    function _requireSitting(
        bytes32 caseId
    ) internal view returns (Docket storage docket, uint8 jury) {
        docket = _dockets[caseId];
        jury = _juryOf(docket.file);
        require(jury != 0, CaseNotInStatus(caseId, docket.file.status));
    }

    function _accusedResult(
        Case storage file
    ) internal view returns (bytes32) {
        return _resultOf(file.resultSeal, file.outcome, file.httpStatus);
    }
}
