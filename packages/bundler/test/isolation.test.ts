import { isolationOf } from '@peerhost/protocol'
import { describe, expect, test } from 'vitest'
import { buildFiles, type Files, failureOf } from './makeProject.ts'

const built = async (files: Files) => {
  const { functions } = await buildFiles({ 'package.json': '{"name":"demo","type":"module"}', ...files })
  const [first] = functions
  if (!first) throw new Error('Nothing was built.')
  return { level: isolationOf(first.flags), text: new TextDecoder().decode(first.bundle) }
}
const handler = `export default () => new Response('x')`

describe('the level of isolation', () => {
  test('is context where the web platform is enough', async () => {
    const { level, text } = await built({ 'functions/a.ts': handler })
    expect(level).toBe('context')
    expect(text).not.toContain('use node')
  })

  test.each([
    [
      'a module of Node',
      { 'functions/a.ts': `import { createHash } from 'node:crypto'; export default () => createHash` },
    ],
    ['the process', { 'functions/a.ts': `import process from 'node:process'; export default () => process` }],
    ['a global of Node in its own source', { 'functions/a.ts': `export default () => Buffer.from('x')` }],
    [
      'a module of Node in a package',
      {
        'functions/a.ts': `import { hash } from 'lib'; export default () => hash`,
        'node_modules/lib/package.json': '{"name":"lib","version":"1.0.0","main":"index.js"}',
        'node_modules/lib/index.js': 'exports.hash = require("crypto").createHash',
      },
    ],
  ])('is process where it uses %s, and the bundle says so first', async (_, files) => {
    const { level, text } = await built(files)
    expect(level).toBe('process')
    expect(text).toMatch(/^"use node";/)
  })

  test('is not raised by a package that looks for a global and has another way', async () => {
    const lib = `exports.id = typeof process !== 'undefined' && process.env ? 'node' : 'web'`
    const files = {
      'functions/a.ts': `import { id } from 'lib'; export default () => new Response(id)`,
      'node_modules/lib/package.json': '{"name":"lib","version":"1.0.0","main":"index.js"}',
      'node_modules/lib/index.js': lib,
    }
    expect((await built(files)).level).toBe('context')
  })

  test.each(['context', 'process', 'container', 'shared'] as const)(
    'is %s where the settings say so',
    async (level) => {
      expect(
        (await built({ 'functions/a.ts': `export const config = { isolation: '${level}' }\n${handler}` })).level,
      ).toBe(level)
    },
  )

  test('context for what needs Node is refused, with the way to it', async () => {
    const failure = await failureOf({
      'package.json': '{"name":"demo","type":"module"}',
      'functions/a.ts': `import { hash } from 'lib'; export const config = { isolation: 'context' }; export default () => hash`,
      'node_modules/lib/package.json': '{"name":"lib","version":"1.0.0","main":"index.js"}',
      'node_modules/lib/index.js': 'exports.hash = require("crypto").createHash',
    })
    expect(failure).toMatchObject({ code: 'build_failed', details: ['functions/a.ts → lib → node:crypto'] })
  })

  test('shared and deterministic is refused', async () => {
    const source = `export const config = { isolation: 'shared', deterministic: true }\n${handler}`
    const failure = await failureOf({ 'package.json': '{"name":"demo","type":"module"}', 'functions/a.ts': source })
    expect(failure.code).toBe('config_invalid')
  })
})
