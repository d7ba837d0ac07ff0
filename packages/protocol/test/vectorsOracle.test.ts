import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/**
 * The vectors against an implementation that is not ours: keccak and ABI encoding by `cast`, and the canonical text
 * written by hand. What EIP-712 does with them is spelled out here and shares no code with the packages.
 */
type Case = { name: string; input: { [key: string]: unknown }; encoded: string; hash: string; canonical?: string }
type File = { type: string; typehash: string; cases: Case[] }

const castBinary = fileURLToPath(new URL('../../../node_modules/.bin/cast', import.meta.url))
const cast = (...args: string[]): string => execFileSync(castBinary, args, { encoding: 'utf8' }).trim()
const keccak = (hex: string): string => cast('keccak', hex)
const keccakText = (text: string): string => keccak(`0x${Buffer.from(text, 'utf8').toString('hex')}`)
const read = (name: string): File =>
  JSON.parse(readFileSync(new URL(`../../../vectors/${name}.json`, import.meta.url), 'utf8')) as File
const caseOf = (file: File, name: string): Case => {
  const found = file.cases.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no case ${name}`)
  return found
}

function digestByHand(domain: { chainId: number; coordinator: string }, structHash: string): string {
  const separator = keccak(
    cast(
      'abi-encode',
      'f(bytes32,bytes32,bytes32,uint256,address)',
      keccakText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
      keccakText('PeerHost'),
      keccakText('1'),
      String(domain.chainId),
      domain.coordinator,
    ),
  )
  return keccak(`0x1901${separator.slice(2)}${structHash.slice(2)}`)
}

describe('signed messages', () => {
  test.each([
    ['ticket', 'ordinary'],
    ['ticket', 'max'],
    ['ticket', 'the same on another chain'],
    ['attestation', 'ordinary'],
    ['attestation', 'the same on another contract'],
    ['signedCommitment', 'ordinary'],
    ['executionKeyProof', 'ordinary'],
  ])('%s: %s', (name, caseName) => {
    const file = read(name)
    const { input, hash } = caseOf(file, caseName)
    const { domain, message } = input as {
      domain: { chainId: number; coordinator: string }
      message: Record<string, string | number>
    }
    const members =
      /\((.*)\)/
        .exec(file.type)?.[1]
        ?.split(',')
        .map((member) => member.split(' ') as [string, string]) ?? []
    const values = members.map(([, member]) => String(message[member]))
    const struct = cast(
      'abi-encode',
      `f(bytes32,${members.map(([type]) => type).join()})`,
      keccakText(file.type),
      ...values,
    )
    expect(keccakText(file.type)).toBe(file.typehash)
    expect(digestByHand(domain, keccak(struct))).toBe(hash)
  })

  test('commitSet: three, in order', () => {
    const file = read('commitSet')
    const { input, hash } = caseOf(file, 'three, in order')
    const { domain, message } = input as {
      domain: { chainId: number; coordinator: string }
      message: { requestId: string; commitments: string[] }
    }
    const members = keccak(`0x${message.commitments.map((value) => value.slice(2)).join('')}`)
    const struct = cast(
      'abi-encode',
      'f(bytes32,uint8,bytes32,bytes32)',
      file.typehash,
      '1',
      message.requestId,
      members,
    )
    expect(digestByHand(domain, keccak(struct))).toBe(hash)
  })

  test('batchRoll: three, in order', () => {
    const file = read('batchRoll')
    const { input, hash } = caseOf(file, 'three, in order')
    const { domain, digests } = input as { domain: { chainId: number; coordinator: string }; digests: string[] }
    const root = digests.reduce((chain, digest) => keccak(`0x${chain}${digest.slice(2)}`).slice(2), '0'.repeat(64))
    const struct = cast('abi-encode', 'f(bytes32,uint8,uint32,bytes32)', file.typehash, '1', '3', `0x${root}`)
    expect(digestByHand(domain, keccak(struct))).toBe(hash)
  })
})

describe('hashes', () => {
  test('functionId: nested function name', () => {
    const { input, hash } = caseOf(read('functionId'), 'nested function name')
    const { creator, project, function: name } = input as { creator: string; project: string; function: string }
    const encoded = cast('abi-encode', 'f(address,bytes32,bytes32)', creator, keccakText(project), keccakText(name))
    expect(keccak(encoded)).toBe(hash)
  })

  test.each([
    ['seal', ['hash', 'salt'], 'f(bytes32,bytes32,bytes32)'],
    ['commitment', ['requestId', 'worker', 'resultSeal', 'salt'], 'f(bytes32,bytes32,address,bytes32,bytes32)'],
    ['paymentId', ['chainId', 'asset', 'payer', 'nonce'], 'f(bytes32,uint256,address,address,bytes32)'],
  ] as const)('%s: ordinary', (name, members, signature) => {
    const file = read(name)
    const { input, hash } = caseOf(file, 'ordinary')
    const values = members.map((member) => String(input[member]))
    expect(keccak(cast('abi-encode', signature, keccakText(file.type), ...values))).toBe(hash)
  })
})

describe('documents', () => {
  test.each([
    [
      'request',
      'smallest: empty path, empty body',
      '{"body":{"utf8":""},"headers":[],"method":"GET","path":"/","query":[],"v":1}',
    ],
    [
      'request',
      'body that is not UTF-8',
      '{"body":{"base64":"//4A"},"headers":[],"method":"POST","path":"/","query":[],"v":1}',
    ],
    [
      'request',
      'body with a byte order mark',
      '{"body":{"utf8":"\ufefftext"},"headers":[],"method":"POST","path":"/","query":[],"v":1}',
    ],
    [
      'request',
      '%2F stays, %2d is decoded, digits become upper case',
      '{"body":{"utf8":""},"headers":[],"method":"GET","path":"/a%2Fb-c%C3%A9","query":[],"v":1}',
    ],
    [
      'request',
      'repeated headers keep their order',
      '{"body":{"utf8":""},"headers":[["accept","*/*"],["x-tag","b"],["x-tag","a"]],"method":"GET","path":"/","query":[],"v":1}',
    ],
    [
      'request',
      'query keeps order and duplicates',
      '{"body":{"utf8":""},"headers":[],"method":"GET","path":"/","query":[["b","2"],["a","1"],["b","1"],["flag",""],["e",""]],"v":1}',
    ],
    [
      'result',
      'JSON',
      '{"body":{"utf8":"{\\"a\\":1}\\n"},"headers":[["content-type","application/json"]],"outcome":"completed","status":201,"v":1}',
    ],
  ])('%s: %s', (name, caseName, text) => {
    const { canonical, hash } = caseOf(read(name), caseName)
    expect(canonical).toBe(text)
    expect(keccakText(text)).toBe(hash)
  })
})
