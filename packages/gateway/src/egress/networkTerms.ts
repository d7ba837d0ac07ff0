import { type NetworkAccess, PeerHostError, secretsOf, type Ticket } from '@peerhost/protocol'
import type { BlockSource } from '@peerhost/storage'
import type { Hex } from 'viem'
import type { Chain, Deployment } from '../chain/chain.ts'
import { type FunctionRecord, readsEnvironment, takesSecrets, usesNetwork } from '../registry/functionRecord.ts'
import { fetchMetadata, type Metadata } from '../registry/metadata.ts'
import { type Environments, missingSecrets } from '../secrets/environments.ts'
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
  /** The values that the broker adds. Throws `secrets_unavailable`. */
  secretsFor: (ticket: Ticket, access: NetworkAccess) => Promise<ReadonlyMap<string, string>>
  /** What the code of a ticket's deployment reads; `undefined` when it declares none. Throws `secret_missing`, `secrets_unavailable`, `bundle_unavailable`. */
  environmentOf: (ticket: Ticket) => Promise<ReadonlyMap<string, string> | undefined>
  /** The operators, lower case, that alone may run a ticket's code that reads secrets; `undefined` when anybody may. Throws `bundle_unavailable`. */
  trustedOf: (ticket: Ticket) => Promise<ReadonlySet<string> | undefined>
  /** The environment's version for a new ticket. Throws `secret_missing`, `bundle_unavailable` before anything is paid or run. */
  envVersionOf: (record: FunctionRecord) => Promise<number>
}

type Declared = Pick<Metadata, 'network' | 'env' | 'trustedWorkers'>

const mostRemembered = 1_000
const fetchTimeoutMs = 10_000

export function createNetworkTerms(deps: NetworkTermsDeps): NetworkTerms {
  const { registry, chain, environments } = deps
  const known = new Map<Hex, Promise<Declared>>()

  const declaredBy = ({ metadataDigest }: Deployment): Promise<Declared> => {
    const before = known.get(metadataDigest)
    if (before) return before
    if (known.size >= mostRemembered) known.clear()
    const declared = fetchMetadata(deps.sources, metadataDigest, AbortSignal.timeout(fetchTimeoutMs)).then(
      (metadata): Declared => ({
        network: metadata?.network,
        env: metadata?.env,
        trustedWorkers: metadata?.trustedWorkers,
      }),
      (cause: unknown) => {
        known.delete(metadataDigest)
        throw new PeerHostError('bundle_unavailable', 'The metadata of the function is not to be had.', { cause })
      },
    )
    known.set(metadataDigest, declared)
    return declared
  }

  const deploymentOf = async ({ functionId, functionVersion }: Ticket): Promise<Deployment | undefined> => {
    const record = registry.get(functionId)
    if (record?.state.currentVersion === functionVersion) return record.deployment
    return chain.deployment(functionId, functionVersion)
  }

  const valuesOf = async (ticket: Ticket, deployment: Deployment | undefined, names: readonly string[]) => {
    const record = registry.get(ticket.functionId)
    if (!record || !deployment || !takesSecrets(deployment)) return new Map<string, string>()
    return environments.secretsFor(ticket, record, names)
  }

  return {
    accessOf: async (ticket) => {
      const deployment = await deploymentOf(ticket)
      return deployment && usesNetwork(deployment) ? (await declaredBy(deployment)).network : undefined
    },
    secretsFor: async (ticket, access) => valuesOf(ticket, await deploymentOf(ticket), secretsOf(access)),
    environmentOf: async (ticket) => {
      const deployment = await deploymentOf(ticket)
      if (!deployment || !readsEnvironment(deployment)) return undefined
      const { env: names = [] } = await declaredBy(deployment)
      const values = await valuesOf(ticket, deployment, names)
      const absent = names.filter((name) => !values.has(name))
      if (absent.length > 0) throw missingSecrets(absent)
      return values
    },
    trustedOf: async (ticket) => {
      const deployment = await deploymentOf(ticket)
      if (!deployment || !readsEnvironment(deployment)) return undefined
      const { trustedWorkers } = await declaredBy(deployment)
      return trustedWorkers && new Set(trustedWorkers.map((operator) => operator.toLowerCase()))
    },
    envVersionOf: async (record) => {
      if (!takesSecrets(record.deployment)) return 0
      const { network, env = [] } = await declaredBy(record.deployment)
      const ofHosts = network ? secretsOf(network) : []
      const ofCode = readsEnvironment(record.deployment) ? env : []
      return environments.versionFor(scopeOf(record), [...new Set([...ofHosts, ...ofCode])])
    },
  }
}

function scopeOf({ creator, project, state }: FunctionRecord): SecretScope {
  return { owner: state.owner, creator, project }
}
