import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findFunctions } from '../src/index.ts'
import { buildFiles, failureOf, hello, makeProject } from './makeProject.ts'

const find = async (...files: string[]) =>
  findFunctions(await makeProject(Object.fromEntries(files.map((file) => [file, hello]))), 'functions')

test('one file is one function; folders nest, index names its folder', async () => {
  const { functions, problems } = await find(
    'functions/today.ts',
    'functions/admin/index.mts',
    'functions/admin/users/list.js',
    'functions/page.tsx',
    'functions/old.mjs',
  )
  expect(problems).toEqual([])
  expect(functions).toEqual([
    { name: 'admin', file: 'functions/admin/index.mts' },
    { name: 'admin/users/list', file: 'functions/admin/users/list.js' },
    { name: 'old', file: 'functions/old.mjs' },
    { name: 'page', file: 'functions/page.tsx' },
    { name: 'today', file: 'functions/today.ts' },
  ])
})

test('what begins with _ or ., tests, declarations and other files are private', async () => {
  const { functions } = await find(
    'functions/a.ts',
    'functions/_shared.ts',
    'functions/_lib/b.ts',
    'functions/.hidden/c.ts',
    'functions/a.test.ts',
    'functions/a.spec.js',
    'functions/types.d.ts',
    'functions/data.json',
    'functions/node_modules/x/index.js',
  )
  expect(functions.map(({ name }) => name)).toEqual(['a'])
})

test('two files for one function are an error that names both', async () => {
  const error = await failureOf({ 'functions/a.ts': hello, 'functions/a/index.js': hello })
  expect(error).toMatchObject({
    code: 'config_invalid',
    details: ['functions/a.ts and functions/a/index.js are all the function “a”: keep one of them.'],
  })
})

test('a name that no URL can carry is an error that says what would do', async () => {
  const error = await failureOf({ 'functions/getUser.ts': hello, 'functions/users/[id].ts': hello })
  expect(error.details).toEqual([
    expect.stringMatching(/^functions\/getUser\.ts has a name that no URL can carry: .*lower-case/),
    expect.stringMatching(/^functions\/users\/\[id\]\.ts has a name with brackets/),
  ])
})

test('no folder and an empty folder are errors that say what to do', async () => {
  expect(await failureOf({})).toMatchObject({
    code: 'config_invalid',
    details: [expect.stringContaining('put one file per function there')],
  })
  expect(await failureOf({ 'functions/_a.ts': hello })).toMatchObject({
    details: [expect.stringContaining('holds no function')],
  })
})

test('too many functions are an error', async () => {
  const files = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`functions/f${index}.ts`, hello]))
  expect((await failureOf(files)).details).toEqual(['functions/ holds 65 functions, a deployment may have 64.'])
})

test('the folder can be another one, by file and by override', async () => {
  const files = { 'api/a.ts': hello, 'other/b.ts': hello, 'peerhost.jsonc': '{ "functionsDir": "./api/" }' }
  expect((await buildFiles(files)).functions.map(({ name }) => name)).toEqual(['a'])
  expect((await buildFiles(files, { functionsDir: 'other' })).functions.map(({ name }) => name)).toEqual(['b'])
})

test('a linked file is a function, a linked folder is not followed', async () => {
  const directory = await makeProject({ 'src/a.ts': hello, 'functions/b.ts': hello })
  await symlink(join(directory, 'src/a.ts'), join(directory, 'functions/a.ts'))
  await symlink(directory, join(directory, 'functions/loop'))
  const { functions } = await findFunctions(directory, 'functions')
  expect(functions.map(({ name }) => name)).toEqual(['a', 'b'])
})
