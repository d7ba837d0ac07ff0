import type { Bridge } from './bridge.ts'

const poolBytes = 1_024
const mostBytes = 65_536

/** `Math.random`, `crypto.getRandomValues` and `crypto.randomUUID`, all from one stream of bytes that the ticket decides. */
export function createRandomness(bridge: Pick<Bridge, 'random'>) {
  let pool = new Uint8Array(0)
  let used = 0
  const draw = (length: number): Uint8Array => {
    if (length > poolBytes) {
      const bytes = new Uint8Array(length)
      bridge.random(bytes)
      return bytes
    }
    if (used + length > pool.length) {
      pool = new Uint8Array(poolBytes)
      bridge.random(pool)
      used = 0
    }
    used += length
    return pool.subarray(used - length, used)
  }
  const random = () => {
    const bytes = draw(8)
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
    return ((view.getUint32(0) >>> 11) * 2 ** 32 + view.getUint32(4)) / 2 ** 53
  }
  return {
    /** Begins anew: what was drawn ahead belongs to the bytes of before. */
    reset() {
      used = pool.length
    },
    random,
    getRandomValues<T>(view: T): T {
      if (!ArrayBuffer.isView(view) || view instanceof Float32Array || view instanceof Float64Array)
        throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError')
      if (view.byteLength > mostBytes)
        throw new DOMException(`The requested length exceeds ${mostBytes} bytes`, 'QuotaExceededError')
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(draw(view.byteLength))
      return view
    },
    randomUUID(): string {
      const bytes = draw(16).slice()
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    },
  }
}
