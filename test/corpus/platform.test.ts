import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBody, decodeResult } from '@peerhost/protocol'
import { createProcessSandbox, type Sandbox } from '@peerhost/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobOf, loadBundle, question, readCorpus } from './corpus.ts'
import type { Deployment } from './generated.ts'

const directory = mkdtempSync(join(tmpdir(), 'peerhost-platform-'))
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await createProcessSandbox({ directory, slots: 2, log: () => {} })
})
afterAll(async () => {
  await sandbox?.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Where the two may differ, and why. All others must not; these must, or they have no place here. */
const known: Readonly<Record<string, string>> = {
  'structures/structured-clone': 'a cloned error is an Error, not one of its own class',
  'structures/structured-clone-refuses': 'a WeakMap is cloned as an empty object instead of refused',
  'addresses/url-object': 'there is no URL.createObjectURL',
  'addresses/params-iteration': 'an iterator is a generator by its name',
  'addresses/url-pattern': 'there is no URLPattern',
  'messages/body-stream': 'what a reader gives has its value before its done',
  'streams/stream-pull': 'desiredSize at the pull that a waiting read asks for',
  'streams/stream-compress-refuses': 'Node compresses text, which the standard refuses',
}

type Answer = { status: number; headers: [string, string][]; text: string }

async function inRealm(deployment: Deployment, path: string): Promise<Answer> {
  const run = await sandbox.run(jobOf(deployment, path), AbortSignal.timeout(120_000))
  const { status, headers, body } = decodeResult(run.result)
  return { status, headers: [...headers] as [string, string][], text: new TextDecoder().decode(decodeBody(body)) }
}

/** The same bundle in this process, with Node's own web platform. */
async function inNode({ bundle }: Deployment, path: string): Promise<Answer> {
  const { method, query, headers, body } = question
  const request = new Request(`https://function.peerhost.internal${path}?${query}`, { method, headers, body })
  const response = await loadBundle(bundle).default?.(request)
  if (!response) throw new Error('The function gave no response.')
  return { status: response.status, headers: [...response.headers], text: await response.text() }
}

test('functions of the web platform alone answer as in Node', { timeout: 600_000 }, async () => {
  const portable = (await readCorpus()).filter(({ isPortable, usesNode }) => isPortable && !usesNode)
  const seen: Record<string, Answer> = {}
  const expected: Record<string, Answer> = {}
  for (const deployment of portable)
    for (const path of deployment.paths) {
      const name = deployment.name + path
      seen[name] = await inRealm(deployment, path)
      expected[name] = await inNode(deployment, path)
    }
  const names = Object.keys(seen)
  expect(names.length).toBeGreaterThan(150)
  const differing = names.filter((name) => JSON.stringify(seen[name]) !== JSON.stringify(expected[name]))
  for (const name of differing) if (!(name in known)) expect.soft(seen[name], name).toEqual(expected[name])
  expect(differing.toSorted()).toEqual(Object.keys(known).toSorted())
})
