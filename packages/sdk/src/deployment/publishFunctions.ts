import { functionRegistryAbi, laneNumber, PeerHostError, paymentModeNumber } from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, parseEventLogs, zeroAddress } from 'viem'
import { sendTransaction } from '../chain/sendTransaction.ts'
import type { Connection } from '../connection.ts'
import type { PlannedFunction } from './plan.ts'

/**
 * Registers the next version of every given function in one transaction; with a `creator`, of functions that the account
 * owns since a transfer. Versions come from the receipt's events.
 */
export async function publishFunctions(
  connection: Connection,
  { project, creator, plan }: { project: string; creator?: Address | undefined; plan: readonly PlannedFunction[] },
  signal?: AbortSignal,
): Promise<{ transaction: Hex; versions: ReadonlyMap<Hex, number> }> {
  const { registry } = connection.network
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'register the functions',
      address: registry,
      abi: functionRegistryAbi,
      ...(creator === undefined
        ? { functionName: 'publish', args: [project, plan.map(specOf)] }
        : { functionName: 'publishVersions', args: [creator, project, plan.map(specOf)] }),
    },
    signal,
  )
  const published = parseEventLogs({
    abi: functionRegistryAbi,
    eventName: 'DeploymentPublished',
    logs: receipt.logs.filter((log) => isAddressEqual(log.address, registry)),
  })
  const versions = new Map(published.map(({ args }) => [args.functionId, args.version]))
  const missing = plan.filter(({ functionId }) => !versions.has(functionId))
  if (missing.length > 0) {
    throw new PeerHostError('transaction_failed', 'The transaction was mined, but did not register every function.', {
      details: [`Transaction: ${receipt.transactionHash}`, ...missing.map(({ built }) => `Missing: ${built.name}`)],
      hint: 'Check that the registry of the network is PeerHost’s, then deploy again.',
    })
  }
  return { transaction: receipt.transactionHash, versions }
}

function specOf({ built, runtimeDigest }: PlannedFunction) {
  return {
    name: built.name,
    bundleDigest: built.digest,
    metadataDigest: built.metadataDigest,
    runtimeDigest,
    limitsClass: built.limitsClass,
    flags: built.flags,
    quorum: built.quorum,
    lane: laneNumber(built.lane),
    fee: built.fee,
    price: built.price,
    payee: built.payee ?? zeroAddress,
    paymentMode: paymentModeNumber(built.paymentMode),
  }
}
