import { commitment, depositAddress, functionId, paymentId, seal, zeroBytes32 } from '@peerhost/protocol'
import {
  type Address,
  encodeAbiParameters,
  getAddress,
  type Hex,
  keccak256,
  pad,
  parseAbiParameters,
  stringToBytes,
} from 'viem'
import { seatDraws } from './seatDraw.ts'
import type { RejectCase, VectorFile } from './vectorFile.ts'
import { votes } from './vote.ts'

const maxBytes32: Hex = `0x${'f'.repeat(64)}`
const maxAddress = getAddress(`0x${'f'.repeat(40)}`)
const zeroAddress = getAddress(`0x${'0'.repeat(40)}`)
const someAddress = getAddress('0x00a329c0648769a73afac7f9381e08fb43dbea72')
const textHash = (text: string): Hex => keccak256(stringToBytes(text))

/** Vectors of the protocol's unsigned hashes. */
export function hashVectors(): Record<string, VectorFile> {
  return {
    functionId: functionIds(),
    seal: seals(),
    commitment: commitments(),
    paymentId: paymentIds(),
    depositAddress: depositAddresses(),
    seatDraw: seatDraws(),
    vote: votes(),
  }
}

function functionIds(): VectorFile {
  const inputs: { name: string; creator: Address; project: string; function: string }[] = [
    { name: 'ordinary', creator: someAddress, project: 'weather', function: 'forecast' },
    { name: 'nested function name', creator: someAddress, project: 'weather', function: 'daily/report' },
    { name: 'one character', creator: someAddress, project: 'a', function: '0' },
    { name: 'longest names', creator: maxAddress, project: 'p'.repeat(64), function: 'f'.repeat(64) },
    {
      name: 'zero creator and empty names: hashed, though nobody can publish them',
      creator: zeroAddress,
      project: '',
      function: '',
    },
    { name: 'names swapped give another id', creator: someAddress, project: 'forecast', function: 'weather' },
  ]
  const names: [string, string, string][] = [
    ['empty', 'function', ''],
    ['upper case', 'function', 'Forecast'],
    ['underscore', 'function', 'a_b'],
    ['hyphen first', 'function', '-a'],
    ['hyphen last', 'function', 'a-'],
    ['hyphen before a slash', 'function', 'a-/b'],
    ['hyphen after a slash', 'function', 'a/-b'],
    ['slash first', 'function', '/a'],
    ['slash last', 'function', 'a/'],
    ['two slashes', 'function', 'a//b'],
    ['dot', 'function', 'a.b'],
    ['not ASCII', 'function', 'wétter'],
    ['65 characters', 'function', 'a'.repeat(65)],
    ['slash in a project', 'project', 'a/b'],
    ['empty project', 'project', ''],
  ]
  const reject: RejectCase[] = names.map(([name, noun, text]) => ({
    name,
    input: { noun, text },
    code: 'config_invalid',
  }))
  return {
    description: 'functionId = keccak256(abi.encode(creator, keccak256(project), keccak256(function)))',
    encoding: 'abi.encode(address creator, string project, string function)',
    cases: inputs.map(({ name, ...input }) => ({
      name,
      input,
      encoded: encodeAbiParameters(parseAbiParameters('address, string, string'), [
        input.creator,
        input.project,
        input.function,
      ]),
      hash: functionId(input.creator, input.project, input.function),
    })),
    reject,
  }
}

function seals(): VectorFile {
  const inputs = [
    { name: 'ordinary', hash: textHash('input'), salt: textHash('salt') },
    { name: 'zero', hash: zeroBytes32, salt: zeroBytes32 },
    { name: 'max', hash: maxBytes32, salt: maxBytes32 },
    { name: 'hash and salt swapped give another seal', hash: textHash('salt'), salt: textHash('input') },
  ]
  return {
    description: 'seal = keccak256(abi.encode(typehash, hash, salt))',
    encoding: 'abi.encode(bytes32 hash, bytes32 salt)',
    ...typed('PeerHostSeal(bytes32 hash,bytes32 salt)'),
    cases: inputs.map(({ name, ...input }) => ({
      name,
      input,
      encoded: encodeAbiParameters(parseAbiParameters('bytes32, bytes32'), [input.hash, input.salt]),
      hash: seal(input.hash, input.salt),
    })),
  }
}

