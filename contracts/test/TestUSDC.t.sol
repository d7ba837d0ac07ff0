// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";
import {TestUSDC} from "../src/token/TestUSDC.sol";
import {WalletRequester} from "./fixtures/WalletRequester.sol";

contract TestUSDCTest is Test {
    uint256 private constant PAYER_KEY = 0xA1;
    bytes32 private constant NONCE = keccak256("nonce");

    /// @dev Where Base Sepolia has its USDC: the token has to work as code placed at an address.
    TestUSDC private constant TOKEN = TestUSDC(0x036CbD53842c5426634e7929541eC2318f3dCF7e);
    address private immutable _payer = vm.addr(PAYER_KEY);
    address private immutable _payee = makeAddr("payee");

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.etch(address(TOKEN), address(new TestUSDC()).code);
        TOKEN.mint(_payer, 1000);
    }

    function test_looksLikeUsdc() public view {
        assertEq(TOKEN.name(), "USDC");
        assertEq(TOKEN.version(), "2");
        assertEq(TOKEN.decimals(), 6);
        assertEq(TOKEN.totalSupply(), 1000);
        assertEq(
            TOKEN.DOMAIN_SEPARATOR(),
            keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                    keccak256("USDC"),
                    keccak256("2"),
                    block.chainid,
                    address(TOKEN)
                )
            )
        );
    }

    function test_transferAndAllowance() public {
        vm.prank(_payer);
        assertTrue(TOKEN.transfer(_payee, 100));
        vm.prank(_payer);
        assertTrue(TOKEN.approve(_payee, 50));
        vm.startPrank(_payee);
        vm.expectRevert("ERC20: transfer amount exceeds allowance");
        TOKEN.transferFrom(_payer, _payee, 51);
        vm.expectEmit(address(TOKEN));
        emit IERC20.Transfer(_payer, _payee, 50);
        assertTrue(TOKEN.transferFrom(_payer, _payee, 50));
        assertEq(TOKEN.balanceOf(_payee), 150);
        assertEq(TOKEN.allowance(_payer, _payee), 0);
        vm.expectRevert("ERC20: transfer amount exceeds balance");
        TOKEN.transfer(_payer, 151);
        vm.expectRevert("ERC20: transfer to the zero address");
        TOKEN.transfer(address(0), 1);
    }

    function test_transferWithAuthorization_bothForms() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, transferDigest(NONCE, 10));
        vm.expectEmit(address(TOKEN));
        emit TestUSDC.AuthorizationUsed(_payer, NONCE);
        TOKEN.transferWithAuthorization(_payer, _payee, 10, 0, type(uint256).max, NONCE, v, r, s);
        assertEq(TOKEN.balanceOf(_payee), 10);
        assertTrue(TOKEN.authorizationState(_payer, NONCE));
        vm.expectRevert("FiatTokenV2: authorization is used or canceled");
        TOKEN.transferWithAuthorization(_payer, _payee, 10, 0, type(uint256).max, NONCE, v, r, s);
        bytes32 other = keccak256("other");
        bytes memory signature = signed(transferDigest(other, 10));
        TOKEN.transferWithAuthorization(_payer, _payee, 10, 0, type(uint256).max, other, signature);
        assertEq(TOKEN.balanceOf(_payee), 20);
    }

    function test_transferWithAuthorization_ofAContractWallet() public {
        WalletRequester wallet = new WalletRequester(_payer);
        TOKEN.mint(address(wallet), 10);
        bytes32 structHash = keccak256(
            abi.encode(
                TOKEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), address(wallet), _payee, 10, 0, type(uint256).max, NONCE
            )
        );
        TOKEN.transferWithAuthorization(
            address(wallet), _payee, 10, 0, type(uint256).max, NONCE, signed(digestOf(structHash))
        );
        assertEq(TOKEN.balanceOf(_payee), 10);
    }

    function test_transferWithAuthorization_refusesTimesAmountsAndSigners() public {
        bytes memory signature = signed(transferDigest(NONCE, 10));
        vm.expectRevert("FiatTokenV2: authorization is not yet valid");
        TOKEN.transferWithAuthorization(_payer, _payee, 10, vm.getBlockTimestamp(), type(uint256).max, NONCE, signature);
        vm.expectRevert("FiatTokenV2: authorization is expired");
        TOKEN.transferWithAuthorization(_payer, _payee, 10, 0, vm.getBlockTimestamp(), NONCE, signature);
        vm.expectRevert("FiatTokenV2: invalid signature");
        TOKEN.transferWithAuthorization(_payer, _payee, 11, 0, type(uint256).max, NONCE, signature);
        signature = signed(transferDigest(NONCE, 1001));
        vm.expectRevert("ERC20: transfer amount exceeds balance");
        TOKEN.transferWithAuthorization(_payer, _payee, 1001, 0, type(uint256).max, NONCE, signature);
    }

    function test_receiveWithAuthorization_onlyThePayee() public {
        bytes32 structHash = keccak256(
            abi.encode(TOKEN.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), _payer, _payee, 10, 0, type(uint256).max, NONCE)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digestOf(structHash));
        vm.expectRevert("FiatTokenV2: caller must be the payee");
        TOKEN.receiveWithAuthorization(_payer, _payee, 10, 0, type(uint256).max, NONCE, v, r, s);
        vm.prank(_payee);
        TOKEN.receiveWithAuthorization(_payer, _payee, 10, 0, type(uint256).max, NONCE, v, r, s);
        assertEq(TOKEN.balanceOf(_payee), 10);
    }

    function test_cancelAuthorization() public {
        bytes32 structHash = keccak256(abi.encode(TOKEN.CANCEL_AUTHORIZATION_TYPEHASH(), _payer, NONCE));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digestOf(structHash));
        vm.expectRevert("FiatTokenV2: invalid signature");
        TOKEN.cancelAuthorization(_payee, NONCE, v, r, s);
        vm.expectEmit(address(TOKEN));
        emit TestUSDC.AuthorizationCanceled(_payer, NONCE);
        TOKEN.cancelAuthorization(_payer, NONCE, v, r, s);
        bytes memory signature = signed(transferDigest(NONCE, 10));
        vm.expectRevert("FiatTokenV2: authorization is used or canceled");
        TOKEN.transferWithAuthorization(_payer, _payee, 10, 0, type(uint256).max, NONCE, signature);
        vm.expectRevert("FiatTokenV2: authorization is used or canceled");
        TOKEN.cancelAuthorization(_payer, NONCE, v, r, s);
    }

    function test_permit() public {
        bytes32 structHash =
            keccak256(abi.encode(TOKEN.PERMIT_TYPEHASH(), _payer, _payee, 10, 0, vm.getBlockTimestamp()));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digestOf(structHash));
        TOKEN.permit(_payer, _payee, 10, vm.getBlockTimestamp(), v, r, s);
        assertEq(TOKEN.allowance(_payer, _payee), 10);
        assertEq(TOKEN.nonces(_payer), 1);
        vm.expectRevert("EIP2612: invalid signature");
        TOKEN.permit(_payer, _payee, 10, vm.getBlockTimestamp(), v, r, s);
        vm.expectRevert("FiatTokenV2: permit is expired");
        TOKEN.permit(_payer, _payee, 10, vm.getBlockTimestamp() - 1, v, r, s);
    }

    function transferDigest(
        bytes32 nonce,
        uint256 value
    ) private view returns (bytes32) {
        return digestOf(
            keccak256(
                abi.encode(
                    TOKEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), _payer, _payee, value, 0, type(uint256).max, nonce
                )
            )
        );
    }

    function digestOf(
        bytes32 structHash
    ) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", TOKEN.DOMAIN_SEPARATOR(), structHash));
    }

    function signed(
        bytes32 digest
    ) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digest);
        return abi.encodePacked(r, s, v);
    }
}
