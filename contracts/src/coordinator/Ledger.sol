// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CoordinatorBase} from "./CoordinatorBase.sol";

/// @title What the coordinator remembers. All of it stands here, since two contracts work on it: see `AccountsOffice`.
abstract contract Ledger is CoordinatorBase {
    /// @dev One slot. What a posted ticket reserves has left its account, and comes back when nobody answers.
    struct Account {
        uint96 available;
        uint40 withdrawableAt;
        uint96 withdrawing;
    }

    /// @dev What settlement touches stands in the first slot, with what was spent in the last epoch that anything was spent
    /// in. Tickets issued until `changedAt` are covered by the better of both terms. A closed line is one of zero terms.
    /// 72 bits hold more tokens than there are; terms beyond that are kept as that.
    struct Line {
        uint72 capPerEpoch;
        uint72 maxFee;
        uint72 spent;
        uint32 spentEpoch;
        bool isClosing;
        uint72 previousCapPerEpoch;
        uint72 previousMaxFee;
        uint40 changedAt;
    }

    /// @dev One slot. A bond that leaves or was lost counts for tickets issued until `withdrawableAt - unbondingPeriod`, so
    /// that nobody can take away with it what workers have already earned.
    struct Requester {
        uint96 bond;
        uint32 countsFrom;
        uint40 withdrawableAt;
        uint88 uncollectedFees;
    }

    mapping(address funder => Account) internal _accounts;
    mapping(address funder => mapping(address requester => Line)) internal _lines;
    /// @dev Of epochs before the line's `spentEpoch`.
    mapping(address funder => mapping(address requester => mapping(uint256 epoch => uint256))) internal _spentBefore;
    mapping(address requester => Requester) internal _requesters;
    /// @dev One bit per sequence number, consumed once.
    mapping(address requester => mapping(uint256 word => uint256)) internal _consumed;
    mapping(address account => uint256) internal _earnings;
    uint256 internal _treasuryBalance;

    function _addEarnings(
        address account,
        uint256 amount
    ) internal {
        // Every amount was 96 bits of somebody's tokens: no sum of them comes near the end of a word.
        unchecked {
            _earnings[account] += amount;
        }
    }

    function _spentIn(
        Line storage line,
        address funder,
        address requester,
        uint256 epoch
    ) internal view returns (uint256) {
        uint256 spentEpoch = line.spentEpoch;
        if (epoch == spentEpoch) return line.spent;
        // Nothing was spent in a later epoch yet.
        return epoch > spentEpoch ? 0 : _spentBefore[funder][requester][epoch];
    }
}
