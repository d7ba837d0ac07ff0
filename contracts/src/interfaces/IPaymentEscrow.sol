// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExecutionCoordinator} from "./IExecutionCoordinator.sol";

/// @title Payments that wait for a verified result.
/// @notice Every quote has its own deposit address, whose CREATE2 salt is the quote's id: a payment to it is bound to this
/// request, this body and this price, and counts for nothing else. `Open → Settled → Released | Refunded`.
interface IPaymentEscrow {
    enum EscrowStatus {
        None,
        Open,
        Settled,
        Released,
        Refunded
    }

    /// @notice What a payer agrees to. `quoteId` of the ticket is the EIP-712 digest of these terms.
    /// @param requester Whose ticket it will be.
    /// @param inputSeal Binds the request's bytes; the payer gets the salt with the quote.
    /// @param deadline Latest deadline that the ticket may have.
    /// @param nonce Makes the deposit address of this quote its own.
    struct EscrowTerms {
        address requester;
        bytes32 functionId;
        uint32 functionVersion;
        bytes32 inputSeal;
        address payee;
        uint128 price;
        uint40 deadline;
        bytes32 nonce;
    }

    /// @notice An EIP-3009 authorization of exactly the price to the deposit address, as an x402 client signs it.
    struct Authorization {
        address from;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
        bytes signature;
    }

    /// @param isProven The payer's money was moved by this contract, or by the payer through it. Otherwise it claims a
    /// transfer that somebody else executed; with a rival claim nobody is refunded and the money goes to the treasury.
    /// @param deadline While open, the latest deadline that the ticket may have (of a claim made later, its own time); once
    /// settled, the ticket's.
    /// @param outcome Of the recorded result, as `httpStatus`, `quorum`, `requestId` and `resultSeal`.
    struct Escrow {
        EscrowStatus status;
        bool isProven;
        bool isContested;
        address payer;
        uint40 deadline;
        uint8 outcome;
        uint16 httpStatus;
        uint8 quorum;
        bytes32 requestId;
        bytes32 resultSeal;
    }

    /// @notice A second payment of the price to the same deposit address, which somebody else executed: whoever claims it gets
    /// it back after `returnableAt`, unless somebody else claims it too.
    struct Claim {
        address claimant;
        bool isContested;
        uint40 returnableAt;
    }

    /// @notice The escrow is in another status than this call needs.
    error EscrowNotInStatus(bytes32 quoteId, EscrowStatus expected, EscrowStatus actual);
    /// @notice The deposit address does not hold the price.
    error DepositTooLow(bytes32 quoteId, address deposit, uint256 balance, uint256 price);
    /// @notice The token refuses the authorization and it was not executed before, or its signature is not the payer's.
    error AuthorizationInvalid(bytes32 quoteId, address from);
    /// @notice The ticket is not the one that these terms are about.
    error TicketMismatch(bytes32 quoteId, string member);
    /// @notice The result earns no payment: it failed, or a dispute was lost.
    error NotReleasable(bytes32 quoteId);
    /// @notice A dispute about this request is open.
    error DisputeOpen(bytes32 quoteId, bytes32 requestId);
    /// @notice Terms that no payment can meet: no price, no payee, or a deadline in the past.
    error TermsInvalid(string member);
    /// @notice Ticket and attestations do not prove a result. `reason` says why.
    error EvidenceInvalid(bytes32 requestId, IExecutionCoordinator.SkipReason reason);
    /// @notice The call is possible after `lastMoment`.
    error TooEarly(uint256 lastMoment, uint256 nowAt);
    /// @notice There is no second payment that is claimed, or it went back already.
    error NothingClaimed(bytes32 quoteId);
    /// @notice There is nothing for this account to take out.
    error NothingToWithdraw(address account);
    /// @notice The zero address cannot receive anything.
    error AddressZero();
    /// @notice The token moved another amount than it was asked to: such a token cannot be accounted for.
    error TokenAmountMismatch(uint256 expected, uint256 received);

    event EscrowOpened(
        bytes32 indexed quoteId,
        address indexed payer,
        address indexed payee,
        address deposit,
        uint256 price,
        bool isProven
    );
    event EscrowContested(bytes32 indexed quoteId, address indexed firstClaim, address indexed rivalClaim);
    /// @notice A second payment that somebody else executed is claimed beside the first.
    event SecondPaymentClaimed(bytes32 indexed quoteId, address indexed claimant, uint40 returnableAt);
    event EscrowSettled(
        bytes32 indexed quoteId, bytes32 indexed requestId, bytes32 resultSeal, uint8 outcome, uint16 status
    );
    event EscrowReleased(bytes32 indexed quoteId, address indexed payee, uint256 amount);
    event EscrowRefunded(bytes32 indexed quoteId, address indexed payer, uint256 amount);
    /// @notice Money beyond the price, or of a second payer, went back to who paid it.
    event ExcessReturned(bytes32 indexed quoteId, address indexed payer, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice Executes a payer's authorization into the deposit address, or, when somebody else has executed it already,
    /// records the payer's claim to what is there. Anyone may call. A second payment goes back: at once when it is executed
    /// here, by `returnSecondPayment` when it is claimed. After the terms' deadline nothing is executed, only claimed.
    function open(
        EscrowTerms calldata terms,
        Authorization calldata authorization
    ) external returns (bytes32 quoteId);
    /// @notice The caller pays the price from its own tokens.
    function pay(
        EscrowTerms calldata terms
    ) external returns (bytes32 quoteId);
    /// @notice Records the verified result of the ticket that the terms are about: as many agreeing attestations of seated
    /// operators as its quorum asks, until the ticket's deadline and settlement grace. Anyone may call.
    function settle(
        EscrowTerms calldata terms,
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata ticketSignature,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes[] calldata signatures
    ) external;
    /// @notice Credits the payee: the result completed with a status below 400, the challenge window (or, with a quorum, the
    /// conflict window) has passed, and no dispute is open or lost. Anyone may call.
    function release(
        EscrowTerms calldata terms
    ) external;
    /// @notice Credits the payer: no result until deadline and settlement grace, a result that earns nothing, or a lost or
    /// undecided dispute. Anyone may call.
    function refund(
        EscrowTerms calldata terms
    ) external;
    /// @notice Credits whoever claims a second payment, or the treasury when several do, after time for rival claims. Anyone
    /// may call.
    function returnSecondPayment(
        EscrowTerms calldata terms
    ) external;
    function withdraw(
        address to
    ) external returns (uint256 amount);

    function token() external view returns (address);
    function quoteIdOf(
        EscrowTerms calldata terms
    ) external view returns (bytes32);
    /// @notice Where the price of these terms is paid to. Anyone can recompute it before signing.
    function depositAddressOf(
        EscrowTerms calldata terms
    ) external view returns (address);
    function getEscrow(
        bytes32 quoteId
    ) external view returns (Escrow memory);
    /// @notice The claimed second payment; empty when there is none or it went back.
    function getSecondClaim(
        bytes32 quoteId
    ) external view returns (Claim memory);
    function balanceOf(
        address account
    ) external view returns (uint256);
}
