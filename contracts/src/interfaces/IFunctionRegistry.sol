// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Functions, their immutable deployments and their prices.
/// @notice The whole registry can be rebuilt from its events. Money is in atomic units of the settlement token.
interface IFunctionRegistry {
    /// @notice What one function of a deployment is: the code that runs and how. Never changes once published.
    /// @param name Function name; `keccak256(bytes(name))` enters the function id.
    /// @param bundleDigest sha2-256 of the bundle, which is one raw IPFS block.
    /// @param metadataDigest sha2-256 of the metadata document (description, schemas), one raw IPFS block; zero when there is none.
    /// @param runtimeDigest sha2-256 of the root file system of the runtime image that runs it.
    /// @param limitsClass Which limits apply, see `limits.ts`.
    /// @param flags Bit 0: deterministic. Bit 1: uses the network. Bit 2: takes secrets. Bits 8-9: isolation level.
    /// @param quorum How many workers must agree.
    /// @param lane Default lane: 1 attested, 2 confirmed.
    /// @param fee What the owner pays the network for one execution.
    /// @param price What a caller pays for one execution.
    /// @param payee Who receives the price; zero means the owner.
    /// @param paymentMode 1 after, 2 upfront, 3 escrow.
    struct FunctionSpec {
        string name;
        bytes32 bundleDigest;
        bytes32 metadataDigest;
        bytes32 runtimeDigest;
        uint8 limitsClass;
        uint16 flags;
        uint8 quorum;
        uint8 lane;
        uint96 fee;
        uint128 price;
        address payee;
        uint8 paymentMode;
    }

    /// @notice One immutable version of one function.
    struct Deployment {
        bytes32 bundleDigest;
        bytes32 metadataDigest;
        bytes32 runtimeDigest;
        uint8 limitsClass;
        uint16 flags;
        uint8 quorum;
        uint8 lane;
        uint96 fee;
    }

    /// @notice What may change about a function.
    struct FunctionState {
        address owner;
        uint32 currentVersion;
        uint32 latestVersion;
        address pendingOwner;
        uint8 paymentMode;
        address payee;
        uint128 price;
    }

    /// @notice Nobody published a function of this id.
    error FunctionUnknown(bytes32 functionId);
    /// @notice Only the owner of a function may do this.
    error NotOwner(bytes32 functionId, address owner, address caller);
    /// @notice Only the address that ownership was offered to may accept it.
    error NotPendingOwner(bytes32 functionId, address pendingOwner, address caller);
    /// @notice Versions run from 1 to the latest.
    error VersionUnknown(bytes32 functionId, uint32 version, uint32 latestVersion);
    /// @notice The name breaks the rule of `Names`: lower-case letters, digits, inner hyphens, at most 64 characters.
    error NameInvalid(string name);
    /// @notice A member of the spec of function `name` has a value that means nothing.
    error SpecInvalid(string name, string member);
    /// @notice Payment modes are 1 after, 2 upfront, 3 escrow.
    error PaymentModeInvalid(bytes32 functionId, uint8 paymentMode);
    /// @notice A project without functions cannot be published.
    error NothingToPublish();

    event FunctionCreated(bytes32 indexed functionId, address indexed creator, string project, string name);
    event DeploymentPublished(bytes32 indexed functionId, uint32 indexed version, Deployment deployment);
    event CurrentVersionChanged(bytes32 indexed functionId, uint32 indexed version);
    event PriceChanged(bytes32 indexed functionId, uint128 price, address payee, uint8 paymentMode);
    event OwnershipOffered(bytes32 indexed functionId, address indexed owner, address indexed pendingOwner);
    event OwnershipTransferred(bytes32 indexed functionId, address indexed previousOwner, address indexed owner);

    /// @notice Publishes the next version of each function of a project and makes it current. The caller is the creator
    /// of functions that are new, and must own those that exist. Price, payee and mode of an existing function are
    /// changed to the spec's.
    /// @return functionIds In the order of `specs`.
    /// @return versions In the order of `specs`.
    function publish(
        string calldata project,
        FunctionSpec[] calldata specs
    ) external returns (bytes32[] memory functionIds, uint32[] memory versions);

    /// @notice The same for functions of another creator that the caller owns since a transfer: ids keep their creator.
    /// Reverts with `FunctionUnknown` for a function that the creator has not published.
    function publishVersions(
        address creator,
        string calldata project,
        FunctionSpec[] calldata specs
    ) external returns (bytes32[] memory functionIds, uint32[] memory versions);

    /// @notice Points a function at one of its versions: a rollback, or its undoing.
    function setCurrentVersion(
        bytes32 functionId,
        uint32 version
    ) external;

    /// @notice Changes what callers pay, from the next quote on.
    function setPrice(
        bytes32 functionId,
        uint128 price,
        address payee,
        uint8 paymentMode
    ) external;

    /// @notice First step of a transfer. The offer stands until it is accepted or replaced; zero withdraws it.
    function offerOwnership(
        bytes32 functionId,
        address newOwner
    ) external;

    /// @notice Second step: the caller becomes the owner.
    function acceptOwnership(
        bytes32 functionId
    ) external;

    /// @notice Reverts with `FunctionUnknown` for an id that nobody published.
    function getFunction(
        bytes32 functionId
    ) external view returns (FunctionState memory);

    /// @notice Reverts with `VersionUnknown` for a version that does not exist.
    function getDeployment(
        bytes32 functionId,
        uint32 version
    ) external view returns (Deployment memory);

    /// @notice `keccak256(abi.encode(creator, keccak256(project), keccak256(name)))`.
    function functionIdOf(
        address creator,
        string calldata project,
        string calldata name
    ) external pure returns (bytes32);
}
