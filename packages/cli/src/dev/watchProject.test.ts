import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchProject } from './watchProject.ts'

let directory: string
let stop: AbortController
let watching: Promise<void>
let changes: number
let next: PromiseWithResolvers<void>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'peerhost-watch-'))
  mkdirSync(join(directory, 'functions'))
  mkdirSync(join(directory, 'node_modules'))
  writeFileSync(join(directory, 'functions/a.ts'), '1')
  stop = new AbortController()
  changes = 0
  next = Promise.withResolvers()
  watching = watchProject(directory, stop.signal, async () => {
    changes += 1
    next.resolve()
    next = Promise.withResolvers()
  })
})

afterEach(async () => {
  stop.abort()
  await watching
  rmSync(directory, { recursive: true, force: true })
})

/** Makes a change and waits until it was noticed. */
async function noticed(change: () => void): Promise<void> {
  const { promise } = next
  change()
  await promise
}

describe('watching a project', () => {
  it('notices a file that is written, again and again', async () => {
    for (const text of ['2', '3', '4']) await noticed(() => writeFileSync(join(directory, 'functions/a.ts'), text))
    expect(changes).toBe(3)
  })

  it('notices a file that is replaced by a rename, as editors save, again and again', async () => {
    for (const text of ['2', '3', '4'])
      await noticed(() => {
        const draft = join(directory, 'functions/.draft')
        writeFileSync(draft, text)
        renameSync(draft, join(directory, 'functions/a.ts'))
      })
    expect(changes).toBe(3)
  })

  it('notices files of a folder that is new', async () => {
    await noticed(() => mkdirSync(join(directory, 'functions/nested')))
    await noticed(() => writeFileSync(join(directory, 'functions/nested/b.ts'), '1'))
    await noticed(() => rmSync(join(directory, 'functions/nested'), { recursive: true }))
    await noticed(() => writeFileSync(join(directory, 'functions/a.ts'), '2'))
  })

  it('makes one change of many that come together', async () => {
    await noticed(() => {
      for (const name of ['a', 'b', 'c']) writeFileSync(join(directory, `functions/${name}.ts`), 'x')
    })
    await noticed(() => writeFileSync(join(directory, 'functions/a.ts'), 'y'))
    expect(changes).toBe(2)
  })

  it('does not care for what is no source', async () => {
    writeFileSync(join(directory, 'node_modules/x.js'), '1')
    mkdirSync(join(directory, '.git'))
    writeFileSync(join(directory, '.git/HEAD'), '1')
    await noticed(() => writeFileSync(join(directory, 'functions/a.ts'), '2'))
    expect(changes).toBe(1)
  })
})
