import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** Signed by an execution key to open a session with a gateway; `challenge` is the gateway's 32 random bytes. */
export type WorkerHello = { protocolVersion: number; gateway: Address; challenge: Hex }

export const workerHelloTypes = {
  WorkerHello: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'gateway', type: 'address' },
    { name: 'challenge', type: 'bytes32' },
  ],
} as const

/** Digest of a `WorkerHello`; off chain only. */
export function hashWorkerHello(domain: ProtocolDomain, message: WorkerHello): Hex {
  return hashTypedData({ domain: eip712Domain(domain), types: workerHelloTypes, primaryType: 'WorkerHello', message })
}
