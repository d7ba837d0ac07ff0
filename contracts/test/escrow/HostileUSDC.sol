// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TestUSDC} from "../../src/token/TestUSDC.sol";

/// @dev USDC whose issuer turned hostile: it keeps some back, blocks an account, calls back in a transfer.
contract HostileUSDC is TestUSDC {
    uint256 private _keptBack;
    address private _blocked;
    address private _target;
    bytes private _call;
    bool public succeeded;
    bytes public answer;

    function keepBack(
        uint256 amount
    ) external {
        _keptBack = amount;
    }

    function block_(
        address account
    ) external {
        _blocked = account;
    }

    function callBackWith(
        address target,
        bytes calldata data
    ) external {
        (_target, _call) = (target, data);
    }

    function _transfer(
        address from,
        address to,
        uint256 value
    ) internal override {
        require(to != _blocked && from != _blocked, "Blacklistable: account is blacklisted");
        super._transfer(from, to, value - _keptBack);
        if (_target != address(0)) (succeeded, answer) = _target.call(_call);
    }
}
