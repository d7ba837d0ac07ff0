// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Create3Factory} from "../../src/deployment/Create3Factory.sol";

contract Deployable {
    uint256 public immutable value;

    error Refused(uint256 value);

    constructor(
        uint256 value_
    ) {
        require(value_ != 13, Refused(value_));
        value = value_;
    }
}

contract Create3FactoryTest is Test {
    bytes32 private constant SALT = keccak256("salt");

    Create3Factory private factory = new Create3Factory();
    address private deployer = makeAddr("deployer");

    function test_deploy_createsAtTheAddressThatWasKnown() public {
        address expected = factory.addressOf(deployer, SALT);
        assertEq(expected.code.length, 0);
        vm.expectEmit(address(factory));
        emit Create3Factory.Deployed(deployer, SALT, expected);
        assertEq(deployAs(deployer, SALT, 7), expected);
        assertEq(Deployable(expected).value(), 7);
    }

    function test_addressOf_dependsOnDeployerAndSaltAndNotOnCode() public {
        assertNotEq(factory.addressOf(deployer, SALT), factory.addressOf(address(this), SALT));
        assertNotEq(factory.addressOf(deployer, SALT), factory.addressOf(deployer, keccak256("other")));
        assertEq(deployAs(deployer, SALT, 8), factory.addressOf(deployer, SALT));
    }

    function test_deploy_refusesASaltTwice() public {
        deployAs(deployer, SALT, 7);
        vm.expectRevert(Errors.FailedDeployment.selector);
        deployAs(deployer, SALT, 8);
    }

    function test_Attack_SquattingAnAddress() public {
        address wanted = factory.addressOf(deployer, SALT);
        assertNotEq(deployAs(makeAddr("squatter"), SALT, 7), wanted);
        assertEq(wanted.code.length, 0);
        assertEq(deployAs(deployer, SALT, 7), wanted);
    }

    function test_deploy_revertsWithTheConstructorsError() public {
        vm.expectRevert(abi.encodeWithSelector(Deployable.Refused.selector, 13));
        deployAs(deployer, SALT, 13);
        // A refused deployment uses nothing up.
        assertEq(deployAs(deployer, SALT, 7), factory.addressOf(deployer, SALT));
    }

    function test_deploy_refusesNoCode() public {
        vm.expectRevert(Create3.Create3EmptyBytecode.selector);
        factory.deploy(SALT, "");
    }

    function deployAs(
        address account,
        bytes32 salt,
        uint256 value
    ) private returns (address) {
        bytes memory creationCode = abi.encodePacked(type(Deployable).creationCode, abi.encode(value));
        vm.prank(account);
        return factory.deploy(salt, creationCode);
    }
}
