import type { EgressRefusal, EgressRefusalCode } from '@peerhost/protocol'

/** A call without a response. The message is recorded and shown to the function: it names no address and no secret. */
export function refusal(code: EgressRefusalCode, message: string): EgressRefusal {
  return { v: 1, type: 'refused', code, message }
}
