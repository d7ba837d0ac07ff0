// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Ledger} from "./Ledger.sol";

/// @title Requesters' bonds: whether they count, and the fees that came in through a requester.
abstract contract Requesters is Ledger {
    /// @dev Where they stand in `IProtocolParameters.Parameters`, a word for each member.
    uint256 internal constant SPONSOR_SHARE = 7 * 32;
    uint256 internal constant REQUESTER_BOND = 10 * 32;

    /// @dev Whether the bond stood before the seed of the epoch could be known.
    function _countsIn(
        address requester,
        uint256 epoch
    ) internal view returns (bool) {
        return _requesters[requester].countsFrom <= epoch;
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
        return requester.bond >= _parameterAt(issuedAt, REQUESTER_BOND);
    }

    function _addFees(
        address requester,
        uint256 amount
    ) internal {
        if (amount == 0) return;
        _requesters[requester].uncollectedFees = SafeCast.toUint88(_requesters[requester].uncollectedFees + amount);
    }

    /// @dev One of the parameters that were in force then. Of fourteen only the one is read that is asked for.
    function _parameterAt(
        uint256 time,
        uint256 place
    ) internal view returns (uint256 value) {
        address parameters = address(_parameters);
        bytes32 selector = IProtocolParameters.inForceAt.selector;
        bool isAnswered;
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, time)
            isAnswered := staticcall(gas(), parameters, 0x00, 0x24, 0, 0)
            isAnswered := and(isAnswered, gt(returndatasize(), add(place, 0x1f)))
            if isAnswered {
                returndatacopy(0x00, place, 0x20)
                value := mload(0x00)
            }
        }
        require(isAnswered, IExecutionCoordinator.NotAuthorized(parameters));
    }
}
