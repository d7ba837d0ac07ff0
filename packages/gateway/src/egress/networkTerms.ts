import { type NetworkAccess, PeerHostError, type Ticket } from '@peerhost/protocol'
import type { BlockSource } from '@peerhost/storage'
import type { Hex } from 'viem'
import type { Chain, Deployment } from '../chain/chain.ts'
import { type FunctionRecord, takesSecrets, usesNetwork } from '../registry/functionRecord.ts'
import { fetchMetadata } from '../registry/metadata.ts'
import type { Environments } from '../secrets/environments.ts'
import type { SecretScope } from '../secrets/secretTable.ts'

export type NetworkTermsDeps = {
  registry: { get: (functionId: Hex) => FunctionRecord | undefined }
  chain: Pick<Chain, 'deployment'>
  /** Where metadata is; every block is checked against the digest that stands on chain. */
  sources: readonly BlockSource[]
  environments: Pick<Environments, 'secretsFor' | 'versionFor'>
}

/** What deployments declare about network and secrets: flags and the digest of the list stand on chain. */
export type NetworkTerms = {
  /** Where the deployment of a ticket may call. Throws `bundle_unavailable` when nobody has its metadata. */
  accessOf: (ticket: Ticket) => Promise<NetworkAccess | undefined>
  secretsFor: (ticket: Ticket, access: NetworkAccess) => Promise<ReadonlyMap<string, string>>
  /** The environment's version for a new ticket. Throws `secret_missing` before anything is paid or run. */
  envVersionOf: (record: FunctionRecord) => Promise<number>
}

const mostRemembered = 1_000
const fetchTimeoutMs = 10_000

export function createNetworkTerms(deps: NetworkTermsDeps): NetworkTerms {
  const { registry, chain, environments } = deps
  const known = new Map<Hex, Promise<NetworkAccess | undefined>>()

  const listOf = ({ metadataDigest }: Deployment): Promise<NetworkAccess | undefined> => {
    const before = known.get(metadataDigest)
    if (before) return before
    if (known.size >= mostRemembered) known.clear()
    const list = fetchMetadata(deps.sources, metadataDigest, AbortSignal.timeout(fetchTimeoutMs)).then(
      (metadata) => metadata?.network,
      (cause: unknown) => {
        known.delete(metadataDigest)
        throw new PeerHostError('bundle_unavailable', 'The metadata of the function is not to be had.', { cause })
      },
    )
    known.set(metadataDigest, list)
    return list
  }

  const deploymentOf = async ({ functionId, functionVersion }: Ticket): Promise<Deployment | undefined> => {
    const record = registry.get(functionId)
    if (record?.state.currentVersion === functionVersion) return record.deployment
    return chain.deployment(functionId, functionVersion)
  }

  return {
    accessOf: async (ticket) => {
      const deployment = await deploymentOf(ticket)
      return deployment && usesNetwork(deployment) ? listOf(deployment) : undefined
    },
    secretsFor: async (ticket, access) => {
      const record = registry.get(ticket.functionId)
      const deployment = await deploymentOf(ticket)
      if (!record || !deployment || !takesSecrets(deployment)) return new Map()
      return environments.secretsFor(ticket, record, access)
    },
    envVersionOf: async (record) => {
      if (!takesSecrets(record.deployment)) return 0
      return environments.versionFor(scopeOf(record), await listOf(record.deployment))
    },
  }
}

function scopeOf({ creator, project, state }: FunctionRecord): SecretScope {
  return { owner: state.owner, creator, project }
}
