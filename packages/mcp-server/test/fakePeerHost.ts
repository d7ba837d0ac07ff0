import { randomBytes } from 'node:crypto'
import { functionId, type PaymentMode, PeerHostError } from '@peerhost/protocol'
import { authorizationTypes } from '@x402/evm'
import { type Address, type Hex, isHex, type LocalAccount, toHex } from 'viem'
import type {
  Answer,
  CallTarget,
  FunctionCard,
  InvokeOptions,
  PaymentTerms,
  PeerHostPort,
} from '../src/peerHostPort.ts'

/** A network behind our own port: a catalogue, a token with EIP-3009 semantics, and answers that a test scripts. */
export type FakePeerHost = {
  port: PeerHostPort
  cards: Map<Hex, FunctionCard>
  add: (card: Partial<FunctionCard> & { name: string; price: bigint }) => FunctionCard
  /** What the live 402 asks for, where it is not what the card says. */
  live: Map<Hex, Partial<PaymentTerms>>
  /** What a function answers; JSON of its target unless set. */
  answers: Map<Hex, (target: CallTarget) => { status?: number; type?: string; body: Uint8Array | string }>
  /** Called after the payment was signed and sent, before it is settled; throw to lose the answer. */
  onPaid: (target: CallTarget) => Promise<void>
  /** Called when settled, before the answer is given. */
  onSettled: (target: CallTarget) => Promise<void>
  used: Map<Hex, bigint>
  signatures: Hex[]
  runs: CallTarget[]
  balance: bigint
  chainTimeSeconds: () => bigint
  isAway: boolean
}

const chainId = 84_532
export const token: Address = '0x036CbD53842c5426634e7929541eC2318f3dCF7e'
export const creator: Address = '0x1111111111111111111111111111111111111111'
const payee: Address = '0x2222222222222222222222222222222222222222'

const encoder = new TextEncoder()

export function createFakePeerHost(): FakePeerHost {
  const fake: FakePeerHost = {
    cards: new Map(),
    live: new Map(),
    answers: new Map(),
    onPaid: async () => {},
    onSettled: async () => {},
    used: new Map(),
    signatures: [],
    runs: [],
    balance: 10_000_000n,
    chainTimeSeconds: () => BigInt(Math.floor(Date.now() / 1_000)),
    isAway: false,
    add: (card) => {
      const project = card.project ?? 'weather'
      const owner = card.creator ?? creator
      const full: FunctionCard = {
        functionId: functionId(owner, project, card.name),
        creator: owner,
        owner,
        project,
        version: 1,
        url: `http://gateway.test/${owner}/${project}/${card.name}`,
        methods: ['GET'],
        description: 'A function of the tests.',
        asset: token,
        payee,
        paymentMode: 'after' as PaymentMode,
        deterministic: false,
        assurance: 'verified',
        ...card,
      }
      fake.cards.set(full.functionId, full)
      return full
    },
    port: undefined as unknown as PeerHostPort,
  }
  fake.port = createPort(fake)
  return fake
}

function createPort(fake: FakePeerHost): PeerHostPort {
  const here = () => {
    if (fake.isAway) throw new PeerHostError('gateway_unavailable', 'The gateway did not answer.')
  }
  const cardOf = (id: Hex) => {
    const card = fake.cards.get(id)
    if (!card) throw new PeerHostError('function_not_found', 'No such function.')
    return card
  }
  const termsOf = (card: FunctionCard): PaymentTerms => ({
    network: `eip155:${chainId}`,
    asset: card.asset,
    amount: card.price,
    payTo: card.payee,
    ...fake.live.get(card.functionId),
  })
  return {
    network: async () => {
      here()
      return {
        chainId,
        networkName: 'test',
        gatewayUrl: 'http://gateway.test',
        token: { address: token, symbol: 'USDC', decimals: 6 },
      }
    },
    listFunctions: async ({ creator: owner, project }) => {
      here()
      const functions = [...fake.cards.values()].filter(
        (card) => (!owner || card.creator === owner) && (!project || card.project === project),
      )
      return { functions }
    },
    getFunction: async (id) => {
      here()
      return cardOf(id)
    },
    quote: async (target) => {
      const terms = termsOf(cardOf(target.functionId))
      return terms.amount === 0n ? undefined : terms
    },
    invoke: async (target, options) => {
      here()
      const terms = termsOf(cardOf(target.functionId))
      if (terms.amount === 0n) return answerOf(fake, target)
      return pay(fake, target, terms, options)
    },
    resume: async (pending) => {
      here()
      const { paymentSignature, authorization } = pending
      const { target, signature } = JSON.parse(paymentSignature) as { target: CallTarget; signature: Hex }
      if (!isHex(signature)) throw new PeerHostError('payment_invalid', 'Not signed.')
      fake.used.set(authorization.nonce as Hex, BigInt(authorization.amount))
      return paid(answerOf(fake, revive(target)), authorization.payer as Address)
    },
    authorizationState: async ({ nonce }) => ({
      used: fake.used.has(nonce),
      chainTimeSeconds: fake.chainTimeSeconds(),
    }),
    verify: async () => ({ ok: true, level: 'verified', settled: true, checks: [] }),
    balance: async () => fake.balance,
  }
}

