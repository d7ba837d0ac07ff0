import { generatePrivateKey } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { hashAttestation } from './attestation.ts'
import {
  attestationSchema,
  checkReceipt,
  decodeReceiptHeader,
  encodeReceiptHeader,
  type Receipt,
  receiptFromJson,
  receiptToJson,
} from './receipt.ts'
import { canonicalRequest, encodeRequest, hashInput } from './request.ts'
import { canonicalResult, encodeResult, hashResult } from './result.ts'
import { seal } from './seal.ts'
import { createDigestSigner, pureSigning } from './signing.ts'
import { requestId, type Ticket } from './ticket.ts'

const domain = { chainId: 84_532, coordinator: '0x00000000000000000000000000000000000000C0' } as const
const salt = `0x${'5a'.repeat(32)}` as const
const request = encodeRequest(
  canonicalRequest({ method: 'GET', path: '/', query: 'city=Oslo', headers: [], body: new Uint8Array() }),
)
const result = encodeResult(
  canonicalResult({ outcome: 'completed', status: 200, headers: [], body: new TextEncoder().encode('sun') }),
)

/** A receipt signed by fresh keys, with one thing wrong when asked. */
async function signedReceipt(over: { ticket?: Partial<Ticket>; operators?: number } = {}): Promise<Receipt> {
  const gateway = createDigestSigner(generatePrivateKey())
  const worker = createDigestSigner(generatePrivateKey())
  const ticket: Ticket = {
    protocolVersion: 1,
    functionId: `0x${'01'.repeat(32)}`,
    functionVersion: 1,
    envVersion: 0,
    runtimeDigest: `0x${'02'.repeat(32)}`,
    inputSeal: seal(hashInput(request), salt),
    requester: gateway.address,
    epoch: 3,
    sequence: 7n,
    quorum: 1,
    lane: 1,
    fee: 100n,
    issuedAt: 10_800,
    deadline: 10_900,
    payer: '0x0000000000000000000000000000000000000000',
    payee: '0x0000000000000000000000000000000000000000',
    price: 2n ** 127n,
    quoteId: `0x${'00'.repeat(32)}`,
    funder: worker.address,
    ...over.ticket,
  }
  const id = requestId(domain, ticket)
  const attestation = {
    protocolVersion: 1,
    requestId: id,
    resultSeal: seal(hashResult(result), salt),
    outcome: 1,
    status: 200,
    seat: 1,
  }
  return {
    v: 1,
    ...domain,
    requestId: id,
    ticket,
    ticketSignature: await gateway.sign(id),
    salt,
    attestations: [
      {
        attestation,
        signature: await worker.sign(hashAttestation(domain, attestation)),
        executionKey: worker.address,
        operator: worker.address,
      },
    ],
  }
}

const failing = async (receipt: Receipt, bytes = { request, result }) =>
  (await checkReceipt(pureSigning, receipt, bytes)).filter((check) => !check.ok).map((check) => check.name)

describe('checkReceipt', () => {
  test('passes an honest receipt', async () => {
    expect(await failing(await signedReceipt())).toEqual([])
  })

  test('names the request when other bytes were asked', async () => {
    const other = encodeRequest(
      canonicalRequest({ method: 'GET', path: '/', query: 'city=Rome', headers: [], body: new Uint8Array() }),
    )
    expect(await failing(await signedReceipt(), { request: other, result })).toEqual(['input'])
  })

  test('names the result when other bytes were answered', async () => {
    const other = encodeResult(
      canonicalResult({ outcome: 'completed', status: 200, headers: [], body: new TextEncoder().encode('rain') }),
    )
    expect(await failing(await signedReceipt(), { request, result: other })).toEqual(['result'])
  })

  test('names the outcome when the status was changed with the bytes', async () => {
    const other = encodeResult(
      canonicalResult({ outcome: 'completed', status: 404, headers: [], body: new TextEncoder().encode('sun') }),
    )
    expect(await failing(await signedReceipt(), { request, result: other })).toEqual(['result', 'outcome'])
  })

  test('names the request id when a term of the ticket was changed', async () => {
    const receipt = await signedReceipt()
    expect(await failing({ ...receipt, ticket: { ...receipt.ticket, price: 1n } })).toEqual([
      'request-id',
      'ticket-signature',
      'attestation-signature',
    ])
  })

  test('names the attestation when somebody else signed it', async () => {
    const [receipt, other] = [await signedReceipt(), await signedReceipt()]
    const attestations = receipt.attestations.map((signed) => ({
      ...signed,
      executionKey: other.attestations[0]!.executionKey,
    }))
    expect(await failing({ ...receipt, attestations })).toEqual(['attestation-signature'])
  })

  test('counts operators, not signatures, towards the quorum', async () => {
    const receipt = await signedReceipt({ ticket: { quorum: 2 } })
    expect(await failing({ ...receipt, attestations: [...receipt.attestations, ...receipt.attestations] })).toEqual([
      'quorum',
    ])
  })

  test('is bound to chain and contract', async () => {
    const receipt = await signedReceipt()
    expect(await failing({ ...receipt, chainId: 1 })).toContain('request-id')
  })
})

describe('the header form', () => {
  test('reads back what was written', async () => {
    const receipt = await signedReceipt()
    expect(decodeReceiptHeader(encodeReceiptHeader(receipt))).toEqual(receipt)
  })

  test('stays below what proxies allow', async () => {
    expect(encodeReceiptHeader(await signedReceipt()).length).toBeLessThan(4_096)
  })

  test.each(['', 'not base64!', btoa('{}'), btoa('[1]'), btoa('{"v":2}')])('refuses %j', (header) => {
    expect(() => decodeReceiptHeader(header)).toThrowError(expect.objectContaining({ code: 'receipt_invalid' }))
  })

  test('refuses an amount that is not decimal', async () => {
    const json = receiptToJson(await signedReceipt()) as { ticket: { fee: string } }
    expect(() => receiptFromJson({ ...json, ticket: { ...json.ticket, fee: '1e3' } })).toThrowError(
      expect.objectContaining({ code: 'receipt_invalid' }),
    )
  })

  test('an attestation reads from JSON with no member more or less', () => {
    expect(attestationSchema.safeParse({}).success).toBe(false)
  })
})
