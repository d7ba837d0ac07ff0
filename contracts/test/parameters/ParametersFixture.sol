// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {ProtocolParameters} from "../../src/parameters/ProtocolParameters.sol";

/// @dev Parameters as a new deployment begins with (packages/protocol/src/parameters.ts).
abstract contract ParametersFixture is Test {
    address internal immutable governor = makeAddr("governor");

    function newParameters() internal returns (ProtocolParameters) {
        return new ProtocolParameters(governor, defaultTimes(), defaults());
    }

    function defaultTimes() internal pure returns (IProtocolParameters.Times memory) {
        return IProtocolParameters.Times({
            epochSeconds: 3600,
            maximumTicketLifetime: 300,
            settlementGrace: 3600,
            conflictWindow: 60,
            challengeWindow: 86_400,
            juryPhase: 3600,
            unbondingPeriod: 259_200,
            parameterDelay: 172_800
        });
    }

    function defaults() internal pure returns (IProtocolParameters.Parameters memory) {
        return IProtocolParameters.Parameters({
            protocolFeeBps: 500,
            committeeSize: 5,
            jurySize: 8,
            minimumVotes: 6,
            auditRateBps: 100,
            slashBps: 5000,
            challengerShareBps: 2000,
            sponsorShareBps: 5000,
            wideningBlocks: 10,
            minimumStake: 100e6,
            requesterBond: 100e6,
            challengeBond: 20e6,
            jurorFee: 0.5e6,
            ownerBond: 50e6
        });
    }
}
