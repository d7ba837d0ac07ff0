import { constants } from 'node:os'
import { join } from 'node:path'
import type { createEnvelopeKey } from '../envelope/main.ts'
import { createFrameDecoder, encodeFrame } from '../frames.ts'
import { downwardLimits } from '../messages.ts'
import { createStartHost } from './hostProcess.ts'
import { oomKills, privateMemoryBytes } from './memory.ts'
import { rehearse } from './rehearse.ts'
import { killStrays } from './strays.ts'
import { createSupervisor } from './supervisor.ts'

rehearse()
const isFirstProcess = process.pid === 1
const decoder = createFrameDecoder(downwardLimits)
const supervisor = createSupervisor({
  startHost: createStartHost({
    node: join(__dirname, 'nodeHost.cjs'),
    realm: join(__dirname, 'realmHost.cjs'),
    realmScript: join(__dirname, 'realm.js'),
  }),
  createKey: () => {
    const envelope: { createEnvelopeKey: typeof createEnvelopeKey } = require(join(__dirname, 'envelope.cjs'))
    return envelope.createEnvelopeKey()
  },
  send: (header, body) => void process.stdout.write(encodeFrame(header, body)),
  now: () => performance.now(),
  giveUp: (reason) => leave(71, reason),
  privateMemoryBytes,
  oomKills: () => (isFirstProcess ? oomKills() : undefined),
  ...(isFirstProcess ? { killStrays } : {}),
})

function leave(code: number, reason?: unknown): void {
  supervisor.stop()
  if (reason !== undefined) process.stderr.write(`${reason instanceof Error ? reason.stack : String(reason)}\n`)
  process.exit(code)
}

// The worker is the only one this process listens to; a function shares its user and could send any signal.
if (isFirstProcess) {
  for (const signal of Object.keys(constants.signals) as NodeJS.Signals[]) {
    // A fault of this process itself must still end it; the kernel drops these when another process sends them.
    if (['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT', 'SIGTRAP', 'SIGCHLD'].includes(signal)) continue
    try {
      process.on(signal, () => {})
    } catch {}
  }
}
process.on('uncaughtException', (error) => leave(70, error))
process.stdout.on('error', () => leave(0))
process.stdin.on('error', () => leave(0))
process.stdin.on('end', () => leave(0))
process.stdin.on('data', (chunk: Buffer) => {
  try {
    for (const frame of decoder.push(chunk)) supervisor.receive(frame)
  } catch (error) {
    leave(65, error)
  }
})
