import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalRequest, encodeRequest, limitsClass } from '@peerhost/protocol'
import { transformSync } from 'esbuild'

/** A function of the corpus: `entropy` should depend on the machine, `controls` must not. */
export type CorpusFunction = { name: string; kind: 'entropy' | 'controls'; job: CorpusJob }
export type CorpusJob = ReturnType<typeof jobOf>

const directory = join(import.meta.dirname, 'corpus')

const needsNode = /from 'node:|\bsetImmediate\b/

/** Every function of the corpus, ready to run: on Node, and on the web platform where it needs no Node. */
export function loadCorpus(): CorpusFunction[] {
  return (['entropy', 'controls'] as const).flatMap((kind) =>
    readdirSync(join(directory, kind))
      .sort()
      .flatMap((file) => {
        const name = file.replace('.ts', '')
        const source = readFileSync(join(directory, kind, file), 'utf8')
        const onNode = { name, kind, job: jobOf(name, `"use node"\n${source}`, 'process') }
        const onWeb = { name: `${name} (web)`, kind, job: jobOf(`${name}-web`, source, 'context') }
        return needsNode.test(source) ? [onNode] : [onNode, onWeb]
      }),
  )
}

function jobOf(name: string, source: string, isolation: 'context' | 'process') {
  const limits = limitsClass(1)
  if (!limits) throw new Error('There is no first limits class.')
  const { code } = transformSync(source, { loader: 'ts', format: 'cjs', target: 'node24' })
  return {
    deployment: `${name}:1`,
    isolation,
    bundle: new TextEncoder().encode(code),
    limits,
    request: encodeRequest(
      canonicalRequest({ method: 'GET', path: '/', query: 'a=b', headers: [], body: new Uint8Array(0) }),
    ),
    issuedAt: 1_800_000_000,
    seed: `0x${'5e'.repeat(32)}` as const,
  }
}
