// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {BatchPacking} from "./BatchPacking.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @dev Gas of whole transactions, each by itself, with every slot used before: 50 requests of 5 functions, 2 owners and 8
/// workers, with random bytes. FORGE_SNAPSHOT_CHECK=true compares with snapshots/, as CI does.
contract SettlementGasTest is SettlementFixture {
    using BatchPacking for BatchPacking.Batch;

    uint256 private constant REQUESTS = 50;
    uint256 private constant FUNCTIONS = 5;
    uint256 private constant WORKERS = 8;
    uint256 private constant QUORUM = 3;
    uint256 private constant MOST_GAS = 10_000;
    uint256 private constant MOST_GAS_OF_QUORUM = 20_000;
    uint256 private constant MOST_GAS_OF_ONE = 110_000;

    address private immutable _otherFunder = makeAddr("another funder");
    uint64 private _sequence;

    function parameters() internal view override returns (IProtocolParameters.Parameters memory values) {
        values = super.parameters();
        values.committeeSize = uint8(WORKERS);
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i = 2; i < WORKERS; ++i) {
            register(operatorAt(i), keyAt(i), parameters().minimumStake);
        }
        fundLine(_otherFunder, requester, 100e6);
        bondRequester(requester);
        skip(3 * times().epochSeconds);
        for (uint256 i; i < 2; ++i) {
            assertEq(settle(planRolled(_mix(1))), REQUESTS);
        }
    }

    /// forge-config: default.isolate = true
    function test_gas_mix() public {
        bytes memory batch = planRolled(_mix(1)).pack();
        coordinator.settle(batch);
        assertLe(vm.snapshotGasLastCall("Settlement", "mix of 50"), MOST_GAS * REQUESTS);
    }

    /// forge-config: default.isolate = true
    function test_gas_mixOfQuorums() public {
        Execution[] memory all = _mix(QUORUM);
        skip(times().maximumTicketLifetime + times().conflictWindow);
        bytes memory batch = planRolled(all).pack();
        assertEq(coordinator.settle(batch), REQUESTS);
        assertLe(vm.snapshotGasLastCall("Settlement", "mix of 50 quorums of three"), MOST_GAS_OF_QUORUM * REQUESTS);
    }

    /// @dev Nobody signed a roll: what workers can do alone.
    /// forge-config: default.isolate = true
    function test_gas_workersAlone() public {
        bytes memory batch = plan(_mix(1)).pack();
        coordinator.settle(batch);
        vm.snapshotGasLastCall("Settlement", "mix of 50, single signatures");
    }

    /// forge-config: default.isolate = true
    function test_gas_one() public {
        bytes memory batch = plan(list(_mix(1)[0])).pack();
        coordinator.settle(batch);
        assertLe(vm.snapshotGasLastCall("Settlement", "one"), MOST_GAS_OF_ONE);
    }

    /// @dev The next requests, ordered by funder and function as the planner orders them.
    function _mix(
        uint256 quorum
    ) private returns (Execution[] memory all) {
        all = new Execution[](REQUESTS);
        for (uint256 i; i < REQUESTS; ++i) {
            uint256 number = i * FUNCTIONS / REQUESTS;
            IExecutionCoordinator.Ticket memory ticket = newTicket(_sequence++);
            ticket.functionId = keccak256(abi.encode("function", number));
            ticket.funder = number < 3 ? funder : _otherFunder;
            ticket.payee = ticket.funder;
            ticket.payer = address(bytes20(keccak256(abi.encode("payer", _sequence))));
            ticket.price = 1000;
            ticket.quoteId = keccak256(abi.encode("quote", _sequence));
            ticket.quorum = uint8(quorum);
            all[i] = executionOf(ticket, keyAt(i % WORKERS));
            all[i].keys = new uint256[](quorum);
            for (uint256 j; j < quorum; ++j) {
                all[i].keys[j] = keyAt((i + j) % WORKERS);
            }
        }
    }
}
