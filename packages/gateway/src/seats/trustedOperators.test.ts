import type { Ticket } from '@peerhost/protocol'
import type { Address } from 'viem'
import { expect, test } from 'vitest'
import type { WorkerLink } from '../workers/workerLink.ts'
import { isTrusted, missingTrust } from './trustedOperators.ts'

const one: Address = '0x0A0a0A0a0a0a0A0A0A0a0A0A0a0A0A0a0A0a0A0A'
const two: Address = `0x${'0b'.repeat(20)}`
const three: Address = `0x${'0c'.repeat(20)}`
const ticketOf = (quorum: number) => ({ quorum }) as Ticket
const lower = (operators: readonly Address[]) => new Set(operators.map((operator) => operator.toLowerCase()))

function depsOf({ trusted, connected }: { trusted: readonly Address[] | undefined; connected: readonly Address[] }) {
  return {
    networkTerms: { trustedOf: async () => trusted && lower(trusted) },
    workers: { links: () => connected.map((operator) => ({ operator }) as WorkerLink) },
  }
}

test.each([
  ['anybody may run it', undefined, true],
  ['it is on the list, however it is spelled', [two, one], true],
  ['it is not on the list', [two], false],
  ['nobody is on the list', [], false],
])('%s', async (_, trusted, expected) => {
  expect(await isTrusted(depsOf({ trusted, connected: [] }), ticketOf(1), one)).toBe(expected)
})

test.each([
  ['anybody may run it', undefined, [], 1, undefined],
  ['one of them is there', [one, two], [three, one], 1, undefined],
  ['enough for the quorum are there', [one, two, three], [three, one], 2, undefined],
  ['none of them is there', [one], [two, three], 1, 'connected: 0, needed: 1'],
  ['one of them is there twice', [one, two], [one, one], 2, 'connected: 1, needed: 2'],
] as const)('%s', async (_, trusted, connected, quorum, expected) => {
  const missing = await missingTrust(depsOf({ trusted, connected }), ticketOf(quorum))
  if (expected === undefined) expect(missing).toBeUndefined()
  else expect(missing).toContain(expected)
})

test('waits for one that connects in time', async () => {
  const connected: Address[] = []
  const waiting = missingTrust(depsOf({ trusted: [one], connected }), ticketOf(1), 10_000)
  setTimeout(() => connected.push(one), 20)
  expect(await waiting).toBeUndefined()
})
