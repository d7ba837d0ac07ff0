// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Messages} from "../libraries/Messages.sol";
import {OwnerBonds} from "./OwnerBonds.sol";

/// @title Juries: who sits, and what each juror says, hidden until all have said it.
abstract contract Juries is OwnerBonds {
    /// @dev Ballots that are not a result; a result's is a hash.
    bytes32 internal constant BALLOT_DIFFERS = bytes32(uint256(Vote.Differs));
    bytes32 internal constant BALLOT_UNAVAILABLE = bytes32(uint256(Vote.Unavailable));
    /// @dev A result that depends on the machine: it speaks for nobody.
    bytes32 internal constant BALLOT_RESOURCE = bytes32(type(uint256).max);

    /// @inheritdoc IDisputeCourt
    function drawJury(
        bytes32 caseId
    ) external {
        (Docket storage docket, uint8 jury) = _requireSitting(caseId);
        Case storage file = docket.file;
        uint256 phaseEndsAt = file.phaseEndsAt;
        require(block.timestamp <= phaseEndsAt, WrongPhase(caseId, phaseEndsAt, block.timestamp));
        bool isDrawable = docket.juries[jury].seed == 0 && block.number > file.seedBlock;
        require(isDrawable, JuryNotDrawable(caseId, file.seedBlock, block.number));
        if (_draw(caseId, docket, jury) == 0) _scheduleSeed(caseId, file);
    }

    /// @inheritdoc IDisputeCourt
    function commitVote(
        bytes32 caseId,
        bytes32 commitment
    ) external {
        (Docket storage docket, uint8 jury) = _requireSitting(caseId);
        uint256 phaseEndsAt = docket.file.phaseEndsAt;
        require(block.timestamp <= phaseEndsAt, WrongPhase(caseId, phaseEndsAt, block.timestamp));
        address operator = _actingOperator();
        require(_isJuror(caseId, docket, _draw(caseId, docket, jury), operator), NotJuror(caseId, operator));
        Jury storage sitting = docket.juries[jury];
        bool isFirst = sitting.commitments[operator] == 0 && commitment != 0;
        require(isFirst, VoteInvalid(caseId, operator));
        sitting.commitments[operator] = commitment;
        ++sitting.tally.commits;
        emit VoteCommitted(caseId, jury, operator, commitment);
    }

    /// @inheritdoc IDisputeCourt
    function revealVote(
        bytes32 caseId,
        Vote vote,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status,
        bytes32 salt
    ) external {
        (Docket storage docket, uint8 jury) = _requireSitting(caseId);
        uint256 phaseEndsAt = docket.file.phaseEndsAt;
        bool isOpen = block.timestamp > phaseEndsAt && block.timestamp <= phaseEndsAt + _juryPhase;
        require(isOpen, WrongPhase(caseId, phaseEndsAt + 1, block.timestamp));
        address operator = _actingOperator();
        Hashes.Ballot memory ballot = Hashes.Ballot(caseId, jury, operator, uint8(vote), resultSeal, outcome, status);
        Jury storage sitting = docket.juries[jury];
        bool isCommitted = vote != Vote.None && sitting.commitments[operator] == Hashes.vote(ballot, salt);
        require(isCommitted && sitting.ballots[operator] == 0, VoteInvalid(caseId, operator));
        _count(docket.file, sitting, operator, _ballotOf(vote, resultSeal, outcome, status));
        emit VoteRevealed(caseId, jury, operator, vote, resultSeal, outcome, status);
    }

    /// @inheritdoc IDisputeCourt
    function isJuror(
        bytes32 caseId,
        address operator
    ) external view returns (bool) {
        Docket storage docket = _dockets[caseId];
        uint8 jury = _juryOf(docket.file);
        return jury != 0 && _isJuror(caseId, docket, _seedOf(caseId, docket, jury), operator);
    }

    function _isJuror(
        bytes32 caseId,
        Docket storage docket,
        bytes32 seed,
        address operator
    ) private view returns (bool) {
        Case storage file = docket.file;
        if (_isParty[file.requestId][operator]) return false;
        // Its stake still counts for an epoch or two, its word does not.
        if (_operators.getOperator(operator).status == IOperatorRegistry.OperatorStatus.Jailed) return false;
        bytes32 subject = keccak256(abi.encode(caseId, _juryOf(file)));
        return _operators.isDrawn(seed, subject, operator, file.epoch, docket.terms.jurySize);
    }

    /// @dev The seed of the jury that sits; zero while its block is not mined, and when the chain has forgotten it.
    function _seedOf(
        bytes32 caseId,
        Docket storage docket,
        uint8 jury
    ) private view returns (bytes32 seed) {
        seed = docket.juries[jury].seed;
        if (seed != 0) return seed;
        uint256 seedBlock = docket.file.seedBlock;
        if (block.number <= seedBlock) return 0;
        bytes32 hash = Blockhash.blockHash(seedBlock);
        if (hash != 0) seed = keccak256(abi.encode(hash, caseId, jury));
    }

    /// @dev Writes the seed down before the chain forgets it.
    function _draw(
        bytes32 caseId,
        Docket storage docket,
        uint8 jury
    ) private returns (bytes32 seed) {
        seed = _seedOf(caseId, docket, jury);
        Jury storage sitting = docket.juries[jury];
        if (seed == 0 || sitting.seed != 0) return seed;
        sitting.seed = seed;
        emit JuryDrawn(caseId, jury, seed);
    }

    function _count(
        Case storage file,
        Jury storage sitting,
        address operator,
        bytes32 ballot
    ) private {
        sitting.ballots[operator] = ballot;
        sitting.seen.push(operator);
        uint16 count = ++sitting.counts[ballot];
        Tally memory tally = sitting.tally;
        ++tally.votes;
        if (ballot == BALLOT_DIFFERS) {
            ++tally.differs;
        } else if (ballot == BALLOT_UNAVAILABLE) {
            ++tally.unavailable;
        } else if (ballot == _accusedResult(file)) {
            ++tally.agree;
        } else if (ballot != BALLOT_RESOURCE && count > tally.leading) {
            (tally.leading, tally.leadingSeal) = (count, ballot);
        }
        sitting.tally = tally;
    }

    function _ballotOf(
        Vote vote,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) private pure returns (bytes32) {
        if (vote == Vote.Differs) return BALLOT_DIFFERS;
        if (vote == Vote.Unavailable) return BALLOT_UNAVAILABLE;
        if (Messages.isResourceOutcome(outcome)) return BALLOT_RESOURCE;
        return _resultOf(resultSeal, outcome, status);
    }
}
