import { type BuiltProject, buildProject, type ProjectOverrides } from '@peerhost/bundler'
import type { BlockStore } from '@peerhost/storage'
import type { Address, Hex } from 'viem'
import { bondFunction, readOwnerBond } from '../actions/bondFunction.ts'
import { fundCredit } from '../actions/fundCredit.ts'
import { type Connection, requireAccount } from '../connection.ts'
import { fetchNetwork } from '../network.ts'
import { type PlannedFunction, planDeployment } from './plan.ts'
import { publishFunctions } from './publishFunctions.ts'
import { type Upload, uploadBlocks } from './uploadBlocks.ts'
import { waitUntilServed } from './waitUntilServed.ts'

/**
 * Deploys a folder of functions: bundles, stores, registers all that changed in one transaction, and waits until the
 * gateway serves them. Code and terms that are on chain already are left alone, so running it again continues where it
 * stopped. It returns only when every function is served; otherwise it throws and says how to go on.
 *
 * @example
 * import { connect } from '@peerhost/sdk'
 * import { deploy } from '@peerhost/sdk/node'
 * import { privateKeyToAccount } from 'viem/accounts'
 * const connection = await connect({ gatewayUrl, account: privateKeyToAccount(key) })
 * const { functions } = await deploy(connection, { directory: 'weather', credit: { amount: '5' } })
 */
export async function deploy(connection: Connection, parameters: deploy.Parameters): Promise<deploy.ReturnType> {
  const { directory, overrides, signal, onProgress = () => {} } = parameters
  const owner = requireAccount(connection, 'Deploying').account.address
  const creator = parameters.creator ?? owner
  signal?.throwIfAborted()
  const project = await buildProject({ directory, ...(overrides ? { overrides } : {}) })
  onProgress(bundled(project))
  // Workers come and go; what `connect` checked against the chain stays as it was.
  const { runtimeDigests } = await fetchNetwork(connection, signal)
  const { runtimeDigest } = parameters
  const plan = await planDeployment(connection, { project, creator, owner, runtimeDigests, runtimeDigest })
  const changed = plan.filter(({ change }) => change !== 'unchanged')
  onProgress({ step: 'compare', functions: plan.map(({ built, change }) => ({ name: built.name, change })) })
  if (parameters.dryRun) {
    const functions = plan.map((planned) => deployed(planned, planned.latestVersion + 1, undefined))
    return { project: project.project, functions, warnings: project.warnings, creditTransactions: [], unbonded: [] }
  }
  await uploadBlocks(connection, plan, {
    stores: parameters.stores ?? [],
    onUpload: (upload) => onProgress({ step: 'upload', ...upload }),
    signal,
  })
  const published =
    changed.length > 0
      ? await publishFunctions(
          connection,
          { project: project.project, creator: parameters.creator, plan: changed },
          signal,
        )
      : undefined
  if (published) onProgress({ step: 'register', transaction: published.transaction, functions: changed.length })
  const creditTransactions = await fund(connection, parameters)
  const unbonded = await bondDeterministic(connection, plan, parameters)
  const functions: deploy.DeployedFunction[] = []
  for (const planned of plan) {
    const version = published?.versions.get(planned.functionId) ?? planned.currentVersion
    const expected = { name: planned.built.name, functionId: planned.functionId, version }
    const card = await waitUntilServed(connection, expected, parameters.readyTimeoutMs ?? 60_000, signal)
    onProgress({ step: 'ready', function: planned.built.name, version, url: card.url })
    functions.push(deployed(planned, version, card.url))
  }
  return {
    project: project.project,
    functions,
    warnings: project.warnings,
    ...(published ? { transaction: published.transaction } : {}),
    creditTransactions,
    unbonded,
  }
}

