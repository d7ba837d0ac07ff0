import { DEFAULT_PARAMETERS, lot, seatSubject, wins, zeroBytes32 } from '@peerhost/protocol'
import { type Address, type Hex, keccak256, pad, stringToHex } from 'viem'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Epoch } from '../chain/operatorChain.ts'
import { createSeating } from './seating.ts'

const seed: Hex = keccak256(stringToHex('seed'))
const requester: Address = pad('0x01', { size: 20 })
const operators = Array.from(
  { length: 20 },
  (_, index): Address => pad(`0x${(index + 100).toString(16)}`, { size: 20 }),
)
const ticket = { requester, sequence: 7n, epoch: 3, issuedAt: 1_000 }

let epoch: Epoch
let stakes: Map<Address, bigint>
let head: bigint
const chain = {
  epoch: vi.fn(async () => epoch),
  stakeAt: vi.fn(async (operator: Address) => stakes.get(operator) ?? 0n),
  parametersAt: vi.fn(async () => ({ ...DEFAULT_PARAMETERS, committeeSize: 5, wideningBlocks: 10 })),
  postedBlock: vi.fn(async (): Promise<bigint | undefined> => 100n),
  head: vi.fn(async () => ({ number: head, timestampSeconds: 0 })),
}

beforeEach(() => {
  vi.clearAllMocks()
  epoch = { seed, capturedAt: 900, totalStake: 2_000n, operatorCount: 20 }
  stakes = new Map(operators.map((operator) => [operator, 100n]))
})

test('no more operators than seats: everyone has one, without a look at stake or seed', async () => {
  epoch = { ...epoch, operatorCount: 5, seed: zeroBytes32 }
  const seating = createSeating({ chain })
  expect(await seating.modeOf(ticket)).toBe('all-seated')
  expect(await seating.seatOf(operators[0] as Address, ticket)).toBe(1)
  expect(chain.stakeAt).not.toHaveBeenCalled()
})

test('more operators than seats: those whose lot wins, as the contract draws them', async () => {
  const seating = createSeating({ chain })
  const seats = await Promise.all(operators.map((operator) => seating.seatOf(operator, ticket)))
  const drawn = operators.map((operator) =>
    wins(lot(seed, seatSubject(ticket), operator), { stake: 100n, totalStake: 2_000n, size: 5 }) ? 2 : undefined,
  )
  expect(seats).toEqual(drawn)
  expect(drawn.filter(Boolean).length).toBeGreaterThan(0)
  expect(drawn.filter(Boolean).length).toBeLessThan(20)
})

test('stake that does not count yet draws nothing', async () => {
  stakes = new Map()
  const seating = createSeating({ chain })
  for (const operator of operators) expect(await seating.seatOf(operator, ticket)).toBeUndefined()
})

test.each([
  ['a seed nobody captured', { seed: zeroBytes32 }],
  ['a seed that was captured after the ticket', { capturedAt: 1_000 }],
])('%s: no seats yet', async (_, change) => {
  epoch = { ...epoch, ...change }
  const seating = createSeating({ chain })
  expect(await seating.modeOf(ticket)).toBe('unseeded')
  expect(await seating.seatOf(operators[0] as Address, ticket)).toBeUndefined()
})

test.each([
  ['before its blocks are over', 108n, false],
  ['when the next block is the first of all', 109n, true],
  ['afterwards', 200n, true],
])('a posted ticket %s: whether every operator has a seat', async (_, number, widened) => {
  head = number
  expect(await createSeating({ chain }).isWidened(seed, ticket)).toBe(widened)
})

test('a ticket that is not on chain never widens', async () => {
  head = 1_000n
  chain.postedBlock.mockResolvedValueOnce(undefined)
  expect(await createSeating({ chain }).isWidened(seed, ticket)).toBe(false)
})

test('an epoch and a stake are read once; an epoch without seed again after a moment', async () => {
  const seating = createSeating({ chain })
  for (let count = 0; count < 5; count++) await seating.seatOf(operators[0] as Address, ticket)
  expect(chain.epoch).toHaveBeenCalledTimes(1)
  expect(chain.stakeAt).toHaveBeenCalledTimes(1)
  epoch = { ...epoch, seed: zeroBytes32 }
  const unseeded = createSeating({ chain })
  expect(await unseeded.modeOf(ticket)).toBe('unseeded')
  epoch = { ...epoch, seed }
  await vi.waitFor(async () => expect(await unseeded.modeOf(ticket)).toBe('drawn'), { timeout: 2_000 })
})
