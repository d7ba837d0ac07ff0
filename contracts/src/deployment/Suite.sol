// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The addresses of one version of the protocol. They are known before any contract is deployed, because each is
/// created by `Create3Factory`; so every contract holds the others as immutables and nobody has to wire them up later.
struct Suite {
    address token;
    address treasury;
    address parameters;
    address functions;
    address operators;
    address coordinator;
    address confirmedLane;
    address escrow;
    address court;
}
