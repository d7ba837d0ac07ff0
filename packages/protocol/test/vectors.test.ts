import { readdirSync, readFileSync } from 'node:fs'
import {
  type Address,
  decodeAbiParameters,
  type Hex,
  hexToBytes,
  keccak256,
  pad,
  parseAbiParameters,
  stringToBytes,
  toHex,
} from 'viem'
import { describe, expect, test } from 'vitest'
import {
  assertFunctionName,
  assertProjectName,
  attestationTypes,
  batchRollTypes,
  canonicalRequest,
  canonicalResult,
  caseId,
  commitment,
  commitSetTypes,
  decodeRequest,
  decodeResult,
  depositAddress,
  encodeRequest,
  encodeResult,
  escrowTermsTypes,
  executionKeyProofTypes,
  failedResult,
  fromBase64,
  functionId,
  type HeaderPair,
  hashAttestation,
  hashBatchRoll,
  hashCommitSet,
  hashEscrowTerms,
  hashExecutionKeyProof,
  hashInput,
  hashRelayedAction,
  hashResult,
  hashSignedCommitment,
  isPeerHostError,
  lot,
  type Outcome,
  type ProtocolDomain,
  paymentId,
  relayedActionTypes,
  requestId,
  rollRoot,
  seal,
  seatSubject,
  signedCommitmentTypes,
  ticketTypes,
  voteCommitment,
  wins,
} from '../src/index.ts'

type Case = {
  name: string
  input: unknown
  encoded: Hex
  hash: Hex
  canonical?: string
  root?: Hex
  subject?: Hex
  wins?: boolean
  caseId?: Hex
}
type Reject = { name: string; input: unknown; code: string }
type File = { type?: string; typehash?: Hex; count: number; cases: Case[]; reject?: Reject[] }
type SeatDraw = {
  seed: Hex
  requester: Address
  sequence: string
  operator: Address
  stake: string
  totalStake: string
  size: number
}
type VotedCase = Parameters<typeof caseId>[0] & {
  jury: number
  operator: Address
  vote: number
  votedSeal: Hex
  votedOutcome: number
  votedStatus: number
  salt: Hex
}
type RawInput = { method: string; path: string; query: string; headers: HeaderPair[]; bodyBase64: string }

const folder = new URL('../../../vectors/', import.meta.url)
const read = (name: string): File => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as File
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

describe('hashes', () => {
  checkCases<{ creator: Address; project: string; function: string }>('functionId', (input) =>
    functionId(input.creator, input.project, input.function),
  )
  checkCases<{ hash: Hex; salt: Hex }>('seal', (input) => seal(input.hash, input.salt))
  checkCases<{ requestId: Hex; worker: Address; resultSeal: Hex; salt: Hex }>('commitment', (input) =>
    commitment(input.requestId, input.worker, input.resultSeal, input.salt),
  )
  checkCases<Parameters<typeof paymentId>[0]>('paymentId', (input) => paymentId(input))
  checkCases<{ escrow: Address; quoteId: Hex }>('depositAddress', ({ escrow, quoteId }) =>
    pad(depositAddress(escrow, quoteId).toLowerCase() as Hex, { size: 32 }),
  )

  checkCases<SeatDraw>('seatDraw', ({ seed, requester, sequence, operator, stake, totalStake, size }, vector) => {
    const subject = seatSubject({ requester, sequence: BigInt(sequence) })
    const drawnLot = lot(seed, subject, operator)
    expect(subject).toBe(vector.subject)
    expect(wins(drawnLot, { stake: BigInt(stake), totalStake: BigInt(totalStake), size })).toBe(vector.wins)
    return toHex(drawnLot, { size: 32 })
  })

  checkCases<VotedCase>(
    'vote',
    ({ votedSeal, votedOutcome, votedStatus, salt, jury, operator, vote, ...about }, vector) => {
      const id = caseId(about)
      expect(id).toBe(vector.caseId)
      const voted = { resultSeal: votedSeal, outcome: votedOutcome, status: votedStatus }
      return voteCommitment({ caseId: id, jury, operator, vote, ...voted }, salt)
    },
  )

  for (const { name, input, code } of read('functionId').reject ?? []) {
    test(`functionId refuses a name: ${name}`, () => {
      const { noun, text } = input as { noun: 'function' | 'project'; text: string }
      expectCode(() => (noun === 'function' ? assertFunctionName(text) : assertProjectName(text)), code)
    })
  }
})

describe('messages', () => {
  checkMessages('ticket', ticketTypes, requestId)
  checkMessages('attestation', attestationTypes, hashAttestation)
  checkMessages('signedCommitment', signedCommitmentTypes, hashSignedCommitment)
  checkMessages('commitSet', commitSetTypes, hashCommitSet)
  checkMessages('executionKeyProof', executionKeyProofTypes, hashExecutionKeyProof)
  checkMessages('escrowTerms', escrowTermsTypes, hashEscrowTerms)
  checkMessages('relayedAction', relayedActionTypes, hashRelayedAction)
  checkType('batchRoll', batchRollTypes)
  checkCases<{ domain: ProtocolDomain; digests: Hex[] }>('batchRoll', ({ domain, digests }, { root }) => {
    expect(rollRoot(digests)).toBe(root)
    return hashBatchRoll(domain, { protocolVersion: 1, count: digests.length, root: rollRoot(digests) })
  })
})

