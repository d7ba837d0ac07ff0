// Calls the handler directly with signatures made here: any changed byte must be refused.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { exampleSecret, POST } from './functions/receive.ts'

const hmac = (...parts: (string | Uint8Array)[]) => {
  const mac = createHmac('sha256', exampleSecret)
  for (const part of parts) mac.update(part)
  return mac
}
const send = (body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string>) =>
  POST(new Request('https://example.test/receive', { method: 'POST', body, headers }))
const answerOf = async (response: Response) => (await response.json()) as { bytes: number; event: string | null }

// White space, an escape, a BOM and bytes that are no UTF-8: all of it is signed as it is.
const bodies = ['{ "a":1,\n "b":"\\u00e9" }', '', '\ufeff{}', new Uint8Array([0, 255, 254, 128, 10])]
for (const body of bodies) {
  const bytes = Buffer.from(body)
  const answer = await send(body, { 'x-hub-signature-256': `sha256=${hmac(bytes).digest('hex')}` })
  assert.equal(answer.status, 200)
  assert.equal((await answerOf(answer)).bytes, bytes.length)
}

const signed = { 'x-hub-signature-256': `sha256=${hmac('{"a":1}').digest('hex')}`, 'x-github-event': 'push' }
assert.equal((await answerOf(await send('{"a":1}', signed))).event, 'push')
assert.equal((await send('{"a": 1}', signed)).status, 401)
assert.equal((await send('{"a":1}', {})).status, 401)
assert.equal((await send('{"a":1}', { 'x-hub-signature-256': 'sha256=00' })).status, 401)

const seconds = Math.floor(Date.now() / 1_000)
const standard = (timestamp: number, signature: string) => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
})
const good = `v1,${hmac(`msg_1.${seconds}.`, '{"a":1}').digest('base64')}`
assert.equal((await send('{"a":1}', standard(seconds, good))).status, 200)
assert.equal((await send('{"a":1}', standard(seconds, `v1,AAAA ${good}`))).status, 200)
assert.equal((await send('{"a":2}', standard(seconds, good))).status, 401)
const old = `v1,${hmac(`msg_1.${seconds - 3_600}.`, '{"a":1}').digest('base64')}`
assert.equal((await send('{"a":1}', standard(seconds - 3_600, old))).status, 401)

process.stdout.write('webhook: only exact bytes with the right signature pass\n')
