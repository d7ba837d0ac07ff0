// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {LaneFixture} from "./LaneFixture.sol";

/// @dev A committee larger than the commitments that a request takes.
contract FullCommitmentsTest is LaneFixture {
    uint256 private constant OPERATORS = 33;

    function parameters() internal view override returns (IProtocolParameters.Parameters memory tuned) {
        tuned = super.parameters();
        tuned.committeeSize = 32;
    }

    function test_silence_isNoFaultOfWhoFoundNoPlace() public {
        registerOperators(OPERATORS);
        bondRequester(requester);
        skip(2 * times().epochSeconds);
        captureSeed();
        IExecutionCoordinator.Ticket memory ticket = postNew(0);
        uint256 index;
        Answer memory first;
        for (uint256 commitments; commitments < 16; ++index) {
            if (!isDrawn(ticket, index)) continue;
            Answer memory answer = withSeat(answerOf(ticket, index), Messages.SEAT_DRAWN);
            if (commitments == 0) first = answer;
            commit(answer);
            ++commitments;
        }
        while (!isDrawn(ticket, index)) ++index;
        mine(parameters().wideningBlocks);
        open(first, "");
        vm.expectRevert(abi.encodeWithSelector(IConfirmedLane.NotSilent.selector, idOf(ticket), operatorAt(index)));
        lane.reportSilence(ticket, operatorAt(index));
    }
}
