import { LIMITS } from '@peerhost/protocol'
import { describe, expect, test } from 'vitest'
import { type BlockStore, blockCid, fetchBlock } from '../src/index.ts'

/** A store under test, and a hand on what it keeps, to break it. */
export type StoreUnderTest = { store: BlockStore; corrupt: (cid: string, bytes: Uint8Array) => void | Promise<void> }

/** What every `BlockStore` promises, whatever it keeps its blocks in. */
export function describeBlockStore(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`block store: ${name}`, () => {
    test('gives back what was put, under the CID of the bytes', async () => {
      const { store } = await create()
      const bytes = new TextEncoder().encode('module.exports = () => new Response("é")\n')
      const cid = await store.put(bytes)
      expect(cid).toBe(blockCid(bytes))
      expect(Buffer.from((await store.get(cid)) ?? [])).toEqual(Buffer.from(bytes))
    })

    test('putting the same bytes again changes nothing', async () => {
      const { store } = await create()
      const bytes = new Uint8Array([0, 255, 128])
      expect(await store.put(bytes)).toBe(await store.put(bytes))
      expect(Buffer.from((await store.get(blockCid(bytes))) ?? [])).toEqual(Buffer.from(bytes))
    })

    test('keeps an empty block and one of the largest size', async () => {
      const { store } = await create()
      for (const bytes of [new Uint8Array(), new Uint8Array(LIMITS.bundleBytes).fill(7)]) {
        const cid = await store.put(bytes)
        expect((await store.get(cid))?.length).toBe(bytes.length)
      }
    })

    test('says undefined for a block it does not have', async () => {
      const { store } = await create()
      expect(await store.get(blockCid(new Uint8Array([1, 2, 3])))).toBeUndefined()
    })

    test('refuses a block that is larger than the limit', async () => {
      const { store } = await create()
      const put = store.put(new Uint8Array(LIMITS.bundleBytes + 1))
      await expect(put).rejects.toMatchObject({ code: 'bundle_too_large' })
    })

    test('refuses anything but the CID of a raw sha2-256 block', async () => {
      const { store } = await create()
      const cids = [
        '',
        '../../etc/passwd',
        'QmeV6C6XVt1wf7V7as7Yak3mxPma8jzpqyhtRtCvpKcfBb',
        blockCid(new Uint8Array()).toUpperCase(),
      ]
      for (const cid of cids) await expect(store.get(cid)).rejects.toMatchObject({ code: 'request_invalid' })
    })

    test('never gives out bytes that do not match the CID', async () => {
      const { store, corrupt } = await create()
      const cid = await store.put(new Uint8Array([1, 2, 3]))
      await corrupt(cid, new Uint8Array([3, 2, 1]))
      const outcome = await store.get(cid).catch((error: unknown) => error)
      if (outcome !== undefined) expect(outcome).toMatchObject({ code: 'bundle_mismatch' })
      await expect(fetchBlock([store], cid)).rejects.toMatchObject({
        code: outcome === undefined ? 'bundle_unavailable' : 'bundle_mismatch',
      })
    })

    test('stops when the caller has given up', async () => {
      const { store } = await create()
      const reason = new Error('enough')
      await expect(store.put(new Uint8Array([1]), AbortSignal.abort(reason))).rejects.toBe(reason)
      await expect(store.get(blockCid(new Uint8Array([1])), AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })
}