describe('documents', () => {
  checkCases<RawInput>('request', (input, { canonical }) => {
    const bytes = encodeRequest(canonicalRequest(rawOf(input)))
    expect(textOf(bytes)).toBe(canonical)
    expect(encodeRequest(decodeRequest(bytes))).toEqual(bytes)
    return hashInput(bytes)
  })
  checkCases<(RawInput & { outcome: Outcome; status: number }) | { failed: Exclude<Outcome, 'completed'> }>(
    'result',
    (input, { canonical }) => {
      const result = 'failed' in input ? failedResult(input.failed) : canonicalResult({ ...input, ...rawOf(input) })
      const bytes = encodeResult(result)
      expect(textOf(bytes)).toBe(canonical)
      expect(encodeResult(decodeResult(bytes))).toEqual(bytes)
      return hashResult(bytes)
    },
  )

  for (const name of ['request', 'result']) {
    for (const { encoded, canonical, name: caseName } of read(name).cases) {
      test(`${name}: encoded holds the canonical bytes: ${caseName}`, () => {
        const [bytes] = decodeAbiParameters(parseAbiParameters('bytes'), encoded)
        expect(textOf(hexToBytes(bytes))).toBe(canonical)
      })
    }
  }

  for (const { name, input, code } of read('request').reject ?? []) {
    test(`request refuses: ${name}`, () => {
      const given = input as { bytes: Hex } | { raw: RawInput & { pathUtf16?: string; queryUtf16?: string } }
      if ('bytes' in given) return expectCode(() => decodeRequest(hexToBytes(given.bytes)), code)
      const path = given.raw.pathUtf16 ? fromUtf16(given.raw.pathUtf16) : given.raw.path
      const query = given.raw.queryUtf16 ? fromUtf16(given.raw.queryUtf16) : given.raw.query
      expectCode(() => encodeRequest(canonicalRequest(rawOf({ ...given.raw, path, query }))), code)
    })
  }
  for (const { name, input, code } of read('result').reject ?? []) {
    test(`result refuses: ${name}`, () =>
      expectCode(() => decodeResult(hexToBytes((input as { bytes: Hex }).bytes)), code))
  }
})

describe('files', () => {
  test.each(names)('%s counts its cases and names each once', (name) => {
    const { count, cases, reject = [] } = read(name)
    expect(count).toBe(cases.length)
    const all = [...cases, ...reject].map((entry) => entry.name)
    expect(new Set(all).size).toBe(all.length)
  })

  test.each(names)('%s has no two cases of one hash', (name) => {
    const hashes = read(name).cases.map(({ hash }) => hash)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})

function checkCases<T>(name: string, hash: (input: T, vector: Case) => Hex): void {
  test.each(read(name).cases)(`${name}: $name`, (vector) => {
    expect(hash(vector.input as T, vector)).toBe(vector.hash)
  })
}

type Types = Record<string, readonly { readonly name: string; readonly type: string }[]>

function checkType(name: string, types: Types): void {
  test(`${name}: type and type hash`, () => {
    const file = read(name)
    const [primaryType, members = []] = Object.entries(types)[0] ?? ['']
    expect(file.type).toBe(`${primaryType}(${members.map((member) => `${member.type} ${member.name}`).join()})`)
    expect(file.typehash).toBe(keccak256(stringToBytes(file.type ?? '')))
  })
}

/** Large numbers are strings in the files; which members are bigint is told by the width of their type. */
function checkMessages<T>(name: string, types: Types, hash: (domain: ProtocolDomain, message: T) => Hex): void {
  checkType(name, types)
  const members = Object.values(types)[0] ?? []
  checkCases<{ domain: ProtocolDomain; message: Record<string, unknown> }>(name, ({ domain, message }) => {
    const typed = members.map((member) => {
      const value = message[member.name]
      return [member.name, member.type.startsWith('uint') && typeof value === 'string' ? BigInt(value) : value]
    })
    return hash(domain, Object.fromEntries(typed) as T)
  })
}

function rawOf({ bodyBase64, ...rest }: RawInput) {
  return { ...rest, body: fromBase64(bodyBase64) }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

function fromUtf16(hex: string): string {
  return String.fromCharCode(...(hex.match(/.{4}/g) ?? []).map((unit) => Number.parseInt(unit, 16)))
}

function expectCode(action: () => unknown, code: string): void {
  let thrown: unknown
  try {
    action()
  } catch (error) {
    thrown = error
  }
  expect(isPeerHostError(thrown) ? thrown.code : thrown).toBe(code)
}
