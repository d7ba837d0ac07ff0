// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {CoordinatorActors} from "./fixtures/CoordinatorActors.sol";

contract InvariantsTest is Test {
    CoordinatorActors private _actors;

    function setUp() public {
        _actors = new CoordinatorActors();
        _actors.setUp();
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = CoordinatorActors.passTime.selector;
        selectors[1] = CoordinatorActors.depositCredit.selector;
        selectors[2] = CoordinatorActors.changeLine.selector;
        selectors[3] = CoordinatorActors.requestWithdrawal.selector;
        selectors[4] = CoordinatorActors.withdraw.selector;
        selectors[5] = CoordinatorActors.changeOperator.selector;
        selectors[6] = CoordinatorActors.settleNew.selector;
        selectors[7] = CoordinatorActors.settleTwo.selector;
        selectors[8] = CoordinatorActors.settleAgain.selector;
        selectors[9] = CoordinatorActors.postNew.selector;
        selectors[10] = CoordinatorActors.submitPosted.selector;
        selectors[11] = CoordinatorActors.expirePosted.selector;
        targetContract(address(_actors));
        targetSelector(FuzzSelector({addr: address(_actors), selectors: selectors}));
    }

    /// @dev Every token in the contract is somebody's, and everybody's token is there.
    function invariant_tokensHeldAreTheSumOfAllClaims() public view {
        assertEq(_actors.held(), _actors.claims());
    }

    function invariant_operatorCountIsTheNumberOfActiveOperators() public view {
        assertEq(_actors.countedOperators(), _actors.activeOperators());
    }

    function invariant_reservedIsWhatOpenPostedTicketsNeed() public view {
        (uint256 total, uint256 reserved) = _actors.openFees();
        assertEq(total, reserved);
    }
}
