import { execFileSync } from 'node:child_process'
import { mkdir, rename, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cidToDigest, decodeCanonicalJson, digestToCid, LIMITS } from '@peerhost/protocol'
import { sha256 } from 'viem'
import { describe, expect, test } from 'vitest'
import { type BuiltFunction, buildProject } from '../src/index.ts'
import {
  buildFiles,
  evaluate,
  type Files,
  failureOf,
  hello,
  makeFolder,
  makeProject,
  writeFiles,
} from './makeProject.ts'

const only = async (files: Files): Promise<BuiltFunction> => {
  const { functions } = await buildFiles(files)
  if (!functions[0]) throw new Error('Nothing was built.')
  return functions[0]
}
const textOf = ({ bundle }: BuiltFunction) => new TextDecoder().decode(bundle)

/** Packages of every kind a bundle meets: CommonJS, ES modules, both by condition, one that needs the other. */
const packages: Files = {
  'old/package.json': '{"name":"old","version":"1.0.0","main":"lib/index.js"}',
  'old/lib/index.js':
    'const inner = require("@scope/inner"); module.exports = function old() { return "old " + inner.name }',
  '@scope/inner/package.json': '{"name":"@scope/inner","version":"2.0.0","main":"./index.js"}',
  '@scope/inner/index.js': '/*! licence */ exports.name = "inner"; exports.unused = __dirname => __dirname',
  'young/package.json':
    '{"name":"young","type":"module","exports":{".":{"node":"./node.js","worker":"./worker.js"}},"sideEffects":false}',
  'young/node.js': 'import net from "node:net"; export const where = net',
  'young/worker.js': '// a comment\nexport const where = "worker"; export const unused = "must be shaken off"',
}
const source: Files = {
  'package.json': '{"name":"demo","type":"module"}',
  'functions/a.ts': `
    import { createHash } from 'node:crypto'
    import old from 'old'
    import { where } from 'young'
    import { greet } from '../src/greet.ts'
    import data from '../src/data.json' with { type: 'json' }
    export default (request: Request) => [old(), where, greet('é'), data.n, createHash('sha256').update('x').digest('hex').length]`,
  'src/greet.ts': "export const greet = (name: string): string => 'hello ' + name",
  'src/data.json': '{ "n": 7 }',
  'functions/b.ts': `import { inner } from '../src/greet2.ts'\nexport const GET = () => new Response(inner)`,
  'src/greet2.ts': `export { name as inner } from '@scope/inner'`,
}

const below = (folder: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]))

