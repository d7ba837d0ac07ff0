// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";

/// @title Gives contracts addresses that are known before their code is.
/// @notice An address follows from this factory, the deployer and a salt, and not from the code: so each contract of a suite
/// can hold the addresses of all the others as immutables. The deployer is part of the salt, so nobody takes another's address.
contract Create3Factory {
    event Deployed(address indexed deployer, bytes32 indexed salt, address indexed deployed);

    /// @notice Creates a contract at `addressOf(caller, salt)`. Reverts with the constructor's own error.
    /// @param creationCode Creation code followed by the constructor's arguments.
    function deploy(
        bytes32 salt,
        bytes calldata creationCode
    ) external returns (address deployed) {
        deployed = Create3.deploy(0, _saltOf(msg.sender, salt), creationCode);
        emit Deployed(msg.sender, salt, deployed);
    }

    /// @notice Where `deployer`'s contract of this salt is or will be.
    function addressOf(
        address deployer,
        bytes32 salt
    ) external view returns (address) {
        return Create3.computeAddress(_saltOf(deployer, salt));
    }

    function _saltOf(
        address deployer,
        bytes32 salt
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(deployer, salt));
    }
}
