import { canonicalResult, encodeResult, failedResult, LIMITS } from '@peerhost/protocol'
import type { ThrowReason } from '@peerhost/runtime'
import type { SandboxRun } from './sandbox.ts'
import type { Ending } from './supervisorLink.ts'

const decoder = new TextDecoder('utf-8')

/** What a `threw` result says beside the standard sentence: fixed, so that every worker's bytes are the same. */
const throwDetail: Record<ThrowReason, string | undefined> = {
  error: undefined,
  exited: 'The function ended its process instead of answering.',
  'no-response': 'The handler did not give a Response.',
}

/** The canonical result of an ended execution, encoded once. */
export function sandboxRun({ ended, log, body }: Ending & { type: 'ended' }, queueMs: number): SandboxRun {
  let result = resultOf(ended, body)
  let bytes = encodeResult(result)
  if (bytes.length > LIMITS.canonicalResultBytes) {
    result = failedResult('output-too-large')
    bytes = encodeResult(result)
  }
  return {
    result: bytes,
    outcome: result.outcome,
    status: result.status,
    durationMs: ended.durationMs,
    queueMs,
    log: decoder.decode(log),
    logBytes: ended.logBytes,
  }
}

function resultOf({ end, reason, answer }: (Ending & { type: 'ended' })['ended'], body: Uint8Array) {
  if (end === 'completed' && answer)
    return canonicalResult({ outcome: 'completed', status: answer.status, headers: answer.headers, body })
  if (end === 'completed' || end === 'cancelled' || end === 'lost') throw new Error(`An execution ended as ${end}.`)
  return end === 'threw' ? failedResult('threw', throwDetail[reason]) : failedResult(end)
}
