import { zeroBytes32 } from '@peerhost/protocol'
import { type Address, getAddress, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import type { OpenedAttestation, Recorded } from '../src/requests/request.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const requester: Address = getAddress(`0x${'ab'.repeat(20)}`)

/** A finished request of the tests, with numbers that a careless column would round. */
export function recordedJob(name: string, sequence: bigint): Recorded {
  const attested: OpenedAttestation = {
    attestation: {
      protocolVersion: 1,
      requestId: hash(name),
      resultSeal: hash('seal'),
      outcome: 1,
      status: 200,
      seat: 1,
    },
    signature: '0x12',
    executionKey: requester,
    operator: requester,
  }
  return {
    requestId: hash(name),
    ticket: {
      protocolVersion: 1,
      functionId: hash('function'),
      functionVersion: 1,
      envVersion: 0,
      runtimeDigest: hash('runtime'),
      inputSeal: hash('input'),
      requester,
      epoch: 7,
      sequence,
      quorum: 1,
      lane: 1,
      fee: 2n ** 90n,
      issuedAt: 1,
      deadline: 2,
      payer: zeroAddress,
      payee: zeroAddress,
      price: 2n ** 120n,
      quoteId: zeroBytes32,
      funder: requester,
    },
    ticketSignature: '0x34',
    salt: hash('salt'),
    input: new Uint8Array([0, 255, 1]),
    result: new Uint8Array([2, 0, 254]),
    attestations: [attested],
    paymentId: hash('payment'),
    fromBlock: 2n ** 40n,
    createdAtMs: 1_000,
    settlement: 'pending',
  }
}
