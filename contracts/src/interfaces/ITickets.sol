// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The job as every contract of the suite reads it.
/// @notice `IExecutionCoordinator` inherits it. It stands by itself, since that interface and its parts both need it.
interface ITickets {
    /// @notice A signed request: it is the job. Same members, same order as `Ticket` in packages/protocol/src/ticket.ts.
    struct Ticket {
        uint8 protocolVersion;
        bytes32 functionId;
        uint32 functionVersion;
        uint32 envVersion;
        bytes32 runtimeDigest;
        bytes32 inputSeal;
        address requester;
        uint32 epoch;
        uint64 sequence;
        uint8 quorum;
        uint8 lane;
        uint96 fee;
        uint40 issuedAt;
        uint40 deadline;
        address payer;
        address payee;
        uint128 price;
        bytes32 quoteId;
        address funder;
    }
}
