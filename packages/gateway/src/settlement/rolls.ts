import { randomUUID } from 'node:crypto'
import {
  type DigestSigner,
  type ExecutedRequest,
  hashBatchRoll,
  type PlannedSettlement,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  rollsOf,
  type Signing,
  sameHex,
  withRolls,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { WorkerLink } from '../workers/workerLink.ts'

export type RollDeps = {
  domain: ProtocolDomain
  signer: DigestSigner
  signing: Signing
  links: () => readonly WorkerLink[]
  /** A worker that is slower than this is settled by its single signatures. */
  rollTimeoutMs: number
}

/**
 * Replaces single signatures by one per signer where that saves something: ours at once, a worker's when it answers in
 * time with one that is right. Who does not answer delays nobody and loses nothing.
 */
export async function signRolls(deps: RollDeps, plan: PlannedSettlement): Promise<PlannedSettlement> {
  const rolls = rollsOf(deps.domain, plan)
  const digestOf = ({ count, root }: { count: number; root: Hex }) =>
    hashBatchRoll(deps.domain, { protocolVersion: PROTOCOL_VERSION, count, root })
  const batchId = randomUUID()
  const workers = new Map<Hex, Hex>()
  await Promise.all(
    rolls.workers
      .filter(({ count }) => count > 1)
      .map(async ({ executionKey, count, root }) => {
        const link = deps.links().find((one) => sameHex(one.executionKey, executionKey))
        const ids = plan.ids.filter((_, index) => attestedBy(plan.order[index], executionKey))
        const signature = await link?.roll(batchId, ids, deps.rollTimeoutMs)
        if (signature === undefined) return
        const signer = await deps.signing.recover(digestOf({ count, root }), signature)
        if (signer && sameHex(signer, executionKey)) workers.set(executionKey, signature)
      }),
  )
  const requester = rolls.requester.count > 1 ? await deps.signer.sign(digestOf(rolls.requester)) : undefined
  return withRolls(plan, { requester, workers })
}

function attestedBy(request: ExecutedRequest | undefined, executionKey: Hex): boolean {
  return request?.attestations.some((one) => sameHex(one.executionKey, executionKey)) ?? false
}
