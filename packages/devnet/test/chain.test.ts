import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  directoryAbi,
  executionCoordinatorAbi,
  protocolParametersAbi,
  testUsdcAbi,
} from '@peerhost/protocol'
import { createPublicClient, http, parseUnits } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { devnetAccounts } from '../src/accounts.ts'
import { type DevnetChain, devnetChain, startChain } from '../src/chain.ts'
import { deployContracts, fundAccounts, hasContracts } from '../src/contracts.ts'

const directory = mkdtempSync(join(tmpdir(), 'peerhost-devnet-test-'))
const accounts = devnetAccounts(2)
let chain: DevnetChain

beforeAll(async () => {
  chain = await startChain({ directory, persist: true })
})

afterAll(async () => {
  await chain.process.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('a devnet’s chain', () => {
  it('has the contracts with the network’s parameters, and full purses', async () => {
    const addresses = await deployContracts(chain.rpcUrl, accounts, {
      times: { epochSeconds: 60 },
      parameters: { committeeSize: 3 },
    })
    expect(await hasContracts(chain.rpcUrl, addresses)).toBe(true)
    const client = createPublicClient({ chain: devnetChain, transport: http(chain.rpcUrl) })
    const coordinator = { address: addresses.coordinator, abi: executionCoordinatorAbi } as const
    const { registry, directory, deployBlock: _, ...suite } = addresses
    expect(await client.readContract({ ...coordinator, functionName: 'suite' })).toEqual({
      ...suite,
      functions: registry,
    })
    const parameters = { address: addresses.parameters, abi: protocolParametersAbi } as const
    expect(await client.readContract({ ...parameters, functionName: 'times' })).toEqual({
      ...DEFAULT_TIMES,
      epochSeconds: 60,
    })
    expect(await client.readContract({ ...parameters, functionName: 'current' })).toEqual({
      ...DEFAULT_PARAMETERS,
      committeeSize: 3,
    })
    expect(await client.readContract({ address: directory, abi: directoryAbi, functionName: 'latestVersion' })).toBe(0)
    const funded = [accounts.payer, accounts.agent, accounts.operators[1]!.operator]
    for (const { address } of funded) {
      const token = { address: addresses.token, abi: testUsdcAbi } as const
      expect(await client.readContract({ ...token, functionName: 'balanceOf', args: [address] })).toBe(
        parseUnits('1000000', 6),
      )
      expect(await client.getBalance({ address })).toBeGreaterThan(0n)
    }
  })

  it('has Multicall3 where viem looks for it', async () => {
    const client = createPublicClient({ chain: devnetChain, transport: http(chain.rpcUrl) })
    const token = { address: '0x036CbD53842c5426634e7929541eC2318f3dCF7e', abi: testUsdcAbi } as const
    const [name, version] = await client.multicall({
      contracts: [
        { ...token, functionName: 'name' },
        { ...token, functionName: 'version' },
      ],
      allowFailure: false,
    })
    expect([name, version]).toEqual(['USDC', '2'])
  })

  it('continues from its directory, and funds only who is short', async () => {
    const client = () => createPublicClient({ chain: devnetChain, transport: http(chain.rpcUrl) })
    const before = await client().getBlockNumber()
    await chain.process.stop()
    chain = await startChain({ directory, persist: true })
    expect(await client().getBlockNumber()).toBeGreaterThanOrEqual(before)
    const nonce = await client().getTransactionCount({ address: accounts.deployer.address })
    await fundAccounts(chain.rpcUrl, accounts)
    expect(await client().getTransactionCount({ address: accounts.deployer.address })).toBe(nonce)
    await fundAccounts(chain.rpcUrl, devnetAccounts(3))
    expect(await client().getTransactionCount({ address: accounts.deployer.address })).toBe(nonce + 1)
  })
})
