import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./fixture/crashingJob.ts', import.meta.url))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-crash-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

type Sent = {
  resultSeal: string
  outcome: number
  status: number
  attestationSignature: string
  result: string
  ran: boolean
}

function start(crashAt: string, body: string): Promise<{ sent: Sent[]; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=@peerhost/source', program, join(directory, 'journal.log'), crashAt, body]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.once('error', reject)
    child.once('close', (_, signal) => {
      const lines = output.split('\n').filter((line) => line !== '')
      resolve({ sent: lines.map((line) => JSON.parse(line) as Sent), signal })
    })
  })
}

describe('equivocation after a crash', () => {
  it.each([
    ['fetch', 'second'],
    ['run', 'second'],
    ['sign', 'second'],
    ['signed', 'second'],
    ['journal', 'second'],
    ['journaled', 'first'],
    ['send', 'first'],
    ['sent', 'first'],
  ])('killed at “%s”, the worker exposes one result of the request: the %s', async (crashAt, expected) => {
    const crashed = await start(crashAt, 'first')
    expect(crashed.signal).toBe('SIGKILL')
    const second = await start('', 'second')
    const third = await start('', 'third')
    const sent = [...crashed.sent, ...second.sent, ...third.sent]
    expect(new Set(sent.map(({ ran: _, ...exposed }) => JSON.stringify(exposed))).size).toBe(1)
    expect(sent[0]?.result).toContain(expected)
    expect(third.sent[0]?.ran).toBe(false)
  })
})
