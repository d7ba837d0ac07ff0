import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/**
 * Signed by an execution key to open a session with a gateway. `origin` is where the worker has dialled (`wss://gateway.example`): who stands
 * between passes the hello on to no other gateway. `challenge` is the gateway's 32 random bytes.
 */
export type WorkerHello = { protocolVersion: number; gateway: Address; origin: string; challenge: Hex }

export const workerHelloTypes = {
  WorkerHello: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'gateway', type: 'address' },
    { name: 'origin', type: 'string' },
    { name: 'challenge', type: 'bytes32' },
  ],
} as const

/** Digest of a `WorkerHello`; off chain only. */
export function hashWorkerHello(domain: ProtocolDomain, message: WorkerHello): Hex {
  return hashTypedData({ domain: eip712Domain(domain), types: workerHelloTypes, primaryType: 'WorkerHello', message })
}
