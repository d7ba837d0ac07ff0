// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TicketEvidence} from "../evidence/TicketEvidence.sol";

/// @title How seats are given and fees divided now, remembered in one slot: an answer need not ask two other contracts.
abstract contract LaneSeats is TicketEvidence {
    /// @dev Operators that count in `epoch`; and the committee and the protocol's share of tickets issued from `since` on,
    /// known until `until`.
    struct Seating {
        uint32 epoch;
        uint32 operatorCount;
        uint16 protocolFeeBps;
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
        (seating.protocolFeeBps, seating.committeeSize, seating.since, seating.until) = _parameters.settlementTerms();
        seating.epoch = epoch;
        seating.operatorCount = _operators.getEpoch(epoch).operatorCount;
        _seating = seating;
    }

    /// @dev The protocol's share of a fee, by the parameters at its ticket's issue.
    function _protocolFeeBpsAt(
        uint40 issuedAt
    ) internal view returns (uint256 protocolFeeBps) {
        Seating memory seating = _seating;
        if (seating.since <= issuedAt && block.timestamp < seating.until) return seating.protocolFeeBps;
        (protocolFeeBps,) = _parameters.settlementTermsAt(issuedAt);
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
