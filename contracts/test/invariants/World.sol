// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IExecutionCoordinator} from "../../src/interfaces/IExecutionCoordinator.sol";
import {IFunctionRegistry} from "../../src/interfaces/IFunctionRegistry.sol";
import {IPaymentEscrow} from "../../src/interfaces/IPaymentEscrow.sol";
import {IProtocolParameters} from "../../src/interfaces/IProtocolParameters.sol";
import {Hashes} from "../../src/libraries/Hashes.sol";
import {Messages} from "../../src/libraries/Messages.sol";
import {SettlementFixture} from "../coordinator/SettlementFixture.sol";
import {EscrowFixture} from "../escrow/EscrowFixture.sol";
import {HostileCaller} from "./HostileCaller.sol";

/// @dev The suite, everybody who plays in it, and a book of what happened that the contracts do not write.
abstract contract World is SettlementFixture, EscrowFixture {
    /// @dev One request that a ticket was signed for, in either lane, with or without an escrow.
    struct Entry {
        Execution execution;
        IPaymentEscrow.EscrowTerms terms;
        bool isEscrowed;
        bool isPosted;
    }

    uint256 internal constant OPERATORS = 9;
    uint256 internal constant FUNCTIONS = 6;
    uint32 internal constant VERSION = 1;
    bytes internal constant REQUEST = "request";
    bytes internal constant OUTPUT = "output";
    bytes32 internal constant INPUT_SALT = keccak256("input salt");
    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    address internal immutable owner = makeAddr("owner");
    address internal immutable sponsor = makeAddr("sponsor");
    address internal contractCaller;

    uint256[OPERATORS] internal keys;
    address[] internal accounts;
    address[] internal funders;
    bytes32[FUNCTIONS] internal functionIds;

    Entry[] internal book;
    bytes32[] internal cases;
    address[] internal deposits;
    uint64 internal nextNumber;
    bool private _isReadingLogs;

    // ------------------------------------------------------------ the ghost's book

    mapping(string action => uint256) public done;
    uint256 public doneInAll;
    /// @dev Empty while every promise was kept.
    string public broken;

    mapping(bytes32 requestId => uint256) internal paidTimes;
    mapping(bytes32 requestId => uint256) internal paidAmount;
    mapping(bytes32 requestId => uint256) internal bookOf;
    mapping(address operator => uint256) internal disputableUntil;
    mapping(bytes32 account => uint256) internal spentBy;
    uint256 internal capEver;
    /// @dev Money that was put into the coordinator as credit, and what came out again as credit.
    uint256 internal creditIn;
    uint256 internal creditOut;
    /// @dev Fees of settled requests, as the tickets name them.
    uint256 internal feesPaid;
    uint256 internal rewardsPaid;

    modifier acts(
        string memory name
    ) {
        bool isOutermost = !_isReadingLogs;
        if (isOutermost) {
            _isReadingLogs = true;
            vm.recordLogs();
        }
        _;
        if (isOutermost) {
            _isReadingLogs = false;
            _readLogs(vm.getRecordedLogs());
        }
        ++done[name];
        ++doneInAll;
    }

    function setUp() public virtual override(SettlementFixture, EscrowFixture) {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        deploySuite();
        _publish();
        HostileCaller caller = new HostileCaller();
        caller.learn(suite);
        contractCaller = address(caller);
        for (uint256 i; i < OPERATORS; ++i) {
            keys[i] = keyAt(i);
            accounts.push(operatorAt(i));
            // The last one comes later.
            if (i + 1 < OPERATORS) register(operatorAt(i), keys[i], uint96(100e6 + 7e6 * i));
        }
        funders = [funder, requester, sponsor, contractCaller];
        for (uint256 i; i < funders.length; ++i) {
            accounts.push(funders[i]);
            fillPurse(funders[i], 1000e6, address(coordinator));
            vm.prank(funders[i]);
            coordinator.depositCredit(funders[i], 50e6);
            creditIn += 50e6;
        }
        _grant(funder, CAP);
        _grant(sponsor, CAP / 100);
        bondRequester(requester);
        _fillPurses();
    }

    /// @dev Everybody is drawn for a jury, every request is audited, a case costs little.
    function parameters() internal view virtual override returns (IProtocolParameters.Parameters memory tuned) {
        tuned = super.parameters();
        (tuned.jurySize, tuned.minimumVotes) = (16, 3);
        tuned.auditRateBps = 10_000;
    }

    // ------------------------------------------------------------ requests

    function newEntry(
        uint256 seed,
        uint8 quorum,
        uint8 requestLane
    ) internal returns (Entry memory entry) {
        if ((seed >> 160) % 16 != 0) makeSeed(operators.currentEpoch());
        uint64 number = nextNumber++;
        IExecutionCoordinator.Ticket memory ticket = newTicket(number);
        ticket.functionId = functionIds[seed % FUNCTIONS];
        ticket.inputSeal = Hashes.seal(keccak256(REQUEST), INPUT_SALT);
        ticket.quorum = quorum;
        ticket.lane = requestLane;
        ticket.funder = funders[(seed >> 8) % 3];
        ticket.fee = uint96(between(seed >> 16, 0, MAXIMUM_FEE));
        ticket.payer = seed & 1 == 0 ? payer : address(0);
        entry.execution.ticket = ticket;
        seat(entry, seed, quorum);
    }

    /// @dev Seats workers and lets them attest; some of them lie.
    function seat(
        Entry memory entry,
        uint256 seed,
        uint8 quorum
    ) internal view {
        IExecutionCoordinator.Ticket memory ticket = entry.execution.ticket;
        (uint256[] memory seated, uint8 seatNumber) = seatedFor(ticket, seed >> 40);
        if (seated.length < quorum && ticket.lane == Messages.LANE_CONFIRMED) {
            seatNumber = Messages.SEAT_WIDENED;
            seated = _workersOf(ticket, seed >> 40, true);
        }
        require(seated.length >= quorum, "nobody is seated");
        entry.execution.keys = new uint256[](quorum);
        for (uint256 i; i < quorum; ++i) {
            entry.execution.keys[i] = keys[seated[i]];
        }
        IExecutionCoordinator.Attestation memory attestation = newAttestation(ticket);
        attestation.seat = seatNumber;
        attestation.resultSeal = (seed >> 60) % 4 == 0 ? keccak256("a lie") : truth();
        if ((seed >> 64) % 8 == 0) attestation.status = 500;
        entry.execution.attestation = attestation;
    }

    /// @dev What an honest run gives.
    function truth() internal pure returns (bytes32) {
        return Hashes.seal(keccak256(OUTPUT), INPUT_SALT);
    }

    /// @dev Who has a seat and a key for this ticket, beginning somewhere.
    function seatedFor(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 start
    ) internal view returns (uint256[] memory seated, uint8 seatNumber) {
        (, uint8 committee) = protocolParameters.settlementTermsAt(ticket.issuedAt);
        seatNumber = operators.isAllSeated(ticket.epoch, committee) ? 1 : 2;
        seated = _workersOf(ticket, start, false);
    }

    /// @dev Whose key signs for this ticket, seated or not.
    function _workersOf(
        IExecutionCoordinator.Ticket memory ticket,
        uint256 start,
        bool isWidened
    ) private view returns (uint256[] memory seated) {
        seated = new uint256[](OPERATORS);
        uint256 count;
        for (uint256 n; n < OPERATORS; ++n) {
            uint256 i = addmod(start, n, OPERATORS);
            if (operators.operatorForKey(vm.addr(keys[i]), ticket.issuedAt) != operatorAt(i)) continue;
            if (isWidened || _isSeated(ticket, operatorAt(i))) seated[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(seated, count)
        }
    }

    function _isSeated(
        IExecutionCoordinator.Ticket memory ticket,
        address operator
    ) private view returns (bool) {
        (, uint8 committee) = protocolParameters.settlementTermsAt(ticket.issuedAt);
        return operators.isSeated(operator, ticket.requester, ticket.sequence, ticket.epoch, ticket.issuedAt, committee);
    }

    /// @dev Writes a request into the book. What its workers signed can be disputed for a while.
    function remember(
        Entry memory entry
    ) internal returns (uint256 index) {
        index = book.length;
        book.push(entry);
        bytes32 requestId = idOf(entry.execution.ticket);
        bookOf[requestId] = index + 1;
        uint256 until = uint256(entry.execution.ticket.deadline) + times().challengeWindow;
        for (uint256 i; i < entry.execution.keys.length; ++i) {
            address operator = operators.getExecutionKey(vm.addr(entry.execution.keys[i])).operator;
            if (disputableUntil[operator] < until) disputableUntil[operator] = until;
        }
    }

    function pick(
        uint256 seed
    ) internal view returns (uint256) {
        // The latest are the liveliest.
        return seed % 4 == 0 ? (seed >> 2) % book.length : book.length - 1 - (seed >> 2) % min(book.length, 4);
    }

    /// @dev A number from `from` to `to`, without a word about it.
    function between(
        uint256 seed,
        uint256 from,
        uint256 to
    ) internal pure returns (uint256) {
        return from + seed % (to - from + 1);
    }

    function min(
        uint256 a,
        uint256 b
    ) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev The seed of an epoch, as anyone may make it.
    function makeSeed(
        uint32 epoch
    ) internal {
        if (operators.getEpoch(epoch).seed != 0) return;
        if (operators.captureSeed(epoch) == 0) {
            vm.roll(operators.seedBlockOf(epoch) + 1);
            operators.captureSeed(epoch);
        }
        // Drawn seats are those of tickets issued later.
        skip(1);
    }

    // ------------------------------------------------------------ the ghost

    function breakPromise(
        string memory what
    ) internal {
        if (bytes(broken).length == 0) broken = what;
    }

    function _readLogs(
        Vm.Log[] memory logs
    ) private {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(coordinator)) continue;
            bytes32 what = logs[i].topics[0];
            if (what == IExecutionCoordinator.ExecutionSettled.selector) {
                (,,, uint96 reward) = abi.decode(logs[i].data, (bytes32, uint8, uint16, uint96));
                _notePayment(logs[i].topics[1], 1, reward);
            } else if (what == IExecutionCoordinator.RewardsShared.selector) {
                (address[] memory others, uint96 reward) = abi.decode(logs[i].data, (address[], uint96));
                if (paidTimes[logs[i].topics[1]] == 0) breakPromise("a reward was shared of what was not settled");
                _notePayment(logs[i].topics[1], others.length, others.length * reward);
            }
        }
    }

    /// @dev A request is paid once, to as many as its quorum has, and never more than its fee.
    function _notePayment(
        bytes32 requestId,
        uint256 workers,
        uint256 amount
    ) private {
        if (bookOf[requestId] == 0) return breakPromise("somebody was paid for a ticket that nobody signed");
        IExecutionCoordinator.Ticket memory ticket = book[bookOf[requestId] - 1].execution.ticket;
        bool isFirst = paidTimes[requestId] == 0;
        paidAmount[requestId] += amount;
        rewardsPaid += amount;
        paidTimes[requestId] += workers;
        if (paidTimes[requestId] > ticket.quorum) breakPromise("a request was paid twice");
        if (paidAmount[requestId] > ticket.fee) breakPromise("more was paid than the ticket's fee");
        if (!isFirst) return;
        feesPaid += ticket.fee;
        if (ticket.funder == ticket.requester) return;
        bytes32 line = keccak256(abi.encode(ticket.funder, ticket.requester, ticket.epoch));
        spentBy[line] += ticket.fee;
        if (spentBy[line] > capEver) breakPromise("more was spent of a line than its cap");
    }

    function _grant(
        address account,
        uint96 cap
    ) internal {
        vm.prank(account);
        coordinator.grantCreditLine(requester, cap, MAXIMUM_FEE);
        if (cap > capEver) capEver = cap;
    }

    function _publish() private {
        IFunctionRegistry.FunctionSpec[] memory specs = new IFunctionRegistry.FunctionSpec[](FUNCTIONS);
        for (uint256 i; i < FUNCTIONS; ++i) {
            specs[i].name = vm.toString(i);
            specs[i].bundleDigest = keccak256("bundle");
            specs[i].runtimeDigest = keccak256("runtime");
            (specs[i].limitsClass, specs[i].flags, specs[i].quorum) = (1, 1, 1);
            (specs[i].lane, specs[i].paymentMode) = (1, 1);
        }
        vm.prank(owner);
        (bytes32[] memory ids,) = functions.publish("world", specs);
        fillPurse(owner, 1000e6, address(court));
        for (uint256 i; i < FUNCTIONS; ++i) {
            functionIds[i] = ids[i];
            vm.prank(owner);
            court.bondFunction(ids[i], parameters().ownerBond);
        }
    }

    function _fillPurses() private {
        address[5] memory others = [owner, payer, thief, payee, anyone];
        for (uint256 i; i < others.length; ++i) {
            accounts.push(others[i]);
            fillPurse(others[i], 10_000e6, address(court));
            vm.prank(others[i]);
            token.approve(address(escrow), type(uint256).max);
        }
        accounts.push(treasury);
        accounts.push(BURNED);
        for (uint256 i; i < OPERATORS; ++i) {
            fillPurse(operatorAt(i), 1000e6, address(operators));
            vm.prank(operatorAt(i));
            token.approve(address(court), type(uint256).max);
        }
    }
}
