import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, expect, test } from 'vitest'
import { createFrameDecoder, encodeFrame, type FrameHeader } from '../src/frames.ts'
import { downwardLimits } from '../src/messages.ts'
import { writePrograms } from '../src/programs.ts'

const directory = await mkdtemp(join(tmpdir(), 'peerhost-programs-'))
await writePrograms({ directory })
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The real program, with this test as its supervisor. */
function startHost(bundle: string) {
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', join(directory, 'realmHost.cjs')],
    {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    },
  )
  const decoder = createFrameDecoder(downwardLimits)
  const frames: { header: FrameHeader; text: string }[] = []
  let wake = () => {}
  const output = child.stdio[3] as Readable
  output.on('data', (chunk: Buffer) => {
    for (const { header, body } of decoder.push(chunk)) frames.push({ header, text: Buffer.from(body).toString() })
    wake()
  })
  const tell = (header: object, body = '') => child.stdin?.write(encodeFrame(header, Buffer.from(body)))
  const limits = { responseBodyBytes: 1_000, timeoutMs: 1_000, logBytes: 1_000 }
  tell({ type: 'load', ...limits, isolation: 'context', isEager: true }, bundle)
  const request = { method: 'GET', path: '/', query: [], headers: [], body: { utf8: '' } }
  return {
    tell,
    run: (id: number) =>
      tell(
        { type: 'run', run: { id, clockMs: 0, seed: `0x${'00'.repeat(32)}`, hasNetwork: true } },
        JSON.stringify(request),
      ),
    async next(type: string) {
      for (;;) {
        const frame = frames.shift()
        if (frame?.header.type === type) return frame
        if (!frame) await new Promise<void>((done) => (wake = done))
      }
    },
    stop: () => child.kill('SIGKILL'),
  }
}

test('what comes back for an execution that is over reaches no other one', async () => {
  const host = startHost(`exports.default = async () => {
    const answer = await fetch('https://a.example')
    return new Response(await answer.text()) }`)
  const head = JSON.stringify({ status: 200, headers: [], url: 'https://a.example', redirected: false })
  await host.next('prepared')
  // It comes after its own execution and before the next one, as when the supervisor passed it on a moment too late.
  host.tell({ type: 'fetched', call: 0, text: head, error: '' }, 'of before')
  host.run(1)
  expect((await host.next('fetch')).header).toMatchObject({ call: 0 })
  host.tell({ type: 'fetched', call: 0, text: head, error: '' }, 'its own')
  expect((await host.next('answer')).text).toBe('its own')
  host.stop()
})
