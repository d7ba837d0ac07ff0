// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConfirmedLane} from "../../src/interfaces/IConfirmedLane.sol";
import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IOperatorRegistry} from "../../src/interfaces/IOperatorRegistry.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Disputes} from "./Disputes.sol";

/// @dev What is where, by the contracts' own words; and everybody's way out.
abstract contract Exits is Disputes {
    // ------------------------------------------------------------ claims

    function stakeClaims() public view returns (uint256 sum) {
        for (uint256 i; i < OPERATORS; ++i) {
            sum += operators.getOperator(operatorAt(i)).stake;
        }
    }

    function creditClaims() public view returns (uint256 sum) {
        for (uint256 i; i < funders.length; ++i) {
            (uint256 available, uint256 withdrawing,) = coordinator.creditOf(funders[i]);
            sum += available + withdrawing;
        }
    }

    function coordinatorClaims() public view returns (uint256 sum) {
        sum = creditClaims() + reservations() + coordinator.treasuryBalance();
        for (uint256 i; i < accounts.length; ++i) {
            sum += coordinator.earningsOf(accounts[i]);
        }
        sum += coordinator.uncollectedFees(requester) + coordinator.uncollectedFees(contractCaller);
        sum += coordinator.requesterBond(requester).amount;
    }

    function courtClaims() public view returns (uint256 sum) {
        for (uint256 i; i < accounts.length; ++i) {
            sum += court.balanceOf(accounts[i]);
        }
        for (uint256 i; i < FUNCTIONS; ++i) {
            sum += court.getOwnerBond(functionIds[i]).amount;
        }
        for (uint256 i; i < cases.length; ++i) {
            ICourtFilings.Case memory found = court.getCase(cases[i]);
            if (_isSitting(found.status)) sum += uint256(found.bond) + found.cover;
        }
    }

    function escrowClaims() public view returns (uint256 sum) {
        for (uint256 i; i < accounts.length; ++i) {
            sum += escrow.balanceOf(accounts[i]);
        }
        for (uint256 i; i < book.length; ++i) {
            if (!book[i].isEscrowed) continue;
            bytes32 quoteId = book[i].execution.ticket.quoteId;
            IPaymentEscrow.EscrowStatus status = escrow.getEscrow(quoteId).status;
            bool isHeld = status == IPaymentEscrow.EscrowStatus.Open || status == IPaymentEscrow.EscrowStatus.Settled;
            if (isHeld) sum += book[i].terms.price;
            if (escrow.getSecondClaim(quoteId).claimant != address(0)) sum += book[i].terms.price;
        }
    }

    /// @dev What tickets on chain may still cost: it has left the accounts of their funders.
    function reservations() public view returns (uint256 sum) {
        for (uint256 i; i < book.length; ++i) {
            if (!book[i].isPosted) continue;
            IConfirmedLane.PostedStatus status = lane.getPosted(book[i].execution.attestation.requestId).status;
            bool isOpen = status == IConfirmedLane.PostedStatus.Open || status == IConfirmedLane.PostedStatus.Agreed;
            if (isOpen) sum += book[i].execution.ticket.fee;
        }
    }

    /// @dev How many operators work, by the registry and by their own status; and whose stake counts from two epochs on.
    function countedOperators()
        external
        view
        returns (uint256 activeCount, uint256 active, uint256 totalStake, uint256 stake)
    {
        uint32 epoch = operators.currentEpoch() + 2;
        (activeCount, totalStake) = (operators.activeCount(), operators.getEpoch(epoch).totalStake);
        for (uint256 i; i < OPERATORS; ++i) {
            IOperatorRegistry.Operator memory found = operators.getOperator(operatorAt(i));
            if (found.status != IOperatorRegistry.OperatorStatus.Active) continue;
            ++active;
            stake += found.stake;
        }
    }

    /// @dev Everything that is anywhere.
    function held() public view returns (uint256 sum) {
        for (uint256 i; i < accounts.length; ++i) {
            sum += token.balanceOf(accounts[i]);
        }
        for (uint256 i; i < deposits.length; ++i) {
            sum += token.balanceOf(deposits[i]);
        }
        sum += token.balanceOf(address(operators)) + token.balanceOf(address(coordinator));
        sum += token.balanceOf(address(court)) + token.balanceOf(address(escrow));
    }

    // ------------------------------------------------------------ exits

    /// @dev Everybody leaves, in the order in which one thing holds another: disputes, tickets, payments, bonds, stake. What is
    /// not paid goes back; what neither is paid nor goes back fails here.
    function everybodyLeaves() external {
        _endDisputes();
        skip(times().unbondingPeriod);
        for (uint256 i; i < book.length; ++i) {
            if (book[i].isPosted) _endTicket(book[i].execution);
            if (book[i].isEscrowed) _endPayment(book[i].terms);
        }
        _unbond();
        skip(times().unbondingPeriod);
        _withdrawStakeAndBonds();
        _withdrawCredit();
        for (uint256 i; i < accounts.length; ++i) {
            vm.startPrank(accounts[i]);
            if (coordinator.earningsOf(accounts[i]) != 0) coordinator.withdrawEarnings(accounts[i]);
            if (escrow.balanceOf(accounts[i]) != 0) escrow.withdraw(accounts[i]);
            if (accounts[i] != BURNED && court.balanceOf(accounts[i]) != 0) court.withdraw(accounts[i]);
            vm.stopPrank();
        }
        if (court.balanceOf(BURNED) != 0) court.burn();
        if (coordinator.treasuryBalance() != 0) coordinator.withdrawTreasury();
    }

    function _endDisputes() private {
        for (uint256 i; i < cases.length; ++i) {
            while (_isSitting(court.getCase(cases[i]).status)) {
                uint256 endsAt = uint256(court.getCase(cases[i]).phaseEndsAt) + times().juryPhase;
                if (vm.getBlockTimestamp() <= endsAt) vm.warp(endsAt + 1);
                court.concludeJury(cases[i]);
            }
        }
    }

    function _endTicket(
        Execution memory execution
    ) private {
        bytes32 requestId = execution.attestation.requestId;
        IConfirmedLane.PostedStatus status = lane.getPosted(requestId).status;
        if (status == IConfirmedLane.PostedStatus.Open) return lane.expire(execution.ticket);
        if (status != IConfirmedLane.PostedStatus.Agreed) return;
        try lane.finalise(execution.ticket) {}
        catch {
            lane.expire(execution.ticket);
        }
    }

    function _endPayment(
        IPaymentEscrow.EscrowTerms memory terms
    ) private {
        bytes32 quoteId = escrow.quoteIdOf(terms);
        IPaymentEscrow.Escrow memory found = escrow.getEscrow(quoteId);
        if (escrow.getSecondClaim(quoteId).claimant != address(0)) escrow.returnSecondPayment(terms);
        if (found.status == IPaymentEscrow.EscrowStatus.Open) {
            escrow.refund(terms);
        } else if (found.status == IPaymentEscrow.EscrowStatus.Settled) {
            try escrow.release(terms) {}
            catch {
                escrow.refund(terms);
            }
        }
    }

    function _unbond() private {
        IExecutionCoordinator.RequesterBond memory bond = coordinator.requesterBond(requester);
        if (bond.amount != 0 && bond.withdrawableAt == 0) {
            vm.prank(requester);
            coordinator.unbondRequester();
        }
        for (uint256 i; i < FUNCTIONS; ++i) {
            ICourtFilings.OwnerBond memory found = court.getOwnerBond(functionIds[i]);
            if (found.amount == 0 || found.withdrawableAt != 0) continue;
            vm.prank(owner);
            court.unbondFunction(functionIds[i]);
        }
        for (uint256 i; i < OPERATORS; ++i) {
            IOperatorRegistry.OperatorStatus status = operators.getOperator(operatorAt(i)).status;
            bool isIn = status == IOperatorRegistry.OperatorStatus.Active
                || status == IOperatorRegistry.OperatorStatus.Draining
                || status == IOperatorRegistry.OperatorStatus.Jailed;
            if (!isIn) continue;
            vm.prank(operatorAt(i));
            operators.unbond();
        }
    }

    function _withdrawStakeAndBonds() private {
        for (uint256 i; i < OPERATORS; ++i) {
            if (operators.getOperator(operatorAt(i)).status != IOperatorRegistry.OperatorStatus.Unbonding) continue;
            vm.prank(operatorAt(i));
            operators.withdrawStake(operatorAt(i));
        }
        if (coordinator.requesterBond(requester).amount != 0) {
            vm.prank(requester);
            coordinator.withdrawRequesterBond(requester);
        }
        for (uint256 i; i < FUNCTIONS; ++i) {
            if (court.getOwnerBond(functionIds[i]).amount == 0) continue;
            vm.prank(owner);
            court.withdrawOwnerBond(functionIds[i], owner);
        }
    }

    function _withdrawCredit() private {
        address[2] memory requesters = [requester, contractCaller];
        for (uint256 i; i < 2; ++i) {
            if (coordinator.uncollectedFees(requesters[i]) != 0) coordinator.collectFees(requesters[i]);
        }
        for (uint256 i; i < funders.length; ++i) {
            uint256 available = availableOf(funders[i]);
            if (available == 0) continue;
            vm.prank(funders[i]);
            coordinator.requestCreditWithdrawal(uint96(available));
        }
        skip(1 days);
        for (uint256 i; i < funders.length; ++i) {
            (, uint256 withdrawing,) = coordinator.creditOf(funders[i]);
            if (withdrawing == 0) continue;
            vm.prank(funders[i]);
            coordinator.withdrawCredit(funders[i]);
        }
    }

    // ------------------------------------------------------------ for the test

    function contracts() external view returns (address[8] memory) {
        return [
            address(operators),
            address(coordinator),
            address(court),
            address(escrow),
            address(lane),
            address(functions),
            address(protocolParameters),
            address(directory)
        ];
    }

    function balanceOf(
        address account
    ) external view returns (uint256) {
        return token.balanceOf(account);
    }

    function supply() external view returns (uint256) {
        return token.totalSupply();
    }

    /// @dev Credit that came in, and where it is: still credit, taken out, or paid for requests.
    function creditFlow() external view returns (uint256 cameIn, uint256 isSomewhere) {
        return (creditIn, creditClaims() + reservations() + creditOut + feesPaid);
    }
}
