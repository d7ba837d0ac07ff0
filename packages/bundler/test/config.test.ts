import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { buildProject, projectConfigJsonSchema } from '../src/index.ts'
import { buildFiles, type Files, failureOf, hello, makeFolder } from './makeProject.ts'

const withConfig = (config: string, files: Files = {}) => ({
  'functions/a.ts': hello,
  'peerhost.jsonc': config,
  ...files,
})
const withSource = (config: string) => ({ 'functions/a.ts': `export const config = ${config}\n${hello}` })

describe('peerhost.jsonc', () => {
  test('takes comments and trailing commas, and wins over the source', async () => {
    const project = await buildFiles({
      ...withSource(`{ price: '1', description: 'from the source', limits: 'large' }`),
      'peerhost.jsonc': `{
        // the name
        "name": "shop",
        "functions": { "a": { "price": "0.25", "paymentMode": "upfront", }, },
      }`,
    })
    expect(project).toMatchObject({
      project: 'shop',
      functions: [
        { price: 250_000n, paymentMode: 'upfront', limitsClass: 3, metadata: { description: 'from the source' } },
      ],
    })
  })

  test('reports every mistake with its place', async () => {
    const error = await failureOf(
      withConfig(`{
  "name": "My Shop",
  "colour": "red",
  "functions": {
    "a": {
      "price": 0.5,
      "limits": "huge",
      "payee": "0x123",
      "cron": true
    }
  }
}`),
    )
    expect(error.code).toBe('config_invalid')
    expect(error.message).toBe('The project has 6 problems.')
    expect(error.details).toEqual([
      'peerhost.jsonc:2:3 name: may hold lower-case letters, digits and inner hyphens.',
      'peerhost.jsonc:6:7 functions.a.price: must be a decimal string such as "0.001", not a number: numbers lose digits.',
      expect.stringMatching(/^peerhost\.jsonc:7:7 functions\.a\.limits: .*"small"/),
      'peerhost.jsonc:8:7 functions.a.payee: must be an address: 0x and 40 hex digits.',
      'peerhost.jsonc:9:7 functions.a.cron: unknown key.',
      'peerhost.jsonc:3:3 colour: unknown key.',
    ])
  })

  test('reports syntax mistakes with their place', async () => {
    const error = await failureOf(withConfig('{\n  "name": "shop"\n  "functionsDir": 5\n'))
    expect(error.details[0]).toBe('peerhost.jsonc:3:3 is not JSON here: CommaExpected.')
    expect((await failureOf(withConfig(''))).details).toEqual([expect.stringContaining('is not JSON here')])
  })

  test('a key that stands there twice, or is JavaScript’s own, is a mistake', async () => {
    const error = await failureOf(withConfig('{ "name": "a",\n "name": "b",\n "__proto__": {} }'))
    expect(error.details).toEqual([
      'peerhost.jsonc:2:2 name: stands there twice.',
      'peerhost.jsonc:3:2 __proto__: unknown key.',
    ])
  })

  test('settings for a function that does not exist are a mistake', async () => {
    const error = await failureOf(withConfig('{ "functions": { "b": {} } }'))
    expect(error.details).toEqual(['peerhost.jsonc:1:18 functions.b: there is no such function; there are: a.'])
  })

  test('the folder of functions stays inside the project', async () => {
    for (const path of ['../other', '/etc', 'a/../../b']) {
      const error = await failureOf(withConfig(JSON.stringify({ functionsDir: path })))
      expect(error.details).toEqual([expect.stringContaining('must stay inside the project')])
    }
  })

  test('its JSON schema ships with the package and is current', () => {
    const script = fileURLToPath(new URL('../scripts/writeConfigSchema.ts', import.meta.url))
    execFileSync(process.execPath, ['--conditions=@peerhost/source', script, '--check'])
    expect(projectConfigJsonSchema()).toMatchObject({ additionalProperties: false })
  })
})

