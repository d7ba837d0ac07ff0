import { LIMITS } from '@peerhost/protocol'
import { describe, expect, test } from 'vitest'
import { type BlockSource, blockCid, createHttpSource, fetchBlock } from '../src/index.ts'
import { trustlessGateway } from './imitations.ts'
import { serve } from './localServer.ts'

const bytes = new TextEncoder().encode('module.exports = 1')
const cid = blockCid(bytes)

const honest = async () =>
  createHttpSource({ url: await serve(trustlessGateway(new Map([[cid, bytes]]))), name: 'honest' })
const empty = async () => createHttpSource({ url: await serve(trustlessGateway(new Map())), name: 'empty' })
const lying = async (name = 'lying') =>
  createHttpSource({ url: await serve((_, response) => void response.end('module.exports = 2')), name })

/** Sends its head and a byte, then nothing more. */
const slow = async () => {
  const url = await serve((_, response) => void response.writeHead(200, { 'content-length': '18' }).write('m'))
  return createHttpSource({ url, name: 'slow', timeoutMs: 50 })
}

/** Sends without end; counts what got through. */
const endless = async (sent: { bytes: number }) => {
  const url = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent.bytes += 65_536
    }
    response.on('drain', more)
    more()
  })
  return createHttpSource({ url, name: 'endless' })
}

describe('fetchBlock', () => {
  test('takes the first source that has the block', async () => {
    const fetched = await fetchBlock([await empty(), await honest(), await lying()], cid)
    expect(fetched).toEqual({ bytes: Buffer.from(bytes), source: 'honest', rejected: [] })
  })

  test('names a source that lies and asks the next', async () => {
    const fetched = await fetchBlock([await lying(), await honest()], cid)
    expect(fetched.source).toBe('honest')
    expect(fetched.rejected).toEqual([
      { source: 'lying', kind: 'mismatch', reason: expect.stringContaining(`Asked for: ${cid}`) },
    ])
  })

  test('verifies what a source returns even when the source does not', async () => {
    const careless: BlockSource = { name: 'careless', get: async () => new Uint8Array([1]) }
    const fetched = await fetchBlock([careless, await honest()], cid)
    expect(fetched.rejected).toMatchObject([{ source: 'careless', kind: 'mismatch' }])
  })

  test('bundle_mismatch when every block that was served is wrong', async () => {
    const outcome = fetchBlock([await lying('one'), await empty(), await lying('two')], cid)
    await expect(outcome).rejects.toMatchObject({
      code: 'bundle_mismatch',
      details: [
        `Block: ${cid}`,
        expect.stringMatching(/^one: /),
        expect.stringMatching(/^two: /),
        'empty: does not have it.',
      ],
    })
  })

  test('bundle_unavailable when no source has it', async () => {
    const outcome = fetchBlock([await empty()], cid)
    await expect(outcome).rejects.toMatchObject({ code: 'bundle_unavailable', hint: expect.any(String) })
    await expect(fetchBlock([], cid)).rejects.toMatchObject({ code: 'bundle_unavailable' })
  })

  test('goes on after a slow source', async () => {
    const fetched = await fetchBlock([await slow(), await honest()], cid)
    expect(fetched).toMatchObject({ source: 'honest', rejected: [{ source: 'slow', kind: 'failed' }] })
    expect(fetched.rejected[0]?.reason).toContain('within 50 ms')
  })

  test('does not wait for a source that ignores every signal', async () => {
    const deaf: BlockSource = { name: 'deaf', get: () => new Promise(() => {}) }
    const fetched = await fetchBlock([deaf, await honest()], cid, { sourceTimeoutMs: 20 })
    expect(fetched.rejected).toEqual([{ source: 'deaf', kind: 'failed', reason: 'No answer within 20 ms.' }])
  })

  test('stops reading a source that sends too much', async () => {
    const sent = { bytes: 0 }
    const fetched = await fetchBlock([await endless(sent), await honest()], cid)
    expect(fetched.rejected).toMatchObject([{ source: 'endless', kind: 'too-large' }])
    expect(sent.bytes).toBeLessThan(LIMITS.bundleBytes * 16)
  })

  test('holds every source to the caller’s own limit', async () => {
    const outcome = fetchBlock([await honest()], cid, { maxBytes: bytes.length - 1 })
    await expect(outcome).rejects.toMatchObject({
      code: 'bundle_unavailable',
      details: [expect.any(String), expect.stringContaining('limit')],
    })
  })

  test('a source that is not there is one line of the report', async () => {
    const gone = createHttpSource({ url: 'http://127.0.0.1:1', name: 'gone' })
    const fetched = await fetchBlock([gone, await honest()], cid)
    expect(fetched.rejected).toMatchObject([{ source: 'gone', kind: 'failed' }])
  })

  test('ends with the caller’s reason when the caller aborts', async () => {
    const controller = new AbortController()
    const waiting: BlockSource = {
      name: 'waiting',
      get: () => {
        controller.abort(new Error('enough'))
        return new Promise(() => {})
      },
    }
    await expect(fetchBlock([waiting, await honest()], cid, { signal: controller.signal })).rejects.toThrow('enough')
  })

  test('refuses a CID that is not one of ours before it asks anybody', async () => {
    const never: BlockSource = { name: 'never', get: () => Promise.reject(new Error('was asked')) }
    await expect(fetchBlock([never], 'bafy')).rejects.toMatchObject({ code: 'request_invalid' })
  })
})

describe('http source', () => {
  test('follows a redirect within the same host', async () => {
    const read = trustlessGateway(new Map([[cid, bytes]]))
    const url = await serve((request, response, body) => {
      if (!request.url?.startsWith('/moved')) return read(request, response, body)
      response.writeHead(301, { location: request.url.replace('/moved', '') }).end()
    })
    expect(await createHttpSource({ url: `${url}/moved` }).get(cid)).toEqual(Buffer.from(bytes))
  })

  test('does not follow a redirect to another host, and names it', async () => {
    const url = await serve(
      (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    )
    await expect(createHttpSource({ url }).get(cid)).rejects.toMatchObject({
      code: 'bundle_unavailable',
      details: ['Redirects to: http://169.254.169.254'],
    })
  })

  test('ends a circle of redirects', async () => {
    let asked = 0
    const url = await serve((request, response) => {
      asked++
      response.writeHead(302, { location: request.url ?? '/' }).end()
    })
    await expect(createHttpSource({ url }).get(cid)).rejects.toMatchObject({ code: 'bundle_unavailable' })
    expect(asked).toBe(4)
  })

  test('sends its headers, and follows no redirect with them', async () => {
    const tokens: (string | undefined)[] = []
    const url = await serve((request, response) => {
      tokens.push(request.headers['x-token']?.toString())
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    const source = createHttpSource({ url, headers: { 'x-token': 'secret' } })
    await expect(source.get(cid)).rejects.toMatchObject({ code: 'bundle_unavailable' })
    expect(tokens).toEqual(['secret'])
  })

  test('says what the server answered instead of a block', async () => {
    const url = await serve((_, response) => void response.writeHead(503).end('\u001b[31mbusy\n\n now'))
    await expect(createHttpSource({ url, name: 'x' }).get(cid)).rejects.toMatchObject({
      message: 'x answered 503.',
      details: ['[31mbusy now'],
    })
  })
})
