// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Suite} from "../deployment/Suite.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Messages} from "../libraries/Messages.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";
import {EscrowEvidence} from "./EscrowEvidence.sol";

/// @title Payments that wait for a verified result.
/// @notice Immutable and without an administrator. Money leaves an escrow in two ways only: to the payee of its terms for a
/// result, or back.
contract PaymentEscrow is EscrowEvidence, RelayedActions, ReentrancyGuardTransient {
    uint256 private constant LOWEST_FAILED_STATUS = 400;

    IDisputeCourt private immutable _court;
    address private immutable _treasury;
    uint256 private immutable _conflictWindow;
    uint256 private immutable _challengeWindow;

    mapping(bytes32 quoteId => Escrow) private _escrows;
    mapping(bytes32 quoteId => Claim) private _secondClaims;
    /// @inheritdoc IPaymentEscrow
    mapping(address account => uint256) public balanceOf;

    constructor(
        Suite memory suite
    ) EscrowEvidence(suite) {
        _court = IDisputeCourt(suite.court);
        _treasury = suite.treasury;
        IProtocolParameters.Times memory times = IProtocolParameters(suite.parameters).times();
        _conflictWindow = times.conflictWindow;
        _challengeWindow = times.challengeWindow;
    }

    // ------------------------------------------------------------ money in

    /// @inheritdoc IPaymentEscrow
    function open(
        EscrowTerms calldata terms,
        Authorization calldata authorization
    ) external nonReentrant returns (bytes32 quoteId) {
        quoteId = _payableQuoteOf(terms);
        address deposit = _depositOf(quoteId);
        bool isExecuted = _execute(quoteId, deposit, terms.price, authorization);
        if (isExecuted) _requireBeforeDeadline(terms);
        if (_escrows[quoteId].status == EscrowStatus.None) {
            _sweep(quoteId, deposit, terms.price);
            _record(quoteId, terms, deposit, authorization.from, isExecuted);
        } else if (isExecuted) {
            _sweep(quoteId, deposit, terms.price);
            balanceOf[authorization.from] += terms.price;
            emit ExcessReturned(quoteId, authorization.from, terms.price);
        } else {
            _claimBeside(quoteId, terms, deposit, authorization.from);
        }
    }

    /// @inheritdoc IPaymentEscrow
    function pay(
        EscrowTerms calldata terms
    ) external nonReentrant returns (bytes32 quoteId) {
        quoteId = _payableQuoteOf(terms);
        _requireBeforeDeadline(terms);
        _requireStatus(quoteId, EscrowStatus.None);
        address payer = _actor();
        _record(quoteId, terms, _depositOf(quoteId), payer, true);
        _pull(payer, terms.price);
    }

    // ------------------------------------------------------------ result

    /// @inheritdoc IPaymentEscrow
    function settle(
        EscrowTerms calldata terms,
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes[] calldata signatures
    ) external nonReentrant {
        bytes32 quoteId = quoteIdOf(terms);
        _requireStatus(quoteId, EscrowStatus.Open);
        bytes32 requestId = _requireEvidence(quoteId, terms, ticket, ticketSignature, attestation, signatures);
        Escrow storage escrow = _escrows[quoteId];
        escrow.status = EscrowStatus.Settled;
        escrow.deadline = ticket.deadline;
        escrow.outcome = attestation.outcome;
        escrow.httpStatus = attestation.status;
        escrow.quorum = ticket.quorum;
        escrow.requestId = requestId;
        escrow.resultSeal = attestation.resultSeal;
        emit EscrowSettled(quoteId, requestId, attestation.resultSeal, attestation.outcome, attestation.status);
    }

    // ------------------------------------------------------------ money out

    /// @inheritdoc IPaymentEscrow
    function release(
        EscrowTerms calldata terms
    ) external nonReentrant {
        bytes32 quoteId = quoteIdOf(terms);
        _requireStatus(quoteId, EscrowStatus.Settled);
        Escrow storage escrow = _escrows[quoteId];
        bytes32 requestId = escrow.requestId;
        require(_earns(escrow) && !_isLost(escrow), NotReleasable(quoteId));
        _requireAfter(escrow.deadline + (escrow.quorum > 1 ? _conflictWindow : _challengeWindow));
        require(_court.openCasesOf(requestId) == 0, DisputeOpen(quoteId, requestId));
        escrow.status = EscrowStatus.Released;
        balanceOf[terms.payee] += terms.price;
        emit EscrowReleased(quoteId, terms.payee, terms.price);
    }

    /// @inheritdoc IPaymentEscrow
    function refund(
        EscrowTerms calldata terms
    ) external nonReentrant {
        bytes32 quoteId = quoteIdOf(terms);
        Escrow storage escrow = _escrows[quoteId];
        uint256 lastClaim = escrow.deadline + _settlementGrace;
        if (escrow.status == EscrowStatus.Open) {
            _requireAfter(lastClaim);
        } else {
            _requireStatus(quoteId, EscrowStatus.Settled);
            require(!_earns(escrow) || _isLost(escrow), NotReleasable(quoteId));
            // Whoever only claims to have paid waits until whoever did had time to say so.
            if (!escrow.isProven) _requireAfter(lastClaim + _challengeWindow);
        }
        escrow.status = EscrowStatus.Refunded;
        address payer = escrow.isContested ? _treasury : escrow.payer;
        balanceOf[payer] += terms.price;
        emit EscrowRefunded(quoteId, payer, terms.price);
    }

    /// @inheritdoc IPaymentEscrow
    function returnSecondPayment(
        EscrowTerms calldata terms
    ) external nonReentrant {
        bytes32 quoteId = quoteIdOf(terms);
        Claim memory claim = _secondClaims[quoteId];
        require(claim.claimant != address(0), NothingClaimed(quoteId));
        _requireAfter(claim.returnableAt);
        delete _secondClaims[quoteId];
        address payer = claim.isContested ? _treasury : claim.claimant;
        balanceOf[payer] += terms.price;
        emit ExcessReturned(quoteId, payer, terms.price);
    }

    /// @inheritdoc IPaymentEscrow
    function withdraw(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address account = _actor();
        amount = balanceOf[account];
        require(amount != 0, NothingToWithdraw(account));
        balanceOf[account] = 0;
        emit Withdrawn(account, to, amount);
        _send(to, amount);
    }

    // ------------------------------------------------------------ views

    /// @inheritdoc IPaymentEscrow
    function depositAddressOf(
        EscrowTerms calldata terms
    ) external view returns (address) {
        return _depositOf(_payableQuoteOf(terms));
    }

    /// @inheritdoc IPaymentEscrow
    function getEscrow(
        bytes32 quoteId
    ) external view returns (Escrow memory) {
        return _escrows[quoteId];
    }

    /// @inheritdoc IPaymentEscrow
    function getSecondClaim(
        bytes32 quoteId
    ) external view returns (Claim memory) {
        return _secondClaims[quoteId];
    }

    /// @inheritdoc IPaymentEscrow
    function quoteIdOf(
        EscrowTerms calldata terms
    ) public view returns (bytes32) {
        return Messages.hashEscrowTerms(_messageDomain(), terms);
    }

    // ------------------------------------------------------------ inside

    function _record(
        bytes32 quoteId,
        EscrowTerms calldata terms,
        address deposit,
        address payer,
        bool isProven
    ) private {
        Escrow storage escrow = _escrows[quoteId];
        escrow.status = EscrowStatus.Open;
        escrow.isProven = isProven;
        escrow.payer = payer;
        escrow.deadline = _laterOf(terms.deadline);
        emit EscrowOpened(quoteId, payer, terms.payee, deposit, terms.price, isProven);
    }

    /// @dev Somebody claims a payment, and the escrow has one. There is money for a second one, or the claims are rivals.
    function _claimBeside(
        bytes32 quoteId,
        EscrowTerms calldata terms,
        address deposit,
        address claimant
    ) private {
        Escrow storage escrow = _escrows[quoteId];
        Claim storage second = _secondClaims[quoteId];
        address secondClaimant = second.claimant;
        if (secondClaimant == address(0) && _balanceOf(deposit) >= terms.price) {
            _sweep(quoteId, deposit, terms.price);
            second.claimant = claimant;
            second.returnableAt = SafeCast.toUint40(_laterOf(terms.deadline) + _settlementGrace);
            emit SecondPaymentClaimed(quoteId, claimant, second.returnableAt);
            return;
        }
        bool isHeld = escrow.status == EscrowStatus.Open || escrow.status == EscrowStatus.Settled;
        bool isRival = isHeld && !escrow.isProven && escrow.payer != claimant;
        if (isRival) {
            escrow.isContested = true;
            emit EscrowContested(quoteId, escrow.payer, claimant);
        }
        if (secondClaimant != address(0) && secondClaimant != claimant) {
            isRival = true;
            second.isContested = true;
            emit EscrowContested(quoteId, secondClaimant, claimant);
        }
        require(isRival, DepositTooLow(quoteId, deposit, _balanceOf(deposit), terms.price));
    }

    function _payableQuoteOf(
        EscrowTerms calldata terms
    ) private view returns (bytes32) {
        require(terms.price != 0, TermsInvalid("price"));
        require(terms.payee != address(0), TermsInvalid("payee"));
        return quoteIdOf(terms);
    }

    function _earns(
        Escrow storage escrow
    ) private view returns (bool) {
        return escrow.outcome == Messages.OUTCOME_COMPLETED && escrow.httpStatus < LOWEST_FAILED_STATUS;
    }

    /// @dev Of this result: another worker's lie about the same request, which nobody settled, takes nothing from the payee.
    function _isLost(
        Escrow storage escrow
    ) private view returns (bool) {
        return _court.lostCasesAbout(escrow.requestId, escrow.resultSeal, escrow.outcome, escrow.httpStatus) != 0;
    }

    function _requireStatus(
        bytes32 quoteId,
        EscrowStatus expected
    ) private view {
        EscrowStatus actual = _escrows[quoteId].status;
        require(actual == expected, EscrowNotInStatus(quoteId, expected, actual));
    }

    function _requireBeforeDeadline(
        EscrowTerms calldata terms
    ) private view {
        require(block.timestamp <= terms.deadline, TermsInvalid("deadline"));
    }

    function _requireAfter(
        uint256 lastMoment
    ) private view {
        require(block.timestamp > lastMoment, TooEarly(lastMoment, block.timestamp));
    }

    function _laterOf(
        uint40 deadline
    ) private view returns (uint40) {
        return block.timestamp > deadline ? uint40(block.timestamp) : deadline;
    }
}
