// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The list of coordinator versions.
/// @notice Contracts are immutable, so a new version is a new suite of contracts. It is announced, listed after a delay, and
/// used by an operator only when that operator opts in. A version that is closed to new work stays open for exits: nothing
/// here can stop a withdrawal, because nothing here is asked for one.
interface IDirectory {
    enum SuiteStatus {
        None,
        Announced,
        Listed,
        Retired
    }

    /// @notice One version. `listedAt` is from when it may be listed, and once it is, since when.
    struct Suite {
        SuiteStatus status;
        uint40 listedAt;
        address functions;
        address parameters;
        address operators;
        address coordinator;
        address confirmedLane;
        address escrow;
        address court;
    }

    /// @notice A directory has a governor and a delay.
    error ParameterInvalid(string name);
    /// @notice Only the governor changes the list.
    error NotGovernor(address governor, address caller);
    /// @notice The version is in another status than this call needs.
    error SuiteNotInStatus(uint32 version, SuiteStatus expected, SuiteStatus actual);
    /// @notice A suite has code at each of its addresses.
    error SuiteIncomplete(address missing);
    /// @notice The version may be listed from `availableAt` on.
    error TooEarly(uint256 availableAt, uint256 nowAt);
    /// @notice The operator has opted in (or out) already.
    error NothingToChange(uint32 version, address operator);

    event SuiteAnnounced(uint32 indexed version, Suite suite, uint40 listableAt);
    event SuiteListed(uint32 indexed version);
    event SuiteRetired(uint32 indexed version);
    event OptedIn(uint32 indexed version, address indexed operator);
    event OptedOut(uint32 indexed version, address indexed operator);
    event GatewayListed(address indexed requester, string url);

    /// @notice Announces the next version; the governor only.
    function announce(
        Suite calldata suite
    ) external returns (uint32 version);
    /// @notice Anyone, after the delay.
    function list(
        uint32 version
    ) external;
    /// @notice Marks a version as closed to new work, or takes an announcement back; the governor only.
    function retire(
        uint32 version
    ) external;
    /// @notice The calling operator will work for this version.
    function optIn(
        uint32 version
    ) external;
    function optOut(
        uint32 version
    ) external;
    /// @notice The calling requester says where workers connect to it; an empty text takes it back.
    function listGateway(
        string calldata url
    ) external;

    function delay() external view returns (uint32);
    function governor() external view returns (address);
    function latestVersion() external view returns (uint32);
    function getSuite(
        uint32 version
    ) external view returns (Suite memory);
    function hasOptedIn(
        uint32 version,
        address operator
    ) external view returns (bool);
    function optInCount(
        uint32 version
    ) external view returns (uint256);
}
