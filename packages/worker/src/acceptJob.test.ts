import { LIMITS, LIMITS_CLASSES, laneNumber, pureSigning, zeroBytes32 } from '@peerhost/protocol'
import { describe, expect, it } from 'vitest'
import {
  domain,
  functionId,
  nowSeconds,
  type OfferChanges,
  offerOf,
  runtimeDigest,
  smallFee,
} from '../test/fixture/tickets.ts'
import { acceptJob, type ChainFacts, checkIdentity, checkLocally, checkOnChain, type LocalFacts } from './acceptJob.ts'

const local: LocalFacts = {
  nowSeconds,
  draining: false,
  operatorActive: true,
  freeSlots: 1,
  epochSeconds: LIMITS.epochSeconds,
  maximumTicketLifetimeSeconds: LIMITS.ticketLifetimeSeconds,
  runtimeDigest,
  minimumFee: 0n,
  sequenceTaken: false,
}

const deployment = {
  bundleDigest: `0x${'44'.repeat(32)}`,
  runtimeDigest,
  limitsClass: 1,
  flags: 1,
  quorum: 1,
  lane: 1,
  fee: smallFee,
} as const

const chain: ChainFacts = {
  deployment,
  credit: { available: smallFee, maxFee: smallFee },
  outstanding: 0n,
  posted: true,
  seats: { seat: 'all-seated', drawReason: 'none', bondedForQuorum: true },
  randomness: zeroBytes32,
  requesterConnected: true,
}

describe('checkIdentity', () => {
  it('accepts a ticket that its requester signed for this input', async () => {
    expect(await checkIdentity(domain, pureSigning, await offerOf())).toBeUndefined()
  })

  it.each([
    ['another id', { requestId: `0x${'99'.repeat(32)}` }, 'ticket-signature'],
    ['no signature', { signature: '0x' }, 'ticket-signature'],
    ['another salt', { salt: `0x${'99'.repeat(32)}` }, 'input-mismatch'],
    ['another input', { input: new Uint8Array([1]) }, 'input-mismatch'],
  ] as const)('declines %s', async (_, change, reason) => {
    expect(await checkIdentity(domain, pureSigning, { ...(await offerOf()), ...change })).toBe(reason)
  })

  it('declines the id in other letters: the journal knows a request by its text', async () => {
    const offer = await offerOf()
    const shouted = `0x${offer.requestId.slice(2).toUpperCase()}` as const
    expect(await checkIdentity(domain, pureSigning, { ...offer, requestId: shouted })).toBe('ticket-signature')
  })

  it('declines a ticket that somebody else signed', async () => {
    const offer = await offerOf()
    const other = await offerOf({ sequence: 1n })
    expect(await checkIdentity(domain, pureSigning, { ...offer, signature: other.signature })).toBe('ticket-signature')
  })

  it('declines a ticket of another chain or contract', async () => {
    const foreign = await offerOf({ domain: { ...domain, chainId: 1 } })
    expect(await checkIdentity(domain, pureSigning, foreign)).toBe('ticket-signature')
    const elsewhere = await offerOf({
      domain: { ...domain, coordinator: '0x00000000000000000000000000000000000000C1' },
    })
    expect(await checkIdentity(domain, pureSigning, elsewhere)).toBe('ticket-signature')
  })

  it('takes the coordinator’s word for the signature of a posted ticket, not for its input', async () => {
    const posted = await offerOf({ source: 'chain' })
    expect(await checkIdentity(domain, pureSigning, posted)).toBeUndefined()
    expect(await checkIdentity(domain, pureSigning, { ...posted, input: new Uint8Array([1]) })).toBe('input-mismatch')
  })
})

