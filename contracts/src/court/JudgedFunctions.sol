// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFunctionRegistry} from "../interfaces/IFunctionRegistry.sol";
import {CourtBase} from "./CourtBase.sol";

/// @title Which functions are judged: what their owners said of them, and the bonds behind it.
abstract contract JudgedFunctions is CourtBase {
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

    /// @return why Empty when the deployment is judged for tickets issued at `issuedAt`.
    function _whyNotJudged(
        bytes32 functionId,
        uint32 functionVersion,
        uint40 issuedAt
    ) internal view returns (string memory why, bytes32 runtimeDigest) {
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
}
