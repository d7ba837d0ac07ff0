// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {Epochs} from "./Epochs.sol";

/// @title Seats: who may run a request, sit in a jury or audit. Drawn by stake, checked by anyone in constant time.
abstract contract Seats is Epochs {
    /// @inheritdoc IOperatorRegistry
    function isSeated(
        address operator,
        address requester,
        uint64 sequence,
        uint32 epoch,
        uint40 issuedAt,
        uint256 committeeSize
    ) external view returns (bool) {
        if (isAllSeated(epoch, committeeSize)) return _operators[operator].status != OperatorStatus.None;
        Seed storage seed = _seeds[epoch];
        // Whoever issued a ticket before the seed was known could not choose its sequence number by it.
        if (issuedAt <= seed.capturedAt) return false;
        return isDrawn(seed.value, Hashes.seatSubject(requester, sequence), operator, epoch, committeeSize);
    }

    /// @inheritdoc IOperatorRegistry
    function isAllSeated(
        uint32 epoch,
        uint256 committeeSize
    ) public view returns (bool) {
        (, uint32 operatorCount) = _totalsAt(epoch);
        return operatorCount <= committeeSize;
    }

    /// @inheritdoc IOperatorRegistry
    function isDrawn(
        bytes32 seed,
        bytes32 subject,
        address operator,
        uint32 epoch,
        uint256 size
    ) public view returns (bool) {
        if (seed == 0) return false;
        (uint96 totalStake,) = _totalsAt(epoch);
        return Hashes.wins(Hashes.lot(seed, subject, operator), stakeAt(operator, epoch), totalStake, size);
    }
}
