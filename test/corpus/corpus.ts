import { createRequire } from 'node:module'
import { join } from 'node:path'
import { buildProject } from '@peerhost/bundler'
import { canonicalRequest, encodeRequest, LIMITS_CLASSES } from '@peerhost/protocol'
import type { SandboxJob } from '@peerhost/worker'
import { type Deployment, generateDeployments } from './generated.ts'

const seed = 20_240_229

/** What every function of the corpus is asked with, but for its path. */
export const question = {
  method: 'POST',
  query: 'q=1&r=%C3%A4',
  headers: [
    ['content-type', 'application/json'],
    ['x-corpus', 'yes'],
  ] as [string, string][],
  body: '{"n":41}',
}

/** All functions: those of real libraries, and generated ones. */
export async function readCorpus(): Promise<Deployment[]> {
  return [...(await buildLibraries()), ...generateDeployments(seed)]
}

async function buildLibraries(): Promise<Deployment[]> {
  const { functions } = await buildProject({ directory: join(import.meta.dirname, 'project') })
  return Promise.all(
    functions.map(async ({ name, bundle }) => {
      const listed = await loadBundle(bundle).default?.(new Request('https://corpus.invalid/'))
      const names = (await listed?.json()) as string[]
      const paths = names.map((path) => `/${path}`)
      return { name, bundle, paths, isPortable: !withChance.has(name), usesNode: name.startsWith('node-') }
    }),
  )
}

/** Libraries whose answers need the execution's own clock or chance to be the same. */
const withChance = new Set(['identifiers', 'compression', 'memory'])

type BundleExports = { default?: (request: Request) => Promise<Response> }

/** What a bundle exports when it is loaded into this process, with Node's own web platform. */
export function loadBundle(bundle: Uint8Array): BundleExports {
  const module: { exports: BundleExports } = { exports: {} }
  const run = new Function('exports', 'require', 'module', new TextDecoder().decode(bundle))
  run(module.exports, createRequire(import.meta.url), module)
  return module.exports
}

/** The same execution, whichever worker runs it. */
export function jobOf({ name, bundle }: Deployment, path: string): SandboxJob {
  const { method, query, headers, body } = question
  const raw = { method, path, query, headers, body: new TextEncoder().encode(body) }
  return {
    deployment: name,
    bundle,
    limits: LIMITS_CLASSES[2],
    request: encodeRequest(canonicalRequest(raw)),
    issuedAt: 1_700_000_000,
    seed: `0x${'5e'.repeat(32)}`,
  }
}
