// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Which names a project and a function may have.
/// @notice Lower-case letters, digits and inner hyphens; function names may nest with `/`. Twin: functionId.ts.
library Names {
    uint256 internal constant MAXIMUM_LENGTH = 64;

    /// @notice True for `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$` of at most 64 characters.
    function isProjectName(
        bytes memory name
    ) internal pure returns (bool) {
        return _isName(name, false);
    }

    /// @notice True for project names joined by `/`, of at most 64 characters in all.
    function isFunctionName(
        bytes memory name
    ) internal pure returns (bool) {
        return _isName(name, true);
    }

    function _isName(
        bytes memory name,
        bool mayNest
    ) private pure returns (bool) {
        if (name.length > MAXIMUM_LENGTH) return false;
        // A segment begins and ends with a letter or digit, so whatever else stands there needs one before and one after it.
        bool afterAlphanumeric;
        bool afterHyphen;
        for (uint256 i; i < name.length; ++i) {
            bytes1 character = name[i];
            bool isAlphanumeric = (character >= "a" && character <= "z") || (character >= "0" && character <= "9");
            if (isAlphanumeric) {
                (afterAlphanumeric, afterHyphen) = (true, false);
            } else if (character == "-") {
                if (!afterAlphanumeric && !afterHyphen) return false;
                (afterAlphanumeric, afterHyphen) = (false, true);
            } else if (character == "/" && mayNest) {
                if (!afterAlphanumeric) return false;
                afterAlphanumeric = false;
            } else {
                return false;
            }
        }
        return afterAlphanumeric;
    }
}