describe('checkLocally', () => {
  it.each([
    ['what is in order', {}, {}, undefined],
    ['while draining', {}, { draining: true }, 'draining'],
    ['for an operator that is not active', {}, { operatorActive: false }, 'draining'],
    ['without a free slot', {}, { freeSlots: 0 }, 'at-capacity'],
    ['30 s behind', { issuedAt: nowSeconds - 30 }, {}, undefined],
    ['31 s behind', { issuedAt: nowSeconds - 31 }, {}, 'clock-skew'],
    ['30 s ahead', { issuedAt: nowSeconds + 30 }, {}, undefined],
    ['31 s ahead', { issuedAt: nowSeconds + 31 }, {}, 'clock-skew'],
    ['an old ticket that stands on chain', { issuedAt: nowSeconds - 50, source: 'chain' }, {}, undefined],
    ['no time left', { deadline: nowSeconds }, {}, 'deadline-too-close'],
    ['a deadline that is over', { deadline: nowSeconds - 1 }, {}, 'deadline-too-close'],
    ['a life longer than the contract allows', { deadline: nowSeconds + 301 }, {}, 'ticket-invalid'],
    ['another protocol version', { protocolVersion: 2 }, {}, 'ticket-invalid'],
    ['a wrong epoch', { epoch: 1 }, {}, 'ticket-invalid'],
    ['a sequence number that another request had', {}, { sequenceTaken: true }, 'ticket-invalid'],
    ['a quorum of seven', { quorum: 7 }, {}, undefined],
    ['a quorum of eight', { quorum: 8 }, {}, 'quorum-unsupported'],
    ['no quorum', { quorum: 0 }, {}, 'quorum-unsupported'],
    ['another runtime', { runtimeDigest: `0x${'55'.repeat(32)}` }, {}, 'runtime-unsupported'],
    ['a fee at the minimum', {}, { minimumFee: smallFee }, undefined],
    ['a fee below the minimum', {}, { minimumFee: smallFee + 1n }, 'fee-too-low'],
  ] as [string, OfferChanges, Partial<LocalFacts>, string | undefined][])('%s', async (_, changes, facts, reason) => {
    expect(checkLocally(await offerOf(changes), { ...local, ...facts })).toBe(reason)
  })
})

const seated = chain.seats

