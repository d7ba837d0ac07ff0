// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICourtFilings} from "../../src/interfaces/ICourtFilings.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {Settlements} from "./Settlements.sol";

/// @dev Payers with and without good manners; challengers, auditors, jurors of every kind.
abstract contract Disputes is Settlements {
    bytes32[] internal asked;

    // ------------------------------------------------------------ escrow

    function payInEscrow(
        uint256 seed
    ) external acts("payInEscrow") {
        _newPayment(seed);
    }

    function settleEscrow(
        uint256 seed
    ) external acts("settleEscrow") {
        bool isNew = seed % 2 == 0;
        Entry memory entry = isNew ? _newPayment(seed) : _escrowed(seed, IPaymentEscrow.EscrowStatus.Open);
        if (isNew) skip((seed >> 140) % 600);
        Execution memory execution = entry.execution;
        bytes[] memory signatures = new bytes[](execution.keys.length);
        for (uint256 i; i < signatures.length; ++i) {
            signatures[i] = signAttestation(execution.keys[i], execution.attestation);
        }
        bytes memory signature = signTicket(REQUESTER_KEY, execution.ticket);
        escrow.settle(entry.terms, execution.ticket, signature, execution.attestation, signatures);
    }

    function _newPayment(
        uint256 seed
    ) private returns (Entry memory entry) {
        entry = newEntry(seed, (seed >> 128) % 4 == 0 ? 2 : 1, Messages.LANE_ATTESTED);
        IPaymentEscrow.EscrowTerms memory terms = newTerms(nextNumber);
        IExecutionCoordinator.Ticket memory ticket = entry.execution.ticket;
        (terms.functionId, terms.inputSeal) = (ticket.functionId, ticket.inputSeal);
        (ticket.payer, ticket.payee, ticket.price) = (payer, terms.payee, terms.price);
        ticket.quoteId = escrow.quoteIdOf(terms);
        entry.execution.attestation.requestId = idOf(ticket);
        (entry.terms, entry.isEscrowed) = (terms, true);
        remember(entry);
        deposits.push(escrow.depositAddressOf(terms));
        _pay(terms, (seed >> 132) % 5);
    }

    /// @dev More money and more claims for a quote that is paid.
    function payAgain(
        uint256 seed
    ) external acts("payAgain") {
        _pay(_escrowed(seed, IPaymentEscrow.EscrowStatus.Open).terms, 1 + (seed >> 132) % 4);
    }

    function releaseEscrow(
        uint256 seed
    ) external acts("releaseEscrow") {
        Entry memory entry = _escrowed(seed, IPaymentEscrow.EscrowStatus.Settled);
        if (seed % 8 == 0) vm.warp(max(vm.getBlockTimestamp(), entry.terms.deadline + times().challengeWindow + 1));
        escrow.release(entry.terms);
        if (entry.execution.attestation.status >= 400) breakPromise("a failed result was released");
        bytes32 requestId = entry.execution.attestation.requestId;
        if (court.openCasesOf(requestId) != 0) breakPromise("a payment was released during a dispute");
    }

    function refundEscrow(
        uint256 seed
    ) external acts("refundEscrow") {
        bool isSettled = (seed >> 8) % 2 == 0;
        Entry memory entry =
            _escrowed(seed, isSettled ? IPaymentEscrow.EscrowStatus.Settled : IPaymentEscrow.EscrowStatus.Open);
        if (seed % 16 == 0) vm.warp(max(vm.getBlockTimestamp(), entry.terms.deadline + 2 * times().settlementGrace));
        IPaymentEscrow.Escrow memory before = escrow.getEscrow(entry.execution.ticket.quoteId);
        escrow.refund(entry.terms);
        uint256 until = uint256(entry.terms.deadline) + times().settlementGrace;
        if (before.status == IPaymentEscrow.EscrowStatus.Open && vm.getBlockTimestamp() <= until) {
            breakPromise("a payment went back before a result could come");
        }
    }

    function returnSecondPayment(
        uint256 seed
    ) external acts("returnSecondPayment") {
        escrow.returnSecondPayment(_escrowed(seed, IPaymentEscrow.EscrowStatus.Refunded).terms);
    }

    /// @dev 0 by the payer through the escrow; 1 by an authorization that the escrow executes; 2 by one that somebody else
    /// executed; 3 by one that was cancelled; 4 by a transfer that nobody signed for, and a claim to it.
    function _pay(
        IPaymentEscrow.EscrowTerms memory terms,
        uint256 way
    ) private {
        uint256 key = way % 2 == 0 ? PAYER_KEY : THIEF_KEY;
        if (way == 0) {
            vm.prank(payer);
            escrow.pay(terms);
            return;
        }
        bytes32 nonce = keccak256(abi.encode(terms.nonce, way, token.totalSupply(), vm.getBlockNumber()));
        IPaymentEscrow.Authorization memory given = authorize(key, terms, nonce);
        if (way == 2) executeElsewhere(terms, given);
        if (way == 3) cancel(key, nonce);
        if (way == 4) {
            token.mint(depositOf(terms), terms.price);
            cancel(key, nonce);
        }
        escrow.open(terms, given);
    }

    /// @dev A payment in this status, from some place in the book backwards. Sometimes any.
    function _escrowed(
        uint256 seed,
        IPaymentEscrow.EscrowStatus status
    ) internal view returns (Entry memory) {
        uint256 index = pick(seed);
        for (uint256 n; n < min(book.length, 40); ++n) {
            bool isIt = escrow.getEscrow(book[index].execution.ticket.quoteId).status == status;
            if (book[index].isEscrowed && (isIt || seed % 8 == 1)) return book[index];
            index = index == 0 ? book.length - 1 : index - 1;
        }
        revert("nothing is in escrow");
    }

    // ------------------------------------------------------------ accusations

    function challenge(
        uint256 seed
    ) external acts("challenge") {
        bytes32 caseId = _challenge(book[pick(seed)].execution, seed);
        if ((seed >> 144) % 4 != 0) _try(caseId, seed);
    }

    function _challenge(
        Execution memory execution,
        uint256 seed
    ) private returns (bytes32 caseId) {
        bytes memory input = (seed >> 128) % 2 == 0 ? abi.encodePacked(INPUT_SALT, REQUEST) : bytes("");
        bytes memory ticketSignature = _ticketSignature(execution.ticket);
        bytes memory signature = signAttestation(execution.keys[0], execution.attestation);
        address[3] memory challengers = [anyone, thief, operatorAt((seed >> 136) % OPERATORS)];
        vm.prank(challengers[(seed >> 132) % 3]);
        caseId = court.challenge(execution.ticket, ticketSignature, execution.attestation, signature, input, "cid");
        cases.push(caseId);
    }

    function reportConflict(
        uint256 seed
    ) external acts("reportConflict") {
        Execution memory execution = book[pickQuorum(seed)].execution;
        IExecutionCoordinator.Attestation memory second = _otherThan(execution.attestation);
        bytes32 caseId = court.reportConflict(
            execution.ticket,
            _ticketSignature(execution.ticket),
            execution.attestation,
            signAttestation(execution.keys[0], execution.attestation),
            second,
            signAttestation(execution.keys[1], second),
            "",
            "cid"
        );
        cases.push(caseId);
        if ((seed >> 144) % 4 != 0) _try(caseId, seed);
    }

    function reportEquivocation(
        uint256 seed
    ) external acts("reportEquivocation") {
        require((seed >> 140) % 4 == 0, "not today");
        Execution memory execution = book[pick(seed)].execution;
        IExecutionCoordinator.Attestation memory second = _otherThan(execution.attestation);
        bytes memory ticketSignature = _ticketSignature(execution.ticket);
        bytes memory firstSignature = signAttestation(execution.keys[0], execution.attestation);
        bytes memory secondSignature = signAttestation(execution.keys[0], second);
        vm.prank(anyone);
        court.reportEquivocation(
            execution.ticket, ticketSignature, execution.attestation, firstSignature, second, secondSignature
        );
    }

    /// @dev An auditor with a seat asks for the input, gets it or not, and attests the same or something else.
    function audit(
        uint256 seed
    ) external acts("audit") {
        Execution memory execution = book[pick(seed)].execution;
        IExecutionCoordinator.Ticket memory ticket = execution.ticket;
        uint32 auditEpoch = ticket.epoch + 3;
        if (operators.currentEpoch() + 1 < auditEpoch) vm.warp(uint256(auditEpoch) * times().epochSeconds);
        makeSeed(auditEpoch);
        uint256 auditor = _auditorOf(execution);
        bytes memory ticketSignature = _ticketSignature(ticket);
        bytes memory signature = signAttestation(execution.keys[0], execution.attestation);
        if ((seed >> 128) % 3 == 0) {
            vm.prank(operatorAt(auditor));
            court.requestAuditInput(ticket, ticketSignature, execution.attestation, signature);
            asked.push(execution.attestation.requestId);
            return;
        }
        IExecutionCoordinator.Attestation memory own =
            (seed >> 132) % 4 == 0 ? _otherThan(execution.attestation) : execution.attestation;
        bytes memory ownSignature = signAttestation(keys[auditor], own);
        vm.prank(operatorAt(auditor));
        bytes32 caseId =
            court.audit(ticket, ticketSignature, execution.attestation, signature, own, ownSignature, "", "cid");
        if (caseId != 0) cases.push(caseId);
    }

    function answerAudit(
        uint256 seed
    ) external acts("answerAudit") {
        bytes32 requestId = asked[seed % asked.length];
        if (seed % 2 == 0) return court.giveAuditInput(requestId, abi.encodePacked(INPUT_SALT, REQUEST), "");
        if (seed % 4 == 1) skip(times().juryPhase + 1);
        court.closeAudit(requestId);
    }

    function _auditorOf(
        Execution memory execution
    ) private view returns (uint256 index) {
        bytes32 requestId = execution.attestation.requestId;
        for (; index < OPERATORS; ++index) {
            (, bool isAuditor) = court.auditOf(requestId, execution.ticket.epoch, operatorAt(index));
            if (isAuditor && operators.getExecutionKey(vm.addr(execution.keys[0])).operator != operatorAt(index)) {
                return index;
            }
        }
        revert("nobody audits this");
    }

    function _otherThan(
        IExecutionCoordinator.Attestation memory first
    ) private pure returns (IExecutionCoordinator.Attestation memory second) {
        second = IExecutionCoordinator.Attestation(
            first.protocolVersion, first.requestId, keccak256("something else"), first.outcome, first.status, first.seat
        );
    }

    /// @dev A contract's ticket has no signature: it stands on chain.
    function _ticketSignature(
        IExecutionCoordinator.Ticket memory ticket
    ) private view returns (bytes memory) {
        return ticket.requester == requester ? signTicket(REQUESTER_KEY, ticket) : bytes("");
    }

    // ------------------------------------------------------------ juries

    /// @dev Every operator with a seat commits to what the jury's mood is: mostly they agree with each other.
    function commitVotes(
        uint256 seed
    ) external acts("commitVotes") {
        _commitVotes(_committingCase(seed), seed);
    }

    function revealVotes(
        uint256 seed
    ) external acts("revealVotes") {
        for (uint256 n = cases.length; n != 0; --n) {
            ICourtFilings.Case memory found = court.getCase(cases[n - 1]);
            if (!_isSitting(found.status)) continue;
            uint8 jury = found.status == ICourtFilings.CaseStatus.FirstJury ? 1 : 2;
            ICourtFilings.Tally memory tally = court.getTally(cases[n - 1], jury);
            bool isInTime = vm.getBlockTimestamp() <= uint256(found.phaseEndsAt) + times().juryPhase;
            if (isInTime && tally.commits > tally.votes && seed != 0) return _revealVotes(cases[n - 1]);
        }
        revert("nothing to reveal");
    }

    function concludeJury(
        uint256 seed
    ) external acts("concludeJury") {
        _conclude(_caseOf(seed), seed % 4 == 0);
    }

    /// @dev A case from here to its end.
    function holdTrial(
        uint256 seed
    ) external acts("holdTrial") {
        _try(_committingCase(seed), seed);
    }

    function _try(
        bytes32 caseId,
        uint256 seed
    ) private {
        while (_isSitting(court.getCase(caseId).status)) {
            _commitVotes(caseId, seed);
            _revealVotes(caseId);
            _conclude(caseId, true);
        }
    }

    function _commitVotes(
        bytes32 caseId,
        uint256 seed
    ) private {
        ICourtFilings.Case memory found = court.getCase(caseId);
        if (vm.getBlockNumber() <= found.seedBlock) vm.roll(found.seedBlock + 1);
        if (vm.getBlockNumber() > found.seedBlock + 256) {
            court.drawJury(caseId);
            vm.roll(court.getCase(caseId).seedBlock + 1);
        }
        uint256 voters;
        for (uint256 i; i < OPERATORS; ++i) {
            if (!court.isJuror(caseId, operatorAt(i)) || (seed >> (8 + 4 * i)) % 16 == 0) continue;
            bytes32 commitment = Hashes.vote(_ballotOf(caseId, found, i), saltOf(i));
            vm.prank(operatorAt(i));
            court.commitVote(caseId, commitment);
            ++voters;
        }
        require(voters != 0, "no juror");
    }

    function _revealVotes(
        bytes32 caseId
    ) private {
        ICourtFilings.Case memory found = court.getCase(caseId);
        if (vm.getBlockTimestamp() <= found.phaseEndsAt) vm.warp(found.phaseEndsAt + 1);
        uint256 voters;
        for (uint256 i; i < OPERATORS; ++i) {
            Hashes.Ballot memory ballot = _ballotOf(caseId, found, i);
            vm.prank(operatorAt(i));
            try court.revealVote(
                caseId, ICourtFilings.Vote(ballot.vote), ballot.resultSeal, ballot.outcome, ballot.status, saltOf(i)
            ) {
                ++voters;
            } catch {}
        }
        require(voters != 0, "nobody had committed");
    }

    function _conclude(
        bytes32 caseId,
        bool waits
    ) private {
        ICourtFilings.Case memory found = court.getCase(caseId);
        if (waits) vm.warp(max(vm.getBlockTimestamp(), found.phaseEndsAt + times().juryPhase + 1));
        court.concludeJury(caseId);
        ++done[string.concat("verdict ", vm.toString(uint256(court.getCase(caseId).status)))];
    }

    /// @dev 0, 1 against the accused; 2, 3 for it; 4 runs differ; 5 nothing could be had; 6 every other juror against it. One
    /// juror in twelve is for it in any case.
    function _ballotOf(
        bytes32 caseId,
        ICourtFilings.Case memory found,
        uint256 index
    ) private pure returns (Hashes.Ballot memory ballot) {
        uint256 mood = uint256(keccak256(abi.encode(caseId))) % 7;
        if (mood == 6) mood = 1 + index % 2;
        uint8 jury = found.status == ICourtFilings.CaseStatus.SecondJury ? 2 : 1;
        ballot.caseId = caseId;
        ballot.jury = jury;
        ballot.operator = operatorAt(index);
        if (uint256(keccak256(abi.encode(caseId, index))) % 12 == 0) mood = 3;
        ballot.vote = mood < 4 ? 1 : uint8(mood - 2);
        if (mood > 3) return ballot;
        ballot.resultSeal = mood < 2 ? keccak256("the truth, or so they say") : found.resultSeal;
        (ballot.outcome, ballot.status) = (found.outcome, found.httpStatus);
    }

    /// @dev A case whose jury may still commit; a new one where there is none.
    function _committingCase(
        uint256 seed
    ) private returns (bytes32) {
        for (uint256 n = cases.length; n != 0; --n) {
            ICourtFilings.Case memory found = court.getCase(cases[n - 1]);
            if (_isSitting(found.status) && vm.getBlockTimestamp() <= found.phaseEndsAt) return cases[n - 1];
        }
        Entry memory entry = newEntry(seed, 1, Messages.LANE_ATTESTED);
        remember(entry);
        return _challenge(entry.execution, seed);
    }

    function _caseOf(
        uint256 seed
    ) internal view returns (bytes32) {
        // The latest first; its jury may still be in time.
        for (uint256 n = cases.length; n != 0; --n) {
            if (_isSitting(court.getCase(cases[n - 1]).status) && (seed >> n) % 4 != 0) return cases[n - 1];
        }
        revert("no case is open");
    }

    function _isSitting(
        ICourtFilings.CaseStatus status
    ) internal pure returns (bool) {
        return status == ICourtFilings.CaseStatus.FirstJury || status == ICourtFilings.CaseStatus.SecondJury;
    }
}
