import { bytesToHex, concatHex, type Hex, hexToBytes, numberToHex, size } from 'viem'
import type { SettlementBatch, SettlementGroup, SettlementItem, SettlementSeating } from './settlement.ts'

const version = 1
/** What a group leaves out: it is as in the group before, or the payee is the funder. */
const sameRuntime = 1
const sameFunder = 2
const payeeIsFunder = 4
const noAddress: Hex = `0x${'0'.repeat(40)}`
const noDigest: Hex = `0x${'0'.repeat(64)}`

/** The argument of `ExecutionCoordinator.settle`, byte by byte as docs/contracts/settlement.md says. Twin: `PackedBatch`. */
export function encodeSettlement(batch: SettlementBatch): Hex {
  return concatHex([
    uint(version, 1),
    batch.requester,
    uint(batch.workers.length, 1),
    uint(batch.groups.length, 1),
    signature(batch.requesterRoll),
    ...batch.workers.flatMap(({ executionKey, roll }) => [executionKey, signature(roll)]),
    ...batch.groups.flatMap((group, index) => encodeGroup(group, batch.groups[index - 1])),
    ...batch.signatures.map(signature),
  ])
}

/** The batch that stands in these bytes. Throws a `RangeError` for bytes that are none. */
export function decodeSettlement(bytes: Hex): SettlementBatch {
  const read = createReader(hexToBytes(bytes))
  if (read.number(1) !== version) throw invalid('unknown version')
  const requester = read.hex(20)
  const workerCount = read.number(1)
  const groupCount = read.number(1)
  const requesterRoll = read.signature()
  const workers = times(workerCount, () => ({ executionKey: read.hex(20), roll: read.signature() }))
  const groups: SettlementGroup[] = []
  while (groups.length < groupCount) groups.push(decodeGroup(read, groups.at(-1)))
  const signatures: Hex[] = []
  while (!read.isAtEnd()) signatures.push(read.signature())
  return { requester, requesterRoll, workers, groups, signatures }
}

function encodeGroup(group: SettlementGroup, before?: SettlementGroup): Hex[] {
  const { runtimeDigest, funder, payee } = group
  const isSameRuntime = isSame(runtimeDigest, before?.runtimeDigest ?? noDigest)
  const isSameFunder = isSame(funder, before?.funder ?? noAddress)
  const isPayeeFunder = isSame(payee, funder)
  return [
    uint((isSameRuntime ? sameRuntime : 0) + (isSameFunder ? sameFunder : 0) + (isPayeeFunder ? payeeIsFunder : 0), 1),
    uint(group.items.length, 1),
    group.functionId,
    ...(isSameRuntime ? [] : [runtimeDigest]),
    uint(group.functionVersion, 4),
    uint(group.envVersion, 4),
    uint(group.epoch, 4),
    uint(group.quorum, 1),
    uint(group.lane, 1),
    uint(group.fee, 12),
    ...(isSameFunder ? [] : [funder]),
    ...(isPayeeFunder ? [] : [payee]),
    uint(group.price, 16),
    ...group.items.flatMap((item) => encodeItem(item, group.quorum)),
  ]
}

function encodeItem(item: SettlementItem, quorum: number): Hex[] {
  const parts = [
    item.inputSeal,
    item.resultSeal,
    item.quoteId,
    item.payer,
    uint(item.sequence, 8),
    uint(item.issuedAt, 5),
    uint(item.deadline - item.issuedAt, 4),
    uint(item.outcome, 1),
    uint(item.status, 2),
    ...item.seatings.flatMap((seating) => encodeSeating(seating, quorum)),
  ]
  if (quorum === 1) return parts
  const commitSet = item.commitSet ?? []
  const mask = commitSet.reduce((bits, entry, index) => (entry === 'own' ? bits | (1 << index) : bits), 0)
  const others = commitSet.filter((entry) => entry !== 'own')
  return [...parts, uint(commitSet.length, 1), uint(mask, 2), ...others]
}

function encodeSeating({ worker, seat, commitmentSalt }: SettlementSeating, quorum: number): Hex[] {
  const seating = [uint(seat, 1), uint(worker, 1)]
  return quorum === 1 ? seating : [...seating, commitmentSalt ?? uint(0, 32)]
}

function decodeGroup(read: Reader, before?: SettlementGroup): SettlementGroup {
  const flags = read.number(1)
  if (flags > (sameRuntime | sameFunder | payeeIsFunder)) throw invalid('unknown flags')
  const count = read.number(1)
  const functionId = read.hex(32)
  const runtimeDigest = flags & sameRuntime ? (before?.runtimeDigest ?? noDigest) : read.hex(32)
  const numbers = {
    functionVersion: read.number(4),
    envVersion: read.number(4),
    epoch: read.number(4),
    quorum: read.number(1),
    lane: read.number(1),
    fee: read.bigint(12),
  }
  const funder = flags & sameFunder ? (before?.funder ?? noAddress) : read.hex(20)
  const payee = flags & payeeIsFunder ? funder : read.hex(20)
  const price = read.bigint(16)
  const items = times(count, () => decodeItem(read, numbers.quorum))
  return { functionId, runtimeDigest, ...numbers, funder, payee, price, items }
}

function decodeItem(read: Reader, quorum: number): SettlementItem {
  const seals = { inputSeal: read.hex(32), resultSeal: read.hex(32), quoteId: read.hex(32), payer: read.hex(20) }
  const sequence = read.bigint(8)
  const issuedAt = read.number(5)
  const deadline = issuedAt + read.number(4)
  const outcome = read.number(1)
  const status = read.number(2)
  const seatings = times(quorum, () => {
    const seating = { seat: read.number(1), worker: read.number(1) }
    return quorum === 1 ? seating : { ...seating, commitmentSalt: read.hex(32) }
  })
  const item = { ...seals, sequence, issuedAt, deadline, outcome, status, seatings }
  if (quorum === 1) return item
  const count = read.number(1)
  const mask = read.number(2)
  const commitSet = times(count, (index) => (mask & (1 << index) ? ('own' as const) : read.hex(32)))
  return { ...item, commitSet }
}

type Reader = ReturnType<typeof createReader>

function createReader(bytes: Uint8Array) {
  let position = 0
  const hex = (length: number): Hex => {
    if (position + length > bytes.length) throw invalid('ends too early')
    const part = bytes.subarray(position, position + length)
    position += length
    return length === 0 ? '0x' : bytesToHex(part)
  }
  return {
    hex,
    number: (length: number) => Number.parseInt(hex(length).slice(2), 16),
    bigint: (length: number) => BigInt(hex(length)),
    signature: () => hex(Number.parseInt(hex(2).slice(2), 16)),
    isAtEnd: () => position === bytes.length,
  }
}

function uint(value: number | bigint, length: number): Hex {
  return numberToHex(value, { size: length })
}

function signature(bytes: Hex): Hex {
  return concatHex([uint(size(bytes), 2), bytes])
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function isSame(a: Hex, b: Hex): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function invalid(why: string): RangeError {
  return new RangeError(`These bytes are no settlement batch: ${why}.`)
}
