// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IFunctionRegistry} from "../interfaces/IFunctionRegistry.sol";
import {CourtBase} from "./CourtBase.sol";

/// @title What owners put down for their word that a function is deterministic, and which functions are judged.
abstract contract OwnerBonds is CourtBase {
    struct Bond {
        uint96 amount;
        uint40 judgedFrom;
        uint40 withdrawableAt;
        uint32 openCases;
        bool isFlagged;
    }

    uint256 private constant FLAG_DETERMINISTIC = 1;
    uint256 private constant FLAG_NETWORK = 2;
    uint256 private constant FLAG_SECRETS = 4;

    mapping(bytes32 functionId => Bond) internal _bonds;

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

    function _requireJudged(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view {
        string memory why = _whyTicketNotJudged(ticket);
        require(bytes(why).length == 0, NotJudged(ticket.functionId, why));
    }

    /// @dev Only what a juror can run again byte for byte is judged: this code, in this runtime, without an environment.
    function _whyTicketNotJudged(
        IExecutionCoordinator.Ticket calldata ticket
    ) internal view returns (string memory why) {
        bytes32 runtimeDigest;
        (why, runtimeDigest) = _whyNotJudged(ticket.functionId, ticket.functionVersion, ticket.issuedAt);
        if (bytes(why).length != 0) return why;
        if (ticket.runtimeDigest != runtimeDigest) return "runtime";
        if (ticket.envVersion != 0) return "environment";
    }

    /// @return why Empty when the deployment is judged for tickets issued at `issuedAt`.
    function _whyNotJudged(
        bytes32 functionId,
        uint32 functionVersion,
        uint40 issuedAt
    ) private view returns (string memory why, bytes32 runtimeDigest) {
        try _functions.getDeployment(functionId, functionVersion) returns (
            IFunctionRegistry.Deployment memory deployment
        ) {
            if (deployment.flags & FLAG_DETERMINISTIC == 0) return ("not deterministic", 0);
            if (deployment.flags & FLAG_NETWORK != 0) return ("network", 0);
            if (deployment.flags & FLAG_SECRETS != 0) return ("secrets", 0);
            runtimeDigest = deployment.runtimeDigest;
        } catch {
            return ("unknown", 0);
        }
        Bond storage bond = _bonds[functionId];
        if (bond.isFlagged) return ("flagged", 0);
        bool isBonded = issuedAt >= bond.judgedFrom && bond.amount >= _parameters.inForceAt(issuedAt).ownerBond
            && (bond.withdrawableAt == 0 || uint256(issuedAt) + _unbondingPeriod <= bond.withdrawableAt);
        if (!isBonded) why = "owner bond";
    }

    function _requireOwner(
        bytes32 functionId
    ) private view returns (address owner) {
        owner = _functions.getFunction(functionId).owner;
        address actor = _actor();
        require(owner == actor, NotFunctionOwner(functionId, owner, actor));
    }
}
