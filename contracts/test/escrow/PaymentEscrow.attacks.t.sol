// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Deposit} from "../../src/escrow/Deposit.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {EscrowFixture} from "./EscrowFixture.sol";
import {HostileUSDC} from "./HostileUSDC.sol";

/// @dev Front-run and cancelled authorizations.
contract PaymentEscrowAuthorizationAttackTest is EscrowFixture {
    IPaymentEscrow.EscrowTerms private terms;
    bytes32 private quoteId;

    function setUp() public override {
        super.setUp();
        terms = newTerms(1);
        quoteId = escrow.quoteIdOf(terms);
    }

    function test_Attack_FrontRunAuthorization() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        vm.prank(thief);
        executeElsewhere(terms, given);
        // The payment counts all the same, and comes back to the payer.
        escrow.open(terms, given);
        assertEq(escrow.getEscrow(quoteId).payer, payer);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
    }

    function test_Attack_StolenDepositByCancelledAuthorization() public {
        // With the money moved by the escrow, a cancelled authorization finds nothing.
        open(terms);
        cancel(THIEF_KEY, "c");
        IPaymentEscrow.Authorization memory cancelled = authorize(THIEF_KEY, terms, "c");
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentEscrow.DepositTooLow.selector, quoteId, depositOf(terms), 0, PRICE)
        );
        escrow.open(terms, cancelled);

        // With the money moved by somebody else, it is first, and still gains nothing once the payer shows its own.
        IPaymentEscrow.EscrowTerms memory other = newTerms(2);
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, other, "b");
        executeElsewhere(other, given);
        escrow.open(other, authorize(THIEF_KEY, other, "c"));
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowContested(escrow.quoteIdOf(other), thief, payer);
        escrow.open(other, given);
        warpAfter(other.deadline + times().settlementGrace);
        escrow.refund(other);
        assertEq(escrow.balanceOf(thief), 0);
        assertEq(escrow.balanceOf(treasury), PRICE);
    }

    function test_Attack_ClaimRepeated() public {
        openClaimed(terms);
        // The same claim again is neither a rival nor another payment.
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, terms.nonce);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentEscrow.DepositTooLow.selector, quoteId, depositOf(terms), 0, PRICE)
        );
        escrow.open(terms, given);
    }

    function test_Attack_PaymentPushedAside() public {
        // Somebody executes the payer's authorization elsewhere and pays itself, so that the payer's money is left over.
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        executeElsewhere(terms, given);
        vm.prank(thief);
        escrow.pay(terms);
        escrow.open(terms, given);
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        escrow.returnSecondPayment(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
        assertEq(escrow.balanceOf(thief), PRICE);
    }

    function test_Attack_PayerEmptiesTheWallet() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        vm.prank(payer);
        token.transfer(anyone, PURSE);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.AuthorizationInvalid.selector, quoteId, payer));
        escrow.open(terms, given);
        assertEq(uint8(statusOf(terms)), uint8(IPaymentEscrow.EscrowStatus.None));
        // Once it is open, the purse does not matter any more.
        token.mint(payer, PRICE);
        escrow.open(terms, given);
        IExecutionCoordinator.Ticket memory ticket = ticketFor(terms, 1);
        settle(terms, ticket, newAttestation(ticket));
        warpAfter(ticket.deadline + times().challengeWindow);
        escrow.release(terms);
        assertEq(escrow.balanceOf(payee), PRICE);
    }

    function test_Attack_StarvedTransferIsNoClaim(
        uint256 gas_
    ) public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        gas_ = bound(gas_, 20_000, 400_000);
        try escrow.open{gas: gas_}(terms, given) {
            assertTrue(escrow.getEscrow(quoteId).isProven);
        } catch {
            assertEq(uint8(statusOf(terms)), uint8(IPaymentEscrow.EscrowStatus.None));
            assertEq(token.balanceOf(payer), PURSE);
        }
    }
}

