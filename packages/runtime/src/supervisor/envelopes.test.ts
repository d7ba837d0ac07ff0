import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { expect, test } from 'vitest'
import { createEnvelopeKey } from '../envelope/main.ts'
import type { Envelope } from '../messages.ts'
import { createEnvelopes } from './envelopes.ts'

const terms = { clockMs: 0, seed: `0x${'00'.repeat(32)}` }

async function sealedFor(publicKey: string, json = '{"KEY":"value"}'): Promise<Envelope> {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipientPublicKey = await suite.kem.deserializePublicKey(
    new Uint8Array(Buffer.from(publicKey, 'base64')).buffer,
  )
  const text = new TextEncoder().encode(json).buffer
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: new ArrayBuffer(0) }, text)
  const base64 = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64')
  return { context: '', encapsulatedKey: base64(enc), sealed: base64(ct) }
}

test('a key opens the envelope of its execution, once', async () => {
  const envelopes = createEnvelopes(createEnvelopeKey)
  const envelope = await sealedFor(await envelopes.keyFor(1))
  await envelopes.keyFor(2)
  expect(await envelopes.open({ id: 2, ...terms, envelope })).toEqual({ type: 'lost' })
  const run = { id: 1, ...terms }
  expect(await envelopes.open({ ...run, envelope })).toEqual({ type: 'opened', run: { ...run, env: { KEY: 'value' } } })
  expect(await envelopes.open({ ...run, envelope })).toEqual({ type: 'lost' })
})

test('an execution that is cancelled meanwhile does not begin', async () => {
  const envelopes = createEnvelopes(createEnvelopeKey)
  const envelope = await sealedFor(await envelopes.keyFor(1))
  const opened = envelopes.open({ id: 1, ...terms, envelope })
  envelopes.cancel(1)
  expect(await opened).toEqual({ type: 'cancelled' })
  await envelopes.keyFor(2)
  envelopes.cancel(2)
  expect(await envelopes.open({ id: 2, ...terms, envelope })).toEqual({ type: 'lost' })
})

test.each(['"text"', '{"KEY":1}', '[[[]]]', 'null', 'no JSON'])(
  'an envelope with %s is as good as none',
  async (json) => {
    const envelopes = createEnvelopes(createEnvelopeKey)
    const envelope = await sealedFor(await envelopes.keyFor(1), json)
    expect(await envelopes.open({ id: 1, ...terms, envelope })).toEqual({ type: 'lost' })
  },
)
