// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IExecutionCoordinator} from "../src/interfaces/IExecutionCoordinator.sol";
import {IPaymentEscrow} from "../src/interfaces/IPaymentEscrow.sol";
import {ITickets} from "../src/interfaces/ITickets.sol";
import {Hashes} from "../src/libraries/Hashes.sol";
import {Messages} from "../src/libraries/Messages.sol";
import {Names} from "../src/libraries/Names.sol";

/// @dev The agreement with packages/protocol: the same files, see vectors/README.md.
contract VectorsTest is Test {
    function test_typehashes_areThoseOfTheTypeStrings() public view {
        checkType("ticket", Messages.TICKET_TYPEHASH);
        checkType("attestation", Messages.ATTESTATION_TYPEHASH);
        checkType("signedCommitment", Messages.SIGNED_COMMITMENT_TYPEHASH);
        checkType("commitSet", Messages.COMMIT_SET_TYPEHASH);
        checkType("batchRoll", Messages.BATCH_ROLL_TYPEHASH);
        checkType("executionKeyProof", Messages.EXECUTION_KEY_PROOF_TYPEHASH);
        checkType("escrowTerms", Messages.ESCROW_TERMS_TYPEHASH);
        checkType("seal", Hashes.SEAL_TYPEHASH);
        checkType("commitment", Hashes.COMMITMENT_TYPEHASH);
        checkType("paymentId", Hashes.PAYMENT_TYPEHASH);
        checkType("seatDraw", Hashes.DRAW_TYPEHASH);
        checkType("relayedAction", Messages.RELAYED_ACTION_TYPEHASH);
    }

    function test_functionId() public view {
        check("functionId", functionId);
    }

    function test_seal() public view {
        check("seal", seal);
    }

    function test_commitment() public view {
        check("commitment", commitment);
    }

    function test_paymentId() public view {
        check("paymentId", paymentId);
    }

    function test_request() public view {
        check("request", hashInput);
    }

    function test_result() public view {
        check("result", hashResult);
    }

    function test_ticket() public view {
        check("ticket", hashTicket);
    }

    function test_attestation() public view {
        check("attestation", hashAttestation);
    }

    function test_signedCommitment() public view {
        check("signedCommitment", hashSignedCommitment);
    }

    function test_commitSet() public view {
        check("commitSet", hashCommitSet);
    }

    function test_executionKeyProof() public view {
        check("executionKeyProof", hashExecutionKeyProof);
    }

    function test_escrowTerms() public view {
        check("escrowTerms", hashEscrowTerms);
    }

    function test_depositAddress() public view {
        check("depositAddress", depositAddress);
    }

    function test_batchRoll() public view {
        check("batchRoll", hashBatchRoll);
    }

    function test_relayedAction() public view {
        check("relayedAction", hashRelayedAction);
    }

    function test_vote() public view {
        check("vote", hashVote);
        string memory json = readFile("vote");
        for (uint256 i; i < vm.parseJsonUint(json, ".count"); ++i) {
            bytes memory encoded = vm.parseJsonBytes(json, keyOf(".cases", i, ".encoded"));
            assertEq(caseIdOf(encoded), vm.parseJsonBytes32(json, keyOf(".cases", i, ".caseId")));
        }
    }

    function test_seatDraw() public view {
        check("seatDraw", lot);
        string memory json = readFile("seatDraw");
        uint256 winners;
        for (uint256 i; i < vm.parseJsonUint(json, ".count"); ++i) {
            bytes memory encoded = vm.parseJsonBytes(json, keyOf(".cases", i, ".encoded"));
            (, address requester, uint64 sequence,, uint96 stake, uint96 totalStake, uint256 size) =
                abi.decode(encoded, (bytes32, address, uint64, address, uint96, uint96, uint256));
            bytes32 subject = vm.parseJsonBytes32(json, keyOf(".cases", i, ".subject"));
            assertEq(Hashes.seatSubject(requester, sequence), subject);
            bool isWinner = Hashes.wins(uint256(lot(encoded)), stake, totalStake, size);
            assertEq(isWinner, vm.parseJsonBool(json, keyOf(".cases", i, ".wins")));
            if (isWinner) ++winners;
        }
        assertGt(winners, 2);
    }

    function test_names_rejectTheSameAsTypeScript() public view {
        string memory json = readFile("functionId");
        uint256 count;
        while (vm.keyExistsJson(json, keyOf(".reject", count, ""))) {
            string memory text = vm.parseJsonString(json, keyOf(".reject", count, ".input.text"));
            string memory noun = vm.parseJsonString(json, keyOf(".reject", count, ".input.noun"));
            bool isProject = keccak256(bytes(noun)) == keccak256("project");
            bool isAccepted = isProject ? Names.isProjectName(bytes(text)) : Names.isFunctionName(bytes(text));
            assertFalse(isAccepted, text);
            ++count;
        }
        assertGt(count, 10);
    }

    function check(
        string memory name,
        function(bytes memory) internal view returns (bytes32) hash
    ) private view {
        string memory json = readFile(name);
        uint256 count = vm.parseJsonUint(json, ".count");
        assertGt(count, 2);
        for (uint256 i; i < count; ++i) {
            bytes memory encoded = vm.parseJsonBytes(json, keyOf(".cases", i, ".encoded"));
            bytes32 expected = vm.parseJsonBytes32(json, keyOf(".cases", i, ".hash"));
            assertEq(hash(encoded), expected, vm.parseJsonString(json, keyOf(".cases", i, ".name")));
        }
    }

    function checkType(
        string memory name,
        bytes32 typehash
    ) private view {
        string memory json = readFile(name);
        assertEq(typehash, keccak256(bytes(vm.parseJsonString(json, ".type"))), name);
        assertEq(typehash, vm.parseJsonBytes32(json, ".typehash"), name);
    }

    function readFile(
        string memory name
    ) private view returns (string memory) {
        return vm.readFile(string.concat("../vectors/", name, ".json"));
    }

    function keyOf(
        string memory array,
        uint256 index,
        string memory member
    ) private pure returns (string memory) {
        return string.concat(array, "[", vm.toString(index), "]", member);
    }

    function functionId(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (address creator, string memory project, string memory name) = abi.decode(encoded, (address, string, string));
        return Hashes.functionId(creator, project, name);
    }

    function seal(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (bytes32 hash, bytes32 salt) = abi.decode(encoded, (bytes32, bytes32));
        return Hashes.seal(hash, salt);
    }

    function commitment(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (bytes32 requestId, address worker, bytes32 resultSeal, bytes32 salt) =
            abi.decode(encoded, (bytes32, address, bytes32, bytes32));
        return Hashes.commitment(requestId, worker, resultSeal, salt);
    }

    function paymentId(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address asset, address payer, bytes32 nonce) =
            abi.decode(encoded, (uint256, address, address, bytes32));
        return Hashes.paymentId(chainId, asset, payer, nonce);
    }

    function caseIdOf(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (bytes32 requestId, address accused, bytes32 resultSeal, uint8 outcome, uint16 status) =
            abi.decode(encoded, (bytes32, address, bytes32, uint8, uint16));
        return Hashes.caseId(requestId, accused, resultSeal, outcome, status);
    }

    function hashVote(
        bytes memory encoded
    ) private pure returns (bytes32) {
        Hashes.Ballot memory ballot;
        bytes32 salt;
        (,,,,, ballot.jury, ballot.operator, ballot.vote, ballot.resultSeal, ballot.outcome, ballot.status, salt) =
            abi.decode(
                encoded,
                (bytes32, address, bytes32, uint8, uint16, uint8, address, uint8, bytes32, uint8, uint16, bytes32)
            );
        ballot.caseId = caseIdOf(encoded);
        return Hashes.vote(ballot, salt);
    }

    function lot(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (bytes32 seed, address requester, uint64 sequence, address operator,,,) =
            abi.decode(encoded, (bytes32, address, uint64, address, uint96, uint96, uint256));
        return bytes32(Hashes.lot(seed, Hashes.seatSubject(requester, sequence), operator));
    }

    function hashRelayedAction(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address called, address account, bytes memory action, uint256 nonce, uint40 deadline) =
            abi.decode(encoded, (uint256, address, address, bytes, uint256, uint40));
        bytes32 domain = Messages.domainSeparator(chainId, called);
        return Messages.hashRelayedAction(domain, account, action, nonce, deadline);
    }

    function hashInput(
        bytes memory encoded
    ) private pure returns (bytes32) {
        return Hashes.hashInput(abi.decode(encoded, (bytes)));
    }

    function hashResult(
        bytes memory encoded
    ) private pure returns (bytes32) {
        return Hashes.hashResult(abi.decode(encoded, (bytes)));
    }

    function hashTicket(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, IExecutionCoordinator.Ticket memory ticket) =
            abi.decode(encoded, (uint256, address, ITickets.Ticket));
        return Messages.hashTicket(Messages.domainSeparator(chainId, coordinator), ticket);
    }

    function hashAttestation(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, IExecutionCoordinator.Attestation memory attestation) =
            abi.decode(encoded, (uint256, address, IExecutionCoordinator.Attestation));
        return Messages.hashAttestation(Messages.domainSeparator(chainId, coordinator), attestation);
    }

    function hashSignedCommitment(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, uint8 version, bytes32 requestId, bytes32 hidden) =
            abi.decode(encoded, (uint256, address, uint8, bytes32, bytes32));
        return Messages.hashSignedCommitment(Messages.domainSeparator(chainId, coordinator), version, requestId, hidden);
    }

    function hashCommitSet(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, uint8 version, bytes32 requestId, bytes32[] memory commitments) =
            abi.decode(encoded, (uint256, address, uint8, bytes32, bytes32[]));
        return Messages.hashCommitSet(Messages.domainSeparator(chainId, coordinator), version, requestId, commitments);
    }

    function hashExecutionKeyProof(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, uint8 version, address operator, address key, uint256 nonce) =
            abi.decode(encoded, (uint256, address, uint8, address, address, uint256));
        assertEq(version, Messages.PROTOCOL_VERSION);
        return Messages.hashExecutionKeyProof(Messages.domainSeparator(chainId, coordinator), operator, key, nonce);
    }

    function hashEscrowTerms(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, IPaymentEscrow.EscrowTerms memory terms) =
            abi.decode(encoded, (uint256, address, IPaymentEscrow.EscrowTerms));
        return Messages.hashEscrowTerms(Messages.domainSeparator(chainId, coordinator), terms);
    }

    function depositAddress(
        bytes memory encoded
    ) private view returns (bytes32) {
        (address escrow, bytes32 quoteId) = abi.decode(encoded, (address, bytes32));
        address deposit = Create2.computeAddress(quoteId, keccak256(vm.getCode("Deposit.sol:Deposit")), escrow);
        return bytes32(uint256(uint160(deposit)));
    }

    function hashBatchRoll(
        bytes memory encoded
    ) private pure returns (bytes32) {
        (uint256 chainId, address coordinator, bytes32[] memory digests) =
            abi.decode(encoded, (uint256, address, bytes32[]));
        bytes32 root;
        for (uint256 i; i < digests.length; ++i) {
            root = Hashes.roll(root, digests[i]);
        }
        return Messages.hashBatchRoll(Messages.domainSeparator(chainId, coordinator), digests.length, root);
    }
}
