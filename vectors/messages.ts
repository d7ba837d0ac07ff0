import {
  type Attestation,
  attestationTypes,
  batchRollTypes,
  commitSetTypes,
  type EscrowTerms,
  escrowTermsTypes,
  executionKeyProofTypes,
  hashAttestation,
  hashBatchRoll,
  hashCommitSet,
  hashEscrowTerms,
  hashExecutionKeyProof,
  hashRelayedAction,
  hashSignedCommitment,
  type ProtocolDomain,
  relayedActionTypes,
  requestId,
  rollRoot,
  signedCommitmentTypes,
  type Ticket,
  ticketTypes,
  zeroBytes32,
} from '@peerhost/protocol'
import { type AbiParameter, encodeAbiParameters, getAddress, type Hex, keccak256, stringToBytes } from 'viem'
import { toJson, type VectorFile } from './vectorFile.ts'

type Member = { readonly name: string; readonly type: string }

const maxBytes32: Hex = `0x${'f'.repeat(64)}`
const maxAddress = getAddress(`0x${'f'.repeat(40)}`)
const zeroAddress = getAddress(`0x${'0'.repeat(40)}`)
const textHash = (text: string): Hex => keccak256(stringToBytes(text))
const domains = [
  { chainId: 31_337, coordinator: getAddress('0x5fbdb2315678afecb367f032d93f642f64180aa3') },
  { chainId: 80_002, coordinator: getAddress('0x5fbdb2315678afecb367f032d93f642f64180aa3') },
  { chainId: 31_337, coordinator: maxAddress },
] as const satisfies readonly ProtocolDomain[]

const ticket: Ticket = {
  protocolVersion: 1,
  functionId: textHash('function'),
  functionVersion: 3,
  envVersion: 2,
  runtimeDigest: textHash('runtime'),
  inputSeal: textHash('input'),
  requester: getAddress('0x1563915e194d8cfba1943570603f7606a3115508'),
  epoch: 500_000,
  sequence: 42n,
  quorum: 1,
  lane: 1,
  fee: 100n,
  issuedAt: 1_800_000_000,
  deadline: 1_800_000_060,
  payer: getAddress('0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb'),
  payee: getAddress('0x7564105e977516c53be337314c7e53838967bdac'),
  price: 1_000n,
  quoteId: textHash('quote'),
  funder: getAddress('0xe1fae9b4fab2f5726677ecfa912d96b0b683e6a9'),
}

const attestation: Attestation = {
  protocolVersion: 1,
  requestId: textHash('request'),
  resultSeal: textHash('result'),
  outcome: 1,
  status: 200,
  seat: 1,
}

const escrowTerms: EscrowTerms = {
  requester: ticket.requester,
  functionId: ticket.functionId,
  functionVersion: ticket.functionVersion,
  inputSeal: ticket.inputSeal,
  payee: ticket.payee,
  price: ticket.price,
  deadline: ticket.deadline,
  nonce: textHash('nonce'),
}

/** Vectors of the signed messages: `hash` is the EIP-712 digest. */
export function messageVectors(): Record<string, VectorFile> {
  return {
    ticket: messageFile('Ticket', ticketTypes.Ticket, requestId, extremes(ticketTypes.Ticket, ticket)),
    attestation: messageFile(
      'Attestation',
      attestationTypes.Attestation,
      hashAttestation,
      extremes(attestationTypes.Attestation, attestation),
    ),
    signedCommitment: messageFile(
      'SignedCommitment',
      signedCommitmentTypes.SignedCommitment,
      hashSignedCommitment,
      extremes(signedCommitmentTypes.SignedCommitment, {
        protocolVersion: 1,
        requestId: textHash('request'),
        commitment: textHash('commitment'),
      }),
    ),
    commitSet: messageFile('CommitSet', commitSetTypes.CommitSet, hashCommitSet, commitSets()),
    executionKeyProof: messageFile(
      'ExecutionKeyProof',
      executionKeyProofTypes.ExecutionKeyProof,
      hashExecutionKeyProof,
      [
        {
          name: 'ordinary',
          message: { protocolVersion: 1, operator: ticket.requester, executionKey: ticket.payer, nonce: 0n },
        },
        {
          name: 'next nonce',
          message: { protocolVersion: 1, operator: ticket.requester, executionKey: ticket.payer, nonce: 1n },
        },
        {
          name: 'max',
          message: { protocolVersion: 1, operator: maxAddress, executionKey: maxAddress, nonce: 2n ** 256n - 1n },
        },
      ],
    ),
    escrowTerms: messageFile(
      'EscrowTerms',
      escrowTermsTypes.EscrowTerms,
      hashEscrowTerms,
      extremes(escrowTermsTypes.EscrowTerms, escrowTerms),
    ),
    batchRoll: batchRolls(),
    relayedAction: messageFile('RelayedAction', relayedActionTypes.RelayedAction, hashRelayedAction, relayedActions()),
  }
}

