import type { webcrypto } from 'node:crypto'
import type { Keystream } from '../keystream.ts'
import { subtleMethods } from '../realm/bridge.ts'
import { callSeeded } from './seededSubtle.ts'

type CryptoKey = webcrypto.CryptoKey
type Call = { method: string; values: unknown[] }

/** Runs one call of Web Crypto. Both texts are JSON in which `$bytes` is base64 and `$key` the number of a key. */
export type SubtleCalls = (call: string) => Promise<string>

const methods = new Set<string>(subtleMethods)

/** Web Crypto for one realm, with its chance. The keys stay here: a realm knows their numbers, and nobody else's. */
export function createSubtleCalls(draw: Keystream): SubtleCalls {
  const keys: CryptoKey[] = []
  const read = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(read)
    if ('$bytes' in value) return Buffer.from(String(value.$bytes), 'base64')
    if ('$key' in value) return keys[Number(value.$key)]
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, read(part)]))
  }
  const write = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString('base64') }
    if (Array.isArray(value)) return value
    if (isKey(value)) {
      const { type, extractable, algorithm, usages } = value
      return { $key: keys.push(value) - 1, about: { type, extractable, algorithm: plain(algorithm), usages } }
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, write(part)]))
  }
  return async (text) => {
    const { method, values } = JSON.parse(text) as Call
    if (!methods.has(method)) throw new TypeError('Web Crypto has no such method.')
    return JSON.stringify({ value: write(await callSeeded(draw, method, values.map(read))) })
  }
}

function isKey(value: object): value is CryptoKey {
  return value instanceof globalThis.CryptoKey
}

/** An algorithm's members, of which the exponent of RSA is bytes. */
function plain(algorithm: object): object {
  return Object.fromEntries(
    Object.entries(algorithm).map(([name, part]) => [
      name,
      part instanceof Uint8Array ? { $bytes: Buffer.from(part).toString('base64') } : part,
    ]),
  )
}
