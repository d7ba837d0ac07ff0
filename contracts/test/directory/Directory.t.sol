// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Directory} from "../../src/directory/Directory.sol";
import {IDirectory} from "../../src/interfaces/IDirectory.sol";
import {Messages} from "../../src/libraries/Messages.sol";

contract DirectoryTest is Test {
    uint32 private constant DELAY = 172_800;
    uint256 private constant OPERATOR_KEY = 0xE1;
    address private immutable _governor = makeAddr("governor");
    address private immutable _operator = vm.addr(OPERATOR_KEY);
    address private immutable _stranger = makeAddr("stranger");

    Directory private _directory;

    function setUp() public {
        vm.warp(1_800_000_000);
        _directory = new Directory(_governor, DELAY);
    }

    function test_new() public {
        assertEq(_directory.governor(), _governor);
        assertEq(_directory.delay(), DELAY);
        assertEq(_directory.latestVersion(), 0);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.ParameterInvalid.selector, "governor"));
        this.create(address(0), DELAY);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.ParameterInvalid.selector, "delay"));
        this.create(_governor, 0);
    }

    /// @dev A call of its own: what is expected of a creation inside of a cheatcode is not checked.
    function create(
        address governor,
        uint32 delay
    ) external returns (Directory) {
        return new Directory(governor, delay);
    }

    function test_announceAndList() public {
        IDirectory.Suite memory expected = newSuite();
        expected.status = IDirectory.SuiteStatus.Announced;
        uint40 listableAt = uint40(vm.getBlockTimestamp()) + DELAY;
        expected.listedAt = listableAt;
        vm.expectEmit(address(_directory));
        emit IDirectory.SuiteAnnounced(1, expected, listableAt);
        assertEq(announce(), 1);
        assertEq(_directory.latestVersion(), 1);
        assertEq(abi.encode(_directory.getSuite(1)), abi.encode(expected));
        vm.warp(listableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.TooEarly.selector, listableAt, listableAt - 1));
        _directory.list(1);
        vm.warp(listableAt + 3);
        vm.expectEmit(address(_directory));
        emit IDirectory.SuiteListed(1);
        vm.prank(_stranger);
        _directory.list(1);
        assertEq(uint256(_directory.getSuite(1).status), uint256(IDirectory.SuiteStatus.Listed));
        assertEq(_directory.getSuite(1).listedAt, listableAt + 3);
        expectStatus(1, IDirectory.SuiteStatus.Announced, IDirectory.SuiteStatus.Listed);
        _directory.list(1);
        assertEq(announce(), 2);
    }

    function test_announce_ignoresAStatusThatIsGiven() public {
        IDirectory.Suite memory forged = newSuite();
        forged.status = IDirectory.SuiteStatus.Listed;
        forged.listedAt = 1;
        vm.prank(_governor);
        _directory.announce(forged);
        assertEq(uint256(_directory.getSuite(1).status), uint256(IDirectory.SuiteStatus.Announced));
        assertEq(_directory.getSuite(1).listedAt, vm.getBlockTimestamp() + DELAY);
    }

    function test_announce_refusesAnAddressWithoutCode() public {
        for (uint256 i; i < 7; ++i) {
            IDirectory.Suite memory broken = newSuite();
            address empty = address(uint160(0xE000 + i));
            if (i == 0) broken.functions = empty;
            if (i == 1) broken.parameters = empty;
            if (i == 2) broken.operators = empty;
            if (i == 3) broken.coordinator = empty;
            if (i == 4) broken.confirmedLane = empty;
            if (i == 5) broken.escrow = empty;
            if (i == 6) broken.court = empty;
            vm.expectRevert(abi.encodeWithSelector(IDirectory.SuiteIncomplete.selector, empty));
            vm.prank(_governor);
            _directory.announce(broken);
        }
    }

    function test_list_refusesWhatNobodyAnnounced() public {
        expectStatus(1, IDirectory.SuiteStatus.Announced, IDirectory.SuiteStatus.None);
        _directory.list(1);
    }

    function test_retire() public {
        announce();
        listFirst();
        vm.prank(_operator);
        _directory.optIn(1);
        vm.expectEmit(address(_directory));
        emit IDirectory.SuiteRetired(1);
        vm.prank(_governor);
        _directory.retire(1);
        expectStatus(1, IDirectory.SuiteStatus.Listed, IDirectory.SuiteStatus.Retired);
        vm.prank(_governor);
        _directory.retire(1);
        expectStatus(1, IDirectory.SuiteStatus.Listed, IDirectory.SuiteStatus.Retired);
        vm.prank(_stranger);
        _directory.optIn(1);
        // Who opted in leaves when it wants to.
        vm.prank(_operator);
        _directory.optOut(1);
    }

    function test_retire_takesAnAnnouncementBack() public {
        announce();
        vm.prank(_governor);
        _directory.retire(1);
        skip(DELAY);
        expectStatus(1, IDirectory.SuiteStatus.Announced, IDirectory.SuiteStatus.Retired);
        _directory.list(1);
        expectStatus(2, IDirectory.SuiteStatus.Listed, IDirectory.SuiteStatus.None);
        vm.prank(_governor);
        _directory.retire(2);
    }

    function test_onlyTheGovernor() public {
        bytes memory refusal = abi.encodeWithSelector(IDirectory.NotGovernor.selector, _governor, _stranger);
        IDirectory.Suite memory suite = newSuite();
        vm.startPrank(_stranger);
        vm.expectRevert(refusal);
        _directory.announce(suite);
        vm.expectRevert(refusal);
        _directory.retire(1);
    }

    function test_optInAndOut() public {
        announce();
        vm.startPrank(_operator);
        expectStatus(1, IDirectory.SuiteStatus.Listed, IDirectory.SuiteStatus.Announced);
        _directory.optIn(1);
        listFirst();
        expectNothingToChange();
        _directory.optOut(1);
        vm.expectEmit(address(_directory));
        emit IDirectory.OptedIn(1, _operator);
        _directory.optIn(1);
        assertTrue(_directory.hasOptedIn(1, _operator));
        assertFalse(_directory.hasOptedIn(2, _operator));
        assertEq(_directory.optInCount(1), 1);
        expectNothingToChange();
        _directory.optIn(1);
        vm.expectEmit(address(_directory));
        emit IDirectory.OptedOut(1, _operator);
        _directory.optOut(1);
        assertFalse(_directory.hasOptedIn(1, _operator));
        assertEq(_directory.optInCount(1), 0);
    }

    function test_optIn_relayed() public {
        announce();
        listFirst();
        relay(abi.encodeCall(IDirectory.optIn, (1)), 0);
        assertTrue(_directory.hasOptedIn(1, _operator));
        relay(abi.encodeCall(IDirectory.optOut, (1)), 1);
        assertFalse(_directory.hasOptedIn(1, _operator));
    }

    function test_listGateway() public {
        vm.expectEmit(address(_directory));
        emit IDirectory.GatewayListed(_stranger, "wss://gateway.example");
        vm.prank(_stranger);
        _directory.listGateway("wss://gateway.example");
        vm.expectEmit(address(_directory));
        emit IDirectory.GatewayListed(_operator, "");
        relay(abi.encodeCall(IDirectory.listGateway, ("")), 0);
    }

    function announce() private returns (uint32) {
        IDirectory.Suite memory suite = newSuite();
        vm.prank(_governor);
        return _directory.announce(suite);
    }

    function listFirst() private {
        skip(DELAY);
        _directory.list(1);
    }

    /// @dev Seven different addresses with code.
    function newSuite() private returns (IDirectory.Suite memory suite) {
        address[7] memory parts;
        for (uint256 i; i < parts.length; ++i) {
            parts[i] = address(uint160(0xC0DE + i));
            vm.etch(parts[i], hex"00");
        }
        suite.functions = parts[0];
        suite.parameters = parts[1];
        suite.operators = parts[2];
        suite.coordinator = parts[3];
        suite.confirmedLane = parts[4];
        suite.escrow = parts[5];
        suite.court = parts[6];
    }

    function relay(
        bytes memory action,
        uint256 nonce
    ) private {
        uint40 deadline = uint40(vm.getBlockTimestamp()) + 60;
        bytes32 domain = Messages.domainSeparator(block.chainid, address(_directory));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(OPERATOR_KEY, Messages.hashRelayedAction(domain, _operator, action, nonce, deadline));
        _directory.relay(_operator, action, deadline, abi.encodePacked(r, s, v));
    }

    function expectStatus(
        uint32 version,
        IDirectory.SuiteStatus expected,
        IDirectory.SuiteStatus actual
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IDirectory.SuiteNotInStatus.selector, version, expected, actual));
    }

    function expectNothingToChange() private {
        vm.expectRevert(abi.encodeWithSelector(IDirectory.NothingToChange.selector, 1, _operator));
    }
}
