import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_PARAMETERS, DEFAULT_TIMES, executionCoordinatorAbi } from '@peerhost/protocol'
import { type Address, createTestClient, createWalletClient, type Hex, http, publicActions, walletActions } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { devnetAccounts } from '../src/accounts.ts'
import { testUsdcRuntimeBytecode } from '../src/artifacts.generated.ts'
import { type DevnetChain, devnetChain, startChain } from '../src/chain.ts'
import { create2Deployer, create3Address, create3Factory, create3FactoryAbi, suiteSalt } from '../src/suite/create3.ts'
import { deploySuite } from '../src/suite/deploySuite.ts'
import { planSuite } from '../src/suite/planSuite.ts'
import { type SuiteConfig, suiteContracts, suiteNames } from '../src/suite/suiteContracts.ts'

const root = mkdtempSync(join(tmpdir(), 'peerhost-suite-'))
const { deployer, treasury, developer } = devnetAccounts(0)
const script = fileURLToPath(new URL('../../../contracts/scripts/deploy.ts', import.meta.url))
const chains: DevnetChain[] = []
// Each run of the script is a process of its own, on a machine that may be busy.
const scriptTimeoutMs = 120_000

afterAll(async () => {
  for (const chain of chains) await chain.process.stop()
  rmSync(root, { recursive: true, force: true })
})

/** A chain that looks like a public one: its id, and a token where USDC is. */
async function startFork(chainId: number, token: Address): Promise<DevnetChain> {
  const chain = await startChain({ directory: mkdtempSync(join(root, 'chain-')), chainId })
  chains.push(chain)
  await clientOf(chain).setCode({ address: token, bytecode: testUsdcRuntimeBytecode })
  return chain
}

const clientOf = ({ id, rpcUrl }: DevnetChain) =>
  createTestClient({ mode: 'anvil', chain: { ...devnetChain, id }, transport: http(rpcUrl), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions)

describe('a suite', () => {
  const token: Address = '0x036CbD53842c5426634e7929541eC2318f3dCF7e'
  const config: SuiteConfig = {
    deployer: deployer.address,
    release: 'test',
    token,
    treasury: treasury.address,
    governor: developer.address,
    times: DEFAULT_TIMES,
    parameters: DEFAULT_PARAMETERS,
  }
  let chain: DevnetChain
  const deps = () => ({
    client: clientOf(chain),
    wallet: createWalletClient({ account: deployer, chain: devnetChain, transport: http(chain.rpcUrl) }),
  })

  beforeAll(async () => {
    chain = await startFork(devnetChain.id, token)
  })

  it('stands where it was known to stand, at no more gas than was planned', async () => {
    const planned = new Map<string, bigint>()
    const { addresses, deployed } = await deploySuite(deps(), {
      chainId: chain.id,
      config,
      onPlan: ({ missing, present }) => {
        expect(present).toEqual([])
        for (const { name, gas } of missing) planned.set(name, gas)
      },
    })
    expect(deployed.map(({ name }) => name)).toEqual(['Create3Factory', ...suiteNames])
    for (const { name, gasUsed } of deployed) {
      expect(gasUsed).toBeLessThan(planned.get(name) ?? 0n)
      // What one transaction may hold since Osaka.
      expect(planned.get(name)).toBeLessThan(2n ** 24n)
    }
    const sum = (amounts: bigint[]) => Number(amounts.reduce((total, amount) => total + amount, 0n))
    expect(sum([...planned.values()])).toBeLessThan(1.6 * sum(deployed.map(({ gasUsed }) => gasUsed)))
    const { directory: _, ...suite } = addresses
    const coordinator = { address: addresses.coordinator, abi: executionCoordinatorAbi } as const
    expect(await deps().client.readContract({ ...coordinator, functionName: 'suite' })).toEqual(suite)
  })

  it('has the addresses that the factory gives', async () => {
    for (const name of suiteNames) {
      const salt = suiteSalt('test', name)
      const expected = await deps().client.readContract({
        address: create3Factory,
        abi: create3FactoryAbi,
        functionName: 'addressOf',
        args: [deployer.address, salt],
      })
      expect(create3Address(deployer.address, salt)).toBe(expected)
    }
  })

  it('is verified and left alone when it is deployed again', async () => {
    const before = await deps().client.getTransactionCount({ address: deployer.address })
    const { deployed } = await deploySuite(deps(), { chainId: chain.id, config })
    expect(deployed).toEqual([])
    expect(await deps().client.getTransactionCount({ address: deployer.address })).toBe(before)
  })

  it('continues where it was interrupted', async () => {
    const release = 'interrupted'
    const interrupted = deploySuite(deps(), {
      chainId: chain.id,
      config: { ...config, release },
      onDeployed: ({ name }) => {
        if (name === 'ExecutionCoordinator') throw new Error('the power went')
      },
    })
    await expect(interrupted).rejects.toThrow('the power went')
    const { deployed } = await deploySuite(deps(), { chainId: chain.id, config: { ...config, release } })
    expect(deployed.map(({ name }) => name)).toEqual(suiteNames.slice(4))
  })

  it('is refused where something else stands', async () => {
    const tuned = { ...config, times: { ...config.times, juryPhase: 60 } }
    await expect(planSuite(deps().client, chain.id, tuned)).rejects.toMatchObject({ code: 'config_invalid' })
    const [, , registry] = suiteContracts(config)
    const code = (await deps().client.getCode({ address: registry?.address ?? '0x' })) ?? '0x'
    const flipped = `${code.slice(0, -2)}${code.endsWith('00') ? '01' : '00'}` as Hex
    await deps().client.setCode({ address: registry?.address ?? '0x', bytecode: flipped })
    await expect(deploySuite(deps(), { chainId: chain.id, config })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('OperatorRegistry'),
    })
    await deps().client.setCode({ address: registry?.address ?? '0x', bytecode: code })
  })

  it('is refused on another chain, for another deployer, without a token and without the deterministic deployer', async () => {
    const refused = { code: 'config_invalid' }
    await expect(deploySuite(deps(), { chainId: 137, config })).rejects.toMatchObject(refused)
    const others = { ...config, deployer: treasury.address }
    await expect(deploySuite(deps(), { chainId: chain.id, config: others })).rejects.toMatchObject(refused)
    const tokenless = { ...config, token: treasury.address }
    await expect(planSuite(deps().client, chain.id, tokenless)).rejects.toMatchObject(refused)
    const code = (await deps().client.getCode({ address: create2Deployer })) ?? '0x'
    await deps().client.setCode({ address: create2Deployer, bytecode: '0x' })
    await expect(planSuite(deps().client, chain.id, config)).rejects.toMatchObject(refused)
    await deps().client.setCode({ address: create2Deployer, bytecode: code })
  })
})

