// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Actions that their author signs and anybody sends, so that nobody needs gas to begin.
/// @notice EIP-712 `RelayedAction(address account,bytes action,uint256 nonce,uint40 deadline)` under the domain of the contract
/// that is called (name "PeerHost", version "1"). `action` is the calldata of one of its functions.
interface IRelayedActions {
    /// @notice The signature is not `account`'s, neither as a key's nor by ERC-1271.
    error ActionSignatureInvalid(address account, uint256 nonce);
    /// @notice The action's deadline has passed.
    error ActionExpired(uint256 deadline, uint256 nowAt);
    /// @notice A relayed action cannot relay another one.
    error ActionNested();

    event ActionRelayed(address indexed account, address indexed relayer, uint256 nonce);

    /// @notice Runs `action` as if `account` had sent it. Reverts with the action's own error.
    /// @return result What the action returned, ABI-encoded.
    function relay(
        address account,
        bytes calldata action,
        uint40 deadline,
        bytes calldata signature
    ) external returns (bytes memory result);

    /// @notice The nonce that the next relayed action of `account` must hold.
    function actionNonce(
        address account
    ) external view returns (uint256);
}
