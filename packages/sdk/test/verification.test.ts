import {
  encodeRequest,
  encodeResult,
  hashAttestation,
  type Receipt,
  receiptFromJson,
  receiptToJson,
  requestId,
} from '@peerhost/protocol'
import {
  type Connection,
  connect,
  getTranscript,
  type InvokeResponse,
  invoke,
  setPrice,
  verifyReceipt,
  verifyResponse,
} from '@peerhost/sdk'
import type { Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestNetwork, type TestNetwork } from './testNetwork.ts'

type Transcript = Awaited<ReturnType<typeof getTranscript>>

let network: TestNetwork
let gateway: TestGateway
let connection: Connection
let response: InvokeResponse
let transcript: Transcript

beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
  connection = await connect({ gatewayUrl: gateway.url, account: network.accounts.payer, pollingIntervalMs: 50 })
  response = await invoke(connection, {
    functionId: network.functions.priced,
    path: '/a',
    query: 'b=1&b=2',
    json: { c: 3 },
    headers: { 'x-d': '4' },
    maxPrice: '0.001',
  })
  const receipt = response.receipt as Receipt
  transcript = await getTranscript(connection, { requestId: receipt.requestId, salt: receipt.salt })
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})

/** A deep copy of the receipt, changed. */
function changed(change: (receipt: Receipt) => void): Receipt {
  const copy = receiptFromJson(receiptToJson(transcript.receipt))
  change(copy)
  return copy
}

/** The receipt with a changed ticket that the gateway signed again: a lie that its signatures do not give away. */
async function forged(change: (ticket: Receipt['ticket']) => void): Promise<Receipt> {
  const { gateway: requester, worker } = network.accounts
  const copy = changed((receipt) => change(receipt.ticket))
  const id = requestId(network.domain, copy.ticket)
  const attestations = await Promise.all(
    copy.attestations.map(async (signed) => {
      const attestation = { ...signed.attestation, requestId: id }
      const signature = await worker.executionKey.sign({ hash: hashAttestation(network.domain, attestation) })
      return { ...signed, attestation, signature }
    }),
  )
  return { ...copy, requestId: id, ticketSignature: await requester.sign({ hash: id }), attestations }
}

async function failing(receipt: Receipt, bytes: Partial<Transcript> = {}, waitForSettlementMs?: number) {
  const { request, result } = { ...transcript, ...bytes }
  const verified = await verifyReceipt(connection, { receipt, request, result, waitForSettlementMs })
  expect(verified.ok).toBe(verified.checks.every(({ ok }) => ok))
  return verified.checks.filter(({ ok }) => !ok).map(({ name }) => name)
}

