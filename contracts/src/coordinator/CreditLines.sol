// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Ledger} from "./Ledger.sol";

/// @title What pays for a ticket: the funder's credit, within what it lets the requester spend.
abstract contract CreditLines is Ledger {
    /// @dev A funder's account and line in memory, between one read and one write. A funder that is its own requester
    /// needs no line.
    struct Funding {
        address funder;
        uint256 epoch;
        uint256 available;
        bool isWithdrawing;
        uint256 withdrawing;
        uint256 withdrawalRequestedAt;
        uint256 spent;
        uint256 capPerEpoch;
        uint256 maxFee;
        uint256 taken;
    }

    /// @dev Reads what pays for tickets of `requester` issued in `epoch`.
    function _openFunding(
        Funding memory funding,
        address funder,
        address requester,
        uint256 epoch
    ) internal view {
        Account storage account = _accounts[funder];
        funding.funder = funder;
        funding.epoch = epoch;
        funding.taken = 0;
        funding.available = account.available;
        uint256 withdrawableAt = account.withdrawableAt;
        funding.isWithdrawing = withdrawableAt != 0;
        if (withdrawableAt != 0) {
            funding.withdrawing = account.withdrawing;
            funding.withdrawalRequestedAt = withdrawableAt - _settleableSeconds() - 1;
        }
        if (funder == requester) {
            (funding.capPerEpoch, funding.maxFee, funding.spent) = (type(uint256).max, type(uint256).max, 0);
            return;
        }
        Line storage line = _lines[funder][requester];
        (funding.capPerEpoch, funding.maxFee) = (line.capPerEpoch, line.maxFee);
        funding.spent = _spentIn(line, funder, requester, epoch);
    }

    /// @dev Takes one fee from memory. False when the line or the balance does not cover it.
    function _takeFee(
        Funding memory funding,
        address requester,
        uint256 fee,
        uint256 issuedAt
    ) internal view returns (bool) {
        uint256 spent;
        uint256 available = funding.available;
        // Nothing here is wider than 96 bits but what has no limit, and that is only compared.
        unchecked {
            spent = funding.spent + fee;
        }
        if (fee > funding.maxFee || spent > funding.capPerEpoch) {
            if (!_isCoveredByFormerTerms(funding, requester, fee, spent, issuedAt)) return false;
        }
        if (fee > available) {
            unchecked {
                uint256 missing = fee - available;
                if (!funding.isWithdrawing || issuedAt > funding.withdrawalRequestedAt) return false;
                if (missing > funding.withdrawing) return false;
                funding.withdrawing -= missing;
            }
            available = fee;
        }
        unchecked {
            funding.available = available - fee;
            funding.taken += fee;
        }
        funding.spent = spent;
        return true;
    }

    /// @dev Writes back what `_takeFee` changed.
    function _closeFunding(
        Funding memory funding,
        address requester
    ) internal {
        if (funding.taken == 0) return;
        address funder = funding.funder;
        Account storage account = _accounts[funder];
        account.available = uint96(funding.available);
        if (funding.isWithdrawing) account.withdrawing = uint96(funding.withdrawing);
        if (funder != requester) _writeSpent(funder, requester, funding.epoch, funding.spent);
    }

    /// @dev A reserved fee is the funder's to spend again.
    function _freeReserved(
        address funder,
        uint96 fee
    ) internal {
        _accounts[funder].available += fee;
    }

    /// @dev The line holds what was spent in the newest epoch; what it held of an older one is put beside it.
    function _writeSpent(
        address funder,
        address requester,
        uint256 epoch,
        uint256 spent
    ) private {
        Line storage line = _lines[funder][requester];
        uint256 spentEpoch = line.spentEpoch;
        if (epoch < spentEpoch) {
            _spentBefore[funder][requester][epoch] = spent;
            return;
        }
        if (epoch > spentEpoch && line.spent != 0) _spentBefore[funder][requester][spentEpoch] = line.spent;
        // An epoch that something was issued in has 32 bits, and nobody spends more than the cap.
        // forge-lint: disable-next-line(unsafe-typecast)
        (line.spent, line.spentEpoch) = (uint72(spent), uint32(epoch));
    }

    /// @dev Only what is no longer covered asks for the terms before the last change.
    function _isCoveredByFormerTerms(
        Funding memory funding,
        address requester,
        uint256 fee,
        uint256 spent,
        uint256 issuedAt
    ) private view returns (bool) {
        Line storage line = _lines[funding.funder][requester];
        uint256 changedAt = line.changedAt;
        if (issuedAt > changedAt || block.timestamp > changedAt + _settleableSeconds()) return false;
        return fee <= Math.max(line.maxFee, line.previousMaxFee)
            && spent <= Math.max(line.capPerEpoch, line.previousCapPerEpoch);
    }
}
