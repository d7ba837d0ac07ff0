// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICoordinatorAccounts} from "../interfaces/ICoordinatorAccounts.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";
import {Requesters} from "./Requesters.sol";
import {Tickets} from "./Tickets.sol";

/// @title Requesters: their bonds, the fees that came in through them, and the sequence numbers they will not use.
abstract contract RequesterActions is Requesters, Tickets {
    uint32 private constant EPOCHS_UNTIL_BOND_COUNTS = 2;
    uint256 private constant REPORTER_SHARES = 2;

    /// @inheritdoc ICoordinatorAccounts
    function bondRequester(
        uint96 amount
    ) external nonReentrant {
        require(amount != 0, IExecutionCoordinator.AmountZero());
        address account = _actor();
        Requester storage requester = _requesters[account];
        uint256 needed = _parameterAt(block.timestamp, REQUESTER_BOND);
        // More on top of a bond that counts does not make it count later.
        if (requester.bond < needed || requester.withdrawableAt != 0) {
            requester.countsFrom = _currentEpoch() + EPOCHS_UNTIL_BOND_COUNTS;
            requester.withdrawableAt = 0;
        }
        requester.bond += amount;
        emit IExecutionCoordinator.RequesterBonded(account, amount, requester.bond, requester.countsFrom);
        _receiveTokens(account, amount);
    }

    /// @inheritdoc ICoordinatorAccounts
    function unbondRequester() external {
        address account = _actor();
        Requester storage requester = _requesters[account];
        require(requester.bond != 0, IExecutionCoordinator.NotBonded(account));
        require(
            requester.withdrawableAt == 0, IExecutionCoordinator.TooEarly(requester.withdrawableAt, block.timestamp)
        );
        // A time, in 40 bits for longer than any chain.
        // forge-lint: disable-next-line(unsafe-typecast)
        requester.withdrawableAt = uint40(block.timestamp + _unbondingPeriod);
        emit IExecutionCoordinator.RequesterUnbonding(account, requester.withdrawableAt);
    }

    /// @inheritdoc ICoordinatorAccounts
    function withdrawRequesterBond(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), IExecutionCoordinator.AddressZero());
        address account = _actor();
        Requester storage requester = _requesters[account];
        amount = requester.bond;
        uint256 withdrawableAt = requester.withdrawableAt;
        require(amount != 0 && withdrawableAt != 0, IExecutionCoordinator.NothingToWithdraw(account));
        require(block.timestamp >= withdrawableAt, IExecutionCoordinator.TooEarly(withdrawableAt, block.timestamp));
        requester.bond = 0;
        requester.countsFrom = 0;
        requester.withdrawableAt = 0;
        emit IExecutionCoordinator.RequesterBondWithdrawn(account, to, amount);
        _sendTokens(to, amount);
    }

    /// @inheritdoc ICoordinatorAccounts
    function reportCommitSets(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes32[] calldata first,
        bytes calldata firstSignature,
        bytes32[] calldata second,
        bytes calldata secondSignature
    ) external nonReentrant {
        bytes32 requestId = Messages.hashTicketCalldata(_domainSeparator(), ticket);
        bytes32 firstDigest = _requireSignedSet(ticket.requester, requestId, first, firstSignature);
        bytes32 secondDigest = _requireSignedSet(ticket.requester, requestId, second, secondSignature);
        require(firstDigest != secondDigest, IExecutionCoordinator.CommitSetsNotConflicting(requestId));
        _slashBond(ticket.requester, requestId, _actor());
    }

    /// @inheritdoc ICoordinatorAccounts
    function voidSequences(
        uint64 word,
        uint256 mask
    ) external {
        address requester = _actor();
        _consumed[requester][word] |= mask;
        emit IExecutionCoordinator.SequencesVoided(requester, word, mask);
    }

    /// @inheritdoc ICoordinatorAccounts
    function collectFees(
        address requester
    ) external returns (uint256 toTreasury, uint256 toSponsor) {
        uint256 fees = _requesters[requester].uncollectedFees;
        require(fees != 0, IExecutionCoordinator.NothingToWithdraw(requester));
        _requesters[requester].uncollectedFees = 0;
        toSponsor = fees * _parameterAt(block.timestamp, SPONSOR_SHARE) / BASIS_POINTS;
        toTreasury = fees - toSponsor;
        _treasuryBalance += toTreasury;
        _accounts[requester].available += _toUint96(toSponsor);
        emit IExecutionCoordinator.FeesCollected(requester, toTreasury, toSponsor);
    }

    function _requireSignedSet(
        address requester,
        bytes32 requestId,
        bytes32[] calldata commitments,
        bytes calldata signature
    ) private view returns (bytes32 digest) {
        digest = Messages.hashCommitSet(_domainSeparator(), Messages.PROTOCOL_VERSION, requestId, commitments);
        require(
            _isSignedByRequester(requester, digest, signature),
            IExecutionCoordinator.CommitSetsNotConflicting(requestId)
        );
    }

    /// @dev Tickets that were issued under a whole bond are still settled: else losing it would cost the workers their pay.
    function _slashBond(
        address account,
        bytes32 requestId,
        address reporter
    ) private {
        Requester storage requester = _requesters[account];
        uint256 amount = requester.bond;
        require(amount != 0, IExecutionCoordinator.NotBonded(account));
        requester.bond = 0;
        if (amount < _parameterAt(block.timestamp, REQUESTER_BOND)) requester.withdrawableAt = 0;
        // A time, in 40 bits for longer than any chain.
        // forge-lint: disable-next-line(unsafe-typecast)
        else if (requester.withdrawableAt == 0) requester.withdrawableAt = uint40(block.timestamp + _unbondingPeriod);
        uint256 reward = amount / REPORTER_SHARES;
        _addEarnings(reporter, reward);
        emit IExecutionCoordinator.RequesterBondSlashed(account, requestId, reporter, amount);
        _sendTokens(BURNED, amount - reward);
    }
}
