import type { ReceiptCheck, ReceiptCheckName } from '@peerhost/protocol'

/** A check by name, with a detail when it failed or when it says something beyond yes. */
export function check(name: ReceiptCheckName, problem: string | undefined): ReceiptCheck {
  return problem === undefined ? { name, ok: true } : { name, ok: false, detail: problem }
}
