import {
  type Attestation,
  type CanonicalRequest,
  type CanonicalResult,
  canonicalResult,
  type ExecutedRequest,
  encodeRequest,
  encodeResult,
  encodeSettlement,
  epochAt,
  executionCoordinatorAbi,
  failedResult,
  hashAttestation,
  hashInput,
  hashResult,
  LIMITS,
  outcomeNumber,
  type PaymentRecord,
  paymentId,
  planSettlement,
  type Receipt,
  requestId,
  seal,
  type Ticket,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Hex, parseEventLogs, toHex, zeroAddress } from 'viem'
import { type TestNetwork, testRuntimeDigest } from './testNetwork.ts'

export type Transcript = { request: Uint8Array; result: Uint8Array; receipt: Receipt }

export type FunctionTerms = { functionId: Hex; version: number; price: bigint; payee: `0x${string}` }

/** Runs requests as gateway and worker would together: real tickets, real attestations, real settlement, no sandbox. */
export function createTestExecution(network: TestNetwork) {
  const { accounts, domain } = network
  const { gateway, worker, developer } = accounts
  let sequence = 0n
  const executed = new Map<Hex, ExecutedRequest>()

  async function run(terms: FunctionTerms, request: CanonicalRequest, payment?: PaymentRecord): Promise<Transcript> {
    const requestBytes = encodeRequest(request)
    const resultBytes = encodeResult(answer(request))
    const salt = toHex(crypto.getRandomValues(new Uint8Array(32)))
    const issuedAt = Math.floor(Date.now() / 1_000)
    const ticket: Ticket = {
      protocolVersion: 1,
      functionId: terms.functionId,
      functionVersion: terms.version,
      envVersion: 0,
      runtimeDigest: testRuntimeDigest,
      inputSeal: seal(hashInput(requestBytes), salt),
      requester: gateway.address,
      epoch: epochAt(issuedAt, LIMITS.epochSeconds),
      sequence: sequence++,
      quorum: 1,
      lane: 1,
      fee: 100n,
      issuedAt,
      deadline: issuedAt + 60,
      payer: payment?.payer ?? zeroAddress,
      payee: terms.price === 0n ? zeroAddress : terms.payee,
      price: terms.price,
      quoteId: payment
        ? paymentId({ chainId: domain.chainId, asset: payment.asset, payer: payment.payer, nonce: payment.nonce })
        : zeroBytes32,
      funder: developer.address,
    }
    const id = requestId(domain, ticket)
    const { outcome, status } = answer(request)
    const attestation: Attestation = {
      protocolVersion: 1,
      requestId: id,
      resultSeal: seal(hashResult(resultBytes), salt),
      outcome: outcomeNumber(outcome),
      status,
      seat: 1,
    }
    const ticketSignature = await gateway.sign({ hash: id })
    const signature = await worker.executionKey.sign({ hash: hashAttestation(domain, attestation) })
    executed.set(id, {
      ticket,
      ticketSignature,
      attestations: [{ attestation, signature, executionKey: worker.executionKey.address }],
    })
    const receipt: Receipt = {
      v: 1,
      ...domain,
      requestId: id,
      ticket,
      ticketSignature,
      salt,
      attestations: [
        {
          attestation,
          signature,
          executionKey: worker.executionKey.address,
          operator: worker.operator.address,
        },
      ],
      ...(payment ? { payment } : {}),
    }
    return { request: requestBytes, result: resultBytes, receipt }
  }

  /** Puts an executed request on chain. */
  async function settle(id: Hex): Promise<Hex> {
    const request = executed.get(id)
    if (!request) throw new Error('There is no such request.')
    const { batch } = planSettlement(domain, [request])
    const mined = await network.coordinator(gateway, 'settle', [encodeSettlement(batch)])
    const settled = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'ExecutionSettled', logs: mined.logs })
    if (settled.length !== 1) throw new Error('The request was skipped by the settlement.')
    return mined.transactionHash
  }

  return { run, settle }
}

/** The test functions: `?fail=throw` throws, `?fail=503` answers an error of its own, everything else is an echo. */
function answer(request: CanonicalRequest): CanonicalResult {
  const fail = request.query.find(([name]) => name === 'fail')?.[1]
  if (fail === 'throw') return failedResult('threw')
  const { method, path, query, headers, body } = request
  return canonicalResult({
    outcome: 'completed',
    status: fail ? Number(fail) : 200,
    headers: [['content-type', 'application/json']],
    body: new TextEncoder().encode(JSON.stringify({ method, path, query, headers, body })),
  })
}
