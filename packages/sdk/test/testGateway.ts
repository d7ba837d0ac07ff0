import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  canonicalRequest,
  decodeBody,
  decodeResult,
  digestToCid,
  encodeReceiptHeader,
  encodeRequest,
  functionRegistryAbi,
  type HeaderPair,
  hashBlockUpload,
  outcomeStatus,
  type PaymentRecord,
  receiptToJson,
  toBase64,
} from '@peerhost/protocol'
import { decodePaymentSignatureHeader, encodePaymentRequiredHeader, encodePaymentResponseHeader } from '@x402/core/http'
import type { PaymentRequirements } from '@x402/core/types'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { createWalletClient, getAddress, type Hex, http, publicActions, recoverAddress, sha256 } from 'viem'
import { readingsOf } from '../src/resolveUrl.ts'
import { createTestExecution, type Transcript } from './testExecution.ts'
import { type TestNetwork, testRuntimeDigest } from './testNetwork.ts'

/** What goes wrong with the next paid requests, one each. */
export type Fault = 'drop-before-work' | 'drop-after-work' | 'unavailable' | 'in-progress' | 'refuse'

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>

type StoredAnswer = { transcript: Transcript; settlement: Hex | undefined }

/**
 * An HTTP server with the surface of a gateway, on x402's own primitives, a real token and real tickets. It has no
 * workers and no database; what it does on purpose is fail when it is told to.
 */
