// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {Juries} from "./Juries.sol";

/// @title Verdicts, and who pays for them.
abstract contract Verdicts is Juries {
    /// @dev The share of votes that convicts: five sixths.
    uint256 private constant CONVICTING = 5;
    uint256 private constant CONVICTING_OF = 6;

    /// @inheritdoc IDisputeCourt
    function concludeJury(
        bytes32 caseId
    ) external nonReentrant {
        (Docket storage docket, uint8 jury) = _requireSitting(caseId);
        Case storage file = docket.file;
        Tally memory tally = docket.juries[jury].tally;
        uint256 endsAt = file.phaseEndsAt;
        if (tally.votes != tally.commits) endsAt += _juryPhase;
        require(block.timestamp > endsAt, WrongPhase(caseId, endsAt + 1, block.timestamp));
        CaseStatus verdict = _verdictOf(docket, jury, tally);
        if (verdict == CaseStatus.Convicted && jury == 1) {
            _callJury(caseId, file, CaseStatus.SecondJury);
            return;
        }
        file.status = verdict;
        _freeStakes(file);
        uint256 slashed;
        if (verdict == CaseStatus.Convicted) slashed = _convict(docket, tally.leadingSeal);
        else if (verdict == CaseStatus.Acquitted) _chargeOpener(docket, _accusedResult(file), true);
        else if (verdict == CaseStatus.Flagged) _flag(caseId, docket, jury);
        else if (verdict == CaseStatus.Unavailable) _chargeWithholder(docket);
        else _returnBond(file);
        _settleCover(docket, jury, verdict);
        emit CaseClosed(caseId, file.requestId, verdict, slashed);
    }

    function _freeStakes(
        Case storage file
    ) private {
        bytes32 requestId = file.requestId;
        --_casesOf[requestId].open;
        --_bonds[file.functionId].openCases;
        if (file.status != CaseStatus.Acquitted) {
            ++_casesOf[requestId].lost;
            ++_lostAbout[requestId][_accusedResult(file)];
        }
        _operators.closeCase(file.accused);
        if (file.kind != CaseKind.Challenge) _operators.closeCase(file.opener);
    }

    /// @dev What one jury says. Doubt never convicts.
    function _verdictOf(
        Docket storage docket,
        uint8 jury,
        Tally memory tally
    ) private view returns (CaseStatus) {
        uint256 votes = tally.votes;
        if (votes < docket.terms.minimumVotes) return CaseStatus.Undecided;
        if (tally.differs != 0) return CaseStatus.Flagged;
        if (2 * uint256(tally.unavailable) >= votes) return CaseStatus.Unavailable;
        if (_isConvincing(tally.leading, votes)) {
            // Another case has shown meanwhile that honest runs differ, or the two juries differ themselves.
            bool isDoubtful = _bonds[docket.file.functionId].isFlagged
                || (jury == 2 && tally.leadingSeal != docket.juries[1].tally.leadingSeal);
            return isDoubtful ? CaseStatus.Hung : CaseStatus.Convicted;
        }
        return 2 * uint256(tally.agree) > votes ? CaseStatus.Acquitted : CaseStatus.Hung;
    }

    function _isShownToDiffer(
        Docket storage docket,
        uint8 jury
    ) private view returns (bool) {
        Tally storage tally = docket.juries[jury].tally;
        return _isConvincing(tally.differs, tally.votes);
    }

    function _isConvincing(
        uint256 some,
        uint256 votes
    ) private pure returns (bool) {
        return CONVICTING_OF * some >= CONVICTING * votes;
    }

    // ------------------------------------------------------------ who pays

    /// @dev Part of the stake pays the jurors, then the opener; what is left is nobody's. A payer's price comes back from the escrow
    /// alone: of any other the court knows only what the requester wrote.
    function _convict(
        Docket storage docket,
        bytes32 ballot
    ) private returns (uint256 slashed) {
        Case storage file = docket.file;
        Terms storage terms = docket.terms;
        address accused = file.accused;
        uint256 stake = _operators.getOperator(accused).stake;
        slashed = _takeStake(accused, stake * terms.slashBps / BASIS_POINTS);
        uint256 left = slashed - _payJurors(docket, ballot, slashed);
        uint256 share = left * terms.challengerShareBps / BASIS_POINTS;
        _credit(file.opener, share);
        _credit(BURN_ADDRESS, left - share);
        _returnBond(file);
        _operators.jail(accused, _unbondingPeriod);
    }

    /// @dev Any juror whose runs differ acquits and ends the judging of this function. But one juror's word, which nobody can
    /// check, takes nobody's bond: that needs the share of votes that convicts.
    function _flag(
        bytes32 caseId,
        Docket storage docket,
        uint8 jury
    ) private {
        Case storage file = docket.file;
        bool isShown = _isShownToDiffer(docket, jury);
        bytes32 functionId = file.functionId;
        Bond storage bond = _bonds[functionId];
        bond.isFlagged = true;
        uint256 compensation;
        uint256 left = file.bond;
        if (isShown) {
            uint256 amount = bond.amount;
            bond.amount = 0;
            compensation = amount - _payJurors(docket, BALLOT_DIFFERS, amount);
            _credit(file.accused, compensation);
        } else if (left != 0) {
            // Whoever called the jury pays it. Not those who said "differs": else that would be the answer of the lazy.
            left -= _payJurors(docket, _accusedResult(file), left);
            left -= _payJurors(docket, docket.juries[jury].tally.leadingSeal, left);
        }
        _credit(file.opener, left);
        emit FunctionFlagged(functionId, caseId, file.accused, compensation);
    }

    function _chargeWithholder(
        Docket storage docket
    ) private {
        Case storage file = docket.file;
        // Whoever signed one side of a conflict promised nobody an input; one that stands on chain nobody withholds.
        bool isWithheld = !file.isInputGiven && file.kind != CaseKind.Conflict;
        _chargeOpener(docket, BALLOT_UNAVAILABLE, isWithheld);
    }

    /// @dev The opener's bond, or as much of its stake, pays the jurors who voted with the verdict; the rest is the accused's.
    /// Not `isWhole`: a challenger pays the jurors only, and whoever stands with its stake pays nothing.
    function _chargeOpener(
        Docket storage docket,
        bytes32 ballot,
        bool isWhole
    ) private {
        Case storage file = docket.file;
        bool isChallenge = file.kind == CaseKind.Challenge;
        if (!isWhole && !isChallenge) return;
        uint256 bond = docket.terms.bond;
        uint256 taken = isChallenge ? bond : _takeStake(file.opener, bond);
        uint256 left = taken - _payJurors(docket, ballot, taken);
        _credit(isWhole ? file.accused : file.opener, left);
    }

    function _returnBond(
        Case storage file
    ) private {
        _credit(file.opener, file.bond);
    }

    /// @dev A case that was lost without a proof gives the payer its price back: then the payee gets the cover, so that nobody
    /// earns an answer by disputing it.
    function _settleCover(
        Docket storage docket,
        uint8 jury,
        CaseStatus verdict
    ) private {
        Case storage file = docket.file;
        bool isProven = verdict == CaseStatus.Convicted || verdict == CaseStatus.Acquitted;
        if (verdict == CaseStatus.Flagged) isProven = _isShownToDiffer(docket, jury);
        _credit(isProven ? file.opener : file.payee, file.cover);
    }

    /// @dev Pays each juror of both juries who cast this ballot its fee, or an equal part of what there is.
    function _payJurors(
        Docket storage docket,
        bytes32 ballot,
        uint256 available
    ) private returns (uint256 paid) {
        uint256 voters = uint256(docket.juries[1].counts[ballot]) + docket.juries[2].counts[ballot];
        if (voters == 0) return 0;
        uint256 fee = Math.min(docket.terms.jurorFee, available / voters);
        _payJury(docket.juries[1], ballot, fee);
        _payJury(docket.juries[2], ballot, fee);
        return voters * fee;
    }

    function _payJury(
        Jury storage jury,
        bytes32 ballot,
        uint256 fee
    ) private {
        address[] storage seen = jury.seen;
        for (uint256 i; i < seen.length; ++i) {
            address operator = seen[i];
            if (jury.ballots[operator] == ballot) _credit(operator, fee);
        }
    }
}
