import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@peerhost/protocol'
import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  blockCid,
  createDiskStore,
  createGatewayStore,
  createKuboStore,
  createPinataStore,
  hashBlock,
} from '../src/index.ts'
import { describeBlockStore } from './blockStore.suite.ts'
import { kubo, peerhostGateway, pinata } from './imitations.ts'
import { serve } from './localServer.ts'

const account = privateKeyToAccount(generatePrivateKey())
const coordinator: Address = '0x00000000000000000000000000000000000000C0'
const domain = { chainId: 84_532, coordinator }

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'peerhost-storage-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

describeBlockStore('disk', async () => {
  const directory = await temporaryDirectory()
  const corrupt = async (cid: string, bytes: Uint8Array) => {
    const [file = ''] = (await filesIn(directory)).filter((path) => path.endsWith(cid))
    await writeFile(file, bytes)
  }
  return { store: createDiskStore({ directory: join(directory, 'made', 'on demand') }), corrupt }
})

describeBlockStore('gateway', async () => {
  const blocks = new Map<string, Uint8Array>()
  const url = await serve(peerhostGateway(blocks, { ...domain, allowed: account.address }))
  const { address, signTypedData } = account
  const store = createGatewayStore({ url: `${url}/`, ...domain, address, signTypedData })
  return { store, corrupt: (cid, bytes) => void blocks.set(cid, bytes) }
})

describeBlockStore('pinata', async () => {
  const blocks = new Map<string, Uint8Array>()
  const url = await serve(pinata(blocks, 'key'))
  const store = createPinataStore({ jwt: 'key', apiUrl: url, gatewayUrl: url })
  return { store, corrupt: (cid, bytes) => void blocks.set(cid, bytes) }
})

describeBlockStore('kubo', async () => {
  const blocks = new Map<string, Uint8Array>()
  const store = createKuboStore({ apiUrl: await serve(kubo(blocks)) })
  return { store, corrupt: (cid, bytes) => void blocks.set(cid, bytes) }
})

describe('disk store', () => {
  test('removes a file that does not match its name, and can keep the block again', async () => {
    const directory = await temporaryDirectory()
    const store = createDiskStore({ directory })
    const cid = await store.put(new Uint8Array([1, 2, 3]))
    const [file = ''] = await filesIn(directory)
    await writeFile(file, 'something else')
    expect(await store.get(cid)).toBeUndefined()
    expect(await filesIn(directory)).toEqual([])
    await store.put(new Uint8Array([1, 2, 3]))
    expect(await store.get(cid)).toEqual(Buffer.from([1, 2, 3]))
  })

  test('mends a corrupted file when the block is put', async () => {
    const directory = await temporaryDirectory()
    const store = createDiskStore({ directory })
    await store.put(new Uint8Array([1, 2, 3]))
    const [file = ''] = await filesIn(directory)
    await writeFile(file, '')
    const cid = await store.put(new Uint8Array([1, 2, 3]))
    expect(await store.get(cid)).toEqual(Buffer.from([1, 2, 3]))
  })

  test('many writers of one block leave one whole file and nothing else', async () => {
    const directory = await temporaryDirectory()
    const bytes = new Uint8Array(300_000).fill(9)
    await Promise.all(Array.from({ length: 20 }, () => createDiskStore({ directory }).put(bytes)))
    const files = await filesIn(directory)
    expect(files).toHaveLength(1)
    expect((await stat(files[0] ?? '')).size).toBe(bytes.length)
  })

  test('leaves no temporary file behind when the write fails', async () => {
    const directory = await temporaryDirectory()
    const cid = blockCid(new Uint8Array([5]))
    await writeFile(join(directory, cid.slice(-3, -1)), 'a file where a folder should be')
    await expect(createDiskStore({ directory }).put(new Uint8Array([5]))).rejects.toThrow()
    expect(await filesIn(directory)).toHaveLength(1)
  })
})

