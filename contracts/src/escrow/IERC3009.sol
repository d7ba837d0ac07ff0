// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What the escrow needs of a token with transfers by signature (EIP-3009), as USDC has it.
interface IERC3009 {
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
    /// @notice The same with a signature of any length, for wallets that are contracts.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
    /// @notice True once the authorization was used or cancelled.
    function authorizationState(
        address authorizer,
        bytes32 nonce
    ) external view returns (bool);
    // The name is the token's.
    // forge-lint: disable-next-line(mixed-case-function)
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