async function pay(
  fake: FakePeerHost,
  target: CallTarget,
  terms: PaymentTerms,
  options: InvokeOptions,
): Promise<Answer> {
  if (terms.amount > options.maxAmount) throw new PeerHostError('payment_required', 'This function has a price.')
  await options.authorize?.(terms)
  options.signal.throwIfAborted()
  if (!options.account) throw new PeerHostError('config_invalid', 'No account.')
  const { nonce, signature, validBefore } = await sign(options.account, terms)
  fake.signatures.push(signature)
  await options.onSigned?.({
    v: 1,
    url: 'http://gateway.test/',
    method: target.method,
    headers: [],
    paymentSignature: JSON.stringify({ target, signature }),
    authorization: {
      network: terms.network,
      asset: terms.asset,
      payer: options.account.address,
      payTo: terms.payTo,
      amount: terms.amount.toString(),
      nonce,
      validBeforeSeconds: validBefore,
    },
  })
  await fake.onPaid(target)
  const answer = answerOf(fake, target)
  if (answer.status >= 400)
    return { ...answer, payment: { outcome: 'not-paid', network: terms.network, payer: options.account.address } }
  fake.used.set(nonce, terms.amount)
  await fake.onSettled(target)
  return paid(answer, options.account.address)
}

/** Signs as an x402 client does. */
export async function sign(account: LocalAccount, terms: PaymentTerms, change: Record<string, unknown> = {}) {
  const nonce = toHex(randomBytes(32))
  const validBefore = Math.floor(Date.now() / 1_000) + 120
  const message = {
    from: account.address,
    to: terms.payTo,
    value: terms.amount,
    validAfter: 0n,
    validBefore: BigInt(validBefore),
    nonce,
    ...change,
  }
  const signature = await account.signTypedData({
    domain: {
      name: 'USDC',
      version: '2',
      chainId: Number(terms.network.split(':')[1]),
      verifyingContract: terms.asset,
    },
    types: authorizationTypes,
    primaryType: 'TransferWithAuthorization',
    message,
  })
  return { nonce, signature, validBefore }
}

function answerOf(fake: FakePeerHost, target: CallTarget): Answer {
  fake.runs.push(target)
  const made = fake.answers.get(target.functionId)?.(target)
  const body = made?.body ?? JSON.stringify({ query: Object.fromEntries(target.query), run: fake.runs.length })
  return {
    status: made?.status ?? 200,
    headers: { 'content-type': made?.type ?? 'application/json' },
    body: typeof body === 'string' ? encoder.encode(body) : body,
    sent: {
      url: 'http://gateway.test/',
      method: target.method,
      headers: [],
      body: target.body,
      functionId: target.functionId,
    },
  }
}

function paid(answer: Answer, payer: Address): Answer {
  return {
    ...answer,
    payment: { outcome: 'paid', network: `eip155:${chainId}`, payer, transaction: toHex(randomBytes(32)) },
  }
}

function revive(target: CallTarget): CallTarget {
  return target.body ? { ...target, body: Uint8Array.from(Object.values(target.body)) } : target
}
