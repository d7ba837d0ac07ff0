// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {World} from "./World.sol";

/// @dev Time, funders, requesters' bonds, operators, the governor; everything that is pulled.
abstract contract Money is World {
    function passTime(
        uint256 seed
    ) external acts("passTime") {
        skip(seed % 16 == 0 ? between(seed >> 8, 1 hours, 30 hours) : between(seed >> 8, 1, 600));
        vm.roll(vm.getBlockNumber() + between(seed >> 64, 1, seed % 16 == 0 ? 300 : 20));
        if ((seed >> 128) % 8 != 0) makeSeed(operators.currentEpoch());
    }

    function fund(
        uint256 seed
    ) external acts("fund") {
        address account = funders[seed % funders.length];
        uint96 amount = uint96(between(seed >> 8, 1, 5e6));
        fillPurse(account, amount, address(coordinator));
        vm.prank(account);
        coordinator.depositCredit(account, amount);
        creditIn += amount;
    }

    function changeLine(
        uint256 seed
    ) external acts("changeLine") {
        address account = seed % 2 == 0 ? funder : sponsor;
        if ((seed >> 8) % 3 == 0) {
            vm.prank(account);
            coordinator.revokeCreditLine(requester);
        } else {
            _grant(account, uint96(between(seed >> 16, 1, CAP)));
        }
    }

    function requestCreditWithdrawal(
        uint256 seed
    ) external acts("requestCreditWithdrawal") {
        address account = funders[seed % funders.length];
        uint256 amount = between(seed >> 8, 1, 1 + availableOf(account) / 3);
        vm.prank(account);
        coordinator.requestCreditWithdrawal(uint96(amount));
    }

    function withdrawCredit(
        uint256 seed
    ) external acts("withdrawCredit") {
        address account = funders[seed % funders.length];
        vm.prank(account);
        creditOut += coordinator.withdrawCredit(account);
    }

    function changeRequesterBond(
        uint256 seed
    ) external acts("changeRequesterBond") {
        uint96 bond = parameters().requesterBond;
        fillPurse(requester, bond, address(coordinator));
        vm.prank(requester);
        if (seed % 16 == 0) coordinator.unbondRequester();
        else if (seed % 16 == 1) coordinator.withdrawRequesterBond(requester);
        else coordinator.bondRequester(seed % 16 < 14 ? bond : 1 + bond / 3);
    }

    /// @dev The requester takes its own tickets away, settled and not.
    function voidSequences(
        uint256 seed
    ) external acts("voidSequences") {
        uint64 word = nextNumber >> 8;
        if (seed % 4 == 0 && word != 0) --word;
        uint256 mask = seed % 4 < 2 ? type(uint256).max : 1 << (seed >> 8) % 256;
        vm.prank(requester);
        coordinator.voidSequences(word, mask);
        // A void word is behind: the next numbers are in the next one.
        if (mask == type(uint256).max && word == nextNumber >> 8) nextNumber = (word + 1) << 8;
    }

    function register(
        uint256 seed
    ) external acts("register") {
        uint256 index = seed % OPERATORS;
        for (uint256 n; n < OPERATORS && _isRegistered(index); ++n) {
            index = (index + 1) % OPERATORS;
        }
        keys[index] = freshKey(index);
        register(operatorAt(index), keys[index], uint96(between(seed >> 8, 100e6, 300e6)));
    }

    function _isRegistered(
        uint256 index
    ) private view returns (bool) {
        IOperatorRegistry.OperatorStatus status = operators.getOperator(operatorAt(index)).status;
        return status != IOperatorRegistry.OperatorStatus.None && status != IOperatorRegistry.OperatorStatus.Withdrawn;
    }

    /// @dev Whoever can go back to work does: with stake, with a key, out of jail when its time is over.
    function comeBack(
        uint256 seed
    ) external acts("comeBack") {
        for (uint256 index; index < OPERATORS; ++index) {
            address operator = operatorAt(index);
            IOperatorRegistry.Operator memory found = operators.getOperator(operator);
            bool isDraining = found.status == IOperatorRegistry.OperatorStatus.Draining;
            bool isFree = found.status == IOperatorRegistry.OperatorStatus.Jailed
                && vm.getBlockTimestamp() >= found.jailedUntil && (seed >> index) % 2 == 0;
            if (!isDraining && !isFree) continue;
            if (found.stake < 100e6) {
                token.mint(operator, 100e6 - found.stake);
                vm.prank(operator);
                operators.addStake(100e6 - found.stake);
            }
            if (isFree || found.executionKey == address(0)) {
                _bindFreshKey(index, isFree, false);
            } else {
                vm.prank(operator);
                operators.resume();
            }
        }
    }

    function changeKey(
        uint256 seed
    ) external acts("changeKey") {
        uint256 index = seed % OPERATORS;
        address operator = operatorAt(index);
        bool isJailed = operators.getOperator(operator).status == IOperatorRegistry.OperatorStatus.Jailed;
        uint256 until = operators.getOperator(operator).jailedUntil;
        if (isJailed && (seed >> 4) % 8 == 0) vm.warp(max(vm.getBlockTimestamp(), until - 1 + (seed >> 8) % 3));
        _bindFreshKey(index, isJailed, (seed >> 8) % 4 == 0);
    }

    function _bindFreshKey(
        uint256 index,
        bool isJailed,
        bool isRevoked
    ) private {
        uint256 key = freshKey(index);
        address executionKey = vm.addr(key);
        bytes memory proof = signKeyProof(key, operatorAt(index));
        vm.prank(operatorAt(index));
        if (isJailed) operators.release(executionKey, proof);
        else if (isRevoked) return operators.revokeExecutionKey();
        else operators.rotateExecutionKey(executionKey, proof);
        keys[index] = key;
    }

    function changeStatus(
        uint256 seed
    ) external acts("changeStatus") {
        address operator = operatorAt(seed % OPERATORS);
        IOperatorRegistry.OperatorStatus status = operators.getOperator(operator).status;
        uint96 amount = uint96(between(seed >> 16, 1, 60e6));
        bool isDraining = status == IOperatorRegistry.OperatorStatus.Draining;
        uint256 kind = (seed >> 8) % 16;
        vm.prank(operator);
        if (isDraining && kind > 3) operators.resume();
        else if (kind == 0) operators.unbond();
        else if (kind < 3) operators.drain();
        else operators.addStake(amount);
    }

    /// @dev No stake leaves before everything that its key signed is out of reach of a dispute.
    function withdrawStake(
        uint256 seed
    ) external acts("withdrawStake") {
        uint256 index = seed % OPERATORS;
        // Whoever is accused leaves first.
        bool isAccused = (seed >> 20) % 2 == 0;
        for (uint256 n; n < OPERATORS && !(isAccused ? _hasCases(index) : _isLeaving(index)); ++n) {
            index = (index + 1) % OPERATORS;
        }
        address operator = operatorAt(index);
        if (!_isLeaving(index)) {
            require(isAccused || (seed >> 12) % 4 == 0, "nobody leaves");
            vm.prank(operator);
            operators.unbond();
        }
        IOperatorRegistry.Operator memory found = operators.getOperator(operator);
        if ((seed >> 4) % 4 == 0) {
            vm.warp(max(vm.getBlockTimestamp(), found.statusSince + times().unbondingPeriod - (seed >> 8) % 2));
        }
        vm.prank(operator);
        uint256 amount = operators.withdrawStake(operator);
        if (amount != found.stake) breakPromise("less stake came back than there was");
        if (found.openCases != 0) breakPromise("stake left during a dispute");
        if (vm.getBlockTimestamp() <= disputableUntil[operator]) {
            breakPromise("stake left before its disputes could end");
        }
    }

    function _hasCases(
        uint256 index
    ) private view returns (bool) {
        return operators.getOperator(operatorAt(index)).openCases != 0;
    }

    function _isLeaving(
        uint256 index
    ) private view returns (bool) {
        return operators.getOperator(operatorAt(index)).status == IOperatorRegistry.OperatorStatus.Unbonding;
    }

    function withdrawEarned(
        uint256 seed
    ) external acts("withdrawEarned") {
        address account = accounts[(seed >> 8) % accounts.length];
        uint256 kind = seed % 6;
        if (kind == 0) {
            coordinator.withdrawTreasury();
        } else if (kind == 1) {
            (, uint256 toSponsor) = coordinator.collectFees(requester);
            creditIn += toSponsor;
        } else if (kind == 2) {
            court.burn();
        } else {
            vm.prank(account);
            if (kind == 3) coordinator.withdrawEarnings(account);
            else if (kind == 4) court.withdraw(account);
            else escrow.withdraw(account);
        }
    }

    function changeOwnerBond(
        uint256 seed
    ) external acts("changeOwnerBond") {
        bytes32 functionId = functionIds[seed % FUNCTIONS];
        uint96 bond = parameters().ownerBond;
        vm.prank(owner);
        if ((seed >> 8) % 16 == 0) court.unbondFunction(functionId);
        else if ((seed >> 8) % 16 < 3) court.withdrawOwnerBond(functionId, owner);
        else court.bondFunction(functionId, bond);
    }

    /// @dev A governor that does what it may.
    function govern(
        uint256 seed
    ) external acts("govern") {
        IProtocolParameters.Parameters memory next = parameters();
        next.protocolFeeBps = uint16(between(seed >> 8, 0, 5000));
        next.committeeSize = uint8(between(seed >> 24, 1, 8));
        next.sponsorShareBps = uint16(between(seed >> 32, 0, 5000));
        next.slashBps = uint16(between(seed >> 48, 3000, 5000));
        next.challengerShareBps = uint16(between(seed >> 64, 0, 5000));
        next.jurorFee = uint96(between(seed >> 80, 0, 0.6e6));
        vm.prank(governor);
        if (seed % 4 == 0) protocolParameters.cancel();
        else protocolParameters.announce(next);
        if (seed % 32 == 1) skip(times().parameterDelay);
    }

    function max(
        uint256 a,
        uint256 b
    ) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function freshKey(
        uint256 index
    ) internal view returns (uint256) {
        return uint256(keccak256(abi.encode(keys[index], operators.keyNonce(operatorAt(index))))) >> 8;
    }
}
