import {
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  PeerHostError,
  type ProtocolParameters,
  type ProtocolTimes,
  testUsdcAbi,
} from '@peerhost/protocol'
import {
  type Address,
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  getAddress,
  type Hex,
  http,
  parseEther,
  parseUnits,
  publicActions,
} from 'viem'
import type { DevnetAccount, DevnetAccounts } from './accounts.ts'
import { testUsdcRuntimeBytecode } from './artifacts.generated.ts'
import { DEVNET_CHAIN_ID, devnetChain } from './chain.ts'
import { multicall3RuntimeBytecode } from './multicall3.generated.ts'
import { deploySuite } from './suite/deploySuite.ts'
import type { SuiteConfig } from './suite/suiteContracts.ts'

/** Where the contracts of a network are. `deployBlock` is where reading its events begins. */
export type DevnetAddresses = {
  coordinator: Address
  registry: Address
  parameters: Address
  operators: Address
  confirmedLane: Address
  escrow: Address
  court: Address
  directory: Address
  token: Address
  treasury: Address
  deployBlock: bigint
}

/** What a devnet may have otherwise than the defaults of a new deployment. */
export type DevnetTuning = {
  times?: Partial<ProtocolTimes> | undefined
  parameters?: Partial<ProtocolParameters> | undefined
}

/** Base Sepolia's USDC: stock x402 clients accept it without configuration. */
export const DEVNET_TOKEN: Address = getAddress('0x036CbD53842c5426634e7929541eC2318f3dCF7e')
const multicall3: Address = '0xcA11bde05977b3631167028862bE2a173976CA11'

/** What a worker of a devnet stakes, in tokens. */
export const DEVNET_STAKE = '100'
const purse = parseUnits('1000000', 6)
const gasMoney = parseEther('10000')
const gasLimit = 15_000_000n

/**
 * Puts token and Multicall3 where the real chain has them, deploys the protocol's contracts as contracts/scripts/deploy.ts
 * does, and fills everyone's purse. Throws `transaction_failed` when the chain refuses one of the transactions.
 */
export async function deployContracts(
  rpcUrl: string,
  accounts: DevnetAccounts,
  tuning: DevnetTuning = {},
): Promise<DevnetAddresses> {
  const chain = devnetClient(rpcUrl)
  await chain.setCode({ address: DEVNET_TOKEN, bytecode: testUsdcRuntimeBytecode })
  await chain.setCode({ address: multicall3, bytecode: multicall3RuntimeBytecode })
  const { deployer, treasury } = accounts
  await chain.setBalance({ address: deployer.address, value: gasMoney })
  const wallet = createWalletClient({ account: deployer, chain: devnetChain, transport: http(rpcUrl) })
  const config: SuiteConfig = {
    deployer: deployer.address,
    release: 'devnet',
    token: DEVNET_TOKEN,
    treasury: treasury.address,
    governor: deployer.address,
    times: { ...DEFAULT_TIMES, ...tuning.times },
    parameters: { ...DEFAULT_PARAMETERS, ...tuning.parameters },
  }
  const { addresses, fromBlock } = await deploySuite(
    { client: devnetClient(rpcUrl), wallet },
    { chainId: DEVNET_CHAIN_ID, config, isPipelined: true },
  )
  await fundAccounts(rpcUrl, accounts)
  const { functions, ...others } = addresses
  return { ...others, registry: functions, deployBlock: fromBlock }
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
  const { treasury: _, deployBlock: __, ...contracts } = addresses
  const codes = await Promise.all(Object.values(contracts).map((address) => client.getCode({ address })))
  return codes.every((code) => code !== undefined)
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
  return createTestClient({ mode: 'anvil', chain: devnetChain, transport: http(rpcUrl), pollingInterval: 50 }).extend(
    publicActions,
  )
}
