// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TicketEvidence} from "../evidence/TicketEvidence.sol";

/// @title How seats are given now, remembered in one slot: an answer need not ask two other contracts.
abstract contract LaneSeats is TicketEvidence {
    /// @dev Operators that count in `epoch`, and the committee of tickets issued from `since` on, known until `until`.
    struct Seating {
        uint32 epoch;
        uint32 operatorCount;
        uint8 committeeSize;
        uint40 since;
        uint40 until;
    }

    Seating private _seating;

    /// @dev Called with the epoch of a ticket that was posted, so of one that has begun: who counts in it is final.
    function _rememberSeating(
        uint32 epoch
    ) internal {
        if (epoch <= _seating.epoch) return;
        Seating memory seating;
        (, seating.committeeSize, seating.since, seating.until) = _parameters.settlementTerms();
        seating.epoch = epoch;
        seating.operatorCount = _operators.getEpoch(epoch).operatorCount;
        _seating = seating;
    }

    /// @inheritdoc TicketEvidence
    function _seatingOf(
        uint32 epoch,
        uint40 issuedAt
    ) internal view override returns (bool areAllSeated, uint256 committeeSize) {
        Seating memory seating = _seating;
        if (epoch == seating.epoch && seating.since <= issuedAt && block.timestamp < seating.until) {
            return (seating.operatorCount <= seating.committeeSize, seating.committeeSize);
        }
        return super._seatingOf(epoch, issuedAt);
    }
}
