// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {CreditLines} from "./CreditLines.sol";
import {Earnings} from "./Earnings.sol";
import {Tickets} from "./Tickets.sol";

/// @title Requesters: their bonds, the fees that came in through them, and the sequence numbers they will not use.
abstract contract Requesters is CreditLines, Earnings, Tickets {
    uint32 private constant EPOCHS_UNTIL_BOND_COUNTS = 2;
    uint256 private constant REPORTER_SHARES = 2;

    /// @dev One slot. A bond that leaves or was lost counts for tickets issued until `withdrawableAt - unbondingPeriod`, so
    /// that nobody can take away with it what workers have already earned.
    struct Requester {
        uint96 bond;
        uint32 countsFrom;
        uint40 withdrawableAt;
        uint88 uncollectedFees;
    }

    mapping(address requester => Requester) private _requesters;

    /// @inheritdoc IExecutionCoordinator
    function bondRequester(
        uint96 amount
    ) external nonReentrant {
        require(amount != 0, AmountZero());
        address account = _actor();
        Requester storage requester = _requesters[account];
        uint256 needed = _parametersAt(block.timestamp).requesterBond;
        // More on top of a bond that counts does not make it count later.
        if (requester.bond < needed || requester.withdrawableAt != 0) {
            requester.countsFrom = _currentEpoch() + EPOCHS_UNTIL_BOND_COUNTS;
            requester.withdrawableAt = 0;
        }
        requester.bond += amount;
        emit RequesterBonded(account, amount, requester.bond, requester.countsFrom);
        _receiveTokens(account, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function unbondRequester() external {
        address account = _actor();
        Requester storage requester = _requesters[account];
        require(requester.bond != 0, NotBonded(account));
        require(requester.withdrawableAt == 0, TooEarly(requester.withdrawableAt, block.timestamp));
        requester.withdrawableAt = uint40(block.timestamp + _unbondingPeriod);
        emit RequesterUnbonding(account, requester.withdrawableAt);
    }

    /// @inheritdoc IExecutionCoordinator
    function withdrawRequesterBond(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address account = _actor();
        Requester storage requester = _requesters[account];
        amount = requester.bond;
        uint256 withdrawableAt = requester.withdrawableAt;
        require(amount != 0 && withdrawableAt != 0, NothingToWithdraw(account));
        require(block.timestamp >= withdrawableAt, TooEarly(withdrawableAt, block.timestamp));
        requester.bond = 0;
        requester.countsFrom = 0;
        requester.withdrawableAt = 0;
        emit RequesterBondWithdrawn(account, to, amount);
        _sendTokens(to, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function reportCommitSets(
        Ticket calldata ticket,
        bytes32[] calldata first,
        bytes calldata firstSignature,
        bytes32[] calldata second,
        bytes calldata secondSignature
    ) external nonReentrant {
        bytes32 requestId = _hashTicket(domainSeparator(), ticket);
        bytes32 firstDigest = _requireSignedSet(ticket.requester, requestId, first, firstSignature);
        bytes32 secondDigest = _requireSignedSet(ticket.requester, requestId, second, secondSignature);
        require(firstDigest != secondDigest, CommitSetsNotConflicting(requestId));
        _slashBond(ticket.requester, requestId, _actor());
    }

    /// @inheritdoc IExecutionCoordinator
    function voidSequences(
        uint64 word,
        uint256 mask
    ) external {
        address requester = _actor();
        _consumed[requester][word] |= mask;
        emit SequencesVoided(requester, word, mask);
    }

    /// @inheritdoc IExecutionCoordinator
    function collectFees(
        address requester
    ) external returns (uint256 toTreasury, uint256 toSponsor) {
        uint256 fees = _requesters[requester].uncollectedFees;
        require(fees != 0, NothingToWithdraw(requester));
        _requesters[requester].uncollectedFees = 0;
        toSponsor = fees * _parametersAt(block.timestamp).sponsorShareBps / BASIS_POINTS;
        toTreasury = fees - toSponsor;
        treasuryBalance += toTreasury;
        _addCredit(requester, _toUint96(toSponsor));
        emit FeesCollected(requester, toTreasury, toSponsor);
    }

    /// @inheritdoc IExecutionCoordinator
    function uncollectedFees(
        address requester
    ) external view returns (uint256) {
        return _requesters[requester].uncollectedFees;
    }

    /// @inheritdoc IExecutionCoordinator
    function requesterBond(
        address account
    ) external view returns (RequesterBond memory) {
        Requester storage requester = _requesters[account];
        return RequesterBond({
            amount: requester.bond, countsFrom: requester.countsFrom, withdrawableAt: requester.withdrawableAt
        });
    }

    /// @inheritdoc IExecutionCoordinator
    function drawReason(
        address requester,
        uint64 sequence,
        uint32 epoch,
        uint40 issuedAt
    ) external view returns (SkipReason) {
        return _checkDraw(requester, sequence, epoch, issuedAt);
    }

    /// @dev Drawn seats need a bond from before the epoch's seed and a number that could not be chosen among many.
    function _checkDraw(
        address requester,
        uint256 sequence,
        uint256 epoch,
        uint256 issuedAt
    ) internal view returns (SkipReason) {
        if (_requesters[requester].countsFrom > epoch || !_isBonded(requester, issuedAt)) {
            return SkipReason.RequesterNotBonded;
        }
        return _isInWindow(requester, sequence) ? SkipReason.None : SkipReason.SequenceAhead;
    }

    /// @dev Whether the bond was whole when the ticket was issued.
    function _isBonded(
        address account,
        uint256 issuedAt
    ) internal view returns (bool) {
        Requester storage requester = _requesters[account];
        uint256 withdrawableAt = requester.withdrawableAt;
        if (withdrawableAt != 0) {
            if (issuedAt + _unbondingPeriod > withdrawableAt) return false;
            // What was lost since then was whole then, see `_slashBond`.
            if (requester.bond == 0) return true;
        }
        return requester.bond >= _parametersAt(issuedAt).requesterBond;
    }

    function _addFees(
        address requester,
        uint256 amount
    ) internal {
        if (amount == 0) return;
        _requesters[requester].uncollectedFees = SafeCast.toUint88(_requesters[requester].uncollectedFees + amount);
    }

    function _parametersAt(
        uint256 time
    ) private view returns (IProtocolParameters.Parameters memory) {
        return _parameters.inForceAt(time);
    }

    function _requireSignedSet(
        address requester,
        bytes32 requestId,
        bytes32[] calldata commitments,
        bytes calldata signature
    ) private view returns (bytes32 digest) {
        digest = _hashCommitSet(domainSeparator(), requestId, commitments);
        require(_isSignedByRequester(requester, digest, signature), CommitSetsNotConflicting(requestId));
    }

    /// @dev Tickets that were issued under a whole bond are still settled: else losing it would cost the workers their pay.
    function _slashBond(
        address account,
        bytes32 requestId,
        address reporter
    ) private {
        Requester storage requester = _requesters[account];
        uint256 amount = requester.bond;
        require(amount != 0, NotBonded(account));
        requester.bond = 0;
        if (amount < _parametersAt(block.timestamp).requesterBond) requester.withdrawableAt = 0;
        else if (requester.withdrawableAt == 0) requester.withdrawableAt = uint40(block.timestamp + _unbondingPeriod);
        uint256 reward = amount / REPORTER_SHARES;
        _addEarnings(reporter, reward);
        emit RequesterBondSlashed(account, requestId, reporter, amount);
        _sendTokens(BURNED, amount - reward);
    }
}