/// @dev Tokens that lie, call back, or refuse somebody.
contract PaymentEscrowTokenAttackTest is EscrowFixture {
    IPaymentEscrow.EscrowTerms private terms;
    bytes32 private quoteId;
    HostileUSDC private hostile;

    function setUp() public override {
        super.setUp();
        hostile = HostileUSDC(address(token));
        terms = newTerms(1);
        quoteId = escrow.quoteIdOf(terms);
    }

    function newToken() internal override returns (address) {
        return address(new HostileUSDC());
    }

    function test_Attack_ReEntrancy() public {
        IPaymentEscrow.EscrowTerms memory other = newTerms(2);
        open(other);
        warpAfter(other.deadline + times().settlementGrace);
        escrow.refund(other);
        terms = newTerms(3);
        IExecutionCoordinator.Ticket memory ticket;
        IExecutionCoordinator.Attestation memory attestation;
        bytes[6] memory calls = [
            abi.encodeCall(IPaymentEscrow.withdraw, (payer)),
            abi.encodeCall(IPaymentEscrow.pay, (terms)),
            abi.encodeCall(IPaymentEscrow.refund, (other)),
            abi.encodeCall(IPaymentEscrow.release, (other)),
            abi.encodeCall(IPaymentEscrow.returnSecondPayment, (other)),
            abi.encodeCall(IPaymentEscrow.settle, (other, ticket, "", attestation, new bytes[](0)))
        ];
        for (uint256 i; i < calls.length; ++i) {
            hostile.callBackWith(address(escrow), calls[i]);
            vm.prank(payer);
            escrow.withdraw(payer);
            expectReentrancyRefused();
            token.mint(address(escrow), PRICE);
            terms = newTerms(uint64(10 + i));
            openAndRefund(terms);
        }
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        hostile.callBackWith(address(escrow), abi.encodeCall(IPaymentEscrow.open, (terms, given)));
        vm.prank(payer);
        escrow.withdraw(payer);
        expectReentrancyRefused();
    }

    function test_Attack_TokenThatMovesLess() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        hostile.keepBack(1);
        bytes memory refusal = abi.encodeWithSelector(IPaymentEscrow.TokenAmountMismatch.selector, PRICE, PRICE - 1);
        vm.expectRevert(refusal);
        escrow.open(terms, given);
        vm.prank(payer);
        vm.expectRevert(refusal);
        escrow.pay(terms);
        hostile.keepBack(0);
        escrow.open(terms, given);
    }

    function test_Attack_BlockingToken() public {
        // Whoever the token blocks hurts only itself, and has its money as soon as it names another receiver.
        openAndRefund(terms);
        IPaymentEscrow.EscrowTerms memory other = newTerms(2);
        openBy(THIEF_KEY, other, "b");
        warpAfter(other.deadline + times().settlementGrace);
        hostile.block_(payer);
        escrow.refund(other);
        vm.prank(payer);
        vm.expectRevert("Blacklistable: account is blacklisted");
        escrow.withdraw(payer);
        assertEq(escrow.balanceOf(payer), PRICE);
        vm.prank(payer);
        escrow.withdraw(anyone);
        vm.prank(thief);
        escrow.withdraw(thief);
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_deposit_needsAnAllowance() public {
        vm.mockCall(address(token), abi.encodeWithSelector(IERC20.approve.selector), abi.encode(false));
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        vm.expectRevert(abi.encodeWithSelector(Deposit.AllowanceRefused.selector, address(token)));
        escrow.open(terms, given);
        assertEq(uint8(statusOf(terms)), uint8(IPaymentEscrow.EscrowStatus.None));
    }

    function openAndRefund(
        IPaymentEscrow.EscrowTerms memory quote
    ) private {
        hostile.callBackWith(address(0), "");
        open(quote);
        warpAfter(quote.deadline + times().settlementGrace);
        escrow.refund(quote);
    }

    function expectReentrancyRefused() private view {
        assertFalse(hostile.succeeded());
        assertEq(bytes4(hostile.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}
