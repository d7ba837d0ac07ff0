import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFrameDecoder, encodeFrame } from './frames.ts'

const limits = { headerBytes: 256, bodyBytes: 1_024 }

function prefix(headerBytes: number, bodyBytes: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setUint32(0, headerBytes)
  new DataView(bytes.buffer).setUint32(4, bodyBytes)
  return bytes
}

describe('frames', () => {
  test('come out as they went in, however they were cut', () => {
    const frame = fc.record({ name: fc.string({ maxLength: 20 }), body: fc.uint8Array({ maxLength: 64 }) })
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(({ name, body }) => encodeFrame({ name }, body)))
          const decoder = createFrameDecoder(limits)
          const seen = []
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1
            seen.push(...decoder.push(bytes.subarray(at, at + size)))
            at += size
          }
          expect(seen.map(({ header, body }) => ({ name: header.name, body: [...body] }))).toEqual(
            frames.map(({ name, body }) => ({ name, body: [...body] })),
          )
        },
      ),
    )
  })

  test.each([
    ['a header over its limit', prefix(257, 0)],
    ['no header', prefix(0, 0)],
    ['a body over its limit', prefix(2, 1_025)],
    ['lengths that no memory holds', prefix(0xffffffff, 0xffffffff)],
    ['a header that is not JSON', Buffer.concat([prefix(2, 0), Buffer.from('{x')])],
    ['a header that is not UTF-8', Buffer.concat([prefix(2, 0), Buffer.from([0xff, 0xfe])])],
    ['a header that is a list', Buffer.concat([prefix(2, 0), Buffer.from('[]')])],
    ['a header that is nothing', Buffer.concat([prefix(4, 0), Buffer.from('null')])],
  ])('%s is refused, and so is everything after it', (_, bytes) => {
    const decoder = createFrameDecoder(limits)
    expect(() => decoder.push(bytes)).toThrow()
    expect(() => decoder.push(encodeFrame({ fine: true }))).toThrow('before this one')
  })

  test('exactly the limits are taken', () => {
    const header = { a: 'x'.repeat(256 - JSON.stringify({ a: '' }).length) }
    expect(createFrameDecoder(limits).push(encodeFrame(header, new Uint8Array(1_024)))).toHaveLength(1)
  })
})
