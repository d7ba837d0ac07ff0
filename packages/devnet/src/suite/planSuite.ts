import { PeerHostError } from '@peerhost/protocol'
import {
  type Address,
  type Chain,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  hexToBytes,
  keccak256,
  type PublicClient,
  parseAbi,
  size,
  type Transport,
} from 'viem'
import { create2Deployer, create3Factory, create3FactoryAbi, create3FactoryCall } from './create3.ts'
import { type SuiteConfig, type SuiteContract, suiteContracts } from './suiteContracts.ts'

export type SuiteClient = PublicClient<Transport, Chain>

/** One transaction of a deployment. */
export type SuiteStep = {
  name: 'Create3Factory' | SuiteContract['name']
  address: Address
  to: Address
  data: Hex
  /** An upper bound; what is not used is not paid. */
  gas: bigint
}

/** What has to be done, and what is there already with exactly the code that it should have. */
export type SuitePlan = { chainId: number; missing: SuiteStep[]; present: SuiteStep[]; gas: bigint }

const tokenAbi = parseAbi([
  'function decimals() view returns (uint8)',
  'function authorizationState(address authorizer, bytes32 nonce) view returns (bool)',
])
const tokenDecimals = 6
/** Has no key, so it never sent anything. */
const nobody: Address = '0x000000000000000000000000000000000000dEaD'

/**
 * Compares the chain with the config, contract by contract. Throws `config_invalid` when the chain is another one, when the
 * token is none, or when something else stands at an address of the suite.
 */
export async function planSuite(client: SuiteClient, chainId: number, config: SuiteConfig): Promise<SuitePlan> {
  await assertChain(client, chainId)
  await assertToken(client, config)
  const factoryCode = await client.getCode({ address: create3Factory })
  const factory: SuiteStep = {
    name: 'Create3Factory',
    address: create3Factory,
    to: create2Deployer,
    data: create3FactoryCall,
    gas: creationGas(create3FactoryCall, create3FactoryCall),
  }
  const plan: SuitePlan = { chainId, missing: [], present: [], gas: 0n }
  const add = (step: SuiteStep, isThere: boolean) => (isThere ? plan.present : plan.missing).push(step)
  add(factory, factoryCode !== undefined)
  for (const contract of suiteContracts(config)) {
    const code = await client.getCode({ address: contract.address })
    if (code !== undefined) await assertSameCode(client, contract, code)
    add(stepOf(contract), code !== undefined)
  }
  plan.gas = plan.missing.reduce((sum, { gas }) => sum + gas, 0n)
  return plan
}

function stepOf({ name, address, salt, creationCode }: SuiteContract): SuiteStep {
  const data = encodeFunctionData({ abi: create3FactoryAbi, functionName: 'deploy', args: [salt, creationCode] })
  return { name, address, to: create3Factory, data, gas: creationGas(data, creationCode) }
}

/**
 * More than it takes: a node cannot estimate it before the contracts that a constructor reads are there. 200 gas for each
 * byte of code, of which the constructor's own are too many; what two creations cost; and room for the constructor.
 */
function creationGas(data: Hex, creationCode: Hex): bigint {
  const bytes = hexToBytes(data)
  const zeros = bytes.reduce((count, byte) => (byte === 0 ? count + 1 : count), 0)
  const calldata = 4 * zeros + 16 * (bytes.length - zeros)
  return BigInt(21_000 + calldata + 200 * size(creationCode) + 2 * 32_000 + 8 * bytes.length + 400_000)
}

async function assertChain(client: SuiteClient, chainId: number): Promise<void> {
  const actual = await client.getChainId()
  if (actual !== chainId)
    throw new PeerHostError('config_invalid', `The RPC is of chain ${actual}, not ${chainId}.`, {
      hint: 'Nothing was sent. Give the RPC of the network that you mean.',
    })
  if ((await client.getCode({ address: create2Deployer })) === undefined)
    throw new PeerHostError('config_invalid', `Chain ${chainId} has no deterministic deployer.`, {
      details: [`Expected at ${create2Deployer}.`],
      hint: 'Send its well-known signed transaction first.',
    })
}

async function assertToken(client: SuiteClient, { token, deployer }: SuiteConfig): Promise<void> {
  const contract = { address: token, abi: tokenAbi } as const
  try {
    const decimals = await client.readContract({ ...contract, functionName: 'decimals' })
    // Whoever signs a payment needs it; a token without EIP-3009 has no such function.
    await client.readContract({
      ...contract,
      functionName: 'authorizationState',
      args: [deployer, keccak256('0x')],
    })
    if (decimals === tokenDecimals) return
  } catch (cause) {
    throw new PeerHostError('config_invalid', `There is no EIP-3009 token at ${token}.`, { cause })
  }
  throw new PeerHostError('config_invalid', `The token at ${token} does not have ${tokenDecimals} decimals.`)
}

/**
 * Runs the creation as a call: what comes back is the code with its immutables, as it should stand there. It ran at another
 * address, which shows where a contract knows itself or what it created first.
 */
async function assertSameCode(client: SuiteClient, contract: SuiteContract, code: Hex): Promise<void> {
  const { data = '0x' } = await client.call({ account: nobody, data: contract.creationCode })
  const ranAt = getContractAddress({ from: nobody, nonce: 0n })
  const expected = [
    [ranAt, contract.address],
    [firstCreatedBy(ranAt), firstCreatedBy(contract.address)],
  ].reduce((text, [from = '', to = '']) => text.replaceAll(bareHex(from), bareHex(to)), data as string)
  if (expected === code) return
  throw new PeerHostError('config_invalid', `Something else stands at the address of ${contract.name}.`, {
    details: [
      `Address: ${contract.address}`,
      `Code hash: ${keccak256(code)}`,
      `Expected: ${keccak256(expected as Hex)}`,
    ],
    hint: 'The config or the code is not the one that was deployed: choose another release.',
  })
}

function firstCreatedBy(address: Address): Address {
  return getContractAddress({ from: address, nonce: 1n })
}

function bareHex(address: string): string {
  return address.slice(2).toLowerCase()
}
