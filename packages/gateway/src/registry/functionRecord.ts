import {
  type AssuranceLevel,
  DEPLOYMENT_FLAGS,
  digestToCid,
  LIMITS,
  type LimitsClass,
  limitsClass,
  type PaymentMode,
  PeerHostError,
  paymentModes,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Address, type Hex, zeroAddress } from 'viem'
import type { Deployment, FunctionState } from '../chain/chain.ts'
import type { Terms } from '../payment/payment.ts'
import type { Metadata } from './metadata.ts'

/** Terms as an event of the registry set them. */
export type TermsEvent = {
  blockNumber: bigint
  logIndex: number
  sinceSeconds: number
  price: bigint
  payee: Address
  paymentMode: number
}

/** A function as the gateway knows it: the chain's state, its past prices, and its metadata when a store had it. */
export type FunctionRecord = {
  functionId: Hex
  creator: Address
  project: string
  name: string
  state: FunctionState
  deployment: Deployment
  /** Ascending. */
  termsEvents: readonly TermsEvent[]
  metadata: Metadata | undefined
}

/** What a caller pays now. */
export function currentTerms({ state }: FunctionRecord): Terms {
  return toTerms(state, state)
}

/**
 * Terms that a payment may still meet: the current ones, and older ones for `graceSeconds` after they were replaced, so
 * that a price change does not spoil payments that are being signed. A pure function of the registry and the time.
 */
export function acceptedTerms(record: FunctionRecord, nowSeconds: number, graceSeconds: number): Terms[] {
  const former = record.termsEvents.filter((_, index) => {
    const successor = record.termsEvents[index + 1]
    return successor === undefined || successor.sinceSeconds + graceSeconds > nowSeconds
  })
  const all = [currentTerms(record), ...former.map((terms) => toTerms(terms, record.state))]
  return all.filter((terms, index) => all.findIndex((other) => isSameTerms(terms, other)) === index)
}

/** The limits of the current version. Throws `runtime_unavailable` for what this version of the gateway cannot serve. */
export function servableLimits({ deployment, state }: FunctionRecord): LimitsClass {
  const limits = limitsClass(deployment.limitsClass)
  const problem =
    limits === undefined
      ? `Its limits class ${deployment.limitsClass} is not known here.`
      : deployment.quorum < 1 || deployment.quorum > LIMITS.quorum
        ? `Its quorum of ${deployment.quorum} is more than ${LIMITS.quorum}.`
        : state.price > 0n && paymentModes[state.paymentMode - 1] === undefined
          ? `Its payment mode ${state.paymentMode} is not known here.`
          : undefined
  if (limits === undefined || problem !== undefined)
    throw new PeerHostError('runtime_unavailable', `This gateway cannot serve the function. ${problem}`, {
      hint: 'The owner can deploy it again with other settings.',
    })
  return limits
}

const {
  deterministic: flagDeterministic,
  network: flagNetwork,
  secrets: flagSecrets,
  environment: flagEnvironment,
} = DEPLOYMENT_FLAGS

/** What a jury could run again and compare: the same anywhere, at any time, by anyone. */
export function isJudgeable({ deployment: { flags } }: Pick<FunctionRecord, 'deployment'>): boolean {
  return (flags & flagDeterministic) !== 0 && assuranceOf(flags) === 'verified'
}

/** True for a deployment that may call the hosts of its metadata. */
export function usesNetwork({ flags }: Pick<Deployment, 'flags'>): boolean {
  return (flags & flagNetwork) !== 0
}

/** True for a deployment whose hosts are given secrets. */
export function takesSecrets({ flags }: Pick<Deployment, 'flags'>): boolean {
  return (flags & flagSecrets) !== 0
}

/** The code reads secrets itself: they are sealed for its sandbox. */
export function readsEnvironment({ flags }: Pick<Deployment, 'flags'>): boolean {
  return (flags & flagEnvironment) !== 0
}

/** With network or secrets, nobody but the operators who ran it can say what was right. */
function assuranceOf(flags: number): AssuranceLevel {
  return (flags & (flagNetwork | flagSecrets)) === 0 ? 'verified' : 'operator-signed'
}

/** What `GET /v1/functions` shows of a function. Money is in atomic units. `judged`: a wrong result can cost stake. */
export function functionCard(record: FunctionRecord, options: { url: string; asset: Address; judged: boolean }) {
  const { functionId, creator, project, name, state, deployment, metadata } = record
  const { payTo, mode, price } = currentTerms(record)
  return {
    functionId,
    creator,
    owner: state.owner,
    project,
    name,
    version: state.currentVersion,
    url: options.url,
    methods: metadata?.methods ?? [],
    description: metadata?.description ?? '',
    ...(metadata?.input === undefined ? {} : { input: metadata.input }),
    ...(metadata?.output === undefined ? {} : { output: metadata.output }),
    ...(metadata?.network === undefined ? {} : { hosts: metadata.network.hosts.map(({ host }) => host) }),
    price: price.toString(),
    asset: options.asset,
    payee: payTo,
    paymentMode: mode,
    limitsClass: deployment.limitsClass,
    lane: deployment.lane === 2 ? 'confirmed' : 'attested',
    quorum: deployment.quorum,
    deterministic: (deployment.flags & flagDeterministic) !== 0,
    judged: options.judged,
    bundleCid: digestToCid(deployment.bundleDigest),
    ...(deployment.metadataDigest === zeroBytes32 ? {} : { metadataCid: digestToCid(deployment.metadataDigest) }),
    runtimeDigest: deployment.runtimeDigest,
    fee: deployment.fee.toString(),
    assurance: assuranceOf(deployment.flags),
  }
}

export type FunctionCard = ReturnType<typeof functionCard>

function toTerms(
  { price, payee, paymentMode }: { price: bigint; payee: Address; paymentMode: number },
  { owner }: FunctionState,
): Terms {
  const mode: PaymentMode = paymentModes[paymentMode - 1] ?? 'after'
  return { price, payTo: payee === zeroAddress ? owner : payee, mode }
}

function isSameTerms(a: Terms, b: Terms): boolean {
  return a.price === b.price && a.payTo === b.payTo && a.mode === b.mode
}
