import { setTimeout } from 'node:timers/promises'
import {
  createDigestSigner,
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  type DigestSigner,
  executionCoordinatorAbi,
  hashExecutionKeyProof,
  operatorRegistryAbi,
  type ProtocolDomain,
  testUsdcAbi,
} from '@peerhost/protocol'
import {
  type Account,
  type Address,
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  publicActions,
} from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'

/** A worker of the measured network: the wallet that owns it and the key that signs for it. */
export type BenchWorker = { operator: Account; key: DigestSigner }

/** Where the measured contracts are. */
export type GasAddresses = Record<
  'token' | 'registry' | 'operators' | 'coordinator' | 'confirmedLane' | 'escrow' | 'court',
  Address
>

/** What seats are drawn with now. */
export type BenchEpoch = { epoch: number; seed: Hex; totalStake: bigint; operatorCount: number }

/** A chain, accounts that have gas on it, and the gas of what they send. */
export type BenchChain = ReturnType<typeof createBenchChain>

/** What the measurements run on: the suite, and actors with open credit lines. */
export type GasNetwork = BenchChain & {
  addresses: GasAddresses
  domain: ProtocolDomain
  /** Signs tickets; bonded. */
  requester: DigestSigner
  /** The same key, as a sender. */
  requesterAccount: Account
  owners: Account[]
  workers: BenchWorker[]
  anyone: Account
  epoch: BenchEpoch
}

const stake = DEFAULT_PARAMETERS.minimumStake
const credit = 1_000_000_000n

/** A client of an anvil that mines each transaction at once. */
export function createBenchChain(rpcUrl: string) {
  const client = createTestClient({ mode: 'anvil', transport: http(rpcUrl) }).extend(publicActions)
  // Asked for until it is there: who waits for the next block waits for ever, since each block has one transaction.
  const receiptOf = async (hash: Hex) => {
    for (let attempt = 0; attempt < 1_000; attempt += 1) {
      const receipt = await client.getTransactionReceipt({ hash }).catch(() => undefined)
      if (receipt) return receipt
      await setTimeout(20)
    }
    throw new Error(`transaction ${hash} was not mined`)
  }
  return {
    client,
    newAccount: async (): Promise<PrivateKeyAccount> => {
      const account = privateKeyToAccount(generatePrivateKey())
      await client.setBalance({ address: account.address, value: 10n ** 20n })
      return account
    },
    /** Sends, waits, and gives the gas of the receipt. Throws when the transaction failed. */
    send: async (from: Account, to: Address | null, data: Hex) => {
      const wallet = createWalletClient({ account: from, transport: http(rpcUrl) })
      const hash = await wallet.sendTransaction({ to, data, chain: null, gas: 20_000_000n })
      const receipt = await receiptOf(hash)
      if (receipt.status !== 'success') {
        // Asked again against the state before it, the chain says why.
        await client.call({ account: from, to, data, blockNumber: receipt.blockNumber - 1n })
        throw new Error(`transaction ${hash} failed`)
      }
      return { gas: Number(receipt.gasUsed), address: receipt.contractAddress, logs: receipt.logs }
    },
    nowSeconds: async () => Number((await client.getBlock()).timestamp),
    pass: async (seconds: number) => {
      await client.increaseTime({ seconds })
      await client.mine({ blocks: 1 })
    },
  }
}

/**
 * Registers operators, gives funders a line to one bonded requester, and lets two epochs pass so that stake and bond count
 * and a seed is there: what a network in use looks like.
 */
