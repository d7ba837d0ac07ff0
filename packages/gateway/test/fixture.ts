import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  disputeCourtAbi,
  executionCoordinatorAbi,
  functionId,
  functionRegistryAbi,
  hashExecutionKeyProof,
  operatorRegistryAbi,
  PROTOCOL_VERSION,
  type ProtocolParameters,
  type ProtocolTimes,
  testUsdcAbi,
} from '@peerhost/protocol'
import {
  type Abi,
  type Account,
  type Address,
  type Chain,
  createTestClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  type Hex,
  http,
  keccak256,
  maxUint256,
  parseEther,
  publicActions,
  stringToHex,
  zeroAddress,
} from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { testUsdcRuntimeBytecode } from '../../devnet/src/artifacts.generated.ts'
import { multicall3RuntimeBytecode } from '../../devnet/src/multicall3.generated.ts'
import { deploySuite } from '../../devnet/src/suite/deploySuite.ts'

export const token: Address = '0x036CbD53842c5426634e7929541eC2318f3dCF7e'
export const runtimeDigest: Hex = keccak256(stringToHex('runtime of the tests'))
export const stake = 100_000_000n

export const chain: Chain = defineChain({
  id: 84_532,
  name: 'Base Sepolia',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [] } },
  contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
})

export type Keyed = { key: Hex; account: PrivateKeyAccount }

/** A fresh key: no two tests share money or nonces. */
export function newKey(): Keyed {
  const key = generatePrivateKey()
  return { key, account: privateKeyToAccount(key) }
}

export type FunctionOptions = {
  name?: string
  price?: bigint
  payee?: Address
  paymentMode?: number
  fee?: bigint
  lane?: number
  limitsClass?: number
  quorum?: number
  flags?: number
  project?: string
  metadataDigest?: Hex
}

export type NetworkOptions = {
  blockTimeSeconds?: number
  times?: Partial<ProtocolTimes>
  parameters?: Partial<ProtocolParameters>
}

/** Times in which a test sees windows open and close. */
export const shortTimes = {
  epochSeconds: 6,
  maximumTicketLifetime: 30,
  settlementGrace: 6,
  conflictWindow: 2,
  challengeWindow: 12,
  juryPhase: 5,
  unbondingPeriod: 200,
  parameterDelay: 200,
} as const satisfies ProtocolTimes

export type TestNetwork = Awaited<ReturnType<typeof startNetwork>>

