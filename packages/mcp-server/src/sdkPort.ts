import { isPeerHostError, PeerHostError } from '@peerhost/protocol'
import {
  type CallParameters,
  type Connection,
  connect,
  formatAmount,
  getFunction,
  type InvokeResponse,
  invoke,
  listFunctions,
  type Quote,
  quote,
  resume,
  type FunctionCard as SdkFunctionCard,
  verifyResponse,
} from '@peerhost/sdk'
import { type Address, createWalletClient, custom, erc20Abi, type Hex, type LocalAccount, parseAbi } from 'viem'
import type {
  Answer,
  AuthorizationState,
  CallTarget,
  FunctionCard,
  PaymentTerms,
  PeerHostPort,
} from './peerHostPort.ts'

const tokenAbi = parseAbi(['function authorizationState(address authorizer, bytes32 nonce) view returns (bool)'])

/** How long a broken connection is not tried again. */
const retryAfterMs = 1_000

/**
 * The port over `@peerhost/sdk`. It connects at the first use and again after a failure, so that a server can start before
 * its gateway. Without an RPC of its own (`rpcUrl`) it takes the gateway's word for which node to ask.
 */
export function createSdkPort(options: { gatewayUrl: string; rpcUrl?: string; nowMs: () => number }): PeerHostPort {
  const connection = createConnector(options)
  const withConnection = async <T>(use: (connection: Connection) => Promise<T>): Promise<T> => use(await connection())

  return {
    network: () =>
      withConnection(async ({ network, gatewayUrl }) => ({
        chainId: network.chainId,
        networkName: network.networkName,
        gatewayUrl,
        token: {
          address: network.token.address,
          symbol: network.token.symbol,
          decimals: network.token.decimals,
        },
      })),
    listFunctions: (filter, signal) =>
      withConnection(async (ready) => {
        const { functions, cursor } = await listFunctions(ready, { ...filter, signal })
        return { functions: functions.map(toCard), ...(cursor === undefined ? {} : { cursor }) }
      }),
    getFunction: (functionId, signal) =>
      withConnection(async (ready) => toCard(await getFunction(ready, { functionId, signal }))),
    quote: (target, signal) =>
      withConnection(async (ready) => {
        const answer = await quote(ready, { ...toCall(target), signal })
        return answer.price === 0n ? undefined : toTerms(answer)
      }),
    invoke: (target, { maxAmount, account, authorize, onSigned, signal }) =>
      withConnection(async (ready) => {
        const paying = account ? withAccount(ready, account) : ready
        const response = await unwrapping(() =>
          invoke(paying, {
            ...toCall(target),
            maxPrice: formatAmount(maxAmount, ready.network.token.decimals),
            ...(authorize && { authorize: (terms: Quote) => authorize(toTerms(terms)) }),
            ...(onSigned && { onSigned }),
            signal,
          }),
        )
        return toAnswer(response)
      }),
    resume: (pendingPayment, signal) =>
      withConnection(async (ready) => toAnswer(await resume(ready, { pendingPayment, signal }))),
    authorizationState: (payment) => withConnection((ready) => readAuthorization(ready, payment)),
    verify: (answer, signal) =>
      withConnection(async (ready) => {
        // What is kept of it goes into a JSON file, where the settlement's bigint has no place.
        const { ok, level, settled, checks } = await verifyResponse(ready, { response: toResponse(answer), signal })
        return { ok, level, settled, checks }
      }),
    balance: (address) => withConnection((ready) => readBalance(ready, address)),
  }
}

function readAuthorization(
  { publicClient }: Connection,
  { asset, payer, nonce }: { asset: Address; payer: Address; nonce: Hex },
): Promise<AuthorizationState> {
  return onChain(async () => {
    const args = [payer, nonce] as const
    const [used, block] = await Promise.all([
      publicClient.readContract({ address: asset, abi: tokenAbi, functionName: 'authorizationState', args }),
      publicClient.getBlock({ blockTag: 'latest' }),
    ])
    return { used, chainTimeSeconds: block.timestamp }
  })
}

