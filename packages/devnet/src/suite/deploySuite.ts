import { PeerHostError } from '@peerhost/protocol'
import type { Account, Address, Chain, Hex, Transport, WalletClient } from 'viem'
import { planSuite, type SuiteClient, type SuitePlan, type SuiteStep } from './planSuite.ts'
import { type SuiteAddresses, type SuiteConfig, suiteAddresses } from './suiteContracts.ts'

export type DeploySuiteDeps = {
  client: SuiteClient
  /** Signs and pays for every transaction; its address is the config's `deployer`. */
  wallet: WalletClient<Transport, Chain, Account>
}

export type DeploySuiteOptions = {
  chainId: number
  config: SuiteConfig
  /** Send all without waiting in between: for a chain that takes them all into one block. */
  isPipelined?: boolean
  /** How many blocks must stand upon the last transaction; default 1. */
  confirmations?: number
  timeoutMs?: number
  /** What is going to be done; nothing was sent yet. */
  onPlan?: (plan: SuitePlan) => void
  /** A contract stands, with the code it should have. */
  onDeployed?: (deployed: DeployedContract) => void
}

export type DeployedContract = { name: SuiteStep['name']; address: Address; transaction: Hex; gasUsed: bigint }

export type DeployedSuite = {
  addresses: SuiteAddresses
  /** Block before the first transaction of this run. */
  fromBlock: bigint
  deployed: DeployedContract[]
}

/**
 * Deploys what is missing of the suite and verifies what is there; run again it continues. Throws `config_invalid` before
 * anything was sent, `transaction_failed` for a transaction that the chain refused.
 */
export async function deploySuite(deps: DeploySuiteDeps, options: DeploySuiteOptions): Promise<DeployedSuite> {
  const { client, wallet } = deps
  const { config, chainId, timeoutMs = 120_000 } = options
  if (wallet.account.address !== config.deployer)
    throw new PeerHostError('config_invalid', 'The deployer is another account than the one that signs.')
  const plan = await planSuite(client, chainId, config)
  options.onPlan?.(plan)
  const fromBlock = await client.getBlockNumber()
  const firstNonce = await client.getTransactionCount({ address: config.deployer })
  const deployed: DeployedContract[] = []
  const confirm = async (step: SuiteStep, hash: Hex) => {
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: timeoutMs })
    if (receipt.status !== 'success') throw refused(step, hash)
    const contract = { name: step.name, address: step.address, transaction: hash, gasUsed: receipt.gasUsed }
    deployed.push(contract)
    options.onDeployed?.(contract)
  }
  const sent: { step: SuiteStep; hash: Hex }[] = []
  for (const [index, step] of plan.missing.entries()) {
    const { to, data, gas } = step
    const hash = await wallet.sendTransaction({ to, data, gas, nonce: firstNonce + index })
    if (options.isPipelined) sent.push({ step, hash })
    else await confirm(step, hash)
  }
  for (const { step, hash } of sent) await confirm(step, hash)
  const last = deployed.at(-1)
  const { confirmations = 1 } = options
  if (last) await client.waitForTransactionReceipt({ hash: last.transaction, confirmations, timeout: timeoutMs })
  const after = await planSuite(client, chainId, config)
  if (after.missing.length > 0)
    throw new PeerHostError('transaction_failed', 'The chain does not have every contract.', {
      details: after.missing.map(({ name, address }) => `${name}: nothing at ${address}`),
    })
  return { addresses: suiteAddresses(config), fromBlock, deployed }
}

function refused({ name }: SuiteStep, hash: Hex): PeerHostError {
  return new PeerHostError('transaction_failed', `The chain refused to create ${name}.`, {
    details: [`Transaction: ${hash}`],
    hint: 'Run it again: what stands is kept.',
  })
}
