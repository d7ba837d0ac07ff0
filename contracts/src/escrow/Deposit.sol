// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";

/// @title What stands at a deposit address, once its money is needed.
/// @notice It lets the escrow that creates it take the address's tokens, now and later: money that comes after the first
/// payment is never stuck. It has no constructor argument, so that its address follows from escrow and quote alone.
contract Deposit {
    /// @notice The token refused the allowance.
    error AllowanceRefused(address token);

    constructor() {
        address token = IPaymentEscrow(msg.sender).token();
        require(IERC20(token).approve(msg.sender, type(uint256).max), AllowanceRefused(token));
    }
}
