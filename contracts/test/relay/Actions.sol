// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RelayedActions} from "../../src/relay/RelayedActions.sol";

/// @dev A contract with account actions, and nothing else than what they do with the actor.
contract Actions is RelayedActions {
    error Refused(address actor, uint256 value);

    mapping(address account => uint256) public values;
    address public lastActor;
    address public lastSender;

    function set(
        uint256 value
    ) external returns (address actor, uint256 before) {
        actor = _actor();
        before = values[actor];
        values[actor] = value;
        (lastActor, lastSender) = (actor, msg.sender);
    }

    function refuse(
        uint256 value
    ) external view {
        revert Refused(_actor(), value);
    }

    /// @dev An action that hands control to somebody in the middle, as one that moves tokens does.
    function callOut(
        address target,
        bytes calldata data
    ) external returns (bool succeeded, bytes memory answer) {
        (succeeded, answer) = target.call(data);
        lastActor = _actor();
    }
}

/// @dev Called in the middle of an action, it calls back in its own name.
contract CallsBack {
    bool public succeeded;
    bytes public answer;

    function callBack(
        address target,
        bytes calldata data
    ) external {
        (succeeded, answer) = target.call(data);
    }
}
