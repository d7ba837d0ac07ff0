import {
  type Address,
  concatHex,
  encodeAbiParameters,
  getContractAddress,
  getCreate2Address,
  type Hex,
  keccak256,
  parseAbi,
  stringToBytes,
  zeroHash,
} from 'viem'
import { create3FactoryBytecode } from '../artifacts.generated.ts'

/** The deployer that stands at this address on every chain: `salt ‖ creation code` in, a contract out. */
export const create2Deployer: Address = '0x4e59b44847b379578588920cA78FbF26c0B4956C'

/** `Create3Factory` of contracts/src/deployment, at the same address on every chain. */
export const create3Factory: Address = getCreate2Address({
  from: create2Deployer,
  salt: zeroHash,
  bytecode: create3FactoryBytecode,
})

export const create3FactoryAbi = parseAbi([
  'function deploy(bytes32 salt, bytes creationCode) returns (address deployed)',
  'function addressOf(address deployer, bytes32 salt) view returns (address)',
])

/** What the deployer at `create2Deployer` is sent to create the factory. */
export const create3FactoryCall: Hex = concatHex([zeroHash, create3FactoryBytecode])

// Creation code of the proxy in OpenZeppelin's Create3: it creates what it is sent.
const proxyCode: Hex = '0x73365f5f37365f34f06012573d5f5f3e3d5ffd5b005f526014600cf3'

/** Where the contract of `deployer` and `salt` is or will be, whatever its code. Twin: `Create3Factory.addressOf`. */
export function create3Address(deployer: Address, salt: Hex): Address {
  const bound = keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'bytes32' }], [deployer, salt]))
  const proxy = getCreate2Address({ from: create3Factory, salt: bound, bytecode: proxyCode })
  return getContractAddress({ from: proxy, nonce: 1n })
}

/** The salt of one contract of one release. */
export function suiteSalt(release: string, name: string): Hex {
  return keccak256(stringToBytes(`peerhost/${release}/${name}`))
}