describe('the same source gives the same bytes', () => {
  const cids = async (directory: string) => (await buildProject({ directory })).functions.map(({ cid }) => cid)

  test('in two folders, whatever order the files were written in', async () => {
    const all = { ...source, ...below('node_modules', packages) }
    const one = await cids(await makeFolder(all, 'one'))
    const other = await cids(await makeFolder(Object.fromEntries(Object.entries(all).reverse()), 'another/deep/down'))
    expect(one).toHaveLength(2)
    expect(other).toEqual(one)
  })

  test('wherever node_modules lies and whoever laid it out', async () => {
    const expected = await cids(await makeFolder({ ...source, ...below('node_modules', packages) }))
    const hoisted = await makeFolder({ ...below('apps/demo', source), ...below('node_modules', packages) })
    expect(await cids(join(hoisted, 'apps/demo'))).toEqual(expected)

    const pnpm = await makeFolder(source)
    for (const name of ['old', '@scope/inner', 'young']) {
      const files = Object.entries(packages).filter(([path]) => path.startsWith(`${name}/`))
      const home = join(pnpm, 'node_modules/.pnpm', `${name.replace('/', '+')}@1.0.0`, 'node_modules')
      await writeFiles(home, Object.fromEntries(files))
      await mkdir(dirname(join(pnpm, 'node_modules', name)), { recursive: true })
      await symlink(join(home, name), join(pnpm, 'node_modules', name))
    }
    const scope = join(pnpm, 'node_modules/.pnpm/old@1.0.0/node_modules/@scope')
    await mkdir(scope)
    await symlink(join(pnpm, 'node_modules/.pnpm/@scope+inner@1.0.0/node_modules/@scope/inner'), join(scope, 'inner'))
    expect(await cids(pnpm)).toEqual(expected)
  })

  test('from another working directory, with another environment', async () => {
    const directory = await makeFolder({ ...source, ...below('node_modules', packages) })
    const index = fileURLToPath(new URL('../src/index.ts', import.meta.url))
    const script = `const { buildProject } = await import(${JSON.stringify(index)})
      const { functions } = await buildProject({ directory: ${JSON.stringify(directory)} })
      process.stdout.write(JSON.stringify(functions.map(({ cid }) => cid)))`
    const output = execFileSync(
      process.execPath,
      ['--conditions=@peerhost/source', '--input-type=module', '-e', script],
      { cwd: '/', env: { NODE_ENV: 'development', NODE_PATH: '/usr/lib', TZ: 'Asia/Tokyo', LANG: 'C' } },
    )
    expect(JSON.parse(output.toString())).toEqual(await cids(directory))
  })

  test('whatever the tsconfig of a folder around it says', async () => {
    const classes = { 'functions/a.ts': `export class A { x = 1 }\n${hello}`, 'package.json': '{"name":"demo"}' }
    const plain = await cids(await makeFolder(classes))
    const surrounded = await makeFolder({
      ...below('apps/demo', classes),
      'tsconfig.json': '{"compilerOptions":{"target":"es5","useDefineForClassFields":false,"jsx":"react-jsx"}}',
    })
    expect(await cids(join(surrounded, 'apps/demo'))).toEqual(plain)
  })

  test('for a project that is reached through a link', async () => {
    const directory = await makeFolder({ ...source, ...below('node_modules', packages) })
    await symlink(directory, `${directory}-link`)
    expect(await cids(`${directory}-link`)).toEqual(await cids(directory))
  })

  test('and other source gives other bytes', async () => {
    const directory = await makeFolder({ ...source, ...below('node_modules', packages) })
    const [before] = await cids(directory)
    await writeFiles(directory, { 'src/data.json': '{ "n": 8 }' })
    expect((await cids(directory))[0]).not.toBe(before)
    await rename(join(directory, 'src/greet2.ts'), join(directory, 'src/greet3.ts'))
    await expect(cids(directory)).rejects.toMatchObject({ code: 'build_failed' })
  })
})

