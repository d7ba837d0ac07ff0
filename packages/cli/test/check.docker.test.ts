import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ReadyDockerEngine, requireDockerEngine } from '@peerhost/devnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runPiped } from './runCommand.ts'

const timeout = 240_000
const project = mkdtempSync(join(tmpdir(), 'peerhost-cli-check-'))
let engine: ReadyDockerEngine

const functions = {
  follows: `export default async (request: Request) =>
    Response.json({ at: Date.now(), drawn: Math.random(), url: new URL(request.url).pathname, tag: request.headers.get('x-tag'), sent: await request.text() })`,
  depends: `export default () => { let depth = 0; const dive = (): void => { depth += 1; dive() }
    try { dive() } catch {} return Response.json({ depth }, { headers: { 'x-depth': String(depth) } }) }`,
  calls: `export const config = { network: { hosts: ['api.example.com'] } }
    export default async () => new Response(await fetch('https://api.example.com/').then(() => 'called', (error) => error.name))`,
  never: `export default () => { for (;;); }`,
}

beforeAll(async () => {
  engine = await requireDockerEngine()
  mkdirSync(join(project, 'functions'))
  for (const [name, source] of Object.entries(functions))
    writeFileSync(join(project, 'functions', `${name}.ts`), source)
}, timeout)
afterAll(async () => {
  rmSync(project, { recursive: true, force: true })
  await engine.release()
}, timeout)

const check = async (...args: string[]) => {
  const { code, stdout, stderr } = await runPiped(['check', ...args, '--json'], { cwd: project })
  return { code, stderr, ...JSON.parse(stdout) }
}

describe('peerhost check', { timeout }, () => {
  it('finds one result of a function that follows from its request, in real containers', async () => {
    const { code, stderr, data } = await check('follows/below?q=1', '-d', 'hello', '-H', 'X-Tag: mine')
    expect(stderr).not.toContain('NOT ISOLATED')
    expect({ code, verdict: data.verdict, differences: data.differences }).toEqual({
      code: 0,
      verdict: 'same',
      differences: [],
    })
    expect(data.runs.length).toBeGreaterThan(10)
    expect(new Set(data.runs.map(({ worker }: { worker: number }) => worker))).toEqual(new Set([0, 1]))
    expect(new Set(data.runs.map(({ result }: { result: number }) => result))).toEqual(new Set([0]))
  })

  it('shows where the results of a function differ that depends on the machine, and ends with 1', async () => {
    const { code, data } = await check('depends', '--no-docker')
    expect({ code, verdict: data.verdict }).toEqual({ code: 1, verdict: 'differs' })
    for (const found of data.differences) {
      const [header, body] = found as { where: string; first: string; second: string; byte?: number }[]
      expect(header).toMatchObject({ where: 'header x-depth', first: expect.stringMatching(/^\d+$/) })
      expect(body?.where).toBe('body')
      expect(body?.byte).toBeGreaterThanOrEqual('{"depth":'.length)
      expect(body?.first).toBe(`{"depth":${header?.first}}`)
    }
    const human = await runPiped(['check', 'depends', '--no-docker'], { cwd: project })
    expect(human.stdout).toMatch(/A and B differ:\n {2}header x-depth\n {4}A {2}\d+\n {4}B {2}\d+/)
    expect(human.stderr).toContain('NOT ISOLATED')
  })

  it('says so when no run came to a result, and ends with 1', async () => {
    const { code, data } = await check('never', '--runs', '2', '--no-docker')
    expect({ code, verdict: data.verdict }).toEqual({ code: 1, verdict: 'no-result' })
    expect(data.runs.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['timed-out', 'timed-out'])
  })

  it('says what a function declares and has not got here', async () => {
    const { code, stderr, data } = await check('calls', '--runs', '2', '--workers', '1', '--no-docker')
    expect({ code, verdict: data.verdict }).toEqual({ code: 0, verdict: 'same' })
    expect(stderr).toContain('each outgoing call of this function fails')
  })

  it('names the functions that there are', async () => {
    const { code, error } = await check('nobody')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'usage' })
    expect(error.hint).toContain('calls, depends, follows, never')
  })
})