describe.each([
  { network: 'amoy', chainId: 80_002, token: '0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582' },
  { network: 'polygon', chainId: 137, token: '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359' },
] as const)('contracts/scripts/deploy.ts on $network', ({ network, chainId, token }) => {
  const out = join(root, network)
  let chain: DevnetChain
  const environment = () => ({
    PEERHOST_RPC_URL: chain.rpcUrl,
    PEERHOST_GOVERNOR: developer.address,
    PEERHOST_TREASURY: treasury.address,
    PEERHOST_DEPLOYER_KEY: deployer.privateKey,
  })

  beforeAll(async () => {
    chain = await startFork(chainId, token)
  })

  it(
    'says what it would do, and does nothing, in a dry run',
    async () => {
      const { PEERHOST_DEPLOYER_KEY: _, ...keyless } = environment()
      const { code, stdout } = await run(['--network', network, '--dry-run', '--out', out], {
        ...keyless,
        PEERHOST_DEPLOYER: deployer.address,
      })
      expect(code).toBe(0)
      for (const name of ['Create3Factory', ...suiteNames])
        expect(stdout).toMatch(new RegExp(`create\\s+${name}\\s+0x`))
      expect(stdout).toMatch(/At most {3}\d+ gas, [\d.]+ POL at \d+ wei/)
      expect(stdout).toContain(token)
      expect(existsSync(out)).toBe(false)
      expect(await clientOf(chain).getCode({ address: create3Factory })).toBeUndefined()
    },
    scriptTimeoutMs,
  )

  it(
    'deploys, writes down where, and finds everything there the next time',
    async () => {
      const first = await run(['--network', network, '--out', out], environment())
      expect(first).toMatchObject({ code: 0, stderr: '' })
      const written = JSON.parse(readFileSync(join(out, `${chainId}.json`), 'utf8'))
      expect(written).toMatchObject({ chainId, deployer: deployer.address, addresses: { token } })
      expect(Object.keys(written.contracts).sort()).toEqual(['Create3Factory', ...suiteNames].sort())
      for (const { address, transaction } of Object.values<{ address: Address; transaction: Hex }>(written.contracts)) {
        expect(await clientOf(chain).getCode({ address })).toBeDefined()
        const { blockNumber } = await clientOf(chain).getTransactionReceipt({ hash: transaction })
        expect(blockNumber).toBeGreaterThan(BigInt(written.deployBlock))
      }
      const second = await run(['--network', network, '--out', out], environment())
      expect(second.code).toBe(0)
      expect(second.stdout).not.toContain('create ')
      expect(JSON.parse(readFileSync(join(out, `${chainId}.json`), 'utf8'))).toEqual(written)
    },
    scriptTimeoutMs,
  )

  it(
    'refuses the RPC of another network, and settings that are not whole',
    async () => {
      const other = network === 'amoy' ? 'polygon' : 'amoy'
      const wrong = await run(['--network', other, '--out', out], environment())
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(`The RPC is of chain ${chainId}`) })
      const none = await run(['--network', 'nowhere'], { PEERHOST_DEPLOYER_KEY: 'secret' })
      expect(none.code).toBe(1)
      for (const name of [
        '--network',
        'PEERHOST_RPC_URL',
        'PEERHOST_GOVERNOR',
        'PEERHOST_TREASURY',
        'PEERHOST_DEPLOYER_KEY',
      ])
        expect(none.stderr).toContain(name)
      expect(none.stderr).not.toContain('secret')
    },
    scriptTimeoutMs,
  )
})

function run(args: string[], env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--conditions=@peerhost/source', script, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? 1, ...output })))
}
