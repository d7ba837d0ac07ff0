import {
  type AssuranceLevel,
  checkReceipt,
  decodeResult,
  isPeerHostError,
  PeerHostError,
  pureSigning,
  type Receipt,
  type ReceiptCheck,
  sameHex,
} from '@peerhost/protocol'
import type { Connection } from '../connection.ts'
import { check } from '../verification/check.ts'
import { checkOperators } from '../verification/checkOperators.ts'
import { checkPayment } from '../verification/checkPayment.ts'
import { checkPrice } from '../verification/checkPrice.ts'
import { checkSeats } from '../verification/checkSeats.ts'
import { findSettlement, type Settlement } from '../verification/findSettlement.ts'

/**
 * Checks a receipt against request, result and chain, trusting no gateway: ids, signatures, seals and quorum; that the
 * signers were staked operators with a seat for this request; that price and payee were the registry's; that the price was paid; and, once it is mined,
 * that the settlement records the same result. Every check is in the answer by name, `detail` says what failed.
 *
 * Without `waitForSettlementMs` an unsettled request is no failure: `settled` is false. With it, it is.
 * Throws `chain_unavailable`, and `config_invalid` for a receipt of another network than the connection's.
 */
export async function verifyReceipt(
  connection: Connection,
  parameters: verifyReceipt.Parameters,
): Promise<verifyReceipt.ReturnType> {
  const { receipt, request, result, signal } = parameters
  assertSameNetwork(connection, receipt)
  const bytesChecks = await checkBytes(receipt, { request, result })
  const [operator, seat, price, payment] = await Promise.all([
    checkOperators(connection, receipt),
    checkSeats(connection, receipt),
    checkPrice(connection, receipt),
    checkPayment(connection, receipt, { delivered: isDelivered(result) }),
  ])
  const waitMs = parameters.waitForSettlementMs ?? 0
  const settlement = await findSettlement(connection, receipt, waitMs, signal)
  const checks = [...bytesChecks, operator, seat, price.check, payment]
  if (settlement) checks.push(check('settlement', settlementProblem(receipt, settlement)))
  else if (receipt.settlement) checks.push(check('settlement', 'The receipt names a settlement that is not on chain.'))
  else if (waitMs > 0) checks.push(check('settlement', `The request was not settled within ${waitMs} ms.`))
  return {
    ok: checks.every(({ ok }) => ok),
    level: price.level,
    settled: settlement !== undefined,
    settlement,
    checks,
  }
}

export declare namespace verifyReceipt {
  type Parameters = {
    receipt: Receipt
    /** Canonical request bytes, from `getTranscript` or your own. */
    request: Uint8Array
    /** Canonical result bytes. */
    result: Uint8Array
    /** Wait this long for the settlement on chain; 0 when absent. */
    waitForSettlementMs?: number | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = {
    ok: boolean
    /** What the signatures are worth: `operator-signed` when the function's owner or its secrets limit who can check it. */
    level: AssuranceLevel
    settled: boolean
    settlement: Settlement | undefined
    checks: ReceiptCheck[]
  }
}

async function checkBytes(receipt: Receipt, bytes: { request: Uint8Array; result: Uint8Array }) {
  try {
    return await checkReceipt(pureSigning, receipt, bytes)
  } catch (error) {
    if (isPeerHostError(error)) return [check('result', `The result bytes are not canonical: ${error.message}`)]
    throw error
  }
}

function assertSameNetwork({ network }: Connection, receipt: Receipt): void {
  if (receipt.chainId === network.chainId && sameHex(receipt.coordinator, network.coordinator)) return
  throw new PeerHostError('config_invalid', 'The receipt is of another network than this connection.', {
    details: [
      `Receipt: ${receipt.coordinator} on chain ${receipt.chainId}`,
      `Connection: ${network.coordinator} on chain ${network.chainId}`,
    ],
    hint: 'Connect to a gateway of the receipt’s network.',
  })
}

/** True for a result that a payer pays for. */
function isDelivered(result: Uint8Array): boolean {
  try {
    const { outcome, status } = decodeResult(result)
    return outcome === 'completed' && status < 400
  } catch {
    return true
  }
}

function settlementProblem(receipt: Receipt, settlement: Settlement): string | undefined {
  const attested = settlement.operators.map((paid) =>
    receipt.attestations.find(({ operator }) => sameHex(operator, paid)),
  )
  const [first] = attested
  if (!first || attested.includes(undefined))
    return `The settlement pays ${settlement.operators.join(', ')}, not all of whom signed this result.`
  const { resultSeal, outcome, status } = first.attestation
  if (!sameHex(resultSeal, settlement.resultSeal)) return 'The settlement records another result.'
  if (outcome !== settlement.outcome || status !== settlement.status) return 'The settlement records another outcome.'
  return undefined
}
