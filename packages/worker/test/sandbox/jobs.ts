import {
  canonicalRequest,
  decodeBody,
  decodeResult,
  encodeRequest,
  limitsClass,
  type RawRequest,
} from '@peerhost/protocol'
import type { SandboxJob, SandboxRun } from '../../src/sandbox/sandbox.ts'

const small = limitsClass(1)!
let deployments = 0

/** The smallest limits class, with less time for functions that are meant to use it up. */
export const smallLimits = small

/** A job for the source of one function, as a deployment of its own. */
export function jobOf(source: string, over: Partial<SandboxJob> & { request?: Uint8Array } = {}): SandboxJob {
  deployments += 1
  return {
    deployment: `0x${deployments.toString(16).padStart(64, '0')}:1`,
    bundle: new TextEncoder().encode(source),
    limits: small,
    request: requestOf({}),
    issuedAt: 1_700_000_000,
    seed: `0x${'5e'.repeat(32)}`,
    ...over,
  }
}

export function requestOf(raw: Partial<RawRequest>): Uint8Array {
  return encodeRequest(
    canonicalRequest({ method: 'GET', path: '/', query: '', headers: [], body: new Uint8Array(0), ...raw }),
  )
}

/** What came out, readable. */
export function read(run: SandboxRun) {
  const { status, headers, body, outcome } = decodeResult(run.result)
  const bytes = decodeBody(body)
  return { outcome, status, headers: Object.fromEntries(headers), bytes, text: new TextDecoder().decode(bytes) }
}

export const soon = () => AbortSignal.timeout(60_000)
