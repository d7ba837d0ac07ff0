// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @dev A batch of rolls takes the short way, the same batch of single signatures the long one: both must say, pay and
/// consume the same, whatever is wrong with which item.
contract PlainSettlementTest is SettlementFixture {
    uint256 private constant MOST_ITEMS = 6;
    uint256 private constant FAULTS = 15;
    uint256 private constant OPERATORS = 5;
    uint256 private constant UNKNOWN_KEY = 0xabcdef;

    /// @dev What a settlement did.
    struct Effect {
        uint256 settled;
        bytes32 logs;
        bytes32 state;
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i = 2; i < OPERATORS; ++i) {
            register(operatorAt(i), keyAt(i), parameters().minimumStake);
        }
        bondRequester(requester);
        skip(3 * times().epochSeconds + 5);
    }

    function testFuzz_settle_theShortWayAgreesWithTheLong(
        uint256 seed,
        bool isAfterConflictWindow
    ) public {
        Execution[] memory all = _executions(seed);
        if (isAfterConflictWindow) skip(times().maximumTicketLifetime + times().conflictWindow);
        uint256 before = vm.snapshotState();
        Effect memory short = _settle(all, true);
        assertTrue(vm.revertToState(before));
        Effect memory long = _settle(all, false);
        assertEq(short.settled, long.settled);
        assertEq(short.logs, long.logs, "events");
        assertEq(short.state, long.state, "state");
    }

    /// @dev Nothing above is worth anything if no item ever took the short way or was paid.
    function test_settle_everyItemOfAGoodBatchIsPaid() public {
        Execution[] memory all = new Execution[](MOST_ITEMS);
        for (uint256 i; i < MOST_ITEMS; ++i) {
            all[i] = newQuorum(uint64(i), uint8(1 + i / 3));
            renew(all[i]);
        }
        skip(times().maximumTicketLifetime + times().conflictWindow);
        assertEq(_settle(all, true).settled, MOST_ITEMS);
    }

    function _settle(
        Execution[] memory all,
        bool isRolled
    ) private returns (Effect memory effect) {
        vm.recordLogs();
        effect.settled = settle(isRolled ? planRolled(all) : plan(all));
        effect.logs = keccak256(abi.encode(vm.getRecordedLogs()));
        bytes memory state = abi.encode(availableOf(funder), coordinator.uncollectedFees(requester));
        state = abi.encode(state, coordinator.getCreditLine(funder, requester));
        for (uint256 i; i < OPERATORS; ++i) {
            state = abi.encode(state, earningsOf(operatorAt(i)));
        }
        for (uint256 i; i < all.length; ++i) {
            state = abi.encode(state, coordinator.isConsumed(requester, all[i].ticket.sequence));
        }
        effect.state = keccak256(state);
    }

    /// @dev Requests of few functions, most of them right.
    function _executions(
        uint256 seed
    ) private view returns (Execution[] memory all) {
        all = new Execution[](1 + _pick(seed, "items", MOST_ITEMS));
        for (uint256 i; i < all.length; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            all[i] = newQuorum(uint64(i), uint8(1 + _pick(own, "quorum", 3)));
            all[i].ticket.functionId = bytes32(_pick(own, "function", 2));
            for (uint256 j; j < all[i].keys.length; ++j) {
                all[i].keys[j] = keyAt((_pick(own, "worker", OPERATORS) + j) % OPERATORS);
            }
            if (_pick(own, "is wrong", 2) == 0) _spoil(all[i], _pick(own, "fault", FAULTS));
            renew(all[i]);
        }
    }

    function _spoil(
        Execution memory execution,
        uint256 fault
    ) private view {
        IExecutionCoordinator.Ticket memory ticket = execution.ticket;
        if (fault == 0) execution.attestation.outcome = 0;
        else if (fault == 1) execution.attestation.outcome = Messages.OUTCOME_OUT_OF_MEMORY;
        else if (fault == 2) execution.attestation.outcome = Messages.OUTCOME_OUT_OF_MEMORY + 1;
        else if (fault == 3) execution.attestation.status = 199;
        else if (fault == 4) execution.attestation.status = 600;
        else if (fault == 5) execution.attestation.seat = Messages.SEAT_DRAWN;
        else if (fault == 6) ticket.sequence = 0;
        else if (fault == 7) ticket.sequence = 1 << 63;
        else if (fault == 8) ticket.fee = MAXIMUM_FEE + 1;
        else if (fault == 9) ticket.lane = Messages.LANE_CONFIRMED;
        else if (fault == 10) ticket.epoch -= 1;
        else if (fault == 11) issueAt(ticket, uint256(ticket.issuedAt) + 2 * times().epochSeconds);
        else if (fault == 12) ticket.deadline = ticket.issuedAt + times().maximumTicketLifetime + 1;
        else if (fault == 13) execution.keys[0] = UNKNOWN_KEY;
        else execution.keys[execution.keys.length - 1] = execution.keys[0];
    }

    function _pick(
        uint256 seed,
        string memory what,
        uint256 count
    ) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what))) % count;
    }
}
