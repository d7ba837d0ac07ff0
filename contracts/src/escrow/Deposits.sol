// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Suite} from "../deployment/Suite.sol";
import {TicketEvidence} from "../evidence/TicketEvidence.sol";
import {IPaymentEscrow} from "../interfaces/IPaymentEscrow.sol";
import {Deposit} from "./Deposit.sol";
import {IERC3009} from "./IERC3009.sol";

/// @title Tokens into the escrow: deposit addresses, authorizations, what they moved and what is there.
abstract contract Deposits is IPaymentEscrow, TicketEvidence {
    using SafeERC20 for IERC20;

    bytes32 private constant TRANSFER_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    uint256 private constant ECDSA_SIGNATURE_LENGTH = 65;

    /// @inheritdoc IPaymentEscrow
    address public immutable token;
    bytes32 private immutable _depositCodeHash;

    constructor(
        Suite memory suite
    ) TicketEvidence(suite) {
        token = suite.token;
        _depositCodeHash = keccak256(type(Deposit).creationCode);
    }

    function _depositOf(
        bytes32 quoteId
    ) internal view returns (address) {
        return Create2.computeAddress(quoteId, _depositCodeHash);
    }

    /// @dev Moves the price from the payer to the deposit address. False when somebody else has moved it before, or when the
    /// payer has cancelled it, which the token does not tell apart; reverts when neither the token nor the payer knows it.
    function _execute(
        bytes32 quoteId,
        address deposit,
        uint256 price,
        Authorization calldata authorization
    ) internal returns (bool isExecuted) {
        uint256 before = _balanceOf(deposit);
        if (_tryTransfer(deposit, price, authorization)) {
            _requireMoved(price, _balanceOf(deposit) - before);
            return true;
        }
        bool isSpent = IERC3009(token).authorizationState(authorization.from, authorization.nonce);
        require(isSpent && _isSigned(deposit, price, authorization), AuthorizationInvalid(quoteId, authorization.from));
    }

    /// @dev Takes exactly the price from the deposit address; what else is there stays for whoever can claim it.
    function _sweep(
        bytes32 quoteId,
        address deposit,
        uint256 price
    ) internal {
        uint256 held = _balanceOf(deposit);
        require(held >= price, DepositTooLow(quoteId, deposit, held, price));
        if (deposit.code.length == 0) new Deposit{salt: quoteId}();
        _pull(deposit, price);
    }

    function _pull(
        address from,
        uint256 amount
    ) internal {
        uint256 before = _balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        _requireMoved(amount, _balanceOf(address(this)) - before);
    }

    function _send(
        address to,
        uint256 amount
    ) internal {
        IERC20(token).safeTransfer(to, amount);
    }

    function _balanceOf(
        address account
    ) internal view returns (uint256) {
        return IERC20(token).balanceOf(account);
    }

    function _tryTransfer(
        address deposit,
        uint256 price,
        Authorization calldata given
    ) private returns (bool) {
        bytes calldata signature = given.signature;
        if (signature.length != ECDSA_SIGNATURE_LENGTH) {
            try IERC3009(token)
                .transferWithAuthorization(
                    given.from, deposit, price, given.validAfter, given.validBefore, given.nonce, signature
                ) {
                return true;
            } catch {
                return false;
            }
        }
        // Older tokens know no other form than this one.
        try IERC3009(token)
            .transferWithAuthorization(
                given.from,
                deposit,
                price,
                given.validAfter,
                given.validBefore,
                given.nonce,
                uint8(signature[64]),
                bytes32(signature[:32]),
                bytes32(signature[32:64])
            ) {
            return true;
        } catch {
            return false;
        }
    }

    function _isSigned(
        address deposit,
        uint256 price,
        Authorization calldata given
    ) private view returns (bool) {
        bytes32 structHash = keccak256(
            abi.encode(TRANSFER_TYPEHASH, given.from, deposit, price, given.validAfter, given.validBefore, given.nonce)
        );
        bytes32 digest = MessageHashUtils.toTypedDataHash(IERC3009(token).DOMAIN_SEPARATOR(), structHash);
        return _isSignedByAccount(given.from, digest, given.signature);
    }

    function _requireMoved(
        uint256 expected,
        uint256 received
    ) private pure {
        require(received == expected, TokenAmountMismatch(expected, received));
    }
}