describe('a bundle', () => {
  test('is a CommonJS script that works with the allowed modules only', async () => {
    const built = await only({ ...source, ...below('node_modules', packages) })
    const required: string[] = []
    const exports = evaluate(built.bundle, (id) => {
      required.push(id)
      return createRequire(import.meta.url)(id)
    })
    expect((exports.default as () => unknown)()).toEqual(['old inner', 'worker', 'hello é', 7, 64])
    expect(required).toEqual(['node:crypto'])
  })

  test('holds no path, no comment, no type and nothing unused', async () => {
    const directory = await makeFolder({ ...source, ...below('node_modules', packages) })
    const { functions } = await buildProject({ directory })
    const text = functions.map(textOf).join('')
    for (const absent of [directory, '../', 'licence', 'a comment', 'shaken off', 'Request)', 'sourceMappingURL']) {
      expect(text).not.toContain(absent)
    }
    expect(text).toContain('"node_modules/@scope/inner/index.js"')
  })

  test('exports the handlers and nothing else', async () => {
    const built = await only({
      'functions/a.ts':
        'export const GET = () => 1\nexport const POST = () => 2\nexport const helper = 3\nexport type T = 4',
    })
    expect(Object.keys(evaluate(built.bundle))).toEqual(['GET', 'POST'])
  })

  test('knows it runs in production and takes nothing else from the environment', async () => {
    process.env.PEERHOST_TEST_SECRET = 'must stay here'
    const built = await only({
      'functions/a.ts': `export default () => [process.env.NODE_ENV, process.env.PEERHOST_TEST_SECRET]`,
      '.env': 'PEERHOST_TEST_SECRET=nor this',
    })
    delete process.env.PEERHOST_TEST_SECRET
    expect(textOf(built)).toContain('"production",process.env.PEERHOST_TEST_SECRET')
    expect(textOf(built)).not.toMatch(/must stay here|nor this/)
  })

  test('has process and console as modules, which are only globals', async () => {
    const built = await only({
      'functions/a.ts': `import process, { env } from 'node:process'\nimport console from 'console'
        export default () => [process === globalThis.process, env === globalThis.process.env, typeof console.log]`,
    })
    expect((evaluate(built.bundle).default as () => unknown)()).toEqual([true, true, 'function'])
  })

  test('turns import() into something a script can do', async () => {
    const built = await only({
      'functions/a.ts': `export default async () => [(await import('../lazy.ts')).x, typeof (await import('node:crypto')).createHash]`,
      'lazy.ts': 'export const x = 1',
    })
    expect(textOf(built)).not.toMatch(/\bimport\(/)
    const exports = evaluate(built.bundle, createRequire(import.meta.url))
    expect(await (exports.default as () => Promise<unknown>)()).toEqual([1, 'function'])
  })

  test('can be written in CommonJS, in .js, .mjs, .mts and .tsx', async () => {
    const { functions } = await buildFiles({
      'package.json': '{"name":"demo"}',
      'functions/a.js': 'module.exports = { fetch: () => 1 }',
      'functions/b.js': 'exports.GET = () => 2',
      'functions/c.mjs': hello,
      'functions/d.mts': `${hello} satisfies object`,
      'functions/e.tsx': `const h = (tag: string) => tag\n/** @jsx h */\nexport default () => <b/>`,
    })
    const [a, b, , , e] = functions.map(({ bundle }) => evaluate(bundle))
    expect([Object.keys(a ?? {}), Object.keys(b ?? {}), (e as { default: () => string }).default()]).toEqual([
      ['fetch'],
      ['GET'],
      'b',
    ])
  })

  test('is named by sha2-256, and so is its metadata', async () => {
    const built = await only({
      'functions/admin/list.ts': `export const config = { description: 'lists', input: { type: 'object' } }\nexport const POST = () => 1\nexport const GET = () => 2`,
    })
    expect(built.digest).toBe(sha256(built.bundle))
    expect(built.cid).toBe(digestToCid(built.digest))
    expect(built.metadataDigest).toBe(sha256(built.metadataBytes))
    expect(cidToDigest(built.metadataCid)).toBe(built.metadataDigest)
    expect(decodeCanonicalJson(built.metadataBytes)).toEqual({
      v: 1,
      name: 'admin/list',
      description: 'lists',
      methods: ['GET', 'POST'],
      input: { type: 'object' },
      runtime: 'node24',
      bundleCid: built.cid,
    })
  })

  test('that is too large names what makes it large', async () => {
    const error = await failureOf({
      'functions/a.ts': `import big from 'big'\nimport { also } from '../also.ts'\nexport default () => [big, also]`,
      'node_modules/big/package.json': '{"name":"big","main":"index.js"}',
      'node_modules/big/index.js': `module.exports = ${JSON.stringify('x'.repeat(LIMITS.bundleBytes))}`,
      'also.ts': `export const also = ${JSON.stringify('y'.repeat(1_000))}`,
    })
    expect(error).toMatchObject({ code: 'bundle_too_large', message: expect.stringContaining('“a”') })
    expect(error.details.map((line) => line.split(':')[0])).toEqual(['big', 'also.ts', 'functions/a.ts'])
  })
})

describe('handlers', () => {
  test.each([
    ['a default object', hello, 7],
    ['a default function', 'export default () => 1', 7],
    ['a default that comes from elsewhere', `export { default } from '../src/x.ts'`, 7],
    ['methods', 'export function GET() {}\nexport const DELETE = () => 1', 2],
    ['methods from elsewhere', `export * from '../src/x.ts'`, 1],
    ['methods from a package', `export * from 'routes'`, 1],
  ])('may be %s', async (_, text, count) => {
    const { metadata } = await only({
      'functions/a.ts': text,
      'src/x.ts': `${hello}\nexport const PUT = () => 1`,
      'node_modules/routes/package.json': '{"name":"routes","type":"module","exports":"./index.js"}',
      'node_modules/routes/index.js': 'export const PATCH = () => 1',
    })
    expect(metadata.methods).toHaveLength(count)
  })

  test('exporting a tool answers POST', async () => {
    const { metadata, bundle } = await only({ 'functions/a.ts': 'export const tool = ({ a }: { a: number }) => a + 1' })
    expect(metadata.methods).toEqual(['POST', 'OPTIONS'])
    expect((evaluate(bundle).tool as (input: unknown) => unknown)({ a: 41 })).toBe(42)
  })

  test.each([
    ['nothing', 'export {}'],
    ['only helpers', 'export const get = () => 1; export const config = {}'],
    ['only types', 'export type GET = string'],
  ])('exporting %s is a clear error', async (_, text) => {
    const error = await failureOf({ 'functions/a.ts': text })
    expect(error).toMatchObject({
      code: 'build_failed',
      message: 'functions/a.ts exports no handler.',
      hint: expect.stringContaining('`fetch`'),
    })
  })

  test.each([
    ['an object without fetch', 'export default { handle() {} }', 'without `fetch`'],
    ['a text', 'export default "hello"', 'no handler'],
  ])('a default export that is %s is a clear error', async (_, text, message) => {
    const error = await failureOf({ 'functions/a.ts': text })
    expect(error.details).toEqual([expect.stringMatching(/^functions\/a\.ts:1:16 /)])
    expect(error.details[0]).toContain(message)
  })

  test('methods in the settings must be answered', async () => {
    const text = `export const config = { methods: ['GET', 'PUT'] }\nexport const GET = () => 1`
    expect(await failureOf({ 'functions/a.ts': text })).toMatchObject({
      code: 'config_invalid',
      details: ['PUT: the file exports neither PUT nor a default handler.'],
    })
  })
})

describe('imports that cannot be', () => {
  test('a forbidden module of Node shows the chain: files, then packages', async () => {
    const error = await failureOf({
      'functions/a.ts': `import { db } from '../src/db.ts'\nexport default () => db`,
      'src/db.ts': `import pg from 'pg'\nexport const db = pg`,
      'node_modules/pg/package.json': '{"name":"pg","main":"index.js"}',
      'node_modules/pg/index.js': `module.exports = require('./lib/connection')`,
      'node_modules/pg/lib/connection.js': `const net = require('net'); module.exports = net.connect`,
    })
    expect(error).toMatchObject({ code: 'build_failed', hint: expect.stringContaining('no network') })
    expect(error.details).toEqual([
      'node:net is not available to functions: functions/a.ts → src/db.ts → pg → node:net',
    ])
  })

  test.each([
    'fs',
    'node:fs/promises',
    'node:http',
    'child_process',
    'node:worker_threads',
    'node:vm',
    'node:sqlite',
    'os',
    'module',
  ])('%s is forbidden', async (name) => {
    const error = await failureOf({ 'functions/a.ts': `import * as x from '${name}'\nexport default () => x` })
    expect(error.code).toBe('build_failed')
    expect(error.details).toEqual([expect.stringContaining(`functions/a.ts → node:${name.replace('node:', '')}`)])
  })

  test('one that is named in unused code, or only tried, is none', async () => {
    const built = await only({
      'functions/a.ts': `import { used } from 'lib'\nexport default () => used`,
      'node_modules/lib/package.json': '{"name":"lib","type":"module","sideEffects":false,"exports":"./index.js"}',
      'node_modules/lib/index.js': `export { used } from './used.js'\nexport { unused } from './unused.js'`,
      'node_modules/lib/used.js': `export { default as used } from './tried.cjs'`,
      'node_modules/lib/unused.js': `import { readFileSync } from 'fs'\nexport const unused = () => readFileSync('/etc/passwd')`,
      'node_modules/lib/tried.cjs': `try { require('os') } catch { module.exports = 'without os' }`,
    })
    const exports = evaluate(built.bundle, () => {
      throw new Error('not available')
    })
    expect((exports.default as () => unknown)()).toBe('without os')
  })

  test('a package may bring its own replacement for a module of Node', async () => {
    const built = await only({
      'functions/a.ts': `import { read } from 'lib'\nexport default () => read`,
      'node_modules/lib/package.json':
        '{"name":"lib","main":"index.js","browser":{"fs":false,"./index.js":"./light.js"}}',
      'node_modules/lib/index.js': `exports.read = require('net')`,
      'node_modules/lib/light.js': `exports.read = Object.keys(require('fs'))`,
    })
    expect((evaluate(built.bundle).default as () => unknown)()).toEqual([])
  })

  test('a package that is not installed and a file that is not there show their chain', async () => {
    const error = await failureOf({
      'functions/a.ts': `import '../src/x.ts'\n${hello}`,
      'src/x.ts': `import 'left-pad'`,
    })
    expect(error.details).toEqual(['src/x.ts:1:8 cannot find “left-pad”: functions/a.ts → src/x.ts → left-pad'])
    expect(error.hint).toContain('Install')
    const file = await failureOf({ 'functions/a.ts': `import '../src/y.ts'\n${hello}` })
    expect(file.details).toEqual(['functions/a.ts:1:8 cannot find “../src/y.ts”: functions/a.ts → ../src/y.ts'])
  })

  test('a file outside of the project does not get into a bundle, by path or by link', async () => {
    const directory = await makeProject({
      'functions/a.ts': `import x from '../../secret.json'\nexport default () => x`,
    })
    await writeFiles(dirname(directory), { 'secret.json': '{"key":1}' })
    await expect(buildProject({ directory })).rejects.toMatchObject({
      code: 'build_failed',
      message: expect.stringContaining('outside'),
      details: ['functions/a.ts → ../secret.json'],
    })
    await writeFiles(directory, { 'functions/a.ts': `import x from '../link.json'\nexport default () => x` })
    await symlink(join(dirname(directory), 'secret.json'), join(directory, 'link.json'))
    await expect(buildProject({ directory })).rejects.toMatchObject({ code: 'build_failed' })
    const overrides = { sourceRoot: dirname(directory) }
    await expect(buildProject({ directory, overrides })).resolves.toMatchObject({ functions: [{ name: 'a' }] })
  })

  test('a workspace’s other folders are inside', async () => {
    const root = await makeFolder({
      'package.json': '{"workspaces":["apps/*"]}',
      'shared/x.ts': 'export const x = 1',
      'apps/demo/package.json': '{"name":"demo"}',
      'apps/demo/functions/a.ts': `import { x } from '../../../shared/x.ts'\nexport default () => x`,
    })
    expect((await buildProject({ directory: join(root, 'apps/demo') })).functions).toHaveLength(1)
  })
})

describe('source that cannot be', () => {
  test('await outside of a function is explained', async () => {
    const error = await failureOf({ 'functions/a.ts': `const x = await fetch('x')\n${hello}` })
    expect(error).toMatchObject({ code: 'build_failed', hint: expect.stringContaining('handler') })
    expect(error.details).toEqual([expect.stringMatching(/^functions\/a\.ts:1:11 await stands outside a function/)])
  })

  test('a syntax mistake has its place', async () => {
    const error = await failureOf({ 'functions/a.ts': `${hello}\nconst = 1` })
    expect(error.details).toEqual([expect.stringMatching(/^functions\/a\.ts:2:7 Expected identifier/)])
  })

  test('mistakes of several functions are reported together', async () => {
    const error = await failureOf({
      'functions/a.ts': 'import "nowhere"',
      'functions/b.ts': 'export {}',
      'functions/c.ts': hello,
    })
    expect(error.message).toBe('2 functions cannot be built.')
    expect(error.details).toEqual([
      'functions/a.ts exports no handler.',
      '  Function: a',
      'functions/b.ts exports no handler.',
      '  Function: b',
    ])
  })

  test('what esbuild warns about is passed on', async () => {
    const { warnings } = await buildFiles({ 'functions/a.ts': `export default (x: number) => x === -0` })
    expect(warnings).toEqual([expect.stringMatching(/^functions\/a\.ts:1:37 /)])
  })
})
