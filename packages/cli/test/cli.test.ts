import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LIMITS } from '@peerhost/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands } from '../src/commands/index.ts'
import { peerhost, runOnTerminal, runPiped } from './runCommand.ts'

const escapeCharacter = String.fromCharCode(27)
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'peerhost-cli-test-'))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('through a pipe', () => {
  it('prints help without colours and ends with 0', async () => {
    const { code, stdout, stderr } = await runPiped(['--help'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).not.toContain(escapeCharacter)
    for (const { name } of commands) expect(stdout).toContain(name.split(' ')[0])
  })

  it('prints help for nothing at all', async () => {
    const { code, stdout } = await runPiped([])
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: peerhost')
  })

  it('gives every command its examples', async () => {
    for (const { name, examples } of commands) {
      const { code, stdout } = await runPiped([...name.split(' '), '--help'])
      expect(code, name).toBe(0)
      expect(stdout, name).toContain('--json')
      for (const example of examples) expect(stdout, name).toContain(example)
    }
  })

  it('puts one line of JSON on stdout and nothing else', async () => {
    const { code, stdout, stderr } = await runPiped(['limits', '--json'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    expect(stdout.trimEnd().split('\n')).toHaveLength(1)
    const { ok, data } = JSON.parse(stdout)
    expect(ok).toBe(true)
    expect(data.limits.requestBodyBytes).toBe(LIMITS.requestBodyBytes)
    expect(data.classes[0].fee).toBe('100')
  })

  it('stays quiet when the reader closes the pipe', async () => {
    const command = `${peerhost.map((part) => `'${part}'`).join(' ')} limits | true; echo "codes \${PIPESTATUS[*]}"`
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', command])
    expect(stdout).toBe('codes 0 0\n')
    expect(stderr).toBe('')
  })
})

describe('a command line that is not understood', () => {
  it.each([
    { args: ['depoly'], message: "unknown command 'depoly'", hint: 'Did you mean deploy?' },
    { args: ['price', 'gte', 'a/b'], message: "unknown command 'gte'", hint: 'Did you mean get?' },
    { args: ['price'], message: 'Which command of this group?' },
    { args: ['deploy', '--dryrun'], message: "unknown option '--dryrun'", hint: 'Did you mean --dry-run?' },
    { args: ['inspect'], message: "missing required argument 'function'" },
    { args: ['ls', 'one', 'two'], message: 'too many arguments' },
    { args: ['dev', '--workers', '0'], message: '“0” is not a whole number from 1 to 16.' },
    { args: ['call', 'http://x/y', '--max-price', '1e3'], message: '“1e3” is not an amount.' },
    { args: ['call', 'nonsense'], message: '“nonsense” is not a URL.' },
    { args: ['worker', 'drain'], message: 'This acts for an operator and needs its wallet.' },
    { args: ['verify', '/no/such/file'], message: '/no/such/file cannot be read.' },
  ])('$args ends with 2 and says what', async ({ args, message, hint }) => {
    const human = await runPiped(args)
    expect(human.code).toBe(2)
    expect(human.stdout).toBe('')
    const json = await runPiped([...args, '--json'])
    expect(json.code).toBe(2)
    expect(json.stderr).toBe('')
    const { ok, error } = JSON.parse(json.stdout)
    expect(ok).toBe(false)
    expect(error.code).toBe('usage')
    expect(error.message).toContain(message)
    if (hint) {
      expect(error.hint).toContain(hint)
      expect(human.stderr).toContain(hint)
    }
  })
})

describe('a gateway that does not answer', () => {
  it('is a failure with a code and what to do next', async () => {
    const gateway = 'http://127.0.0.1:1'
    const json = await runPiped(['ls', '--gateway', gateway, '--json'])
    expect(json.code).toBe(1)
    const { error } = JSON.parse(json.stdout)
    expect(error.code).toBe('gateway_unavailable')
    expect(error.hint).toBeTruthy()
    const human = await runPiped(['ls'], { env: { PEERHOST_GATEWAY: gateway } })
    expect(human.stdout).toBe('')
    expect(human.stderr).toContain('next')
  })
})

describe('a gateway that hangs', () => {
  let server: Server
  let gateway: string
  let asked: Promise<void>

  beforeAll(async () => {
    const request = Promise.withResolvers<void>()
    asked = request.promise
    server = createServer(() => request.resolve())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it('is left on Ctrl-C with 130', async () => {
    const command = `${peerhost.map((part) => `'${part}'`).join(' ')} ls --json --gateway ${gateway}`
    const child = execFile('bash', ['-c', `exec ${command}`])
    const out: string[] = []
    child.stdout?.on('data', (text: string) => out.push(text))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    await asked
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(JSON.parse(out.join('')).error.code).toBe('interrupted')
  })
})

describe('on a terminal', () => {
  it('uses colours', async () => {
    const { code, stdout } = await runOnTerminal(['limits'])
    expect(code).toBe(0)
    expect(stdout).toContain(`${escapeCharacter}[2m`)
  })

  it.each([
    { name: 'NO_COLOR', args: ['limits'], env: { NO_COLOR: '1' } },
    { name: '--no-color', args: ['limits', '--no-color'], env: {} },
    { name: '--json', args: ['limits', '--json'], env: {} },
  ])('does not with $name', async ({ args, env }) => {
    const { code, stdout } = await runOnTerminal(args, { env: env as Record<string, string> })
    expect(code).toBe(0)
    expect(stdout).not.toContain(escapeCharacter)
  })

  it('asks for the password of a keystore, and away from one says how to give it', async () => {
    const file = join(directory, 'keystore.json')
    writeFileSync(file, '{"version":3}', { mode: 0o600 })
    const piped = await runPiped(['price', 'set', 'a/b', '1', '--account', file, '--json'])
    expect(piped.code).toBe(1)
    expect(JSON.parse(piped.stdout).error).toMatchObject({ code: 'keystore_locked' })
    expect(JSON.parse(piped.stdout).error.hint).toContain('PEERHOST_KEYSTORE_PASSWORD_FILE')
  })
})
