import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DEFAULT_PARAMETERS, DEFAULT_TIMES, isPeerHostError, PeerHostError } from '@peerhost/protocol'
import {
  type Address,
  createPublicClient,
  createWalletClient,
  defineChain,
  formatEther,
  getAddress,
  type Hex,
  http,
  isAddress,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type DeployedContract, deploySuite } from '../../packages/devnet/src/suite/deploySuite.ts'
import { planSuite, type SuitePlan } from '../../packages/devnet/src/suite/planSuite.ts'
import { type SuiteConfig, suiteAddresses, suiteContracts } from '../../packages/devnet/src/suite/suiteContracts.ts'
import { type DeploymentNetwork, deploymentNetworks } from './networks.ts'
import { writeVerificationInputs } from './verificationInputs.ts'

/**
 * Deploys the protocol to a network, or continues what was begun: what stands is verified and kept.
 * `node --conditions=@peerhost/source contracts/scripts/deploy.ts --network amoy [--release 1] [--dry-run] [--out <folder>]`
 * The environment gives PEERHOST_RPC_URL, PEERHOST_GOVERNOR, PEERHOST_TREASURY and PEERHOST_DEPLOYER_KEY; a dry run sends
 * nothing and is content with PEERHOST_DEPLOYER, an address.
 */
type Settings = {
  network: DeploymentNetwork
  rpcUrl: string
  key: Hex | undefined
  isDryRun: boolean
  file: string
  config: SuiteConfig
}

/** What is known about a deployment afterwards: enough to use it, and to make it again. */
type DeploymentFile = {
  chainId: number
  release: string
  deployer: Address
  deployBlock: string
  addresses: Record<string, Address>
  contracts: Record<string, { address: Address; arguments: readonly unknown[]; transaction?: Hex; gasUsed?: string }>
}

const defaultFolder = fileURLToPath(new URL('../deployments', import.meta.url))

function readSettings(argv: readonly string[], env: Record<string, string | undefined>): Settings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      network: { type: 'string' },
      release: { type: 'string', default: '1' },
      out: { type: 'string', default: defaultFolder },
      'dry-run': { type: 'boolean', default: false },
    },
  })
  const network = deploymentNetworks[values.network as keyof typeof deploymentNetworks]
  const key = /^0x[0-9a-fA-F]{64}$/.test(env.PEERHOST_DEPLOYER_KEY ?? '')
    ? (env.PEERHOST_DEPLOYER_KEY as Hex)
    : undefined
  const deployer = key ? privateKeyToAccount(key).address : env.PEERHOST_DEPLOYER
  const isDryRun = values['dry-run']
  const problems = [
    network ? undefined : `--network: one of ${Object.keys(deploymentNetworks).join(', ')}`,
    URL.canParse(env.PEERHOST_RPC_URL ?? '') ? undefined : 'PEERHOST_RPC_URL: must be a URL',
    ...(['PEERHOST_GOVERNOR', 'PEERHOST_TREASURY'] as const).map((name) =>
      isAddress(env[name] ?? '') ? undefined : `${name}: must be an address`,
    ),
    isAddress(deployer ?? '') ? undefined : 'PEERHOST_DEPLOYER_KEY: must be a private key',
    key || isDryRun ? undefined : 'PEERHOST_DEPLOYER_KEY: only a dry run does without',
  ].filter((problem) => problem !== undefined)
  if (!network || problems.length > 0)
    throw new PeerHostError('config_invalid', 'This is not enough to deploy with.', { details: problems })
  return {
    network,
    rpcUrl: env.PEERHOST_RPC_URL ?? '',
    key,
    isDryRun,
    file: join(values.out, `${network.chainId}.json`),
    config: {
      deployer: getAddress(deployer ?? ''),
      release: values.release,
      token: network.token,
      treasury: getAddress(env.PEERHOST_TREASURY ?? ''),
      governor: getAddress(env.PEERHOST_GOVERNOR ?? ''),
      times: DEFAULT_TIMES,
      parameters: DEFAULT_PARAMETERS,
    },
  }
}

