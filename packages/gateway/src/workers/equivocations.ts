import {
  type Attestation,
  hashAttestation,
  type ProtocolDomain,
  type SignedAttestation,
  type Signing,
  sameHex,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Database } from '../database/database.ts'
import { loadEquivocators, saveEquivocation } from './equivocationTable.ts'
import type { AttestedMessage } from './workerLink.ts'

/** Remembers what keys signed, and finds those that signed two different results for one request. */
export type Equivocations = {
  /** False, with the key banned and the evidence kept, when it signed another result for this request before. */
  note: (signed: Pick<SignedAttestation, 'attestation' | 'signature' | 'executionKey'>) => boolean
  /** The same for a result that nobody waits for. */
  noteUnasked: (executionKey: Address, message: AttestedMessage) => Promise<void>
}

type Signed = { attestation: Attestation; signature: Hex }

const mostRemembered = 20_000

export async function createEquivocations(deps: {
  database: Database
  signing: Signing
  domain: ProtocolDomain
  log: Logger
  ban: (executionKey: Address, reason: string) => void
}): Promise<Equivocations> {
  const signed = new Map<string, Signed>()
  const reason = 'This execution key signed two different results for one request.'
  for (const executionKey of await loadEquivocators(deps.database)) deps.ban(executionKey, reason)

  const note: Equivocations['note'] = ({ attestation, signature, executionKey }) => {
    const key = `${executionKey}:${attestation.requestId}`.toLowerCase()
    const before = signed.get(key)
    if (!before) {
      if (signed.size >= mostRemembered)
        for (const old of [...signed.keys()].slice(0, mostRemembered / 10)) signed.delete(old)
      signed.set(key, { attestation, signature })
      return true
    }
    if (isSame(before.attestation, attestation)) return true
    deps.ban(executionKey, reason)
    saveEquivocation(deps.database, {
      executionKey,
      requestId: attestation.requestId,
      evidence: [before, { attestation, signature }],
      seenAtMs: Date.now(),
    }).catch((error: unknown) => deps.log.error({ err: error, executionKey }, 'evidence could not be stored'))
    return false
  }
  return {
    note,
    noteUnasked: async (executionKey, { attestation, signature }) => {
      // Only what contradicts something is worth a signature check.
      const before = signed.get(`${executionKey}:${attestation.requestId}`.toLowerCase())
      if (!before || isSame(before.attestation, attestation)) return
      const signer = await deps.signing.recover(hashAttestation(deps.domain, attestation), signature)
      if (signer && sameHex(signer, executionKey)) note({ attestation, signature, executionKey })
    },
  }
}

function isSame(a: Attestation, b: Attestation): boolean {
  return sameHex(a.resultSeal, b.resultSeal) && a.outcome === b.outcome && a.status === b.status
}