export async function createGasNetwork(
  chain: BenchChain,
  addresses: GasAddresses,
  actors: { workers: number; owners: number },
): Promise<GasNetwork> {
  const anyone = await chain.newAccount()
  const requesterKey = generatePrivateKey()
  const requester = createDigestSigner(requesterKey)
  const domain = { chainId: await chain.client.getChainId(), coordinator: addresses.coordinator }
  const network = { ...chain, addresses, domain, requester, anyone }
  const workers: BenchWorker[] = []
  for (let index = 0; index < actors.workers; index += 1) workers.push(await addWorker(network))
  const owners: Account[] = []
  for (let index = 0; index < actors.owners; index += 1) owners.push(await addOwner(network))
  const requesterAccount = privateKeyToAccount(requesterKey)
  await bondRequester(network, requesterAccount)
  return { ...network, requesterAccount, workers, owners, epoch: await openEpoch(network) }
}

/** Lets two epochs pass and captures the seed of the one that has begun then. */
async function openEpoch({ addresses, anyone, client, pass, send, nowSeconds }: Acting): Promise<BenchEpoch> {
  const { epochSeconds } = DEFAULT_TIMES
  const now = await nowSeconds()
  await pass(3 * epochSeconds - (now % epochSeconds))
  const registry = { address: addresses.operators, abi: operatorRegistryAbi } as const
  const epoch = await client.readContract({ ...registry, functionName: 'currentEpoch' })
  const capture = encodeFunctionData({ abi: operatorRegistryAbi, functionName: 'captureSeed', args: [epoch] })
  await send(anyone, addresses.operators, capture)
  for (let block = 0; block < 3; block += 1) await pass(1)
  await send(anyone, addresses.operators, capture)
  await pass(5)
  return { epoch, ...(await client.readContract({ ...registry, functionName: 'getEpoch', args: [epoch] })) }
}

type Acting = BenchChain & Pick<GasNetwork, 'addresses' | 'anyone' | 'domain' | 'requester'>

/** Play money that `spender` may take. */
export async function fillPurse(
  { addresses, send }: Pick<GasNetwork, 'addresses' | 'send'>,
  account: Account,
  spender: Address,
  amount: bigint,
): Promise<void> {
  const mint = encodeFunctionData({ abi: testUsdcAbi, functionName: 'mint', args: [account.address, amount] })
  const approve = encodeFunctionData({ abi: testUsdcAbi, functionName: 'approve', args: [spender, amount] })
  await send(account, addresses.token, mint)
  await send(account, addresses.token, approve)
}

async function addWorker(network: Acting): Promise<BenchWorker> {
  const operator = await network.newAccount()
  const key = createDigestSigner(generatePrivateKey())
  const proof = await key.sign(
    hashExecutionKeyProof(network.domain, {
      protocolVersion: 1,
      operator: operator.address,
      executionKey: key.address,
      nonce: 0n,
    }),
  )
  await fillPurse(network, operator, network.addresses.operators, stake)
  const args = [key.address, proof, stake, 1] as const
  const register = encodeFunctionData({ abi: operatorRegistryAbi, functionName: 'registerOperator', args })
  await network.send(operator, network.addresses.operators, register)
  return { operator, key }
}

async function addOwner(network: Acting): Promise<Account> {
  const owner = await network.newAccount()
  await fillPurse(network, owner, network.addresses.coordinator, credit)
  const coordinator = { abi: executionCoordinatorAbi } as const
  const deposit = encodeFunctionData({ ...coordinator, functionName: 'depositCredit', args: [owner.address, credit] })
  const grant = encodeFunctionData({
    ...coordinator,
    functionName: 'grantCreditLine',
    args: [network.requester.address, credit, 1_000_000n],
  })
  for (const data of [deposit, grant]) await network.send(owner, network.addresses.coordinator, data)
  return owner
}

async function bondRequester(network: Acting, requester: Account): Promise<void> {
  const { requesterBond } = DEFAULT_PARAMETERS
  await network.client.setBalance({ address: requester.address, value: 10n ** 20n })
  await fillPurse(network, requester, network.addresses.coordinator, requesterBond)
  const data = encodeFunctionData({
    abi: executionCoordinatorAbi,
    functionName: 'bondRequester',
    args: [requesterBond],
  })
  await network.send(requester, network.addresses.coordinator, data)
}
