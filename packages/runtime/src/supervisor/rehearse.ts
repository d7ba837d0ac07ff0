import { createFrameDecoder, encodeFrame } from '../frames.ts'
import { downwardLimits, hostLimits, readFromHost } from '../messages.ts'
import type { HostEvents } from './hostProcess.ts'
import { createSupervisor } from './supervisor.ts'

const settings = {
  isolation: 'process',
  slots: 1,
  timeoutMs: 1_000,
  memoryBytes: 1_048_576,
  logBytes: 100,
  responseBodyBytes: 100,
} as const
const rounds = 3

/**
 * Takes executions of nothing from the first byte to the last, with hosts that are none: V8 has then compiled the way that
 * the only execution of a container at level `container` would else be the first to go.
 */
export function rehearse(): void {
  const worker = createFrameDecoder(downwardLimits)
  const host = createFrameDecoder(hostLimits(settings))
  let events: HostEvents | undefined
  const say = (header: object, body?: Uint8Array) => {
    for (const frame of host.push(encodeFrame(header, body))) events?.message(readFromHost(frame))
  }
  const supervisor = createSupervisor({
    startHost: (_, listener) => {
      events = listener
      return { pid: undefined, load: (load) => encodeFrame(load), send: ({ header }) => encodeFrame(header), kill() {} }
    },
    createKey: () => Promise.reject(new Error('Nothing is sealed here.')),
    send: (header, body) => encodeFrame(header, body),
    now: () => performance.now(),
    privateMemoryBytes: () => undefined,
    oomKills: () => undefined,
    giveUp() {},
  })
  const tell = (header: object, body: Uint8Array) => {
    for (const frame of worker.push(encodeFrame(header, body))) supervisor.receive(frame)
  }
  tell({ type: 'configure', settings }, Buffer.from('exports'))
  for (let id = 0; id < rounds; id += 1) {
    say({ type: 'ready' })
    say({ type: 'prepared' })
    tell({ type: 'run', run: { id, clockMs: 0, seed: `0x${'00'.repeat(32)}` } }, Buffer.from('{}'))
    say({ type: 'log' }, Buffer.from('log'))
    say({ type: 'answer', status: 200, headers: [['a', 'b']] }, Buffer.from('body'))
    events?.closed({ code: 0, signal: null })
  }
  supervisor.stop()
}
