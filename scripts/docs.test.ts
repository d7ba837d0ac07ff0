import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCodes } from '@peerhost/protocol'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

test('every error code is explained once, and no other', () => {
  const explained = [...read('docs/errors.md').matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1])
  expect([...explained].sort()).toEqual([...errorCodes].sort())
})

test('every dependency has its reason', () => {
  const rows = [...read('docs/dependencies.md').matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].map(
    (match) => match[1] ?? '',
  )
  const reasons = new Set(rows.flatMap((names) => [...names.matchAll(/`([^`]+)`/g)].map((match) => match[1])))
  const manifests = ['package.json', ...globSync('{packages,examples}/*/package.json', { cwd: root })]
  const used = manifests.flatMap((file) => {
    const manifest = JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>
    return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    )
  })
  const external = [...new Set(used.filter((name) => !name.startsWith('@peerhost/') && !name.startsWith('@types/')))]
  expect(external.filter((name) => !reasons.has(name))).toEqual([])
  expect([...reasons].filter((name) => name !== undefined && !external.includes(name))).toEqual([])
})

describe.each(
  globSync(
    '{*.md,docs/**/*.md,packages/*/README.md,examples/*/README.md,bench/*.md,vectors/*.md,contracts/*.md,examples/*.md}',
    { cwd: root },
  ),
)('%s', (file) => {
  test('links to files that exist', () => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? '')
    expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([])
  })

  test('names source files that exist', () => {
    const named = [
      ...read(file).matchAll(
        /`((?:packages|contracts|examples|scripts|bench|vectors|test)\/[\w./-]+\.(?:ts|sol|json|md))`/g,
      ),
    ].map((match) => match[1] ?? '')
    expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([])
  })
})
