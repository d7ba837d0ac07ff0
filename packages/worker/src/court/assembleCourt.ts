import { fromBase64, type ProtocolTimes, receiptFromJson } from '@peerhost/protocol'
import { fetchBlock } from '@peerhost/storage'
import type { Hex, PublicClient } from 'viem'
import type { BundlesDeps } from '../bundles.ts'
import { createCourt } from '../chain/court.ts'
import { createFileCursor } from '../chain/cursor.ts'
import type { Sender } from '../chain/sender.ts'
import { readSettledBetween } from '../chain/settledBetween.ts'
import type { Suite } from '../chain/suite.ts'
import { watchCourt } from '../chain/watchCourt.ts'
import type { WatchDeps } from '../chain/watchLogs.ts'
import type { WorkerConfig } from '../config.ts'
import type { DataDirectory } from '../dataDirectory.ts'
import { createInputArchive } from '../inputArchive.ts'
import type { AuditMaterial } from './auditDuty.ts'
import type { CourtDutyParts } from './courtDuty.ts'

export type AssembleCourtParts = {
  client: PublicClient
  suite: Suite
  sender: Sender
  canWithdraw: boolean
  sources: Pick<BundlesDeps, 'cache' | 'sources'>
  files: DataDirectory
  watching: Pick<WatchDeps, 'client' | 'deployBlock' | 'emit' | 'times'>
  protocolTimes: ProtocolTimes
  config: Pick<WorkerConfig, 'gateways'>
}

/** Two juries commit and reveal, and somebody has to conclude each of them. */
const phasesOfCase = 6

/** Builds what juries and audits need of chain, disk and gateways. */
export function assembleCourt(parts: AssembleCourtParts): CourtDutyParts {
  const { client, suite, sender, canWithdraw, sources, files, watching, protocolTimes, config } = parts
  const court = {
    ...watching,
    address: suite.court,
    cursor: createFileCursor(files.courtCursor),
    oldestSeconds: phasesOfCase * protocolTimes.juryPhase,
  }
  const origins = config.gateways.map((url) => new URL(url.replace(/^ws/, 'http')).origin)
  return {
    court: createCourt({ client, suite, sender }),
    canWithdraw,
    archive: createInputArchive(files.inputs),
    watchCourt: (onNews, signal) => watchCourt({ ...court, onNews }, signal),
    fetchBlock: async (cid, signal) => {
      const found = await fetchBlock([sources.cache, ...sources.sources], cid, { signal }).catch(() => undefined)
      return found?.bytes
    },
    readSettledBetween: (from, to) => readSettledBetween(client, suite.coordinator, from, to),
    readTranscript: (requestId, salt) => readTranscript(origins, requestId, salt),
  }
}

const transcriptTimeoutMs = 10_000

/** The receipt and input of a request, from a gateway, for who knows the salt. */
async function readTranscript(
  origins: readonly string[],
  requestId: Hex,
  salt: Hex,
): Promise<AuditMaterial | undefined> {
  for (const origin of origins) {
    try {
      const response = await fetch(`${origin}/v1/requests/${requestId}/transcript`, {
        headers: { 'peerhost-salt': salt },
        signal: AbortSignal.timeout(transcriptTimeoutMs),
      })
      if (!response.ok) continue
      const { receipt, request } = (await response.json()) as { receipt: unknown; request: string }
      return { receipt: receiptFromJson(receipt), input: fromBase64(request) }
    } catch {
      // A gateway that does not answer, or not in these words, is no source.
    }
  }
  return undefined
}