export async function startTestGateway(network: TestNetwork) {
  const { accounts, addresses, chain, publicClient } = network
  const execution = createTestExecution(network)
  const wallet = createWalletClient({
    account: accounts.facilitator,
    transport: http(chain.rpcUrl),
    pollingInterval: 50,
  }).extend(publicActions)
  const facilitator = new ExactEvmScheme(
    toFacilitatorEvmSigner({
      address: accounts.facilitator.address,
      readContract: (call) => publicClient.readContract(call as never),
      verifyTypedData: (data) => publicClient.verifyTypedData(data as never),
      writeContract: (call) => wallet.writeContract({ ...call, chain: null } as never),
      sendTransaction: (transaction) => wallet.sendTransaction({ ...transaction, chain: null } as never),
      waitForTransactionReceipt: (wait) => publicClient.waitForTransactionReceipt(wait),
      getCode: (at) => publicClient.getCode(at),
    }),
  )
  const state = {
    faults: [] as Fault[],
    /** Changes the challenge before it is sent. */
    challenge: (accepts: PaymentRequirements[]) => accepts,
    /** The canonical bytes of the last call, as a challenge may be bound to them. */
    lastRequest: new Uint8Array() as Uint8Array,
    runs: 0,
    signatures: [] as string[],
    blocks: new Map<string, Uint8Array>(),
    uploads: 0,
    refuseUploads: false,
    /** Functions that the catalogue does not show. */
    hidden: new Set<string>(),
    transcripts: new Map<Hex, Transcript>(),
    settlements: new Map<Hex, Hex>(),
  }
  const answers = new Map<string, Promise<StoredAnswer>>()
  let url = ''

  async function cardOf(functionId: Hex) {
    const [created] = await publicClient.getContractEvents({
      address: addresses.registry,
      abi: functionRegistryAbi,
      eventName: 'FunctionCreated',
      args: { functionId },
      fromBlock: 0n,
      strict: true,
    })
    if (!created) return undefined
    const contract = { address: addresses.registry, abi: functionRegistryAbi } as const
    const current = await publicClient.readContract({ ...contract, functionName: 'getFunction', args: [functionId] })
    const deployment = await publicClient.readContract({
      ...contract,
      functionName: 'getDeployment',
      args: [functionId, current.currentVersion],
    })
    const { creator, project, name } = created.args
    if (state.hidden.has(name)) return undefined
    return {
      functionId,
      creator,
      owner: current.owner,
      project,
      name,
      version: current.currentVersion,
      url: `${url}/${creator}/${project}/${name}`,
      methods: ['GET', 'POST'],
      description: `The function ${name}`,
      price: current.price.toString(),
      asset: addresses.token,
      payee: current.payee === `0x${'0'.repeat(40)}` ? current.owner : current.payee,
      paymentMode: current.paymentMode === 2 ? 'upfront' : 'after',
      limitsClass: deployment.limitsClass,
      lane: 'attested',
      quorum: 1,
      deterministic: true,
      bundleCid: digestToCid(deployment.bundleDigest),
      metadataCid: digestToCid(deployment.metadataDigest),
      runtimeDigest: deployment.runtimeDigest,
      fee: deployment.fee.toString(),
      assurance: 'verified',
    }
  }

  async function allCards() {
    const created = await publicClient.getContractEvents({
      address: addresses.registry,
      abi: functionRegistryAbi,
      eventName: 'FunctionCreated',
      fromBlock: 0n,
      strict: true,
    })
    return (await Promise.all(created.map(({ args }) => cardOf(args.functionId)))).filter((card) => card !== undefined)
  }

  function networkInfo() {
    return {
      chainId: chain.id,
      networkName: 'Test network',
      coordinator: addresses.coordinator,
      registry: addresses.registry,
      token: { address: addresses.token, name: 'USDC', version: '2', symbol: 'USDC', decimals: 6 },
      requester: accounts.gateway.address,
      gatewayUrl: url,
      workerUrl: url.replace('http', 'ws'),
      x402: { facilitatorUrl: `${url}/x402`, networks: [`eip155:${chain.id}`] },
      runtimeDigests: [testRuntimeDigest],
      workers: 1,
      rpcUrl: chain.rpcUrl,
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse, body: Uint8Array) {
    const { pathname, search, searchParams } = new URL(request.url ?? '/', url)
    if (request.method === 'OPTIONS') return send(response, 204, {}, '')
    if (pathname === '/v1/network') return json(response, 200, networkInfo())
    if (pathname === '/v1/functions') {
      const priced = searchParams.get('priced')
      const cards = await allCards()
      return json(response, 200, {
        functions: priced === null ? cards : cards.filter((card) => (card.price !== '0') === (priced === 'true')),
      })
    }
    if (pathname.startsWith('/v1/functions/')) {
      const card = await cardOf(pathname.slice('/v1/functions/'.length) as Hex)
      return card ? json(response, 200, card) : problem(response, 404, 'function_not_found')
    }
    if (pathname.startsWith('/v1/requests/')) return serveRequest(request, response, pathname)
    if (pathname.startsWith('/ipfs/')) return serveBlock(request, response, pathname.slice('/ipfs/'.length), body)
    return serveFunction(request, response, { pathname, search, body })
  }

  function serveRequest(request: IncomingMessage, response: ServerResponse, pathname: string) {
    const [id, part] = pathname.slice('/v1/requests/'.length).split('/') as [Hex, string | undefined]
    const transcript = state.transcripts.get(id)
    if (!transcript || (part && request.headers['peerhost-salt'] !== transcript.receipt.salt)) {
      return problem(response, 404, 'receipt_not_found')
    }
    if (part) {
      return json(response, 200, {
        request: toBase64(transcript.request),
        result: toBase64(transcript.result),
        receipt: receiptToJson(transcript.receipt),
      })
    }
    const transaction = state.settlements.get(id)
    return json(response, 200, {
      requestId: id,
      status: transaction ? 'settled' : 'executed',
      functionId: transcript.receipt.ticket.functionId,
      ...(transaction ? { transaction } : {}),
    })
  }

  async function serveBlock(request: IncomingMessage, response: ServerResponse, cid: string, body: Uint8Array) {
    if (request.method === 'PUT') {
      const signed = await isUploadSigned(request.headers.authorization, sha256(body))
      if (!signed || state.refuseUploads) return problem(response, 401, 'upload_unauthorized')
      if (digestToCid(sha256(body)) !== cid) return problem(response, 422, 'bundle_mismatch')
      state.uploads++
      state.blocks.set(cid, body)
      return send(response, 201, {}, '')
    }
    const block = state.blocks.get(cid)
    return block
      ? send(response, 200, { 'content-type': 'application/vnd.ipld.raw' }, block)
      : send(response, 404, {}, '')
  }

  async function isUploadSigned(authorization: string | undefined, digest: Hex) {
    const encoded = /^PeerHost (.+)$/.exec(authorization ?? '')?.[1]
    if (!encoded) return false
    const { address, deadline, signature } = JSON.parse(atob(encoded)) as {
      address: Hex
      deadline: number
      signature: Hex
    }
    const upload = hashBlockUpload(network.domain, { protocolVersion: 1, digest, deadline })
    return (await recoverAddress({ hash: upload, signature })) === address && deadline > Date.now() / 1_000
  }

  async function serveFunction(
    request: IncomingMessage,
    response: ServerResponse,
    { pathname, search, body }: { pathname: string; search: string; body: Uint8Array },
  ) {
    const found = await find(`${url}${pathname}`)
    if (!found) return problem(response, 404, 'function_not_found')
    const { card, path } = found
    const canonical = canonicalRequest({
      method: request.method ?? 'GET',
      path,
      query: search.slice(1),
      headers: pairsOf(request.rawHeaders),
      body,
    })
    state.lastRequest = encodeRequest(canonical)
    const terms = { functionId: card.functionId, version: card.version, price: BigInt(card.price), payee: card.payee }
    const run = async (payment?: PaymentRecord) => {
      state.runs++
      const transcript = await execution.run(terms, canonical, payment)
      state.transcripts.set(transcript.receipt.requestId, transcript)
      return transcript
    }
    if (terms.price === 0n) return deliver(response, { transcript: await run(), settlement: undefined })
    const requirement = requirementOf(card)
    const header = request.headers['payment-signature']
    if (typeof header !== 'string') return challenge(response, [requirement])
    state.signatures.push(header)
    const fault = state.faults.shift()
    if (fault === 'drop-before-work') return void response.destroy()
    if (fault === 'unavailable') return problem(response, 503, 'no_worker', { retryable: true })
    if (fault === 'in-progress') return problem(response, 409, 'payment_in_progress', { retryable: true })
    if (fault === 'refuse') return challenge(response, [requirement], 'insufficient_funds')
    const known = answers.get(header) ?? payAndRun(header, requirement, run)
    answers.set(header, known)
    try {
      const stored = await known
      if (fault === 'drop-after-work') return void response.destroy()
      return deliver(response, stored)
    } catch (error) {
      answers.delete(header)
      return challenge(response, [requirement], (error as Error).message)
    }
  }

  async function payAndRun(
    header: string,
    requirement: PaymentRequirements,
    run: (payment?: PaymentRecord) => Promise<Transcript>,
  ): Promise<StoredAnswer> {
    const payload = decodePaymentSignatureHeader(header)
    const verified = await facilitator.verify(payload, requirement)
    if (!verified.isValid) throw new Error(verified.invalidReason ?? 'invalid')
    const { authorization } = payload.payload as { authorization: { from: Hex; to: Hex; value: string; nonce: Hex } }
    const record: PaymentRecord = {
      network: requirement.network,
      asset: getAddress(requirement.asset),
      payer: getAddress(authorization.from),
      payTo: getAddress(authorization.to),
      amount: authorization.value,
      nonce: authorization.nonce,
      transaction: `0x${'0'.repeat(64)}`,
    }
    const transcript = await run(record)
    const result = decodeResult(transcript.result)
    if (result.status >= 400) {
      const { payment: _, ...unpaid } = transcript.receipt
      return { transcript: { ...transcript, receipt: unpaid }, settlement: undefined }
    }
    const settled = await facilitator.settle(payload, requirement)
    if (!settled.success) throw new Error(settled.errorReason ?? 'not settled')
    const transaction = settled.transaction as Hex
    const paid = { ...transcript, receipt: { ...transcript.receipt, payment: { ...record, transaction } } }
    state.transcripts.set(paid.receipt.requestId, paid)
    return { transcript: paid, settlement: transaction }
  }

  function deliver(response: ServerResponse, { transcript, settlement }: StoredAnswer) {
    const result = decodeResult(transcript.result)
    const headers: Record<string, string> = Object.fromEntries(result.headers)
    headers['peerhost-receipt'] = encodeReceiptHeader(transcript.receipt)
    headers['peerhost-request-id'] = transcript.receipt.requestId
    if (settlement) {
      headers['payment-response'] = encodePaymentResponseHeader({
        success: true,
        transaction: settlement,
        network: `eip155:${chain.id}`,
      })
    }
    const status = result.outcome === 'completed' ? result.status : outcomeStatus[result.outcome]
    return send(response, status, headers, decodeBody(result.body))
  }

  function requirementOf(card: { price: string; payee: string }): PaymentRequirements {
    return {
      scheme: 'exact',
      network: `eip155:${chain.id}`,
      asset: addresses.token,
      amount: card.price,
      payTo: card.payee,
      maxTimeoutSeconds: 300,
      extra: { name: 'USDC', version: '2' },
    }
  }

  function challenge(response: ServerResponse, accepts: PaymentRequirements[], error = 'Payment required') {
    const required = encodePaymentRequiredHeader({
      x402Version: 2,
      error,
      resource: { url, description: 'A function', mimeType: 'application/json' },
      accepts: state.challenge(accepts),
    })
    return problem(response, 402, 'payment_required', {}, { 'payment-required': required })
  }

  async function find(functionUrl: string) {
    for (const reading of readingsOf(functionUrl)) {
      const card = await cardOf(reading.functionId)
      if (card) return { card, path: reading.path }
    }
    return undefined
  }

  const server = createServer((request, response) => {
    void readAll(request)
      .then((body) => handle(request, response, body))
      .catch((error: Error) => problem(response, 500, 'internal', { detail: error.message }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    state,
    /** Settles a request on chain and remembers where. */
    settle: async (id: Hex) => {
      const transaction = await execution.settle(id)
      state.settlements.set(id, transaction)
      return transaction
    },
    stop: () => stop(server),
  }
}

const exposed = ['peerhost-receipt', 'peerhost-request-id', 'payment-required', 'payment-response', 'retry-after']

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: Uint8Array | string) {
  response.writeHead(status, {
    ...headers,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': '*',
    'access-control-allow-headers': '*',
    'access-control-expose-headers': exposed.join(', '),
  })
  response.end(body)
}

function json(response: ServerResponse, status: number, value: unknown) {
  send(response, status, { 'content-type': 'application/json' }, JSON.stringify(value))
}

function problem(
  response: ServerResponse,
  status: number,
  code: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) {
  const body = { type: `urn:peerhost:${code}`, title: code, status, detail: `It is ${code}.`, code, ...more }
  send(response, status, { ...headers, 'content-type': 'application/problem+json' }, JSON.stringify(body))
}

function pairsOf(raw: readonly string[]): HeaderPair[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
}

async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return new Uint8Array(Buffer.concat(parts))
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