describe('checkOnChain', () => {
  it.each([
    ['what is in order', {}, {}, undefined],
    ['a function nobody published', {}, { deployment: undefined }, 'function-unknown'],
    [
      'a deployment for another runtime',
      {},
      { deployment: { ...deployment, runtimeDigest: functionId } },
      'function-mismatch',
    ],
    ['secrets where there are none', { envVersion: 1 }, {}, 'function-mismatch'],
    ['a function that uses the network', {}, { deployment: { ...deployment, flags: 2 } }, undefined],
    [
      'a function that uses the network, of a requester that is not there to call',
      {},
      { deployment: { ...deployment, flags: 2 }, requesterConnected: false },
      'egress-unavailable',
    ],
    ['a function that takes secrets', { envVersion: 3 }, { deployment: { ...deployment, flags: 6 } }, undefined],
    ['no secrets where there should be', {}, { deployment: { ...deployment, flags: 6 } }, 'function-mismatch'],
    ['code that reads secrets', { envVersion: 3 }, { deployment: { ...deployment, flags: 12 } }, undefined],
    [
      'code that reads secrets, of a requester that is not there to seal them',
      { envVersion: 3 },
      { deployment: { ...deployment, flags: 12 }, requesterConnected: false },
      'environment-unavailable',
    ],
    ['code that reads secrets it does not take', {}, { deployment: { ...deployment, flags: 8 } }, 'function-mismatch'],
    ['a flag of a later version', {}, { deployment: { ...deployment, flags: 16 } }, 'runtime-unsupported'],
    ['an isolation level', {}, { deployment: { ...deployment, flags: 0x201 } }, undefined],
    ['limits of a later version', {}, { deployment: { ...deployment, limitsClass: 99 } }, 'limits-class-unknown'],
    ['a quorum below the deployment’s', {}, { deployment: { ...deployment, quorum: 2 } }, 'quorum-unsupported'],
    ['less than the posted fee', {}, { deployment: { ...deployment, fee: smallFee + 1n } }, 'fee-too-low'],
    ['credit for one', {}, { credit: { available: smallFee, maxFee: smallFee } }, undefined],
    ['too little credit', {}, { credit: { available: smallFee - 1n, maxFee: smallFee } }, 'credit-exhausted'],
    ['credit that earlier jobs use up', {}, { outstanding: 1n }, 'credit-exhausted'],
    [
      'more than the line pays for one',
      {},
      { credit: { available: 10n * smallFee, maxFee: smallFee - 1n } },
      'credit-exhausted',
    ],
    ['a confirmed ticket that is not on chain', { lane: laneNumber('confirmed') }, { posted: false }, 'ticket-invalid'],
    [
      'a posted ticket, whatever credit is left',
      { source: 'chain' },
      { credit: undefined, outstanding: 5n },
      undefined,
    ],
    ['a seat that is another one’s', {}, { seats: { ...seated, seat: undefined } }, 'not-seated'],
    ['a drawn seat', {}, { seats: { ...seated, seat: 'drawn' } }, undefined],
    [
      'a drawn seat of a requester without a bond',
      {},
      { seats: { ...seated, seat: 'drawn', drawReason: 'requester-not-bonded' } },
      'requester-not-bonded',
    ],
    [
      'a sequence number that runs ahead',
      {},
      { seats: { ...seated, seat: 'drawn', drawReason: 'sequence-ahead' } },
      'ticket-invalid',
    ],
    [
      'the same on chain, until it is everybody’s',
      { source: 'chain' },
      { seats: { ...seated, seat: 'drawn', drawReason: 'requester-not-bonded' }, credit: undefined },
      'not-seated',
    ],
    ['a quorum of a bonded requester', { quorum: 2 }, {}, undefined],
    [
      'a quorum of a requester without a bond',
      { quorum: 2 },
      { seats: { ...seated, bondedForQuorum: false } },
      'requester-not-bonded',
    ],
    ['no block that seeds it', {}, { randomness: undefined }, 'deadline-too-close'],
  ] as [string, OfferChanges, Partial<ChainFacts>, string | undefined][])('%s', async (_, changes, facts, reason) => {
    expect(checkOnChain(await offerOf(changes), { ...chain, ...facts })).toBe(reason)
  })
})

describe('acceptJob', () => {
  it('names the limits and the bundle of the deployment', async () => {
    const offer = await offerOf()
    const limits = LIMITS_CLASSES[0]
    const job = {
      ...offer,
      limits,
      isolation: 'context',
      bundleDigest: deployment.bundleDigest,
      seat: 'all-seated',
      randomness: zeroBytes32,
      usesNetwork: false,
      readsEnvironment: false,
    }
    expect(acceptJob(offer, chain)).toEqual({ type: 'accepted', job })
    const calling = { ...chain, deployment: { ...deployment, flags: 2 } }
    expect(acceptJob(offer, calling)).toMatchObject({ job: { usesNetwork: true } })
    const reading = { ...chain, deployment: { ...deployment, flags: 12 } }
    expect(acceptJob(offer, reading)).toMatchObject({ type: 'declined' })
    expect(acceptJob(await offerOf({ envVersion: 1 }), reading)).toMatchObject({ job: { readsEnvironment: true } })
    const declined = { type: 'declined', reason: 'function-unknown' }
    expect(acceptJob(offer, { ...chain, deployment: undefined })).toEqual(declined)
  })

  it('takes a request without a seat when it is open to all', async () => {
    const unseated = { ...chain, seats: { ...chain.seats, seat: undefined } }
    const offer = { ...(await offerOf({ source: 'chain' })), widened: true }
    expect(acceptJob(offer, unseated)).toMatchObject({ type: 'accepted', job: { seat: 'widened' } })
  })
})
