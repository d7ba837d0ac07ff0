// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Suite} from "../deployment/Suite.sol";
import {TicketEvidence} from "../evidence/TicketEvidence.sol";
import {ICourtFilings} from "../interfaces/ICourtFilings.sol";
import {IFunctionRegistry} from "../interfaces/IFunctionRegistry.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";
import {IProtocolParameters} from "../interfaces/IProtocolParameters.sol";
import {RelayedActions} from "../relay/RelayedActions.sol";

/// @title What the court and its clerk's office share: addresses, times, balances, the token's way in and out.
/// @notice The office runs on the court's storage, so all storage stands in this contract and in what inherits it on the way to
/// `CaseRecords`; neither the court nor the office adds any.
abstract contract CourtBase is ICourtFilings, TicketEvidence, RelayedActions, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 internal constant BASIS_POINTS = 10_000;
    /// @dev Nobody holds its key.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    address internal immutable _token;
    IFunctionRegistry internal immutable _functions;
    IPaymentEscrow internal immutable _escrow;
    uint32 internal immutable _challengeWindow;
    uint32 internal immutable _juryPhase;
    uint32 internal immutable _unbondingPeriod;

    mapping(address account => uint256) internal _balances;

    constructor(
        Suite memory suite
    ) TicketEvidence(suite) {
        _token = suite.token;
        _functions = IFunctionRegistry(suite.functions);
        _escrow = IPaymentEscrow(suite.escrow);
        IProtocolParameters.Times memory times = _parameters.times();
        _challengeWindow = times.challengeWindow;
        _juryPhase = times.juryPhase;
        _unbondingPeriod = times.unbondingPeriod;
    }

    /// @dev Money is never pushed: a receiver that the token blocks can hold up nobody's case.
    function _credit(
        address account,
        uint256 amount
    ) internal {
        if (amount == 0) return;
        _balances[account] += amount;
        emit Credited(account, amount);
    }

    function _send(
        address to,
        uint256 amount
    ) internal {
        IERC20(_token).safeTransfer(to, amount);
    }

    function _pull(
        address from,
        uint256 amount
    ) internal {
        uint256 before = IERC20(_token).balanceOf(address(this));
        IERC20(_token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(_token).balanceOf(address(this)) - before;
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

    /// @dev What was attested, as one word: two attestations of one request agree when these are equal.
    function _resultOf(
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(resultSeal, outcome, status));
    }
}
