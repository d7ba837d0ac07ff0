// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {ProtocolParameters} from "../../src/parameters/ProtocolParameters.sol";
import {ParameterBounds} from "../../src/parameters/ParameterBounds.sol";
import {ParametersFixture} from "./ParametersFixture.sol";

/// @dev Each bound from both sides: what stands on it is taken, one more (or less) is refused by name.
contract ParameterBoundsTest is ParametersFixture {
    IProtocolParameters.Times private _times;
    IProtocolParameters.Parameters private _amounts;

    function setUp() public {
        _times = defaultTimes();
        _amounts = defaults();
    }

    function test_governor_isNotNobody() public {
        vm.expectRevert(abi.encodeWithSelector(IProtocolParameters.ParameterInvalid.selector, "governor"));
        new ProtocolParameters(address(0), _times, _amounts);
    }

    // ------------------------------------------------------------ times

    function test_epochSeconds() public {
        // Audits of long epochs need a longer unbonding period.
        _times.unbondingPeriod = uint32(ParameterBounds.MAXIMUM_UNBONDING_PERIOD);
        _times.epochSeconds = 0;
        refused("epochSeconds");
        _times.epochSeconds = 1;
        taken();
        _times.epochSeconds = 7 days;
        taken();
        _times.epochSeconds = 7 days + 1;
        refused("epochSeconds");
    }

    function test_maximumTicketLifetime() public {
        _times.maximumTicketLifetime = 0;
        refused("maximumTicketLifetime");
        _times.maximumTicketLifetime = 1;
        taken();
        (_times.unbondingPeriod, _times.parameterDelay) = (180 days, 60 days);
        _times.maximumTicketLifetime = 1 days;
        taken();
        _times.maximumTicketLifetime = 1 days + 1;
        refused("maximumTicketLifetime");
    }

    function test_settlementGrace() public {
        _times.settlementGrace = 0;
        refused("settlementGrace");
        (_times.settlementGrace, _times.conflictWindow) = (2, 1);
        taken();
        (_times.unbondingPeriod, _times.parameterDelay) = (180 days, 60 days);
        (_times.settlementGrace, _times.challengeWindow) = (7 days, 14 days);
        taken();
        ++_times.settlementGrace;
        _times.challengeWindow += 2;
        refused("settlementGrace");
    }

    function test_conflictWindow_endsBeforeTheGrace() public {
        _times.conflictWindow = 0;
        refused("conflictWindow");
        _times.conflictWindow = 1;
        taken();
        _times.conflictWindow = _times.settlementGrace - 1;
        taken();
        _times.conflictWindow = _times.settlementGrace;
        refused("conflictWindow");
    }

    function test_challengeWindow_isTwiceTheGraceAtLeast() public {
        _times.challengeWindow = 2 * _times.settlementGrace;
        taken();
        --_times.challengeWindow;
        refused("challengeWindow");
        (_times.unbondingPeriod, _times.parameterDelay) = (180 days, 60 days);
        _times.challengeWindow = 30 days;
        taken();
        ++_times.challengeWindow;
        refused("challengeWindow");
    }

    function test_juryPhase() public {
        _times.juryPhase = 0;
        refused("juryPhase");
        _times.juryPhase = 1;
        taken();
        _times.unbondingPeriod = 180 days;
        _times.juryPhase = 7 days;
        taken();
        ++_times.juryPhase;
        refused("juryPhase");
    }

    function test_unbondingPeriod_isLongerThanTwiceWhatCanBeDisputed() public {
        uint32 twice = 2 * (300 + 3600 + 86_400);
        _times.unbondingPeriod = twice;
        refused("unbondingPeriod");
        _times.unbondingPeriod = twice + 1;
        taken();
        _times.unbondingPeriod = 180 days;
        taken();
        ++_times.unbondingPeriod;
        refused("unbondingPeriod");
    }

    function test_unbondingPeriod_isLongerThanAuditsAndJuries() public {
        (_times.juryPhase, _times.epochSeconds) = (1 days, 1 days);
        uint32 disputes = 300 + 3600 + 86_400 + 4 days + 4 days;
        _times.unbondingPeriod = disputes;
        refused("unbondingPeriod");
        ++_times.unbondingPeriod;
        taken();
    }

    function test_parameterDelay_isLongerThanAnythingAsksBack() public {
        _times.parameterDelay = 300 + 3600 + 86_400;
        refused("parameterDelay");
        ++_times.parameterDelay;
        taken();
        _times.parameterDelay = 60 days;
        taken();
        ++_times.parameterDelay;
        refused("parameterDelay");
    }

    // ------------------------------------------------------------ parameters

    function test_protocolFeeBps() public {
        _amounts.protocolFeeBps = 0;
        taken();
        _amounts.protocolFeeBps = 5000;
        taken();
        ++_amounts.protocolFeeBps;
        refused("protocolFeeBps");
    }

    function test_committeeSize() public {
        _amounts.committeeSize = 0;
        refused("committeeSize");
        _amounts.committeeSize = 1;
        taken();
        _amounts.committeeSize = 64;
        taken();
        ++_amounts.committeeSize;
        refused("committeeSize");
    }

    function test_jurySize() public {
        _amounts.minimumVotes = 3;
        _amounts.jurySize = 2;
        refused("jurySize");
        _amounts.jurySize = 3;
        taken();
        _amounts.challengeBond = 64e6;
        (_amounts.minimumStake, _amounts.ownerBond) = (200e6, 100e6);
        _amounts.jurySize = 64;
        taken();
        ++_amounts.jurySize;
        refused("jurySize");
    }

    function test_minimumVotes() public {
        _amounts.minimumVotes = 2;
        refused("minimumVotes");
        _amounts.minimumVotes = 3;
        taken();
        _amounts.minimumVotes = 8;
        taken();
        ++_amounts.minimumVotes;
        refused("minimumVotes");
    }

    function test_auditRateBps() public {
        _amounts.auditRateBps = 9;
        refused("auditRateBps");
        _amounts.auditRateBps = 10;
        taken();
        _amounts.auditRateBps = 10_000;
        taken();
        ++_amounts.auditRateBps;
        refused("auditRateBps");
    }

    function test_slashBps() public {
        _amounts.slashBps = 999;
        refused("slashBps");
        _amounts.slashBps = 1000;
        taken();
        (_amounts.slashBps, _amounts.ownerBond) = (10_000, 100e6);
        taken();
        ++_amounts.slashBps;
        refused("slashBps");
    }

    function test_slashBps_paysTheJuriesThatConvict() public {
        // Two juries of eight at half a unit: eight.
        (_amounts.minimumStake, _amounts.slashBps) = (80e6, 1000);
        taken();
        --_amounts.minimumStake;
        refused("slashBps");
    }

    function test_challengerShareBps() public {
        _amounts.challengerShareBps = 0;
        taken();
        _amounts.challengerShareBps = 5000;
        taken();
        ++_amounts.challengerShareBps;
        refused("challengerShareBps");
    }

    function test_sponsorShareBps_isHalfAtMost() public {
        _amounts.sponsorShareBps = 0;
        taken();
        _amounts.sponsorShareBps = 5000;
        taken();
        ++_amounts.sponsorShareBps;
        refused("sponsorShareBps");
    }

    function test_wideningBlocks() public {
        _amounts.wideningBlocks = 1;
        refused("wideningBlocks");
        _amounts.wideningBlocks = 2;
        taken();
        _amounts.wideningBlocks = 10_000;
        taken();
        ++_amounts.wideningBlocks;
        refused("wideningBlocks");
    }

    function test_minimumStake() public {
        _amounts.jurorFee = 0;
        _amounts.minimumStake = 0;
        refused("minimumStake");
        _amounts.minimumStake = 1;
        taken();
        (_amounts.minimumStake, _amounts.ownerBond) = (1_000_000e6, 500_000e6);
        taken();
        ++_amounts.minimumStake;
        refused("minimumStake");
    }

    function test_requesterBond() public {
        _amounts.requesterBond = 0;
        refused("requesterBond");
        _amounts.requesterBond = 1;
        taken();
        _amounts.requesterBond = 1_000_000e6;
        taken();
        ++_amounts.requesterBond;
        refused("requesterBond");
    }

    function test_challengeBond_paysBothJuries() public {
        _amounts.challengeBond = 8e6;
        taken();
        --_amounts.challengeBond;
        refused("challengeBond");
        _amounts.challengeBond = 10_000e6;
        taken();
        ++_amounts.challengeBond;
        refused("challengeBond");
    }

    function test_jurorFee() public {
        _amounts.jurorFee = 0;
        taken();
        (_amounts.minimumStake, _amounts.ownerBond) = (1_000_000e6, 1_000_000e6);
        (_amounts.jurySize, _amounts.minimumVotes, _amounts.challengeBond) = (3, 3, 10_000e6);
        _amounts.jurorFee = 1000e6;
        taken();
        ++_amounts.jurorFee;
        refused("jurorFee");
    }

    function test_ownerBond_isOneSlashAtLeast() public {
        --_amounts.ownerBond;
        refused("ownerBond");
        _amounts.ownerBond = 1_000_000e6;
        taken();
        ++_amounts.ownerBond;
        refused("ownerBond");
    }

    /// @dev A governor is bound by the same.
    function test_announce_isBoundToo() public {
        ProtocolParameters deployed = newParameters();
        _amounts.protocolFeeBps = 5001;
        vm.expectRevert(abi.encodeWithSelector(IProtocolParameters.ParameterInvalid.selector, "protocolFeeBps"));
        vm.prank(governor);
        deployed.announce(_amounts);
    }

    function taken() private {
        new ProtocolParameters(governor, _times, _amounts);
    }

    function refused(
        string memory name
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IProtocolParameters.ParameterInvalid.selector, name));
        new ProtocolParameters(governor, _times, _amounts);
    }
}
