import { executionSeed, isolationOf, laneNumber, limitsClass, sameHex, type Ticket } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Coordinator } from '../chain/coordinator.ts'
import type { Lane } from '../chain/lane.ts'
import type { Sandbox, SandboxJob } from '../sandbox/sandbox.ts'
import type { Seats } from '../seats.ts'

export type RerunDeps = {
  coordinator: Pick<Coordinator, 'readDeployment'>
  lane: Pick<Lane, 'readPosted' | 'readBlockHash'>
  seats: Seats
  sandbox: Sandbox
  fetchBundle: (digest: Hex, signal: AbortSignal) => Promise<Uint8Array>
}

const confirmedLane = laneNumber('confirmed')

/**
 * The job of a request that somebody else ran, exactly as it was run then. `undefined` when this worker cannot run it:
 * another runtime, or limits it does not know. Throws `bundle_unavailable` and `bundle_mismatch`.
 */
export async function rerunOf(
  deps: RerunDeps,
  { requestId, ticket, input }: { requestId: Hex; ticket: Ticket; input: Uint8Array },
  signal: AbortSignal,
): Promise<SandboxJob | undefined> {
  const deployment = await deps.coordinator.readDeployment(ticket.functionId, ticket.functionVersion)
  const limits = deployment && limitsClass(deployment.limitsClass)
  if (!deployment || !limits || !sameHex(ticket.runtimeDigest, deps.sandbox.runtimeDigest)) return undefined
  const randomness = await randomnessOf(deps, requestId, ticket)
  if (!randomness) return undefined
  return {
    deployment: `${ticket.functionId}:${ticket.functionVersion}`,
    bundle: await deps.fetchBundle(deployment.bundleDigest, signal),
    limits,
    isolation: isolationOf(deployment.flags),
    request: input,
    issuedAt: ticket.issuedAt,
    seed: executionSeed(randomness, ticket),
  }
}

async function randomnessOf({ lane, seats }: RerunDeps, requestId: Hex, ticket: Ticket): Promise<Hex | undefined> {
  if (ticket.lane !== confirmedLane) return (await seats.seatFacts(ticket)).epochSeed
  const { postedBlock } = await lane.readPosted(requestId)
  return lane.readBlockHash(postedBlock + 1n)
}
