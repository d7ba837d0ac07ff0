import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockSource, createDiskStore, hashBlock } from '@peerhost/storage'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBundles } from './bundles.ts'

const bundle = new TextEncoder().encode('exports.default = () => new Response()')
const digest = hashBlock(bundle)
const signal = () => AbortSignal.timeout(10_000)
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-bundles-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function sourceOf(name: string, get: BlockSource['get']) {
  const asked: string[] = []
  const source: BlockSource = {
    name,
    get: (cid, inner) => {
      asked.push(cid)
      return get(cid, inner)
    },
  }
  return { source, asked }
}

describe('bundles', () => {
  it('takes the next source when one lies, has nothing or fails, and says which lied', async () => {
    const rejected: string[] = []
    const sources = [
      sourceOf('liar', async () => new TextEncoder().encode('evil')).source,
      sourceOf('empty', async () => undefined).source,
      sourceOf('broken', async () => Promise.reject(new Error('down'))).source,
      sourceOf('honest', async () => bundle).source,
    ]
    const cache = createDiskStore({ directory })
    const fetchBundle = createBundles({ cache, sources, onRejected: ({ source }) => rejected.push(source) })
    expect(new Uint8Array(await fetchBundle(digest, signal()))).toEqual(bundle)
    expect(rejected).toEqual(['liar', 'broken'])
  })

  it('fetches once for all that wait, and never again: memory, then disk', async () => {
    const { source, asked } = sourceOf('one', async () => bundle)
    const deps = { cache: createDiskStore({ directory }), sources: [source] }
    const fetchBundle = createBundles(deps)
    await Promise.all([fetchBundle(digest, signal()), fetchBundle(digest, signal())])
    await fetchBundle(digest, signal())
    await createBundles(deps)(digest, signal())
    expect(asked.length).toBe(1)
  })

  it('lets one that waits give up without the others', async () => {
    const gate = Promise.withResolvers<void>()
    const { source } = sourceOf('slow', async () => {
      await gate.promise
      return bundle
    })
    const fetchBundle = createBundles({ cache: createDiskStore({ directory }), sources: [source] })
    const impatient = new AbortController()
    const [gone, kept] = [fetchBundle(digest, impatient.signal), fetchBundle(digest, signal())]
    impatient.abort(new Error('enough'))
    await expect(gone).rejects.toThrow('enough')
    gate.resolve()
    expect((await kept).length).toBe(bundle.length)
  })

  it('says whether nobody had it or somebody lied', async () => {
    const cache = createDiskStore({ directory })
    const nobody = createBundles({ cache, sources: [] })
    await expect(nobody(digest, signal())).rejects.toMatchObject({ code: 'bundle_unavailable' })
    const liar = sourceOf('liar', async () => new Uint8Array([1])).source
    await expect(createBundles({ cache, sources: [liar] })(digest, signal())).rejects.toMatchObject({
      code: 'bundle_mismatch',
    })
  })

  it('keeps no more in memory than it may', async () => {
    const { source, asked } = sourceOf('one', async () => bundle)
    const cache = { ...createDiskStore({ directory }), get: async () => undefined }
    const fetchBundle = createBundles({ cache, sources: [source], memoryBytes: bundle.length - 1 })
    await fetchBundle(digest, signal())
    await fetchBundle(digest, signal())
    expect(asked.length).toBe(2)
  })
})