export declare namespace deploy {
  type Parameters = {
    /** The project's folder. */
    directory: string
    overrides?: ProjectOverrides | undefined
    /** Only bundle and compare: nothing is stored, registered or paid. */
    dryRun?: boolean | undefined
    /** Stores that get new blocks as well as the gateway's, such as `createPinataStore`. */
    stores?: readonly BlockStore[] | undefined
    /** The runtime image to run on; one that connected workers have when absent. */
    runtimeDigest?: Hex | undefined
    /** Credit for the executions, in decimal tokens: see `fundCredit`. */
    credit?: { amount: string; capPerEpoch?: string | undefined; maxFee?: string | undefined } | undefined
    /** Whose functions to publish a version of, when the account owns them since a transfer; the account itself when absent. */
    creator?: Address | undefined
    /** Adds the owner's bond to deterministic functions that have none: see `bondFunction`. */
    bond?: boolean | undefined
    onProgress?: ((progress: Progress) => void) | undefined
    /** Longest wait for the gateway to serve a function; 60 000 when absent. */
    readyTimeoutMs?: number | undefined
    signal?: AbortSignal | undefined
  }
  type Progress =
    | {
        step: 'bundle'
        project: string
        functions: { name: string; cid: string; bytes: number }[]
        warnings: readonly string[]
      }
    | { step: 'compare'; functions: { name: string; change: PlannedFunction['change'] }[] }
    | ({ step: 'upload' } & Upload)
    | { step: 'register'; transaction: Hex; functions: number }
    | { step: 'credit'; transactions: readonly Hex[] }
    | { step: 'bond'; function: string; transactions: readonly Hex[] }
    | { step: 'ready'; function: string; version: number; url: string }
  type DeployedFunction = {
    name: string
    functionId: Hex
    /** The version that is served; in a dry run the one a deployment would make. */
    version: number
    cid: string
    /** Absent in a dry run. */
    url: string | undefined
    /** Atomic units. */
    price: bigint
    changed: boolean
  }
  type ReturnType = {
    project: string
    functions: DeployedFunction[]
    warnings: readonly string[]
    /** The one transaction that registered what changed; absent when nothing had. */
    transaction?: Hex
    creditTransactions: readonly Hex[]
    /** Deterministic functions without the owner's bond: a wrong result of them is no case for a jury. */
    unbonded: readonly string[]
  }
}

/** Flags of functions that a jury can judge: deterministic, without network and secrets. */
const judgedFlags = 0b001
const flagsMask = 0b111

async function bondDeterministic(
  connection: Connection,
  plan: readonly PlannedFunction[],
  { bond, onProgress, signal }: deploy.Parameters,
): Promise<string[]> {
  const unbonded: string[] = []
  for (const { built, functionId } of plan) {
    if ((built.flags & flagsMask) !== judgedFlags) continue
    const held = await readOwnerBond(connection, functionId)
    if (held.isFlagged || held.bond >= held.needed) continue
    if (!bond) {
      unbonded.push(built.name)
      continue
    }
    const { transactions } = await bondFunction(connection, { functionId, signal })
    onProgress?.({ step: 'bond', function: built.name, transactions })
  }
  return unbonded
}

async function fund(connection: Connection, { credit, onProgress, signal }: deploy.Parameters) {
  if (!credit) return []
  const { transactions } = await fundCredit(connection, { ...credit, signal })
  onProgress?.({ step: 'credit', transactions })
  return transactions
}

function bundled({ project, functions, warnings }: BuiltProject): deploy.Progress {
  return {
    step: 'bundle',
    project,
    functions: functions.map(({ name, cid, bundle }) => ({ name, cid, bytes: bundle.length })),
    warnings,
  }
}

function deployed(planned: PlannedFunction, version: number, url: string | undefined): deploy.DeployedFunction {
  const { built, functionId, change, currentVersion } = planned
  const changed = change !== 'unchanged'
  return {
    name: built.name,
    functionId,
    version: changed ? version : currentVersion,
    cid: built.cid,
    url,
    price: built.price,
    changed,
  }
}