function readBalance({ publicClient, network }: Connection, address: Address): Promise<bigint> {
  const token = { address: network.token.address, abi: erc20Abi } as const
  return onChain(() => publicClient.readContract({ ...token, functionName: 'balanceOf', args: [address] }))
}

function createConnector({
  gatewayUrl,
  rpcUrl,
  nowMs,
}: Parameters<typeof createSdkPort>[0]): () => Promise<Connection> {
  let ready: Promise<Connection> | undefined
  let failedAtMs = Number.NEGATIVE_INFINITY
  return () => {
    if (ready && nowMs() - failedAtMs < retryAfterMs) return ready
    if (ready && failedAtMs === Number.NEGATIVE_INFINITY) return ready
    failedAtMs = Number.NEGATIVE_INFINITY
    const attempt = connect({ gatewayUrl, ...(rpcUrl && { rpcUrl }), signal: AbortSignal.timeout(15_000) })
    attempt.catch(() => {
      failedAtMs = nowMs()
    })
    ready = attempt
    return attempt
  }
}

/** The same connection for one call, signing with the account that is guarded for it. */
function withAccount(connection: Connection, account: LocalAccount): Connection {
  const { publicClient } = connection
  const walletClient = createWalletClient({ account, chain: publicClient.chain, transport: custom(publicClient) })
  return { ...connection, account, walletClient }
}

function toCall({ functionId, method, path, query, contentType, body }: CallTarget): CallParameters {
  return {
    functionId,
    method,
    ...(path === '' ? {} : { path }),
    query,
    headers: [['accept', '*/*'], ...(contentType === undefined ? [] : [['content-type', contentType] as const])],
    ...(body === undefined ? {} : { body }),
  }
}

function toTerms({ network, asset, price, payTo }: Quote): PaymentTerms {
  return { network, asset, amount: price, payTo }
}

function toCard(card: SdkFunctionCard): FunctionCard {
  const { functionId, creator, owner, project, name, version, url, methods, price, asset, payee } = card
  return {
    ...{ functionId, creator, owner, project, name, version, url, methods, price, asset, payee },
    description: card.description ?? '',
    ...(card.input === undefined ? {} : { input: card.input }),
    ...(card.output === undefined ? {} : { output: card.output }),
    paymentMode: card.paymentMode,
    deterministic: card.deterministic,
    assurance: card.assurance,
  }
}

function toAnswer({ status, headers, body, requestId, receipt, payment, sent }: InvokeResponse): Answer {
  return {
    status,
    headers: Object.fromEntries(headers),
    body,
    ...(requestId && { requestId }),
    ...(receipt && { receipt }),
    ...(payment && {
      payment: {
        outcome: payment.outcome,
        network: payment.network,
        payer: payment.payer,
        ...(payment.transaction && { transaction: payment.transaction }),
      },
    }),
    sent,
  }
}

/** The answer in the SDK's shape again, for its verification. */
function toResponse({ status, headers, body, requestId, receipt, sent }: Answer): InvokeResponse {
  const text = () => new TextDecoder().decode(body)
  return {
    status,
    headers: new Headers(headers),
    body,
    text,
    json: () => JSON.parse(text()) as unknown,
    requestId,
    receipt,
    payment: undefined,
    latencyMs: 0,
    sent,
  }
}

/** What our guard threw reaches the SDK as a wallet that would not sign; the guard's own words say more. */
async function unwrapping<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause
    if (isPeerHostError(error) && error.code === 'payment_invalid' && isPeerHostError(cause)) throw cause
    throw error
  }
}

async function onChain<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new PeerHostError('chain_unavailable', 'The chain could not be read.', {
      cause,
      hint: 'Try again in a moment.',
    })
  }
}