describe('verifyReceipt', () => {
  test('passes every check of an honest receipt', async () => {
    expect(await failing(transcript.receipt)).toEqual([])
  })

  test('names the check that fails when bytes were swapped', async () => {
    const request = encodeRequest({ v: 1, method: 'GET', path: '/', query: [], headers: [], body: { utf8: '' } })
    const result = encodeResult({ v: 1, outcome: 'completed', status: 200, headers: [], body: { utf8: 'other' } })
    expect(await failing(transcript.receipt, { request })).toEqual(['input'])
    expect(await failing(transcript.receipt, { result })).toEqual(['result'])
    expect(await failing(transcript.receipt, { result: new TextEncoder().encode('junk') })).toEqual(['result'])
  })

  test('names the check that fails when the receipt was edited', async () => {
    const stranger = privateKeyToAccount(generatePrivateKey()).address
    const edited = (change: (receipt: Receipt) => void) => failing(changed(change))
    expect(await edited((receipt) => Object.assign(receipt, { requestId: `0x${'1'.repeat(64)}` }))).toEqual([
      'request-id',
    ])
    expect(await edited((receipt) => Object.assign(receipt.ticket, { quorum: 2 }))).toContain('quorum')
    expect(await edited(({ attestations }) => Object.assign(attestations[0] ?? {}, { operator: stranger }))).toEqual([
      'operator',
    ])
    expect(
      await edited(({ attestations }) => Object.assign(attestations[0]?.attestation ?? {}, { status: 201 })),
    ).toEqual(['outcome', 'attestation-signature'])
  })

  test.each([2, 3, 4])('refuses a signer with a seat that it did not have (%s)', async (seat) => {
    const receipt = changed(() => {})
    const [signed] = receipt.attestations
    if (!signed) throw new Error('There is no attestation.')
    const attestation = { ...signed.attestation, seat }
    const digest = hashAttestation(network.domain, attestation)
    const signature = await network.accounts.worker.executionKey.sign({ hash: digest })
    expect(await failing({ ...receipt, attestations: [{ ...signed, attestation, signature }] })).toEqual(['seat'])
  })

  test('refuses the signature of a key that belongs to no operator', async () => {
    const key = privateKeyToAccount(generatePrivateKey())
    const receipt = changed(() => {})
    const [signed] = receipt.attestations
    if (!signed) throw new Error('There is no attestation.')
    const signature = await key.sign({ hash: hashAttestation(network.domain, signed.attestation) })
    const attestations = [{ ...signed, signature, executionKey: key.address }]
    expect(await failing({ ...receipt, attestations })).toEqual(['operator'])
  })

  test('finds terms that the registry never had, whoever signed them', async () => {
    expect(
      await failing(await forged((ticket) => Object.assign(ticket, { runtimeDigest: `0x${'2'.repeat(64)}` }))),
    ).toEqual(['price'])
    expect(await failing(await forged((ticket) => Object.assign(ticket, { functionVersion: 9 })))).toEqual(['price'])
    expect(await failing(await forged((ticket) => Object.assign(ticket, { price: 999n })))).toEqual([
      'price',
      'payment',
    ])
    expect(
      await failing(await forged((ticket) => Object.assign(ticket, { payee: network.accounts.agent.address }))),
    ).toEqual(['price', 'payment'])
  })

  test('follows the payment to its transfer on chain', async () => {
    const edited = (change: Record<string, unknown>) =>
      failing(changed((receipt) => Object.assign(receipt.payment ?? {}, change)))
    const elsewhere = await network.send(network.accounts.payer, network.addresses.token, approveAbi, 'approve', [
      network.addresses.coordinator,
      1n,
    ])
    expect(await edited({ transaction: `0x${'3'.repeat(64)}` })).toEqual(['payment'])
    expect(await edited({ transaction: elsewhere.transactionHash })).toEqual(['payment'])
    expect(await edited({ nonce: `0x${'4'.repeat(64)}` })).toEqual(['payment'])
    expect(await edited({ network: 'eip155:1' })).toEqual(['payment'])
    expect(await failing(changed((receipt) => Object.assign(receipt, { payment: undefined })))).toEqual(['payment'])
  })

  test('accepts the price of the time of the ticket after it was changed', async () => {
    const owner = await connect({ gatewayUrl: gateway.url, account: network.accounts.developer, pollingIntervalMs: 50 })
    const functionId = network.functions.priced
    await setPrice(owner, { functionId, price: '5' })
    expect(await failing(transcript.receipt)).toEqual([])
    expect(await failing(await forged((ticket) => Object.assign(ticket, { price: 777n })))).toContain('price')
    await setPrice(owner, { functionId, price: '0.001' })
  })

  test('waits for the settlement, and compares what it records', async () => {
    expect(await failing(transcript.receipt, {}, 50)).toEqual(['settlement'])
    const waiting = verifyReceipt(connection, { ...transcript, waitForSettlementMs: 20_000 })
    const transaction = await gateway.settle(transcript.receipt.requestId)
    expect(await waiting).toMatchObject({ ok: true, settled: true, settlement: { transaction } })
    const named = changed((receipt) =>
      Object.assign(receipt, { settlement: { transaction, blockNumber: '1', index: 0 } }),
    )
    expect(await failing(named)).toEqual([])
    const another = await invoke(connection, { functionId: network.functions.free })
    const other = await getTranscript(connection, another.receipt as Receipt)
    const lie = { ...other.receipt, settlement: { transaction, blockNumber: '1', index: 0 } }
    expect((await verifyReceipt(connection, { ...other, receipt: lie })).checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: 'settlement' },
    ])
  })

  test('finds a settlement that nobody names', async () => {
    const free = await invoke(connection, { functionId: network.functions.free })
    const other = await getTranscript(connection, free.receipt as Receipt)
    await gateway.settle(other.receipt.requestId)
    gateway.state.settlements.delete(other.receipt.requestId)
    gateway.state.transcripts.delete(other.receipt.requestId)
    expect(await verifyReceipt(connection, { ...other, waitForSettlementMs: 5_000 })).toMatchObject({ settled: true })
  })

  test('says when only the owner’s word stands behind the workers', async () => {
    for (const [name, flags] of [
      ['uses-network', 0b010],
      ['takes-secrets', 0b101],
    ] as const) {
      const functionId = await network.publish(name, 0n, { flags })
      const answer = await invoke(connection, { functionId })
      expect(await verifyResponse(connection, { response: answer })).toMatchObject({
        ok: true,
        level: 'operator-signed',
      })
    }
  })

  test('refuses a receipt of another network', async () => {
    const receipt = changed((copy) => Object.assign(copy, { chainId: 1 }))
    await expect(verifyReceipt(connection, { ...transcript, receipt })).rejects.toMatchObject({
      code: 'config_invalid',
    })
  })
})