/** A real chain with the real contracts, empty but for what the tests put there. */
export async function startNetwork(options: NetworkOptions = {}) {
  const port = await freePort()
  const anvil = startAnvil(port, options.blockTimeSeconds ?? 0.2)
  const rpcUrl = `http://127.0.0.1:${port}`
  const client = createTestClient({ mode: 'anvil', chain, transport: http(rpcUrl), pollingInterval: 50 }).extend(
    publicActions,
  )
  for (let attempt = 0; ; attempt++) {
    if (await client.getChainId().catch(() => undefined)) break
    if (attempt > 200) throw new Error('anvil did not start')
    await sleep(50)
  }
  await client.setCode({ address: token, bytecode: testUsdcRuntimeBytecode })
  await client.setCode({ address: '0xcA11bde05977b3631167028862bE2a173976CA11', bytecode: multicall3RuntimeBytecode })
  const nonces = new Map<Address, number>()
  const send = async (account: Account, transaction: { to?: Address; data: Hex }): Promise<Hex> => {
    const wallet = createWalletClient({ account, chain, transport: http(rpcUrl) })
    const nonce = nonces.get(account.address) ?? 0
    nonces.set(account.address, nonce + 1)
    return wallet.sendTransaction({ ...transaction, nonce, gas: 12_000_000n })
  }
  const mined = async (hash: Hex) => {
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 20_000 })
    if (receipt.status !== 'success') throw new Error(`reverted: ${hash}`)
    return receipt
  }
  const rich = async (account: Account) => {
    await client.setBalance({ address: account.address, value: parseEther('1000') })
    await mined(await send(account, encode(testUsdcAbi, token, 'mint', [account.address, 1_000_000_000n])))
  }
  const deployer = newKey().account
  await client.setBalance({ address: deployer.address, value: parseEther('1000') })
  const wallet = createWalletClient({ account: deployer, chain, transport: http(rpcUrl) })
  const { addresses, fromBlock: deployBlock } = await deploySuite(
    { client, wallet },
    {
      chainId: chain.id,
      isPipelined: true,
      config: {
        deployer: deployer.address,
        release: 'tests',
        token,
        treasury: deployer.address,
        governor: deployer.address,
        times: { ...DEFAULT_TIMES, ...options.times },
        parameters: { ...DEFAULT_PARAMETERS, ...options.parameters },
      },
    },
  )
  const { coordinator, functions: registry, operators, court } = addresses
  const call = async (account: Account, abi: readonly unknown[], to: Address, functionName: string, args: unknown[]) =>
    mined(await send(account, encode(abi, to, functionName, args)))

  return {
    rpcUrl,
    wsUrl: `ws://127.0.0.1:${port}`,
    client,
    deployBlock,
    addresses: { ...addresses, registry },
    domain: { chainId: chain.id, coordinator },
    rich,
    call,
    balance: (address: Address) =>
      client.readContract({ address: token, abi: testUsdcAbi, functionName: 'balanceOf', args: [address] }),
    /** An operator with stake; its execution key signs. */
    register: async (operator: Keyed, execution: Keyed) => {
      await rich(operator.account)
      await call(operator.account, testUsdcAbi, token, 'approve', [operators, maxUint256])
      const proof = await execution.account.sign({
        hash: hashExecutionKeyProof(
          { chainId: chain.id, coordinator },
          {
            protocolVersion: PROTOCOL_VERSION,
            operator: operator.account.address,
            executionKey: execution.account.address,
            nonce: 0n,
          },
        ),
      })
      await call(operator.account, operatorRegistryAbi, operators, 'registerOperator', [
        execution.account.address,
        proof,
        stake,
        8,
      ])
    },
    /** Credit of an owner for a gateway. */
    fund: async (owner: Account, requester: Address, amount: bigint, cap = amount) => {
      await call(owner, testUsdcAbi, token, 'approve', [coordinator, maxUint256])
      await call(owner, executionCoordinatorAbi, coordinator, 'depositCredit', [owner.address, amount])
      await call(owner, executionCoordinatorAbi, coordinator, 'grantCreditLine', [requester, cap, amount])
    },
    /** An owner's bond: what makes a deterministic function judged. */
    bondFunction: async (owner: Account, id: Hex, amount = DEFAULT_PARAMETERS.ownerBond) => {
      await call(owner, testUsdcAbi, token, 'approve', [court, maxUint256])
      await call(owner, disputeCourtAbi, court, 'bondFunction', [id, amount])
    },
    publish: async (owner: Account, { name = 'hello', ...more }: FunctionOptions = {}) => {
      const { project = 'demo', ...rest } = more
      const spec = {
        name,
        bundleDigest: keccak256(stringToHex(`bundle of ${name}`)),
        metadataDigest: rest.metadataDigest ?? (`0x${'0'.repeat(64)}` as Hex),
        runtimeDigest,
        limitsClass: rest.limitsClass ?? 1,
        flags: rest.flags ?? 1,
        quorum: rest.quorum ?? 1,
        lane: rest.lane ?? 1,
        fee: rest.fee ?? 100n,
        price: rest.price ?? 0n,
        payee: rest.payee ?? zeroAddress,
        paymentMode: rest.paymentMode ?? 1,
      }
      await call(owner, functionRegistryAbi, registry, 'publish', [project, [spec]])
      return { functionId: functionId(owner.address, project, name), path: `/${owner.address}/${project}/${name}` }
    },
    stop: async () => {
      const ended = new Promise((resolve) => anvil.once('exit', resolve))
      anvil.kill('SIGTERM')
      await ended
    },
  }
}

function encode(
  abi: readonly unknown[],
  to: Address,
  functionName: string,
  args: unknown[],
): { to: Address; data: Hex } {
  return { to, data: encodeFunctionData({ abi: abi as Abi, functionName, args }) }
}

function startAnvil(port: number, blockTimeSeconds: number): ChildProcess {
  const shim = createRequire(import.meta.url).resolve('@foundry-rs/anvil/bin.mjs')
  let command = process.execPath
  let args = [shim]
  try {
    command = createRequire(shim).resolve(
      `@foundry-rs/anvil-linux-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/anvil`,
    )
    args = []
  } catch {
    // npm's shim finds the platform's binary, or says what is missing.
  }
  const flags = [
    '--chain-id',
    '84532',
    '--block-time',
    String(blockTimeSeconds),
    '--gas-limit',
    '300000000',
    '--host',
    '127.0.0.1',
  ]
  return spawn(command, [...args, ...flags, '--port', String(port), '--silent'], { stdio: 'ignore' })
}

/** A port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
