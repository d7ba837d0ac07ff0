// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

/// @dev Gas of whole transactions, each by itself. FORGE_SNAPSHOT_CHECK=true compares with snapshots/, as CI does.
contract PaymentEscrowGasTest is EscrowFixture {
    IPaymentEscrow.EscrowTerms private terms;

    function setUp() public override {
        super.setUp();
        terms = newTerms(1);
    }

    /// forge-config: default.isolate = true
    function test_gas_open() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        escrow.open(terms, given);
        vm.snapshotGasLastCall("Escrow", "open");
    }

    /// forge-config: default.isolate = true
    function test_gas_pay() public {
        vm.prank(payer);
        escrow.pay(terms);
        vm.snapshotGasLastCall("Escrow", "pay");
    }

    /// forge-config: default.isolate = true
    function test_gas_settleAndRelease() public {
        open(terms);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        settle(terms, ticket, newAttestation(ticket));
        vm.snapshotGasLastCall("Escrow", "settle");
        warpAfter(ticket.deadline + times().challengeWindow);
        escrow.release(terms);
        vm.snapshotGasLastCall("Escrow", "release");
    }

    /// forge-config: default.isolate = true
    function test_gas_refund() public {
        open(terms);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        vm.snapshotGasLastCall("Escrow", "refund");
        vm.prank(payer);
        escrow.withdraw(payer);
        vm.snapshotGasLastCall("Escrow", "withdraw");
    }
}
