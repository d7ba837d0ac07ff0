import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { buildProject } from '../src/index.ts'

const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url))

test('weather builds: one free and one priced function, with a package bundled', async () => {
  const { project, functions, warnings } = await buildProject({ directory: example('weather') })
  expect(project).toBe('weather')
  expect(warnings).toEqual([])
  expect(functions.map(({ name, price, metadata }) => [name, price, metadata.methods])).toEqual([
    ['forecast', 1_000n, ['GET', 'POST']],
    ['today', 0n, ['GET']],
  ])
  for (const { metadata } of functions)
    expect(metadata).toMatchObject({ input: { type: 'object' }, output: { type: 'object' } })
  expect(new TextDecoder().decode(functions[0]?.bundle)).toContain('ZodMiniString')
})

test('webhook builds', async () => {
  const { project, functions } = await buildProject({ directory: example('webhook') })
  expect([project, functions.map(({ name }) => name)]).toEqual(['webhook', ['receive']])
})

test.each(['weather', 'webhook'])('the handlers of %s answer as they should', (name) => {
  expect(execFileSync(process.execPath, [`${example(name)}/check.ts`]).toString()).toContain(name)
})
