// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Messages} from "../libraries/Messages.sol";

/// @title Parameters, the token's way in and out, and the protocol's fees.
abstract contract CoordinatorBase is IExecutionCoordinator, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @param token Settlement token. It must move exactly the amounts it is asked to.
    /// @param treasury Receives protocol fees.
    /// @param minimumStake Least stake of an active operator, in atomic units.
    /// @param protocolFeeBps Protocol's share of every fee, in basis points.
    /// @param epochSeconds Length of an epoch; caps of credit lines count per epoch.
    /// @param settlementGrace Seconds after a ticket's deadline in which it may still be settled.
    /// @param maximumTicketLifetime Most seconds from a ticket's issue to its deadline.
    /// @param unbondingPeriod Seconds from `unbond` to the withdrawal of stake.
    struct Parameters {
        address token;
        address treasury;
        uint96 minimumStake;
        uint16 protocolFeeBps;
        uint32 epochSeconds;
        uint32 settlementGrace;
        uint32 maximumTicketLifetime;
        uint32 unbondingPeriod;
    }

    uint256 internal constant BASIS_POINTS = 10_000;
    uint256 internal constant MAXIMUM_PROTOCOL_FEE_BPS = 5000;

    /// @inheritdoc IExecutionCoordinator
    address public immutable override token;
    /// @inheritdoc IExecutionCoordinator
    address public immutable override treasury;
    /// @inheritdoc IExecutionCoordinator
    uint96 public immutable override minimumStake;
    /// @inheritdoc IExecutionCoordinator
    uint16 public immutable override protocolFeeBps;
    /// @inheritdoc IExecutionCoordinator
    uint32 public immutable override epochSeconds;
    /// @inheritdoc IExecutionCoordinator
    uint32 public immutable override settlementGrace;
    /// @inheritdoc IExecutionCoordinator
    uint32 public immutable override maximumTicketLifetime;
    /// @inheritdoc IExecutionCoordinator
    uint32 public immutable override unbondingPeriod;

    /// @inheritdoc IExecutionCoordinator
    uint256 public override treasuryBalance;

    constructor(
        Parameters memory parameters
    ) {
        require(parameters.token != address(0), ParameterInvalid("token"));
        require(parameters.treasury != address(0), ParameterInvalid("treasury"));
        require(parameters.minimumStake != 0, ParameterInvalid("minimumStake"));
        require(parameters.protocolFeeBps <= MAXIMUM_PROTOCOL_FEE_BPS, ParameterInvalid("protocolFeeBps"));
        require(parameters.epochSeconds != 0, ParameterInvalid("epochSeconds"));
        require(parameters.settlementGrace != 0, ParameterInvalid("settlementGrace"));
        require(parameters.maximumTicketLifetime != 0, ParameterInvalid("maximumTicketLifetime"));
        uint256 settleable = uint256(parameters.maximumTicketLifetime) + parameters.settlementGrace;
        // Stake must outlast whatever its worker signed.
        require(parameters.unbondingPeriod > 2 * settleable, ParameterInvalid("unbondingPeriod"));
        token = parameters.token;
        treasury = parameters.treasury;
        minimumStake = parameters.minimumStake;
        protocolFeeBps = parameters.protocolFeeBps;
        epochSeconds = parameters.epochSeconds;
        settlementGrace = parameters.settlementGrace;
        maximumTicketLifetime = parameters.maximumTicketLifetime;
        unbondingPeriod = parameters.unbondingPeriod;
    }

    /// @inheritdoc IExecutionCoordinator
    function withdrawTreasury() external nonReentrant returns (uint256 amount) {
        amount = treasuryBalance;
        require(amount != 0, NothingToWithdraw(treasury));
        treasuryBalance = 0;
        emit TreasuryWithdrawn(treasury, amount);
        _sendTokens(treasury, amount);
    }

    /// @inheritdoc IExecutionCoordinator
    function domainSeparator() public view returns (bytes32) {
        return Messages.domainSeparator(block.chainid, address(this));
    }

    /// @dev The longest time that a ticket which is issued now may take until nobody can settle it any more.
    function _settleableSeconds() internal view returns (uint256) {
        return uint256(maximumTicketLifetime) + settlementGrace;
    }

    /// @dev First moment at which no ticket issued until now can be settled any more.
    function _afterOpenTickets() internal view returns (uint40) {
        return uint40(block.timestamp + _settleableSeconds() + 1);
    }

    function _currentEpoch() internal view returns (uint32) {
        return uint32(Messages.epochAt(block.timestamp, epochSeconds));
    }

    /// @dev Splits a fee into the worker's reward and the protocol's share, which is rounded down.
    function _splitFee(
        uint96 fee
    ) internal view returns (uint96 reward, uint96 protocolFee) {
        // A share of a fee is no wider than the fee.
        // forge-lint: disable-next-line(unsafe-typecast)
        protocolFee = uint96(uint256(fee) * protocolFeeBps / BASIS_POINTS);
        reward = fee - protocolFee;
    }

    function _toUint96(
        uint256 amount
    ) internal pure returns (uint96) {
        return SafeCast.toUint96(amount);
    }

    function _receiveTokens(
        uint256 amount
    ) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, TokenAmountMismatch(amount, received));
    }

    function _sendTokens(
        address to,
        uint256 amount
    ) internal {
        IERC20(token).safeTransfer(to, amount);
    }
}
