// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {SuiteFixture} from "../fixtures/SuiteFixture.sol";

/// @dev A payer with a purse, a payee, two operators, and quotes for their requests.
abstract contract EscrowFixture is SuiteFixture {
    uint128 internal constant PRICE = 250_000;
    uint256 internal constant PURSE = 10e6;
    uint256 internal constant PAYER_KEY = 0xBEEF;
    uint256 internal constant THIEF_KEY = 0xBAD;

    address internal immutable payer = vm.addr(PAYER_KEY);
    address internal immutable thief = vm.addr(THIEF_KEY);
    address internal immutable payee = makeAddr("payee");
    address internal immutable anyone = makeAddr("anyone");

    function setUp() public virtual override {
        super.setUp();
        registerOperators(2);
        fillPurse(payer, PURSE, address(escrow));
        fillPurse(thief, PURSE, address(escrow));
    }

    // ------------------------------------------------------------------ quotes

    /// @dev Terms for request `number`, as a gateway would offer them now.
    function newTerms(
        uint64 number
    ) internal view returns (IPaymentEscrow.EscrowTerms memory) {
        return IPaymentEscrow.EscrowTerms({
            requester: requester,
            functionId: keccak256("function"),
            functionVersion: 1,
            inputSeal: keccak256(abi.encode("input", number)),
            payee: payee,
            price: PRICE,
            deadline: uint40(vm.getBlockTimestamp()) + 120,
            nonce: keccak256(abi.encode("nonce", number))
        });
    }

    function ticketFor(
        IPaymentEscrow.EscrowTerms memory terms,
        uint64 number
    ) internal view returns (IExecutionCoordinator.Ticket memory ticket) {
        ticket = newTicket(number);
        ticket.payer = payer;
        ticket.payee = terms.payee;
        ticket.price = terms.price;
        ticket.inputSeal = terms.inputSeal;
        ticket.quoteId = escrow.quoteIdOf(terms);
    }

    function depositOf(
        IPaymentEscrow.EscrowTerms memory terms
    ) internal view returns (address) {
        return escrow.depositAddressOf(terms);
    }

    function statusOf(
        IPaymentEscrow.EscrowTerms memory terms
    ) internal view returns (IPaymentEscrow.EscrowStatus) {
        return escrow.getEscrow(escrow.quoteIdOf(terms)).status;
    }

    // ---------------------------------------------------------- authorizations

    function authorize(
        uint256 key,
        IPaymentEscrow.EscrowTerms memory terms,
        bytes32 nonce
    ) internal view returns (IPaymentEscrow.Authorization memory) {
        return authorizeFrom(vm.addr(key), key, depositOf(terms), terms.price, nonce);
    }

    function authorizeFrom(
        address from,
        uint256 key,
        address to,
        uint256 value,
        bytes32 nonce
    ) internal view returns (IPaymentEscrow.Authorization memory given) {
        given.from = from;
        given.validBefore = vm.getBlockTimestamp() + 1 days;
        given.nonce = nonce;
        bytes32 typehash = token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH();
        bytes32 structHash =
            keccak256(abi.encode(typehash, from, to, value, given.validAfter, given.validBefore, nonce));
        given.signature = sign(key, MessageHashUtils.toTypedDataHash(token.DOMAIN_SEPARATOR(), structHash));
    }

    /// @dev What somebody does who wants to be there before the escrow.
    function executeElsewhere(
        IPaymentEscrow.EscrowTerms memory terms,
        IPaymentEscrow.Authorization memory given
    ) internal {
        address deposit = depositOf(terms);
        token.transferWithAuthorization(
            given.from, deposit, terms.price, given.validAfter, given.validBefore, given.nonce, given.signature
        );
    }

    function cancel(
        uint256 key,
        bytes32 nonce
    ) internal {
        address account = vm.addr(key);
        bytes32 structHash = keccak256(abi.encode(token.CANCEL_AUTHORIZATION_TYPEHASH(), account, nonce));
        bytes memory signature = sign(key, MessageHashUtils.toTypedDataHash(token.DOMAIN_SEPARATOR(), structHash));
        token.cancelAuthorization(account, nonce, signature);
    }

    function openBy(
        uint256 key,
        IPaymentEscrow.EscrowTerms memory terms,
        bytes32 nonce
    ) internal returns (IPaymentEscrow.Authorization memory given) {
        given = authorize(key, terms, nonce);
        vm.prank(anyone);
        escrow.open(terms, given);
    }

    function open(
        IPaymentEscrow.EscrowTerms memory terms
    ) internal {
        openBy(PAYER_KEY, terms, terms.nonce);
    }

    /// @dev Two payments of one quote, neither executed by the escrow: the payer's is claimed first.
    function openClaimed(
        IPaymentEscrow.EscrowTerms memory terms
    ) internal {
        IPaymentEscrow.Authorization memory given = authorize(PAYER_KEY, terms, terms.nonce);
        executeElsewhere(terms, given);
        escrow.open(terms, given);
    }

    // ----------------------------------------------------------------- results

    function settle(
        IPaymentEscrow.EscrowTerms memory terms,
        IExecutionCoordinator.Ticket memory ticket,
        IExecutionCoordinator.Attestation memory attestation
    ) internal {
        bytes[] memory signatures = new bytes[](ticket.quorum);
        for (uint256 i; i < ticket.quorum; ++i) {
            signatures[i] = signAttestation(keyAt(i), attestation);
        }
        bytes memory ticketSignature = signTicket(REQUESTER_KEY, ticket);
        vm.prank(anyone);
        escrow.settle(terms, ticket, ticketSignature, attestation, signatures);
    }

    /// @dev Opened, and settled with a result of this outcome and status.
    function openAndSettle(
        IPaymentEscrow.EscrowTerms memory terms,
        uint8 outcome,
        uint16 status
    ) internal returns (IExecutionCoordinator.Ticket memory ticket) {
        open(terms);
        ticket = ticketFor(terms, 1);
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.outcome = outcome;
        attestation.status = status;
        settle(terms, ticket, attestation);
    }

    /// @dev As if the court had that many cases about a request.
    function setCases(
        bytes32 requestId,
        uint256 openCases,
        uint256 lostCases
    ) internal {
        vm.mockCall(address(court), abi.encodeCall(IDisputeCourt.openCasesOf, (requestId)), abi.encode(openCases));
        // Whatever the result: a mocked call is matched by what its data begins with.
        bytes memory lostAbout = abi.encodeWithSelector(IDisputeCourt.lostCasesAbout.selector, requestId);
        vm.mockCall(address(court), lostAbout, abi.encode(lostCases));
    }

    function warpAfter(
        uint256 lastMoment
    ) internal {
        vm.warp(lastMoment + 1);
    }
}
