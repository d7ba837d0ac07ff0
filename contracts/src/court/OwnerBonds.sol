// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {CaseRecords} from "./CaseRecords.sol";

/// @title What owners put down for their word that a function is deterministic.
abstract contract OwnerBonds is IDisputeCourt, CaseRecords {
    /// @inheritdoc IDisputeCourt
    function bondFunction(
        bytes32 functionId,
        uint96 amount
    ) external nonReentrant {
        require(amount != 0, AmountZero());
        address owner = _requireOwner(functionId);
        Bond storage bond = _bonds[functionId];
        require(!bond.isFlagged, NotJudged(functionId, "flagged"));
        // Else the bond's way out could be taken back, and what was issued before it began would be judged no more.
        require(bond.withdrawableAt == 0, BondUnbonding(functionId, bond.withdrawableAt));
        // Adding to a bond that is large enough leaves what it covers as it is.
        if (bond.amount < _parameters.current().ownerBond) bond.judgedFrom = uint40(block.timestamp);
        bond.amount += amount;
        emit OwnerBonded(functionId, owner, amount, bond.amount);
        _pull(owner, amount);
    }

    /// @inheritdoc IDisputeCourt
    function unbondFunction(
        bytes32 functionId
    ) external {
        _requireOwner(functionId);
        Bond storage bond = _bonds[functionId];
        require(bond.amount != 0, AmountZero());
        require(bond.withdrawableAt == 0, BondUnbonding(functionId, bond.withdrawableAt));
        bond.withdrawableAt = uint40(block.timestamp) + _unbondingPeriod;
        emit OwnerUnbonding(functionId, bond.withdrawableAt);
    }

    /// @inheritdoc IDisputeCourt
    function withdrawOwnerBond(
        bytes32 functionId,
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        _requireOwner(functionId);
        Bond storage bond = _bonds[functionId];
        uint256 availableAt = bond.withdrawableAt;
        require(availableAt != 0 && block.timestamp >= availableAt, TooEarly(availableAt, block.timestamp));
        require(bond.openCases == 0, FunctionCasesOpen(functionId, bond.openCases));
        amount = bond.amount;
        bond.amount = 0;
        bond.withdrawableAt = 0;
        emit OwnerBondWithdrawn(functionId, to, amount);
        _send(to, amount);
    }

    /// @inheritdoc IDisputeCourt
    function getOwnerBond(
        bytes32 functionId
    ) external view returns (OwnerBond memory) {
        Bond storage bond = _bonds[functionId];
        return OwnerBond({
            owner: _functions.getFunction(functionId).owner,
            amount: bond.amount,
            judgedFrom: bond.judgedFrom,
            withdrawableAt: bond.withdrawableAt,
            openCases: bond.openCases,
            isFlagged: bond.isFlagged
        });
    }

    /// @inheritdoc IDisputeCourt
    function isJudged(
        bytes32 functionId,
        uint32 functionVersion,
        uint40 issuedAt
    ) external view returns (bool) {
        (string memory why,) = _whyNotJudged(functionId, functionVersion, issuedAt);
        return bytes(why).length == 0;
    }

    function _requireOwner(
        bytes32 functionId
    ) private view returns (address owner) {
        owner = _functions.getFunction(functionId).owner;
        address actor = _actor();
        require(owner == actor, NotFunctionOwner(functionId, owner, actor));
    }
}