describe('config in the source', () => {
  test('is read from types, comments and pieces without running anything', async () => {
    const { functions } = await buildFiles({
      'functions/a.ts': `
        import type { Config } from './_types.ts'
        throw new Error('must not run')
        export const config = {
          price: \`0.5\`, // half
          'description': 'one, ' +
            'two',
          input: { type: 'object', properties: { n: { type: 'integer', minimum: -5, enum: [1, null, true] } } },
          methods: ['POST'],
          deterministic: true,
        } as const satisfies Config
        export const POST = (request: Request): Response => new Response(request.body)`,
      'functions/_types.ts': 'export type Config = Record<string, unknown>',
    })
    expect(functions).toMatchObject([
      {
        price: 500_000n,
        flags: 1,
        metadata: {
          description: 'one, two',
          methods: ['POST'],
          input: { type: 'object', properties: { n: { type: 'integer', minimum: -5, enum: [1, null, true] } } },
        },
      },
    ])
  })

  test.each([
    ['a variable', '{ price: PRICE }'],
    ['a call', '{ description: name() }'],
    ['the environment', '{ payee: process.env.PAYEE }'],
    ['a template with holes', `{ description: \`a $\{1}\` }`],
    ['a computed key', '{ ["price"]: "1" }'],
    ['a spread', '{ ...rest }'],
    ['a method', '{ price() {} }'],
    ['a getter', '{ get price() { return "1" } }'],
    ['a shorthand', '{ price }'],
    ['a big integer', '{ input: { type: "object", maximum: 1n } }'],
    ['a regular expression', '{ input: { pattern: /x/ } }'],
    ['a hole', '{ methods: [,] }'],
    ['the prototype', '{ __proto__: {} }'],
    ['a sum of numbers', '{ price: 1 + 1 }'],
  ])('refuses %s and says where', async (_, config) => {
    const error = await failureOf({ 'functions/a.ts': `\n\nexport const config =\n  ${config}\n${hello}` })
    expect(error.code).toBe('config_invalid')
    expect(error.details[0]).toMatch(/^functions\/a\.ts:4:\d+ config.*only literal values may stand here/)
  })

  test.each([
    'export let config = { price: "1" }',
    'const config = { price: "1" }\nexport { config }',
    'const other = { price: "1" }\nexport { other as config }',
    'export const config = make()',
    'export function config() {}',
  ])('refuses %s', async (text) => {
    const error = await failureOf({ 'functions/a.js': `${text}\n${hello}` })
    expect(error.details).toEqual([expect.stringMatching(/^functions\/a\.js:\d+:\d+ config: write it as/)])
  })

  test('reports mistakes of several files together, with their places', async () => {
    const error = await failureOf({
      'functions/a.ts': `export const config = {\n  price: '0.0000001',\n}\n${hello}`,
      'functions/b.ts': `type T = string\n\nexport const config = {\n  speed: 'fast',\n}\n${hello}`,
    })
    expect(error.details).toEqual([
      'functions/a.ts:2:3 price: must be a decimal such as "0.001", with at most 6 decimals.',
      'functions/b.ts:4:3 speed: unknown key.',
    ])
  })

  test('changes neither the bundle nor its CID', async () => {
    const cheap = await buildFiles(withSource(`{ price: '1' }`))
    const dear = await buildFiles(withSource(`{ price: '2', description: 'dear' }`))
    expect(cheap.functions[0]?.cid).toBe(dear.functions[0]?.cid)
    expect(new TextDecoder().decode(cheap.functions[0]?.bundle)).not.toContain('price')
  })
})

describe('prices', () => {
  test.each([
    ['0', 0n],
    ['0.000001', 1n],
    ['0.000249', 249n],
    ['0.001', 1_000n],
    ['1.10', 1_100_000n],
    ['999999999999.999999', 999_999_999_999_999_999n],
  ])('%s is %s atomic units', async (price, atomic) => {
    expect((await buildFiles(withSource(JSON.stringify({ price })))).functions[0]?.price).toBe(atomic)
  })

  test.each(['0.0000001', '-1', '1e3', '.5', '1.', '01', '1,5', ' 1', '1000000000000', '$1', ''])(
    '“%s” is no price',
    async (price) => {
      const error = await failureOf(withSource(JSON.stringify({ price })))
      expect(error.details).toEqual([expect.stringContaining('at most 6 decimals')])
    },
  )
})

