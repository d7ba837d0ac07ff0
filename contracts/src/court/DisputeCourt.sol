// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Suite} from "../deployment/Suite.sol";
import {ICourtFilings} from "../interfaces/ICourtFilings.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IExecutionCoordinator} from "../interfaces/IExecutionCoordinator.sol";
import {Hashes} from "../libraries/Hashes.sol";
import {ClerksOffice} from "./ClerksOffice.sol";
import {CourtBase} from "./CourtBase.sol";
import {Verdicts} from "./Verdicts.sol";

/// @title Audits, challenges and juries; equivocation; owners' bonds for determinism.
/// @notice Immutable and without an administrator. It holds bonds and balances, never stake: what a verdict takes from an
/// operator goes to balances here in the same call.
contract DisputeCourt is Verdicts {
    ClerksOffice private immutable _office;

    constructor(
        Suite memory suite
    ) CourtBase(suite) {
        _office = new ClerksOffice(suite);
    }

    // ------------------------------------------------------------ money

    /// @inheritdoc IDisputeCourt
    function withdraw(
        address to
    ) external nonReentrant returns (uint256 amount) {
        require(to != address(0), AddressZero());
        address account = _actor();
        amount = _empty(account);
        emit Withdrawn(account, to, amount);
        _send(to, amount);
    }

    /// @inheritdoc IDisputeCourt
    function burn() external nonReentrant returns (uint256 amount) {
        amount = _empty(BURN_ADDRESS);
        emit Burned(amount);
        _send(BURN_ADDRESS, amount);
    }

    function _empty(
        address account
    ) private returns (uint256 amount) {
        amount = _balances[account];
        require(amount != 0, NothingToWithdraw(account));
        _balances[account] = 0;
    }

    // ------------------------------------------------------------ what the clerk's office reads

    /// @inheritdoc ICourtFilings
    function challenge(
        IExecutionCoordinator.Ticket calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata,
        bytes calldata,
        string calldata
    ) external returns (bytes32) {
        return abi.decode(_askOffice(), (bytes32));
    }

    /// @inheritdoc ICourtFilings
    function reportConflict(
        IExecutionCoordinator.Ticket calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata,
        bytes calldata,
        string calldata
    ) external returns (bytes32) {
        return abi.decode(_askOffice(), (bytes32));
    }

    /// @inheritdoc ICourtFilings
    function reportEquivocation(
        IExecutionCoordinator.Ticket calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICourtFilings
    function giveCaseInput(
        bytes32,
        bytes calldata,
        string calldata
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICourtFilings
    function requestAuditInput(
        IExecutionCoordinator.Ticket calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICourtFilings
    function giveAuditInput(
        bytes32,
        bytes calldata,
        string calldata
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICourtFilings
    function closeAudit(
        bytes32
    ) external {
        _askOffice();
    }

    /// @inheritdoc ICourtFilings
    function audit(
        IExecutionCoordinator.Ticket calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata,
        IExecutionCoordinator.Attestation calldata,
        bytes calldata,
        bytes calldata,
        string calldata
    ) external returns (bytes32) {
        return abi.decode(_askOffice(), (bytes32));
    }

    /// @inheritdoc ICourtFilings
    function auditOf(
        bytes32 requestId,
        uint32 epoch,
        address operator
    ) external view returns (bool isAudited, bool isAuditor) {
        return _office.auditOf(requestId, epoch, operator);
    }

    /// @dev The same call, run by the office's code on this contract's storage.
    function _askOffice() private returns (bytes memory) {
        return Address.functionDelegateCall(address(_office), msg.data);
    }

    // ------------------------------------------------------------ views

    /// @inheritdoc IDisputeCourt
    function token() external view returns (address) {
        return _token;
    }

    /// @inheritdoc IDisputeCourt
    function balanceOf(
        address account
    ) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc IDisputeCourt
    function caseIdOf(
        bytes32 requestId,
        address accused,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external pure returns (bytes32) {
        return Hashes.caseId(requestId, accused, resultSeal, outcome, status);
    }

    /// @inheritdoc IDisputeCourt
    function latestCaseOf(
        bytes32 firstCaseId
    ) external view returns (bytes32) {
        uint256 attempts = _attempts[firstCaseId];
        return attempts == 0 ? bytes32(0) : _attemptId(firstCaseId, attempts);
    }

    /// @inheritdoc IDisputeCourt
    function getCase(
        bytes32 caseId
    ) external view returns (Case memory) {
        return _dockets[caseId].file;
    }

    /// @inheritdoc IDisputeCourt
    function getTally(
        bytes32 caseId,
        uint8 jury
    ) external view returns (Tally memory) {
        return _dockets[caseId].juries[jury].tally;
    }

    /// @inheritdoc IDisputeCourt
    function openCasesOf(
        bytes32 requestId
    ) external view returns (uint256) {
        return _casesOf[requestId].open;
    }

    /// @inheritdoc IDisputeCourt
    function lostCasesOf(
        bytes32 requestId
    ) external view returns (uint256) {
        return _casesOf[requestId].lost;
    }

    /// @inheritdoc IDisputeCourt
    function lostCasesAbout(
        bytes32 requestId,
        bytes32 resultSeal,
        uint8 outcome,
        uint16 status
    ) external view returns (uint256) {
        return _lostAbout[requestId][_resultOf(resultSeal, outcome, status)];
    }

    /// @inheritdoc IDisputeCourt
    function isContested(
        bytes32 requestId
    ) external view returns (bool) {
        RequestCases storage cases = _casesOf[requestId];
        return cases.open != 0 || cases.lost != 0;
    }

    /// @inheritdoc IDisputeCourt
    function lastCaseAt(
        address requester
    ) external view returns (uint256) {
        return _lastCaseAt[requester];
    }
}