describe('gateway store', () => {
  test('an upload that the gateway does not accept is upload_unauthorized and says what to check', async () => {
    const stranger = privateKeyToAccount(generatePrivateKey())
    const url = await serve(peerhostGateway(new Map(), { ...domain, allowed: account.address }))
    const { address, signTypedData } = stranger
    const put = createGatewayStore({ url, ...domain, address, signTypedData }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({ code: 'upload_unauthorized', hint: expect.stringContaining('chain') })
  })

  test('a signature for another chain is not accepted', async () => {
    const url = await serve(peerhostGateway(new Map(), { ...domain, allowed: account.address }))
    const { address, signTypedData } = account
    const put = createGatewayStore({ url, ...domain, chainId: 1, address, signTypedData }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({ code: 'upload_unauthorized' })
  })

  test('the signature names the block and ends in time', async () => {
    let authorization = ''
    const url = await serve((request, response) => {
      authorization = request.headers.authorization ?? ''
      response.writeHead(201).end()
    })
    const signed: unknown[] = []
    const store = createGatewayStore({
      url,
      ...domain,
      address: account.address,
      signTypedData: async (typedData) => {
        signed.push(typedData.message)
        return '0x01'
      },
      now: () => 1_700_000_000_999,
    })
    await store.put(new Uint8Array([1]))
    expect(signed).toEqual([{ protocolVersion: 1, digest: hashBlock(new Uint8Array([1])), deadline: 1_700_000_300 }])
    expect(JSON.parse(Buffer.from(authorization.replace('PeerHost ', ''), 'base64').toString())).toEqual({
      address: account.address,
      deadline: 1_700_000_300,
      signature: '0x01',
    })
  })

  test('never follows a redirect with an authorisation', async () => {
    let reached = 0
    const elsewhere = await serve((_, response) => {
      reached++
      response.writeHead(201).end()
    })
    const url = await serve((_, response) => void response.writeHead(307, { location: `${elsewhere}/x` }).end())
    const { address, signTypedData } = account
    const put = createGatewayStore({ url, ...domain, address, signTypedData }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({ code: 'bundle_unavailable' })
    expect(reached).toBe(0)
  })

  test('says what the gateway answered when it keeps nothing', async () => {
    const url = await serve((_, response) => void response.writeHead(500).end('disk full'))
    const { address, signTypedData } = account
    const put = createGatewayStore({ url, ...domain, address, signTypedData }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({
      code: 'bundle_unavailable',
      details: [`${url} answered 500.`, 'disk full'],
    })
  })
})

describe('what a gateway answers', () => {
  test('its own code and words are passed on', async () => {
    const problem = { code: 'bundle_mismatch', detail: 'The bytes are not the block of this CID.' }
    const url = await serve((_, response) => void response.writeHead(502).end(JSON.stringify(problem)))
    const { address, signTypedData } = account
    const put = createGatewayStore({ url, ...domain, address, signTypedData }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({
      code: 'bundle_mismatch',
      details: [`${url} answered 502.`, problem.detail],
    })
  })
})

describe('pinata store', () => {
  test('another CID than the block’s is an error, not a success', async () => {
    const data = { cid: 'bafybeihgxdzljxb26q6nf3r3eifqeedsvt2eubqtskghpme66cgjyw4fra' }
    const url = await serve((_, response) => void response.end(JSON.stringify({ data })))
    const put = createPinataStore({ jwt: 'key', apiUrl: url }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({
      code: 'bundle_mismatch',
      details: [`Expected: ${blockCid(new Uint8Array([1]))}`, `Pinata: ${data.cid}`],
    })
  })

  test('a wrong key is upload_unauthorized and stays out of the message', async () => {
    const url = await serve(pinata(new Map(), 'the right key'))
    const error = await createPinataStore({ jwt: 'secret-key', apiUrl: url })
      .put(new Uint8Array([1]))
      .catch((reason: Error & { details: string[] }) => reason)
    expect(error).toMatchObject({ code: 'upload_unauthorized' })
    expect(JSON.stringify([error, String(error)])).not.toContain('secret-key')
  })

  test('an answer that is no JSON or names no CID is bundle_unavailable', async () => {
    for (const text of ['<html>', '{}']) {
      const url = await serve((_, response) => void response.end(text))
      const put = createPinataStore({ jwt: 'key', apiUrl: url }).put(new Uint8Array([1]))
      await expect(put).rejects.toMatchObject({ code: 'bundle_unavailable' })
    }
  })
})

describe('uploads that end early', () => {
  const stores = (url: string, timeoutMs: number) => {
    const { address, signTypedData } = account
    return [
      createGatewayStore({ url, ...domain, address, signTypedData, timeoutMs }),
      createPinataStore({ jwt: 'key', apiUrl: url, timeoutMs }),
      createKuboStore({ apiUrl: url, timeoutMs }),
    ]
  }
  const large = new Uint8Array(LIMITS.bundleBytes).fill(1)

  test('a server that answers before it has read everything gets its error told', async () => {
    const url = await serve.unread((_, response) => void response.writeHead(507, { connection: 'close' }).end('full'))
    for (const store of stores(url, 10_000)) {
      await expect(store.put(large)).rejects.toMatchObject({ code: 'bundle_unavailable' })
    }
  })

  test('a server that never reads ends with the deadline', async () => {
    const url = await serve.unread((request) => void request.pause())
    for (const store of stores(url, 50)) {
      await expect(store.put(large)).rejects.toMatchObject({ code: 'bundle_unavailable' })
    }
  })

  test('a caller that gives up during the upload gets its own reason', async () => {
    for (const index of [0, 1, 2]) {
      const controller = new AbortController()
      const url = await serve.unread(() => controller.abort(new Error('enough')))
      await expect(stores(url, 10_000)[index]?.put(large, controller.signal)).rejects.toThrow('enough')
    }
  })
})

describe('kubo store', () => {
  test('another CID than the block’s is an error, not a success', async () => {
    const url = await serve(
      (_, response) => void response.end('{"Key":"QmeV6C6XVt1wf7V7as7Yak3mxPma8jzpqyhtRtCvpKcfBb"}'),
    )
    const put = createKuboStore({ apiUrl: url }).put(new Uint8Array([1]))
    await expect(put).rejects.toMatchObject({ code: 'bundle_mismatch' })
  })

  test('a fault of the node is not the same as a missing block', async () => {
    const url = await serve((_, response) => void response.writeHead(500).end('{"Message":"repo is locked"}'))
    const get = createKuboStore({ apiUrl: url }).get(blockCid(new Uint8Array([1])))
    await expect(get).rejects.toMatchObject({
      code: 'bundle_unavailable',
      details: [expect.stringContaining('locked')],
    })
  })
})
