// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IRelayedActions} from "../interfaces/IRelayedActions.sol";
import {Messages} from "../libraries/Messages.sol";

/// @title The same action, sent by its author or signed by it and sent by anybody.
/// @notice Whoever inherits this asks `_actor()` wherever it would ask `msg.sender` for the account that acts.
abstract contract RelayedActions is IRelayedActions {
    mapping(address account => uint256) private _actionNonces;

    /// @dev Whose action runs now; zero outside of `relay`.
    address private transient _relayedAccount;

    /// @inheritdoc IRelayedActions
    function relay(
        address account,
        bytes calldata action,
        uint40 deadline,
        bytes calldata signature
    ) external returns (bytes memory result) {
        require(_relayedAccount == address(0), ActionNested());
        require(block.timestamp <= deadline, ActionExpired(deadline, block.timestamp));
        uint256 nonce = _actionNonces[account]++;
        bytes32 domain = Messages.domainSeparator(block.chainid, address(this));
        bytes32 digest = Messages.hashRelayedAction(domain, account, action, nonce, deadline);
        require(_isSignedBy(account, digest, signature), ActionSignatureInvalid(account, nonce));
        emit ActionRelayed(account, msg.sender, nonce);
        _relayedAccount = account;
        result = Address.functionCall(address(this), action);
        _relayedAccount = address(0);
    }

    /// @inheritdoc IRelayedActions
    function actionNonce(
        address account
    ) external view returns (uint256) {
        return _actionNonces[account];
    }

    /// @dev Who acts. Only the call that `relay` makes comes from this contract itself: whoever calls back from inside of a
    /// relayed action is still only itself.
    function _actor() internal view returns (address) {
        return msg.sender == address(this) ? _relayedAccount : msg.sender;
    }

    /// @dev Plain signatures come first: a wallet that delegates (EIP-7702) has code and still signs with its key.
    function _isSignedBy(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) private view returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return true;
        return
            account.code.length != 0 && SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }
}
