// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Disputes} from "./Disputes.sol";
import {Exits} from "./Exits.sol";
import {Money} from "./Money.sol";
import {Settlements} from "./Settlements.sol";

/// @dev Everybody at once.
contract Actors is Exits {}

/// @dev Funders, requesters, operators, payers, challengers, jurors and a governor do what they like, in any order and at any
/// time, through every contract. One invariant, so that one campaign checks everything after every step.
contract SuiteInvariantsTest is Test {
    uint256 private constant STEPS = 2400;

    Actors private _actors;

    function setUp() public {
        _actors = new Actors();
        _actors.setUp();
        bytes4[] memory actions = selectors();
        targetContract(address(_actors));
        targetSelector(FuzzSelector({addr: address(_actors), selectors: actions}));
    }

    function invariant_everyTokenIsSomebodysAndEveryPromiseIsKept() public view {
        assertEq(_actors.broken(), "");
        address[8] memory all = _actors.contracts();
        assertEq(_actors.balanceOf(all[0]), _actors.stakeClaims(), "stake");
        assertEq(_actors.balanceOf(all[1]), _actors.coordinatorClaims(), "coordinator");
        assertEq(_actors.balanceOf(all[2]), _actors.courtClaims(), "court");
        assertEq(_actors.balanceOf(all[3]), _actors.escrowClaims(), "escrow");
        for (uint256 i = 4; i < all.length; ++i) {
            assertEq(_actors.balanceOf(all[i]), 0, "a contract that holds no money");
        }
        (uint256 cameIn, uint256 isSomewhere) = _actors.creditFlow();
        assertEq(cameIn, isSomewhere, "nothing is paid that was not credited");
        assertEq(_actors.held(), _actors.supply(), "no token is anywhere else");
        (uint256 activeCount, uint256 active, uint256 totalStake, uint256 stake) = _actors.countedOperators();
        assertEq(activeCount, active, "active operators");
        assertEq(totalStake, stake, "stake that counts");
    }

    /// @dev After every run: everybody leaves with everything, and nothing is left behind.
    function afterInvariant() public {
        _actors.everybodyLeaves();
        address[8] memory all = _actors.contracts();
        for (uint256 i; i < all.length; ++i) {
            assertEq(_actors.balanceOf(all[i]), 0, "left behind");
        }
        assertEq(_actors.held(), _actors.supply());
    }

    /// @dev The run above is worth nothing if what it tries always fails: a long one, in which every action succeeds, and
    /// juries come to every verdict.
    function test_everyActionSucceeds() public {
        bytes4[] memory all = selectors();
        uint256[] memory succeeded = new uint256[](all.length);
        for (uint256 i; i < STEPS; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 which = (seed >> 200) % all.length;
            (bool isDone,) = address(_actors).call(abi.encodeWithSelector(all[which], seed));
            if (isDone) ++succeeded[which];
        }
        for (uint256 i; i < all.length; ++i) {
            assertGt(succeeded[i], 0, string.concat("never succeeded: ", vm.toString(bytes32(all[i]))));
        }
        assertGt(_actors.done("silence"), 0, "silence");
        for (uint256 verdict = 3; verdict < 9; ++verdict) {
            string memory name = string.concat("verdict ", vm.toString(verdict));
            assertGt(_actors.done(name), 0, name);
        }
        invariant_everyTokenIsSomebodysAndEveryPromiseIsKept();
        afterInvariant();
    }

    function selectors() private pure returns (bytes4[] memory all) {
        bytes4[38] memory each = [
            Money.passTime.selector,
            Money.passTime.selector,
            Money.fund.selector,
            Money.changeLine.selector,
            Money.requestCreditWithdrawal.selector,
            Money.withdrawCredit.selector,
            Money.changeRequesterBond.selector,
            Money.voidSequences.selector,
            Money.register.selector,
            Money.changeKey.selector,
            Money.changeStatus.selector,
            Money.withdrawStake.selector,
            Money.withdrawEarned.selector,
            Money.changeOwnerBond.selector,
            Money.govern.selector,
            Settlements.settleNew.selector,
            Settlements.settleMany.selector,
            Settlements.settleAgain.selector,
            Settlements.signQuorum.selector,
            Settlements.settleQuorum.selector,
            Settlements.reportCommitSets.selector,
            Settlements.post.selector,
            Settlements.request.selector,
            Settlements.submit.selector,
            Settlements.commit.selector,
            Settlements.open.selector,
            Settlements.finalise.selector,
            Settlements.expire.selector,
            Disputes.payInEscrow.selector,
            Disputes.payAgain.selector,
            Disputes.settleEscrow.selector,
            Disputes.releaseEscrow.selector,
            Disputes.refundEscrow.selector,
            Disputes.challenge.selector,
            Disputes.reportConflict.selector,
            Disputes.audit.selector,
            Disputes.commitVotes.selector,
            Disputes.revealVotes.selector
        ];
        bytes4[11] memory more = [
            Settlements.answerContract.selector,
            Money.comeBack.selector,
            Money.comeBack.selector,
            Settlements.postAndSubmit.selector,
            Settlements.agreeOnChain.selector,
            Settlements.answerLate.selector,
            Disputes.holdTrial.selector,
            Disputes.concludeJury.selector,
            Disputes.reportEquivocation.selector,
            Disputes.answerAudit.selector,
            Disputes.returnSecondPayment.selector
        ];
        all = new bytes4[](each.length + more.length);
        for (uint256 i; i < each.length; ++i) {
            all[i] = each[i];
        }
        for (uint256 i; i < more.length; ++i) {
            all[each.length + i] = more[i];
        }
    }
}