describe('verifyResponse', () => {
  const failingFor = async (change: Partial<InvokeResponse>) => {
    const verified = await verifyResponse(connection, { response: { ...response, ...change } })
    return verified.checks.filter(({ ok }) => !ok).map(({ name }) => name)
  }

  test('passes for what was really sent and received', async () => {
    expect(await failingFor({})).toEqual([])
  })

  test('notices a request that is not the one that was sent', async () => {
    const sent = (change: Partial<InvokeResponse['sent']>) => failingFor({ sent: { ...response.sent, ...change } })
    const { url } = response.sent
    expect(await sent({ method: 'PUT' })).toEqual(['sent'])
    expect(await sent({ url: url.replace('/a?', '/z?') })).toEqual(['sent'])
    expect(await sent({ url: url.replace('b=1&b=2', 'b=2&b=1') })).toEqual(['sent'])
    expect(await sent({ body: new TextEncoder().encode('{"c":4}') })).toEqual(['sent'])
    expect(await sent({ body: undefined })).toEqual(['sent'])
    expect(await sent({ headers: [['x-d', '5']] })).toEqual(['sent'])
  })

  test('notices that another function ran', async () => {
    const { free } = network.functions
    const { url } = response.sent
    expect(await failingFor({ sent: { ...response.sent, functionId: free } })).toEqual(['function'])
    const other = url.replace('/forecast/', '/now/')
    expect(await failingFor({ sent: { ...response.sent, url: other, functionId: undefined } })).toContain('function')
  })

  test('notices an answer that is not the one that was signed', async () => {
    expect(await failingFor({ status: 201 })).toEqual(['received'])
    expect(await failingFor({ body: new TextEncoder().encode('{}') })).toEqual(['received'])
    expect(await failingFor({ headers: new Headers({ 'content-type': 'text/html' }) })).toEqual(['received'])
  })

  test('gives a transcript to the holder of the salt only', async () => {
    const { requestId: id } = transcript.receipt
    const salt: Hex = `0x${'5'.repeat(64)}`
    await expect(getTranscript(connection, { requestId: id, salt })).rejects.toMatchObject({
      code: 'receipt_not_found',
    })
    await expect(verifyResponse(connection, { response: { ...response, receipt: undefined } })).rejects.toMatchObject({
      code: 'receipt_not_found',
    })
  })
})

const approveAbi = [
  {
    type: 'function',
    name: 'approve',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'spender', type: 'address' },
      { name: 'value', type: 'uint256' },
    ],
    outputs: [{ name: '', type: 'bool' }],
  },
] as const
