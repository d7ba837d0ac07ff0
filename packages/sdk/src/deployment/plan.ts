import type { BuiltFunction, BuiltProject } from '@peerhost/bundler'
import {
  functionId as functionIdOf,
  LIMITS,
  laneNumber,
  PeerHostError,
  paymentModeNumber,
  sameHex,
} from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, zeroAddress } from 'viem'
import { type FunctionState, readDeployment } from '../chain/readFunction.ts'
import type { Connection } from '../connection.ts'
import { findFunction } from '../resolveUrl.ts'

/** One function of a deployment and what has to be done about it. */
export type PlannedFunction = {
  built: BuiltFunction
  functionId: Hex
  /** The runtime image that the version names. */
  runtimeDigest: Hex
  change: 'new' | 'changed' | 'unchanged'
  /** The version that is current now; 0 for a new function. */
  currentVersion: number
  latestVersion: number
}

/**
 * Compares a built project with the registry: a function whose code and terms are all the same stays as it is.
 * Throws `conflict` when a function of this name belongs to another wallet, `runtime_unavailable` when no worker is
 * connected that could tell which runtime to name.
 */
export async function planDeployment(
  connection: Connection,
  parameters: {
    project: BuiltProject
    /** Whose functions they are: part of their ids. */
    creator: Address
    /** Who has to own them: the account. */
    owner: Address
    /** What connected workers run. */
    runtimeDigests: readonly Hex[]
    /** What to name whatever workers run. */
    runtimeDigest: Hex | undefined
  },
): Promise<PlannedFunction[]> {
  const { project, creator, owner, runtimeDigests, runtimeDigest } = parameters
  const { token } = connection.network
  const { functions } = project
  if (functions.length === 0 || functions.length > LIMITS.functionsPerDeployment) {
    throw new PeerHostError('config_invalid', `The project has ${functions.length} functions.`, {
      hint: `Deploy between 1 and ${LIMITS.functionsPerDeployment} functions.`,
    })
  }
  if (token.decimals !== 6) {
    throw new PeerHostError('config_invalid', `Prices are written for a token of 6 decimals, not ${token.decimals}.`)
  }
  return Promise.all(
    functions.map(async (built): Promise<PlannedFunction> => {
      const functionId = functionIdOf(creator, project.project, built.name)
      const state = await findFunction(connection, functionId)
      if (!state) {
        assertMayCreate(creator, owner, built.name)
        const runtime = runtimeDigest ?? newestRuntime(runtimeDigests)
        return { built, functionId, runtimeDigest: runtime, change: 'new', currentVersion: 0, latestVersion: 0 }
      }
      assertOwner(state, owner, built.name)
      const deployed = await readDeployment(connection, functionId, state.currentVersion)
      const runtime = runtimeDigest ?? runtimeFor(deployed.runtimeDigest, runtimeDigests)
      const same = sameHex(deployed.runtimeDigest, runtime) && sameCode(built, deployed) && sameTerms(built, state)
      return {
        built,
        functionId,
        runtimeDigest: runtime,
        change: same ? 'unchanged' : 'changed',
        currentVersion: state.currentVersion,
        latestVersion: state.latestVersion,
      }
    }),
  )
}

function assertOwner(state: FunctionState, account: Address, name: string): void {
  if (isAddressEqual(state.owner, account)) return
  throw new PeerHostError('conflict', `The function “${name}” belongs to ${state.owner} now.`, {
    hint: 'Deploy with that wallet, or under another project name.',
  })
}

function assertMayCreate(creator: Address, account: Address, name: string): void {
  if (isAddressEqual(creator, account)) return
  throw new PeerHostError('function_not_found', `${creator} has published no function “${name}”.`, {
    hint: 'Only its creator publishes the first version of a function; deploy without `creator`.',
  })
}

/** A runtime that still runs stays: naming a newer one would make a new version of unchanged code. */
function runtimeFor(deployed: Hex, runtimeDigests: readonly Hex[]): Hex {
  return runtimeDigests.some((digest) => sameHex(digest, deployed)) ? deployed : newestRuntime(runtimeDigests)
}

function newestRuntime([digest]: readonly Hex[]): Hex {
  if (digest) return digest
  throw new PeerHostError('runtime_unavailable', 'No worker is connected, so the gateway names no runtime.', {
    hint: 'Start a worker and deploy again, or pass `runtimeDigest`.',
  })
}

function sameCode(built: BuiltFunction, deployed: Awaited<ReturnType<typeof readDeployment>>): boolean {
  return (
    sameHex(deployed.bundleDigest, built.digest) &&
    sameHex(deployed.metadataDigest, built.metadataDigest) &&
    deployed.limitsClass === built.limitsClass &&
    deployed.flags === built.flags &&
    deployed.quorum === built.quorum &&
    deployed.lane === laneNumber(built.lane) &&
    deployed.fee === built.fee
  )
}

function sameTerms(built: BuiltFunction, state: FunctionState): boolean {
  return (
    state.price === built.price &&
    isAddressEqual(state.storedPayee, built.payee ?? zeroAddress) &&
    state.paymentMode === paymentModeNumber(built.paymentMode)
  )
}
