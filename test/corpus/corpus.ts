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
  const directory = join(import.meta.dirname, 'project')
  const { functions } = await buildProject({ directory })
  return Promise.all(
    functions.map(async ({ name, bundle }) => {
      const { cases } = await import(join(directory, 'functions', `${name}.ts`))
      const paths = Object.keys(cases).map((path) => `/${path}`)
      return { name, bundle, paths, isPortable: true, usesNode: name.startsWith('node-') }
    }),
  )
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
