import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DEVNET_TOKEN } from '@peerhost/devnet'
import {
  createDigestSigner,
  type DigestSigner,
  executionCoordinatorAbi,
  hashExecutionKeyProof,
  LIMITS,
  type ProtocolDomain,
  testUsdcAbi,
} from '@peerhost/protocol'
import {
  type Abi,
  type Account,
  type Address,
  createTestClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  http,
  publicActions,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { executionCoordinatorBytecode, testUsdcRuntimeBytecode } from '../packages/devnet/src/artifacts.generated.ts'

/** A worker of the measured network: the wallet that owns it and the key that signs for it. */
export type BenchWorker = { operator: Account; key: DigestSigner }

/** What the measurements run on: contracts, actors with open credit lines, and a way to send. */
export type GasNetwork = {
  domain: ProtocolDomain
  original: { address: Address; abi: Abi }
  requester: DigestSigner
  owners: Address[]
  workers: BenchWorker[]
  nowSeconds: () => Promise<number>
  /** Sends, waits, and gives the gas of the receipt. Throws when the transaction failed. */
  send: (from: Account, to: Address | null, data: Hex) => Promise<{ gas: number; address: Address | null | undefined }>
  anyone: Account
}

const stake = 100_000_000n
const credit = 1_000_000_000n

/** Deploys on an empty chain, registers `workers` operators and gives `owners` funders a line to one requester. */
export async function createGasNetwork(rpcUrl: string, workers: number, owners: number): Promise<GasNetwork> {
  const chain = createTestClient({ mode: 'anvil', transport: http(rpcUrl), pollingInterval: 20 }).extend(publicActions)
  const newAccount = async (): Promise<Account> => {
    const account = privateKeyToAccount(generatePrivateKey())
    await chain.setBalance({ address: account.address, value: 10n ** 20n })
    return account
  }
  const send: GasNetwork['send'] = async (from, to, data) => {
    const wallet = createWalletClient({ account: from, transport: http(rpcUrl) })
    const hash = await wallet.sendTransaction({ to, data, chain: null })
    const receipt = await chain.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`transaction ${hash} failed`)
    return { gas: Number(receipt.gasUsed), address: receipt.contractAddress }
  }
  const anyone = await newAccount()
  await chain.setCode({ address: DEVNET_TOKEN, bytecode: testUsdcRuntimeBytecode })
  const { address: coordinator } = await send(anyone, null, coordinatorCreation(anyone.address))
  const { abi, bytecode } = originalShape()
  const { address: original } = await send(anyone, null, bytecode)
  if (!coordinator || !original) throw new Error('a contract was not created')
  await chain.setBalance({ address: original, value: 10n ** 18n })
  const domain = { chainId: await chain.getChainId(), coordinator }
  const requester = createDigestSigner(generatePrivateKey())
  const network = {
    domain,
    original: { address: original, abi },
    requester,
    owners: [] as Address[],
    workers: [] as BenchWorker[],
    nowSeconds: async () => Number((await chain.getBlock()).timestamp),
    send,
    anyone,
  }
  for (let index = 0; index < workers; index += 1) network.workers.push(await addWorker(network, await newAccount()))
  for (let index = 0; index < owners; index += 1) network.owners.push(await addOwner(network, await newAccount()))
  return network
}

function coordinatorCreation(treasury: Address): Hex {
  const settleable = LIMITS.ticketLifetimeSeconds + LIMITS.settlementGraceSeconds
  return encodeDeployData({
    abi: executionCoordinatorAbi,
    bytecode: executionCoordinatorBytecode,
    args: [
      {
        token: DEVNET_TOKEN,
        treasury,
        minimumStake: stake,
        protocolFeeBps: 1_000,
        epochSeconds: LIMITS.epochSeconds,
        settlementGrace: LIMITS.settlementGraceSeconds,
        maximumTicketLifetime: LIMITS.ticketLifetimeSeconds,
        unbondingPeriod: 2 * settleable + LIMITS.epochSeconds,
      },
    ],
  })
}

/** The stand-in is no part of the product, so its code is compiled here and not kept. */
function originalShape(): { abi: Abi; bytecode: Hex } {
  const contracts = fileURLToPath(new URL('../contracts/', import.meta.url))
  execFileSync(`${contracts}../node_modules/.bin/forge`, ['build', 'test/bench/OriginalShape.sol'], {
    cwd: contracts,
    env: { ...process.env, FOUNDRY_OUT: 'out/bench', FOUNDRY_CACHE_PATH: 'cache/bench' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const artifact = JSON.parse(readFileSync(`${contracts}out/bench/OriginalShape.sol/OriginalShape.json`, 'utf8'))
  return { abi: artifact.abi as Abi, bytecode: artifact.bytecode.object as Hex }
}

type Registering = Pick<GasNetwork, 'domain' | 'send' | 'requester'>

async function fillPurse({ domain, send }: Registering, account: Account, amount: bigint): Promise<void> {
  const mint = encodeFunctionData({ abi: testUsdcAbi, functionName: 'mint', args: [account.address, amount] })
  const approve = encodeFunctionData({
    abi: testUsdcAbi,
    functionName: 'approve',
    args: [domain.coordinator, amount],
  })
  await send(account, DEVNET_TOKEN, mint)
  await send(account, DEVNET_TOKEN, approve)
}

async function addWorker(network: Registering, operator: Account): Promise<BenchWorker> {
  const key = createDigestSigner(generatePrivateKey())
  const proof = await key.sign(
    hashExecutionKeyProof(network.domain, {
      protocolVersion: 1,
      operator: operator.address,
      executionKey: key.address,
      nonce: 0n,
    }),
  )
  await fillPurse(network, operator, stake)
  await network.send(
    operator,
    network.domain.coordinator,
    encodeFunctionData({
      abi: executionCoordinatorAbi,
      functionName: 'registerOperator',
      args: [key.address, proof, stake],
    }),
  )
  return { operator, key }
}

async function addOwner(network: Registering, owner: Account): Promise<Address> {
  const { coordinator } = network.domain
  await fillPurse(network, owner, credit)
  const deposit = encodeFunctionData({
    abi: executionCoordinatorAbi,
    functionName: 'depositCredit',
    args: [owner.address, credit],
  })
  const grant = encodeFunctionData({
    abi: executionCoordinatorAbi,
    functionName: 'grantCreditLine',
    args: [network.requester.address, credit, 1_000_000n],
  })
  await network.send(owner, coordinator, deposit)
  await network.send(owner, coordinator, grant)
  return owner.address
}
