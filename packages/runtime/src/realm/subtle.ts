import { type Bridge, subtleMethods } from './bridge.ts'
import { bytesOf, fromBase64, toBase64 } from './encoding.ts'
import type { Operations } from './operations.ts'

/** A value on its way over the bridge: bytes and keys are marked, the rest is plain. */
type Wire = { $bytes: string } | { $key: number; about?: KeyFacts } | { [name: string]: unknown }
type KeyFacts = { type: string; extractable: boolean; algorithm: object; usages: string[] }

/** `crypto.subtle` and `CryptoKey`. The host calculates and keeps the keys; the realm has their numbers. */
export function createSubtle(bridge: Pick<Bridge, 'subtle'>, operations: Operations) {
  const making = Symbol('making')
  const numbers = new WeakMap<object, number>()
  class CryptoKey {
    readonly type: string = ''
    readonly extractable: boolean = false
    readonly algorithm: object = {}
    readonly usages: string[] = []
    constructor(key?: symbol, number?: number, facts?: KeyFacts) {
      if (key !== making || number === undefined) throw new TypeError('Illegal constructor')
      numbers.set(this, number)
      Object.assign(this, facts)
    }
  }
  class SubtleCrypto {
    constructor(key?: symbol) {
      if (key !== making) throw new TypeError('Illegal constructor')
    }
  }
  const send = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof CryptoKey) return { $key: numbers.get(value) }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return { $bytes: toBase64(bytesOf(value)) }
    if (Array.isArray(value)) return value.map(send)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, send(part)]))
  }
  const receive = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const wire = value as Wire
    if ('$bytes' in wire) return fromBase64(String(wire.$bytes)).buffer
    if ('$key' in wire) return new CryptoKey(making, Number(wire.$key), wire.about as KeyFacts)
    return Object.fromEntries(Object.entries(wire).map(([name, part]) => [name, receive(part)]))
  }
  for (const method of subtleMethods) {
    const call = async (...values: unknown[]) => {
      const text = JSON.stringify({ method, values: send(values) })
      const { text: answer } = await operations.start((id) => bridge.subtle(id, text))
      return receive((JSON.parse(answer) as { value: unknown }).value)
    }
    Object.defineProperty(SubtleCrypto.prototype, method, { value: call, configurable: true, writable: true })
  }
  return { CryptoKey, SubtleCrypto, subtle: new SubtleCrypto(making) }
}
