// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Suite} from "../deployment/Suite.sol";
import {TicketEvidence} from "../evidence/TicketEvidence.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {IFunctionRegistry} from "../interfaces/IFunctionRegistry.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";

/// @title What every part of the court needs: balances, the token's way in and out, evidence in the court's own words.
abstract contract CourtBase is IDisputeCourt, TicketEvidence, RelayedActions, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 internal constant BASIS_POINTS = 10_000;
    /// @dev Nobody holds its key.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
    uint256 private constant SALT_BYTES = 32;
    /// @dev Twin: `LIMITS.calldataInputBytes`, after the salt.
    uint256 private constant MAXIMUM_INPUT_BYTES = 8192 + SALT_BYTES;

    /// @inheritdoc IDisputeCourt
    address public immutable override token;
    IFunctionRegistry internal immutable _functions;
    IPaymentEscrow internal immutable _escrow;
    uint32 internal immutable _challengeWindow;
    uint32 internal immutable _juryPhase;
    uint32 internal immutable _unbondingPeriod;

    /// @inheritdoc IDisputeCourt
    mapping(address account => uint256) public override balanceOf;

    constructor(
        Suite memory suite
    ) TicketEvidence(suite) {
        token = suite.token;
        _functions = IFunctionRegistry(suite.functions);
        _escrow = IPaymentEscrow(suite.escrow);
        IProtocolParameters.Times memory times = _parameters.times();
        _challengeWindow = times.challengeWindow;
        _juryPhase = times.juryPhase;
        _unbondingPeriod = times.unbondingPeriod;
    }

    /// @inheritdoc IDisputeCourt
    function withdraw(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address account = _actor();
        amount = _empty(account);
        emit Withdrawn(account, to, amount);
        _send(to, amount);
    }

    /// @inheritdoc IDisputeCourt
    function burn() external nonReentrant returns (uint256 amount) {
        amount = _empty(BURN_ADDRESS);
        emit Burned(amount);
        _send(BURN_ADDRESS, amount);
    }

    function _empty(
        address account
    ) private returns (uint256 amount) {
        amount = balanceOf[account];
        require(amount != 0, NothingToWithdraw(account));
        balanceOf[account] = 0;
    }

    /// @dev Money is never pushed: a receiver that the token blocks can hold up nobody's case.
    function _credit(
        address account,
        uint256 amount
    ) internal {
        if (amount == 0) return;
        balanceOf[account] += amount;
        emit Credited(account, amount);
    }

    function _send(
        address to,
        uint256 amount
    ) internal {
        IERC20(token).safeTransfer(to, amount);
    }

    function _pull(
        address from,
        uint256 amount
    ) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, TokenAmountMismatch(amount, received));
    }

    /// @dev Part of an operator's stake, to be credited here.
    function _takeStake(
        address operator,
        uint256 amount
    ) internal returns (uint256) {
        return _operators.slash(operator, amount, address(this));
    }

    /// @dev The operator whose execution key acts, else whoever acts.
    function _actingOperator() internal view returns (address) {
        address actor = _actor();
        address operator = _operators.operatorForKey(actor, uint40(block.timestamp));
        return operator == address(0) ? actor : operator;
    }

    // ------------------------------------------------------------ evidence

    function _requireTicket(
        IExecutionCoordinator.Ticket calldata ticket,
        bytes calldata signature
    ) internal view returns (bytes32 requestId) {
        IExecutionCoordinator.SkipReason reason;
        (reason, requestId) = _verifyTicket(ticket, signature);
        _requireNone(requestId, reason);
        uint256 closesAt = uint256(ticket.deadline) + _challengeWindow;
        require(block.timestamp <= closesAt, WindowClosed(requestId, closesAt, block.timestamp));
    }

    function _requireAttestation(
        bytes32 requestId,
        IExecutionCoordinator.Ticket calldata ticket,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (address operator) {
        IExecutionCoordinator.SkipReason reason;
        (reason, operator,) = _verifyAttestation(requestId, ticket, attestation, signature);
        _requireNone(requestId, reason);
    }

    /// @dev The same without the seat: what a key signed is its operator's word, seated or not.
    function _requireSigner(
        bytes32 requestId,
        uint40 signedFor,
        IExecutionCoordinator.Attestation calldata attestation,
        bytes calldata signature
    ) internal view returns (address operator, address executionKey) {
        IExecutionCoordinator.SkipReason reason;
        (reason, operator, executionKey) = _verifySigner(requestId, signedFor, attestation, signature);
        _requireNone(requestId, reason);
    }

    function _requireNone(
        bytes32 requestId,
        IExecutionCoordinator.SkipReason reason
    ) internal pure {
        require(reason == IExecutionCoordinator.SkipReason.None, EvidenceInvalid(requestId, reason));
    }

    /// @dev Whether the input is given in calldata; then it must open the ticket's seal.
    function _isInputGiven(
        bytes32 requestId,
        bytes32 inputSeal,
        bytes calldata input
    ) internal pure returns (bool) {
        if (input.length == 0) return false;
        require(input.length <= MAXIMUM_INPUT_BYTES, InputTooLarge(input.length, MAXIMUM_INPUT_BYTES));
        require(input.length >= SALT_BYTES, InputMismatch(requestId));
        bytes32 salt = bytes32(input[:SALT_BYTES]);
        require(Hashes.seal(keccak256(input[SALT_BYTES:]), salt) == inputSeal, InputMismatch(requestId));
        return true;
    }

    /// @dev What was attested, as one word: two attestations of one request agree when these are equal.
    function _resultOf(
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(resultSeal, outcome, status));
    }

    function _resultOf(
        IExecutionCoordinator.Attestation calldata attestation
    ) internal pure returns (bytes32) {
        return _resultOf(attestation.resultSeal, attestation.outcome, attestation.status);
    }
}
