import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevnetAccount, deployContracts, devnetAccounts, startChain } from '@peerhost/devnet'
import {
  executionCoordinatorAbi,
  functionId as functionIdOf,
  functionRegistryAbi,
  hashExecutionKeyProof,
  operatorRegistryAbi,
  type PaymentMode,
  paymentModeNumber,
  testUsdcAbi,
} from '@peerhost/protocol'
import {
  type Abi,
  type Address,
  createPublicClient,
  createWalletClient,
  http,
  parseUnits,
  sha256,
  stringToHex,
} from 'viem'

/** What every function of the test network runs on. */
export const testRuntimeDigest = sha256(stringToHex('test runtime'))

export type TestNetwork = Awaited<ReturnType<typeof startTestNetwork>>

/** A real chain with the real contracts, one staked operator, and a developer with two functions and credit. */
export async function startTestNetwork() {
  const directory = await mkdtemp(join(tmpdir(), 'peerhost-sdk-'))
  const chain = await startChain({ directory })
  const accounts = devnetAccounts(1)
  const addresses = await deployContracts(chain.rpcUrl, accounts)
  const { developer, gateway, facilitator, payer } = accounts
  const [worker] = accounts.operators
  if (!worker) throw new Error('There is no operator account.')
  const publicClient = createPublicClient({ transport: http(chain.rpcUrl), pollingInterval: 50 })
  const domain = { chainId: chain.id, coordinator: addresses.coordinator }

  async function send(account: DevnetAccount, address: Address, abi: Abi, functionName: string, args: unknown[]) {
    const wallet = createWalletClient({ account, transport: http(chain.rpcUrl) })
    const hash = await wallet.writeContract({ chain: null, address, abi, functionName, args })
    const receipt = await publicClient.waitForTransactionReceipt({ hash, timeout: 20_000 })
    if (receipt.status !== 'success') throw new Error(`${functionName} was reverted.`)
    return receipt
  }
  const coordinator = (account: DevnetAccount, name: string, args: unknown[]) =>
    send(account, addresses.coordinator, executionCoordinatorAbi, name, args)

  async function registerOperator() {
    const { operator, executionKey } = worker as NonNullable<typeof worker>
    const stake = parseUnits('100', 6)
    const proof = await executionKey.sign({
      hash: hashExecutionKeyProof(domain, {
        protocolVersion: 1,
        operator: operator.address,
        executionKey: executionKey.address,
        nonce: 0n,
      }),
    })
    await send(operator, addresses.token, testUsdcAbi, 'approve', [addresses.operators, stake])
    const args = [executionKey.address, proof, stake, 4]
    await send(operator, addresses.operators, operatorRegistryAbi, 'registerOperator', args)
  }

  async function publish(name: string, price: bigint, { paymentMode = 'after' as PaymentMode, flags = 1 } = {}) {
    const spec = {
      name,
      bundleDigest: sha256(stringToHex(name)),
      metadataDigest: sha256(stringToHex(`${name} metadata`)),
      runtimeDigest: testRuntimeDigest,
      limitsClass: 1,
      flags,
      quorum: 1,
      lane: 1,
      fee: 100n,
      price,
      payee: '0x0000000000000000000000000000000000000000',
      paymentMode: paymentModeNumber(paymentMode),
    }
    await send(developer, addresses.registry, functionRegistryAbi, 'publish', ['weather', [spec]])
    return functionIdOf(developer.address, 'weather', name)
  }

  await registerOperator()
  const free = await publish('now', 0n)
  const priced = await publish('forecast', 1_000n)
  await send(developer, addresses.token, testUsdcAbi, 'approve', [addresses.coordinator, parseUnits('10', 6)])
  await coordinator(developer, 'depositCredit', [developer.address, parseUnits('10', 6)])
  await coordinator(developer, 'grantCreditLine', [gateway.address, parseUnits('10', 6), parseUnits('1', 6)])

  return {
    chain,
    addresses,
    domain,
    publicClient,
    accounts: { developer, gateway, facilitator, payer, agent: accounts.agent, worker },
    functions: { free, priced },
    send,
    coordinator,
    publish,
    balanceOf: (address: Address) =>
      publicClient.readContract({
        address: addresses.token,
        abi: testUsdcAbi,
        functionName: 'balanceOf',
        args: [address],
      }),
    stop: async () => {
      await chain.process.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