async function deploy(settings: Settings): Promise<void> {
  const { network, config, key } = settings
  const chain = defineChain({
    id: network.chainId,
    name: network.name,
    nativeCurrency: { name: network.currency, symbol: network.currency, decimals: 18 },
    rpcUrls: { default: { http: [settings.rpcUrl] } },
  })
  const client = createPublicClient({ chain, transport: http(settings.rpcUrl), pollingInterval: 500 })
  const price = await client.getGasPrice()
  const balance = await client.getBalance({ address: config.deployer })
  if (settings.isDryRun || !key) {
    print(formatPlan(settings, await planSuite(client, network.chainId, config), { price, balance }))
    return print('Dry run: nothing was sent.')
  }
  const wallet = createWalletClient({ account: privateKeyToAccount(key), chain, transport: http(settings.rpcUrl) })
  const known = readKnown(settings)
  let fromBlock = known?.deployBlock ?? (await client.getBlockNumber()).toString()
  await deploySuite(
    { client, wallet },
    {
      chainId: network.chainId,
      config,
      confirmations: network.confirmations,
      onPlan: (plan) => {
        print(formatPlan(settings, plan, { price, balance }))
        if (plan.missing.length > 0 && balance < plan.gas * price)
          throw new PeerHostError('insufficient_funds', `The deployer has too little ${network.currency}.`, {
            details: [`It has ${formatEther(balance)}, and up to ${formatEther(plan.gas * price)} may be needed.`],
          })
        // Contracts stand that no file knows: their events begin somewhere before now.
        if (!known && plan.present.some(({ name }) => name !== 'Create3Factory')) fromBlock = '0'
      },
      onDeployed: (deployed) => {
        write(settings, fromBlock, deployed)
        print(`${deployed.name} at ${deployed.address}: ${network.explorer}/tx/${deployed.transaction}`)
      },
    },
  )
  write(settings, fromBlock)
  const inputs = join(dirname(settings.file), 'verification')
  writeVerificationInputs(inputs)
  print(`Written: ${settings.file}, and for block explorers ${inputs}`)
}

function formatPlan(
  { network, config }: Settings,
  { missing, present, gas }: SuitePlan,
  { price, balance }: { price: bigint; balance: bigint },
): string {
  const cost = `${formatEther(gas * price)} ${network.currency}`
  return [
    `Network   ${network.name} (${network.chainId})`,
    `Deployer  ${config.deployer} (${formatEther(balance)} ${network.currency})`,
    `Release   ${config.release}`,
    `Governor  ${config.governor}`,
    `Treasury  ${config.treasury}`,
    `Token     ${config.token}`,
    ...present.map(({ name, address }) => `  stands  ${name.padEnd(20)} ${address}`),
    ...missing.map((step) => `  create  ${step.name.padEnd(20)} ${step.address}  up to ${step.gas} gas`),
    `At most   ${gas} gas, ${cost} at ${price} wei`,
  ].join('\n')
}

function readKnown({ file, config }: Settings): DeploymentFile | undefined {
  if (!existsSync(file)) return undefined
  const known = JSON.parse(readFileSync(file, 'utf8')) as DeploymentFile
  return known.release === config.release && known.deployer === config.deployer ? known : undefined
}

/** After each contract, so that what was begun is known whatever happens next. */
function write(settings: Settings, deployBlock: string, deployed?: DeployedContract): void {
  const { config, network, file } = settings
  const contracts = { ...readKnown(settings)?.contracts }
  if (deployed) {
    const { name, address, transaction, gasUsed } = deployed
    contracts[name] = { address, arguments: [], transaction, gasUsed: gasUsed.toString() }
  }
  for (const contract of suiteContracts(config)) {
    const { name, address } = contract
    if (deployed && !contracts[name] && name !== deployed.name) continue
    contracts[name] = { ...contracts[name], address, arguments: contract.arguments }
  }
  const content: DeploymentFile = {
    chainId: network.chainId,
    release: config.release,
    deployer: config.deployer,
    deployBlock,
    addresses: suiteAddresses(config),
    contracts,
  }
  mkdirSync(dirname(file), { recursive: true })
  const text = JSON.stringify(content, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)
  writeFileSync(file, `${text}\n`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  await deploy(readSettings(process.argv.slice(2), process.env))
} catch (error) {
  const lines = isPeerHostError(error)
    ? [`${error.code}: ${error.message}`, ...error.details, error.hint]
    : [String(error)]
  process.stderr.write(`${lines.filter((line) => line !== undefined).join('\n')}\n`)
  process.exitCode = 1
}