function commitments(): VectorFile {
  const ordinary = {
    requestId: textHash('request'),
    worker: someAddress,
    resultSeal: textHash('result'),
    salt: textHash('salt'),
  }
  const inputs = [
    { name: 'ordinary', ...ordinary },
    { name: 'another worker', ...ordinary, worker: maxAddress },
    { name: 'zero', requestId: zeroBytes32, worker: zeroAddress, resultSeal: zeroBytes32, salt: zeroBytes32 },
    { name: 'max', requestId: maxBytes32, worker: maxAddress, resultSeal: maxBytes32, salt: maxBytes32 },
  ]
  return {
    description: 'commitment = keccak256(abi.encode(typehash, requestId, worker, resultSeal, salt))',
    encoding: 'abi.encode(bytes32 requestId, address worker, bytes32 resultSeal, bytes32 salt)',
    ...typed('PeerHostCommitment(bytes32 requestId,address worker,bytes32 resultSeal,bytes32 salt)'),
    cases: inputs.map(({ name, ...input }) => ({
      name,
      input,
      encoded: encodeAbiParameters(parseAbiParameters('bytes32, address, bytes32, bytes32'), [
        input.requestId,
        input.worker,
        input.resultSeal,
        input.salt,
      ]),
      hash: commitment(input.requestId, input.worker, input.resultSeal, input.salt),
    })),
  }
}

function paymentIds(): VectorFile {
  const ordinary = {
    chainId: 84_532,
    asset: getAddress('0x036CbD53842c5426634e7929541eC2318f3dCF7e'),
    payer: someAddress,
    nonce: textHash('nonce'),
  }
  const inputs = [
    { name: 'ordinary', ...ordinary },
    { name: 'another chain', ...ordinary, chainId: 80_002 },
    { name: 'zero', chainId: 0, asset: zeroAddress, payer: zeroAddress, nonce: zeroBytes32 },
    { name: 'max', chainId: Number.MAX_SAFE_INTEGER, asset: maxAddress, payer: maxAddress, nonce: maxBytes32 },
  ]
  return {
    description:
      'paymentId = keccak256(abi.encode(typehash, chainId, asset, payer, nonce)), named by the EIP-3009 authorization',
    encoding: 'abi.encode(uint256 chainId, address asset, address payer, bytes32 nonce)',
    ...typed('PeerHostPayment(uint256 chainId,address asset,address payer,bytes32 nonce)'),
    cases: inputs.map(({ name, ...input }) => ({
      name,
      input,
      encoded: encodeAbiParameters(parseAbiParameters('uint256, address, address, bytes32'), [
        BigInt(input.chainId),
        input.asset,
        input.payer,
        input.nonce,
      ]),
      hash: paymentId(input),
    })),
  }
}

function depositAddresses(): VectorFile {
  const inputs: { name: string; escrow: Address; quoteId: Hex }[] = [
    { name: 'ordinary', escrow: someAddress, quoteId: textHash('quote') },
    { name: 'another quote', escrow: someAddress, quoteId: textHash('another quote') },
    { name: 'another escrow', escrow: maxAddress, quoteId: textHash('quote') },
    { name: 'zero', escrow: zeroAddress, quoteId: zeroBytes32 },
    { name: 'max', escrow: maxAddress, quoteId: maxBytes32 },
  ]
  return {
    description:
      'The deposit address of a quote: CREATE2 by the escrow, the quote id as salt, the creation code of `Deposit`. hash = the address as one word',
    encoding: 'abi.encode(address escrow, bytes32 quoteId)',
    cases: inputs.map(({ name, ...input }) => ({
      name,
      input,
      encoded: encodeAbiParameters(parseAbiParameters('address, bytes32'), [input.escrow, input.quoteId]),
      hash: pad(depositAddress(input.escrow, input.quoteId).toLowerCase() as Hex, { size: 32 }),
    })),
  }
}

function typed(type: string): { type: string; typehash: Hex } {
  return { type, typehash: textHash(type) }
}
