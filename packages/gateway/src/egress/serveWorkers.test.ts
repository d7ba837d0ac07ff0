import { type Ticket, toBase64 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import type { EgressMessage, WorkerLink } from '../workers/workerLink.ts'
import type { AskedCall, Transcript } from './broker.ts'
import { type ServeWorkersDeps, serveWorker } from './serveWorkers.ts'

const requestId: Hex = `0x${'11'.repeat(32)}`
const seatedOperator = `0x${'0a'.repeat(20)}` as const
const otherOperator = `0x${'0b'.repeat(20)}` as const
const message: EgressMessage = { type: 'egress', requestId, index: 2, call: toBase64(new Uint8Array([1])) }
const transcript: Transcript = { answer: new Uint8Array([2]), signature: '0x' }
const ticket = { deadline: 100 } as Ticket
const linkOf = (operator: Hex) => ({ operator }) as WorkerLink

let asked: AskedCall[]
let posted: Map<Hex, Ticket>
let mode: 'all-seated' | 'drawn'
let widened: boolean
let trusted: ReadonlySet<string> | undefined

beforeEach(() => {
  asked = []
  posted = new Map()
  mode = 'all-seated'
  widened = false
  trusted = undefined
})

function serve(operator: Hex, given: Ticket | undefined, nowSeconds = 99): Promise<Transcript> {
  const deps: ServeWorkersDeps = {
    broker: {
      answer: async (one) => {
        asked.push(one)
        return transcript
      },
    },
    postedTicket: (id) => posted.get(id),
    seating: {
      modeOf: async () => mode,
      seatOf: async (by) => (by === seatedOperator ? 2 : undefined),
      isWidened: async (id) => id === requestId && widened,
    },
    networkTerms: { trustedOf: async () => trusted },
    nowSeconds: () => nowSeconds,
    signal: new AbortController().signal,
  }
  return serveWorker(deps, linkOf(operator), message, given)
}

describe('a call is made', () => {
  it('for a worker that was given the job on its connection', async () => {
    expect(await serve(otherOperator, ticket)).toBe(transcript)
    expect(asked).toEqual([{ requestId, ticket, index: 2, worker: otherOperator, call: new Uint8Array([1]) }])
  })

  it('for a posted request, to who has a seat', async () => {
    posted.set(requestId, ticket)
    expect(await serve(otherOperator, undefined)).toBe(transcript)
    mode = 'drawn'
    expect(await serve(seatedOperator, undefined)).toBe(transcript)
  })

  it('for a posted request that has waited so long that everybody has a seat', async () => {
    posted.set(requestId, ticket)
    mode = 'drawn'
    widened = true
    expect(await serve(otherOperator, undefined)).toBe(transcript)
  })

  it('for an operator that the function’s owner trusts', async () => {
    trusted = new Set([seatedOperator])
    expect(await serve(seatedOperator, ticket)).toBe(transcript)
  })
})

describe('a call is refused', () => {
  it.each([
    ['for a request that the worker does not run', () => serve(seatedOperator, undefined)],
    ['when the request’s time is over', () => serve(seatedOperator, ticket, 100)],
    [
      'for a posted request of others’ seats',
      () => {
        posted.set(requestId, ticket)
        mode = 'drawn'
        return serve(otherOperator, undefined)
      },
    ],
    [
      'when the function’s owner does not trust the operator, whatever it was given',
      () => {
        trusted = new Set([seatedOperator])
        return serve(otherOperator, ticket)
      },
    ],
    [
      'when the function’s owner does not trust the operator that has a seat',
      () => {
        posted.set(requestId, ticket)
        trusted = new Set([seatedOperator])
        return serve(otherOperator, undefined)
      },
    ],
  ])('%s', async (_, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code: 'request_invalid' })
    expect(asked).toEqual([])
  })
})