describe('terms', () => {
  test('have defaults that cost the owner least', async () => {
    const { functions } = await buildFiles(withSource('{}'))
    expect(functions[0]).toMatchObject({
      price: 0n,
      paymentMode: 'after',
      limitsClass: 1,
      fee: 100n,
      flags: 0,
      quorum: 1,
      lane: 'attested',
    })
    expect(functions[0]).not.toHaveProperty('payee')
  })

  test('name the limits class, with its fee', async () => {
    const { functions } = await buildFiles(withSource(`{ limits: 'medium', lane: 'confirmed' }`))
    expect(functions[0]).toMatchObject({ limitsClass: 2, fee: 400n, lane: 'confirmed' })
  })

  test('a quorum costs the fee once for each of its workers; escrow is a payment mode', async () => {
    const { functions } = await buildFiles(withSource(`{ quorum: 3, paymentMode: 'escrow', price: '0.01' }`))
    expect(functions[0]).toMatchObject({ quorum: 3, fee: 300n, paymentMode: 'escrow' })
    for (const quorum of [0, 8, 1.5]) await failureOf(withSource(`{ quorum: ${quorum} }`))
  })

  test('write the payee with its checksum and refuse a wrong one', async () => {
    const lower = '0x52908400098527886e0f7030069857d2e4169ee7'
    const { functions } = await buildFiles(withSource(JSON.stringify({ payee: lower })))
    expect(functions[0]?.payee).toBe('0x52908400098527886E0F7030069857D2E4169EE7')
    const error = await failureOf(withSource(`{ payee: '0x52908400098527886E0F7030069857D2E4169Ee7' }`))
    expect(error.details).toEqual([expect.stringContaining('checksum')])
  })

  test('a price without a description is worth a warning', async () => {
    expect((await buildFiles(withSource(`{ price: '1' }`))).warnings).toEqual([
      expect.stringContaining('no description'),
    ])
    expect((await buildFiles(withSource(`{ price: '1', description: 'x' }`))).warnings).toEqual([])
  })
})

describe('schemas', () => {
  const nested = (depth: number): object => (depth === 0 ? { type: 'string' } : { properties: nested(depth - 1) })
  const source = (input: object) => withSource(JSON.stringify({ input: { type: 'object', ...input } }))

  test.each([
    ['too deep', { properties: nested(20) }, 'nested deeper than 16'],
    ['too large', { description: 'x'.repeat(40_000) }, 'the limit is'],
    ['a fraction', { properties: { x: { multipleOf: 0.01 } } }, 'not a whole number'],
    ['a foreign reference', { properties: { x: { $ref: 'https://example.test/schema' } } }, 'only refer to a part'],
    ['an input that is no object', { type: 'string' }, 'must be "object"'],
  ])('%s is refused', async (_, input, message) => {
    expect((await failureOf(source(input))).details).toEqual([expect.stringContaining(message)])
  })

  test('those of peerhost.jsonc and of overrides are held to the same', async () => {
    const functions = { a: { output: { $ref: 'x' } } }
    const config = { 'functions/a.ts': hello, 'peerhost.jsonc': JSON.stringify({ functions }) }
    expect((await failureOf(config)).details).toEqual([
      expect.stringMatching(/^peerhost\.jsonc:1:\d+ functions\.a\.output/),
    ])
    const error = await failureOf({ 'functions/a.ts': hello }, { functions })
    expect(error.details).toEqual([expect.stringMatching(/^overrides of a output/)])
  })
})

describe('overrides', () => {
  test('win over the file and the source', async () => {
    const project = await buildFiles(withConfig('{ "name": "shop", "functions": { "a": { "price": "1" } } }'), {
      project: 'other',
      functions: { a: { price: '2' } },
    })
    expect(project).toMatchObject({ project: 'other', functions: [{ price: 2_000_000n }] })
  })

  test('are checked like everything else', async () => {
    const functions = { a: { price: 'free' }, b: {} }
    expect((await failureOf({ 'functions/a.ts': hello }, { functions })).details).toEqual([
      expect.stringMatching(/^overrides of a price: must be a decimal/),
      'overrides there is no function “b”.',
    ])
    expect(await failureOf({ 'functions/a.ts': hello }, { project: 'No!' })).toMatchObject({ code: 'config_invalid' })
  })
})

describe('project name', () => {
  test.each([
    ['package.json without its scope', { 'package.json': '{"name":"@me/My_Shop.v2"}' }, 'my-shop-v2'],
    ['the folder', { 'package.json': '{}' }, 'weather-app'],
  ])('comes from %s', async (_, files, expected) => {
    const directory = await makeFolder({ ...files, 'functions/a.ts': hello }, 'Weather App!')
    expect((await buildProject({ directory })).project).toBe(expected)
  })

  test('a broken package.json is named, whatever it was needed for', async () => {
    const error = await failureOf({ 'package.json': '{', 'functions/a.ts': hello })
    expect(error).toMatchObject({ code: 'build_failed', details: [expect.stringMatching(/^package\.json:1:\d+ /)] })
  })

  test('must come from somewhere', async () => {
    const directory = await makeFolder({ 'functions/a.ts': hello }, '日本')
    await expect(buildProject({ directory })).rejects.toMatchObject({
      code: 'config_invalid',
      hint: expect.stringContaining('peerhost.jsonc'),
    })
  })

  test('a folder that is not there is config_invalid', async () => {
    await expect(buildProject({ directory: '/nowhere/at/all' })).rejects.toMatchObject({ code: 'config_invalid' })
  })
})