function commitSets() {
  const of = (...commitments: Hex[]) => ({ protocolVersion: 1, requestId: textHash('request'), commitments })
  return [
    { name: 'no commitment', message: of() },
    { name: 'one', message: of(textHash('a')) },
    { name: 'three, in order', message: of(textHash('a'), textHash('b'), zeroBytes32) },
    { name: 'the same three in another order', message: of(textHash('b'), textHash('a'), zeroBytes32) },
  ]
}

function relayedActions() {
  const ordinary = { account: ticket.requester, action: '0x9435c887' as Hex, nonce: 0n, deadline: 1_800_000_060 }
  return [
    { name: 'ordinary', message: ordinary },
    { name: 'the same on another chain', message: ordinary, domain: domains[1] },
    { name: 'the same on another contract', message: ordinary, domain: domains[2] },
    { name: 'next nonce', message: { ...ordinary, nonce: 1n } },
    { name: 'no action', message: { ...ordinary, action: '0x' as Hex } },
    {
      name: 'max',
      message: {
        account: maxAddress,
        action: `0x${'ff'.repeat(100)}` as Hex,
        nonce: 2n ** 256n - 1n,
        deadline: 2 ** 40 - 1,
      },
    },
  ]
}

function batchRolls(): VectorFile {
  const inputs: { name: string; digests: Hex[] }[] = [
    { name: 'nothing', digests: [] },
    { name: 'one', digests: [textHash('a')] },
    { name: 'one of zero', digests: [zeroBytes32] },
    { name: 'three, in order', digests: [textHash('a'), textHash('b'), maxBytes32] },
    { name: 'the same three in another order', digests: [textHash('b'), textHash('a'), maxBytes32] },
    { name: 'fifty', digests: Array.from({ length: 50 }, (_, index) => textHash(String(index))) },
  ]
  const type = typeString('BatchRoll', batchRollTypes.BatchRoll)
  return {
    description:
      'root = keccak256(root ‖ digest) over all digests, from zero; hash = EIP-712 digest of BatchRoll{1, digests.length, root}',
    encoding: 'abi.encode(uint256 chainId, address coordinator, bytes32[] digests)',
    type,
    typehash: textHash(type),
    cases: inputs.map(({ name, digests }, index) => {
      const domain = domains[index % domains.length] as ProtocolDomain
      const root = rollRoot(digests)
      return {
        name,
        input: { domain, digests },
        encoded: encodeAbiParameters(
          [{ type: 'uint256' }, { type: 'address' }, { type: 'bytes32[]' }],
          [BigInt(domain.chainId), domain.coordinator, digests],
        ),
        root,
        hash: hashBatchRoll(domain, { protocolVersion: 1, count: digests.length, root }),
      }
    }),
  }
}

/** The message as given on every domain, all of its members zero, and all of them at their largest. */
function extremes<T extends object>(
  members: readonly Member[],
  message: T,
): { name: string; message: T; domain?: ProtocolDomain }[] {
  const all = (value: (type: string, given: unknown) => unknown) =>
    Object.fromEntries(members.map(({ name, type }) => [name, value(type, message[name as keyof T])])) as T
  return [
    { name: 'ordinary', message },
    { name: 'the same on another chain', message, domain: domains[1] },
    { name: 'the same on another contract', message, domain: domains[2] },
    { name: 'zero', message: all(zeroOf) },
    { name: 'max', message: all(maxOf) },
  ]
}

function zeroOf(type: string, given: unknown): unknown {
  if (type === 'bytes32') return zeroBytes32
  if (type === 'address') return zeroAddress
  return typeof given === 'bigint' ? 0n : 0
}

function maxOf(type: string, given: unknown): unknown {
  if (type === 'bytes32') return maxBytes32
  if (type === 'address') return maxAddress
  const maximum = 2n ** BigInt(type.slice('uint'.length)) - 1n
  return typeof given === 'bigint' ? maximum : Number(maximum)
}

function messageFile<T extends object>(
  primaryType: string,
  members: readonly Member[],
  hash: (domain: ProtocolDomain, message: T) => Hex,
  inputs: readonly { name: string; message: T; domain?: ProtocolDomain }[],
): VectorFile {
  const type = typeString(primaryType, members)
  const list = members.map(({ name, type: memberType }) => `${memberType} ${name}`).join(', ')
  const parameters: AbiParameter[] = [
    { type: 'uint256' },
    { type: 'address' },
    ...members.map(({ type: memberType }) => ({ type: memberType })),
  ]
  return {
    description: `hash = EIP-712 digest of ${primaryType} in the domain {name: "PeerHost", version: "1", chainId, verifyingContract: coordinator}`,
    encoding: `abi.encode(uint256 chainId, address coordinator, ${list})`,
    type,
    typehash: textHash(type),
    cases: inputs.map(({ name, message, domain = domains[0] }) => ({
      name,
      input: { domain, message: toJson(message) },
      encoded: encodeAbiParameters(parameters, [
        BigInt(domain.chainId),
        domain.coordinator,
        ...members.map((member) => message[member.name as keyof T]),
      ]),
      hash: hash(domain, message),
    })),
  }
}

function typeString(primaryType: string, members: readonly Member[]): string {
  return `${primaryType}(${members.map(({ name, type }) => `${type} ${name}`).join()})`
}
