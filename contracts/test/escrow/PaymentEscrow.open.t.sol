// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {WalletRequester} from "../fixtures/WalletRequester.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

contract PaymentEscrowOpenTest is EscrowFixture {
    bytes4 private constant WITH_PARTS = bytes4(
        keccak256("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)")
    );
    bytes4 private constant WITH_BYTES =
        bytes4(keccak256("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"));

    IPaymentEscrow.EscrowTerms private terms;
    bytes32 private quoteId;
    address private deposit;

    function setUp() public override {
        super.setUp();
        terms = newTerms(1);
        quoteId = escrow.quoteIdOf(terms);
        deposit = depositOf(terms);
    }

    function test_quoteId_isTheDigestOfTheTerms() public view {
        assertEq(quoteId, Messages.hashEscrowTerms(domain(), terms));
    }

    function test_open_executesTheAuthorization() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowOpened(quoteId, payer, payee, deposit, PRICE, true);
        vm.prank(anyone);
        assertEq(escrow.open(terms, given), quoteId);

        IPaymentEscrow.Escrow memory opened = escrow.getEscrow(quoteId);
        assertEq(uint8(opened.status), uint8(IPaymentEscrow.EscrowStatus.Open));
        assertEq(opened.payer, payer);
        assertTrue(opened.isProven);
        assertFalse(opened.isContested);
        assertEq(opened.deadline, terms.deadline);
        assertEq(token.balanceOf(address(escrow)), PRICE);
        assertEq(token.balanceOf(deposit), 0);
        assertEq(token.balanceOf(payer), PURSE - PRICE);
    }

    function test_open_givesTheTokenTheFormItsSignatureHas() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        vm.expectCall(address(token), abi.encodeWithSelector(WITH_PARTS), 1);
        vm.expectCall(address(token), abi.encodeWithSelector(WITH_BYTES), 0);
        escrow.open(terms, given);
    }

    function test_open_takesAWalletThatIsAContract() public {
        LongSignatureWallet wallet = new LongSignatureWallet(payer);
        token.mint(address(wallet), PRICE);
        IPaymentEscrow.Authorization memory given = authorizeFrom(address(wallet), PAYER_KEY, deposit, PRICE, "a");
        given.signature = abi.encodePacked(given.signature, "and more");
        vm.expectCall(address(token), abi.encodeWithSelector(WITH_BYTES), 1);
        escrow.open(terms, given);
        assertEq(escrow.getEscrow(quoteId).payer, address(wallet));
        assertTrue(escrow.getEscrow(quoteId).isProven);
    }

    function test_open_takesAWalletWhoseSignatureLooksLikeAKeys() public {
        WalletRequester wallet = new WalletRequester(payer);
        token.mint(address(wallet), PRICE);
        escrow.open(terms, authorizeFrom(address(wallet), PAYER_KEY, deposit, PRICE, "a"));
        assertTrue(escrow.getEscrow(quoteId).isProven);
    }

    function test_open_recordsAClaimToWhatSomebodyElseExecuted() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        executeElsewhere(terms, given);
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowOpened(quoteId, payer, payee, deposit, PRICE, false);
        escrow.open(terms, given);
        assertFalse(escrow.getEscrow(quoteId).isProven);
        assertEq(token.balanceOf(address(escrow)), PRICE);
    }

    function test_open_claimsForAWalletThatIsAContract() public {
        LongSignatureWallet wallet = new LongSignatureWallet(payer);
        token.mint(address(wallet), PRICE);
        IPaymentEscrow.Authorization memory given = authorizeFrom(address(wallet), PAYER_KEY, deposit, PRICE, "a");
        given.signature = abi.encodePacked(given.signature, "and more");
        executeElsewhere(terms, given);
        escrow.open(terms, given);
        assertEq(escrow.getEscrow(quoteId).payer, address(wallet));
    }

    function test_open_refusesASpentAuthorizationThatItsPayerDidNotSign() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        executeElsewhere(terms, given);
        given.signature = authorize(THIEF_KEY, terms, "a").signature;
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.AuthorizationInvalid.selector, quoteId, payer));
        escrow.open(terms, given);
    }

    function test_open_refusesAnAuthorizationOfAnotherAmountOrQuote() public {
        IPaymentEscrow.Authorization memory less = authorizeFrom(payer, PAYER_KEY, deposit, PRICE - 1, "a");
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.AuthorizationInvalid.selector, quoteId, payer));
        escrow.open(terms, less);
        IPaymentEscrow.Authorization memory other = authorize(PAYER_KEY, newTerms(2), "a");
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.AuthorizationInvalid.selector, quoteId, payer));
        escrow.open(terms, other);
    }

    function test_open_refusesAnAuthorizationThatIsOver() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        terms.deadline += 2 days;
        quoteId = escrow.quoteIdOf(terms);
        given = authorize(PAYER_KEY, terms, "a");
        vm.warp(given.validBefore);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.AuthorizationInvalid.selector, quoteId, payer));
        escrow.open(terms, given);
    }

    function test_open_refusesAClaimToMoneyThatIsNotThere() public {
        IPaymentEscrow.Authorization memory given = openBy(PAYER_KEY, terms, "a");
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.DepositTooLow.selector, quoteId, deposit, 0, PRICE));
        escrow.open(terms, given);
    }

    function test_open_refusesLessThanThePrice() public {
        cancel(PAYER_KEY, "a");
        token.mint(deposit, PRICE - 1);
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentEscrow.DepositTooLow.selector, quoteId, deposit, PRICE - 1, PRICE)
        );
        escrow.open(terms, given);
    }

    function test_open_returnsASecondPaymentAtOnce() public {
        open(terms);
        IPaymentEscrow.Authorization memory given = authorize(THIEF_KEY, terms, "b");
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.ExcessReturned(quoteId, thief, PRICE);
        escrow.open(terms, given);
        assertEq(escrow.getEscrow(quoteId).payer, payer);
        assertEq(escrow.balanceOf(thief), PRICE);
        assertEq(token.balanceOf(address(escrow)), 2 * PRICE);
    }

    function test_open_returnsAPaymentThatComesAfterTheEnd() public {
        open(terms);
        IPaymentEscrow.Authorization memory late = authorize(THIEF_KEY, terms, "b");
        warpAfter(terms.deadline + times().settlementGrace);
        escrow.refund(terms);
        // It cannot be executed here any more; somebody does it elsewhere, and it is still not lost.
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TermsInvalid.selector, "deadline"));
        escrow.open(terms, late);
        executeElsewhere(terms, late);
        escrow.open(terms, late);
        warpAfter(escrow.getSecondClaim(quoteId).returnableAt);
        escrow.returnSecondPayment(terms);
        assertEq(escrow.balanceOf(thief), PRICE);
    }

    function test_open_takesThePriceAndLeavesWhatElseIsThere() public {
        token.mint(deposit, 7);
        open(terms);
        assertEq(token.balanceOf(address(escrow)), PRICE);
        assertEq(token.balanceOf(deposit), 7);
    }

    function test_open_executesUntilTheDeadlineAndClaimsAfterIt() public {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, "a");
        warpAfter(terms.deadline);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TermsInvalid.selector, "deadline"));
        escrow.open(terms, given);
        vm.warp(terms.deadline);
        uint256 before = vm.snapshotState();
        escrow.open(terms, given);
        assertTrue(escrow.getEscrow(quoteId).isProven);
        assertTrue(vm.revertToState(before));

        executeElsewhere(terms, given);
        vm.warp(terms.deadline + 5 days);
        escrow.open(terms, given);
        assertEq(escrow.getEscrow(quoteId).deadline, terms.deadline + 5 days);
        vm.warp(terms.deadline + 5 days + times().settlementGrace);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentEscrow.TooEarly.selector, vm.getBlockTimestamp(), vm.getBlockTimestamp())
        );
        escrow.refund(terms);
        skip(1);
        escrow.refund(terms);
        assertEq(escrow.balanceOf(payer), PRICE);
    }

    function test_terms_needAPriceAndAPayee() public {
        IPaymentEscrow.EscrowTerms memory free = newTerms(1);
        free.price = 0;
        expectInvalid(free, "price");
        IPaymentEscrow.EscrowTerms memory nobodys = newTerms(1);
        nobodys.payee = address(0);
        expectInvalid(nobodys, "payee");
    }

    function test_pay_takesThePriceFromTheCaller() public {
        vm.expectEmit(address(escrow));
        emit IPaymentEscrow.EscrowOpened(quoteId, payer, payee, deposit, PRICE, true);
        vm.prank(payer);
        assertEq(escrow.pay(terms), quoteId);
        assertTrue(escrow.getEscrow(quoteId).isProven);
        assertEq(token.balanceOf(address(escrow)), PRICE);
        assertEq(token.balanceOf(payer), PURSE - PRICE);
    }

    function test_pay_isTakenOnceAndUntilTheDeadline() public {
        vm.warp(terms.deadline + 1);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(IPaymentEscrow.TermsInvalid.selector, "deadline"));
        escrow.pay(terms);
        vm.warp(terms.deadline);
        vm.startPrank(payer);
        escrow.pay(terms);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentEscrow.EscrowNotInStatus.selector,
                quoteId,
                IPaymentEscrow.EscrowStatus.None,
                IPaymentEscrow.EscrowStatus.Open
            )
        );
        escrow.pay(terms);
    }

    function test_pay_canBeSignedAndSentByAnybody() public {
        bytes memory action = abi.encodeCall(IPaymentEscrow.pay, (terms));
        bytes32 digest = Messages.hashRelayedAction(
            Messages.domainSeparator(block.chainid, address(escrow)), payer, action, 0, terms.deadline
        );
        vm.prank(anyone);
        bytes memory result = escrow.relay(payer, action, terms.deadline, sign(PAYER_KEY, digest));
        assertEq(abi.decode(result, (bytes32)), quoteId);
        assertEq(escrow.getEscrow(quoteId).payer, payer);
        assertEq(token.balanceOf(payer), PURSE - PRICE);
    }

    function test_deposit_isCreatedOnceAndLetsOnlyTheEscrowTake() public {
        open(terms);
        assertGt(deposit.code.length, 0);
        assertEq(token.allowance(deposit, address(escrow)), type(uint256).max);
        openBy(THIEF_KEY, terms, "b");
        (bool answered,) = deposit.call("");
        assertFalse(answered);
    }

    function expectInvalid(
        IPaymentEscrow.EscrowTerms memory invalid,
        string memory member
    ) private {
        bytes memory refusal = abi.encodeWithSelector(IPaymentEscrow.TermsInvalid.selector, member);
        vm.expectRevert(refusal);
        escrow.depositAddressOf(invalid);
        vm.expectRevert(refusal);
        vm.prank(payer);
        escrow.pay(invalid);
        IPaymentEscrow.Authorization memory given;
        vm.expectRevert(refusal);
        escrow.open(invalid, given);
    }
}

/// @dev Its signatures are longer than a key's.
contract LongSignatureWallet is WalletRequester {
    constructor(
        address owner
    ) WalletRequester(owner) {}

    function isValidSignature(
        bytes32 hash,
        bytes calldata signature
    ) public view override returns (bytes4) {
        return super.isValidSignature(hash, signature[:65]);
    }
}
