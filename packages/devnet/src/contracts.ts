import { executionCoordinatorAbi, functionRegistryAbi, LIMITS, PeerHostError, testUsdcAbi } from '@peerhost/protocol'
import {
  type Address,
  createTestClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContractAddress,
  type Hex,
  http,
  parseEther,
  parseUnits,
  publicActions,
} from 'viem'
import type { DevnetAccount, DevnetAccounts } from './accounts.ts'
import {
  executionCoordinatorBytecode,
  functionRegistryBytecode,
  testUsdcRuntimeBytecode,
} from './artifacts.generated.ts'
import { devnetChain } from './chain.ts'
import { multicall3RuntimeBytecode } from './multicall3.generated.ts'

/** Where the contracts of a network are. `deployBlock` is where reading its events begins. */
export type DevnetAddresses = {
  coordinator: Address
  registry: Address
  token: Address
  treasury: Address
  deployBlock: bigint
}

/** Base Sepolia's USDC: stock x402 clients accept it without configuration. */
export const DEVNET_TOKEN: Address = getAddress('0x036CbD53842c5426634e7929541eC2318f3dCF7e')
const multicall3: Address = '0xcA11bde05977b3631167028862bE2a173976CA11'

/** What a worker of a devnet stakes, in tokens. */
export const DEVNET_STAKE = '100'
const purse = parseUnits('1000000', 6)
const gasMoney = parseEther('10000')
const gasLimit = 15_000_000n
const unbondingPeriodSeconds = 2 * (LIMITS.ticketLifetimeSeconds + LIMITS.settlementGraceSeconds) + LIMITS.epochSeconds

/**
 * Puts token and Multicall3 where the real chain has them, deploys registry and coordinator and fills everyone's
 * purse. Throws `transaction_failed` when the chain refuses one of the transactions.
 */
export async function deployContracts(rpcUrl: string, accounts: DevnetAccounts): Promise<DevnetAddresses> {
  const chain = devnetClient(rpcUrl)
  await chain.setCode({ address: DEVNET_TOKEN, bytecode: testUsdcRuntimeBytecode })
  await chain.setCode({ address: multicall3, bytecode: multicall3RuntimeBytecode })
  const { deployer, treasury } = accounts
  await chain.setBalance({ address: deployer.address, value: gasMoney })
  const deployBlock = await chain.getBlockNumber()
  const nonce = BigInt(await chain.getTransactionCount({ address: deployer.address }))
  await sendAll(rpcUrl, deployer, [
    {
      what: 'deploy the registry',
      data: encodeDeployData({ abi: functionRegistryAbi, bytecode: functionRegistryBytecode }),
    },
    { what: 'deploy the coordinator', data: coordinatorDeployData(treasury.address) },
  ])
  await fundAccounts(rpcUrl, accounts)
  return {
    registry: getContractAddress({ from: deployer.address, nonce }),
    coordinator: getContractAddress({ from: deployer.address, nonce: nonce + 1n }),
    token: DEVNET_TOKEN,
    treasury: treasury.address,
    deployBlock,
  }
}

/** Gives ETH and test USDC to every account that is short of them. */
export async function fundAccounts(rpcUrl: string, { operators, ...named }: DevnetAccounts): Promise<void> {
  const chain = devnetClient(rpcUrl)
  const addresses = [...Object.values(named), ...operators.map(({ operator }) => operator)].map(
    ({ address }) => address,
  )
  await Promise.all(addresses.map((address) => chain.setBalance({ address, value: gasMoney })))
  const balances = await Promise.all(
    addresses.map((address) =>
      chain.readContract({ address: DEVNET_TOKEN, abi: testUsdcAbi, functionName: 'balanceOf', args: [address] }),
    ),
  )
  const poor = addresses.filter((_, index) => (balances[index] ?? 0n) < purse / 2n)
  await sendAll(
    rpcUrl,
    named.deployer,
    poor.map((address) => ({
      what: `mint test USDC for ${address}`,
      to: DEVNET_TOKEN,
      data: encodeFunctionData({ abi: testUsdcAbi, functionName: 'mint', args: [address, purse] }),
    })),
  )
}

/** True when the chain still has the contracts: what a kept directory says is only as good as its chain. */
export async function hasContracts(rpcUrl: string, addresses: DevnetAddresses): Promise<boolean> {
  const client = devnetClient(rpcUrl)
  const codes = await Promise.all(
    [addresses.registry, addresses.coordinator, addresses.token].map((address) => client.getCode({ address })),
  )
  return codes.every((code) => code !== undefined)
}

function coordinatorDeployData(treasury: Address): Hex {
  return encodeDeployData({
    abi: executionCoordinatorAbi,
    bytecode: executionCoordinatorBytecode,
    args: [
      {
        token: DEVNET_TOKEN,
        treasury,
        minimumStake: parseUnits(DEVNET_STAKE, 6),
        protocolFeeBps: 500,
        epochSeconds: LIMITS.epochSeconds,
        settlementGrace: LIMITS.settlementGraceSeconds,
        maximumTicketLifetime: LIMITS.ticketLifetimeSeconds,
        unbondingPeriod: unbondingPeriodSeconds,
      },
    ],
  })
}

/** Sends all without waiting in between and then waits for each: one block takes them. */
async function sendAll(
  rpcUrl: string,
  account: DevnetAccount,
  transactions: readonly { what: string; to?: Address; data: Hex }[],
): Promise<void> {
  const wallet = createWalletClient({ account, chain: devnetChain, transport: http(rpcUrl) }).extend(publicActions)
  const firstNonce = await wallet.getTransactionCount({ address: account.address })
  const hashes = await Promise.all(
    transactions.map(({ to, data }, index) =>
      wallet.sendTransaction({ ...(to ? { to } : {}), data, nonce: firstNonce + index, gas: gasLimit }),
    ),
  )
  for (const [index, hash] of hashes.entries()) {
    const receipt = await wallet.waitForTransactionReceipt({ hash, pollingInterval: 50, timeout: 20_000 })
    if (receipt.status !== 'success')
      throw new PeerHostError('transaction_failed', `The chain refused to ${transactions[index]?.what}.`, {
        details: [`Transaction: ${hash}`],
      })
  }
}

function devnetClient(rpcUrl: string) {
  return createTestClient({ mode: 'anvil', chain: devnetChain, transport: http(rpcUrl) }).extend(publicActions)
}
