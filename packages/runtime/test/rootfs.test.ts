import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { afterAll, describe, expect, test } from 'vitest'
import { programFiles } from '../src/programs.ts'
import { createRuntimeRootfs, runtimePaths } from '../src/rootfs.ts'

const root = await mkdtemp(join(tmpdir(), 'peerhost-rootfs-'))
afterAll(() => rm(root, { recursive: true, force: true }))

describe('the root file system', async () => {
  const built = await createRuntimeRootfs({ directory: join(root, 'one') })

  test('is the same in every folder, to the byte', async () => {
    const again = await createRuntimeRootfs({ directory: join(root, 'two') })
    expect(again.digest).toBe(built.digest)
    expect(again.path).not.toBe(built.path)
    expect((await readFile(again.path)).equals(await readFile(built.path))).toBe(true)
  })

  test('has the digest of its bytes', async () => {
    expect(built.digest).toBe(
      `0x${createHash('sha256')
        .update(await readFile(built.path))
        .digest('hex')}`,
    )
  })

  test('is written once', async () => {
    const before = await stat(built.path)
    await createRuntimeRootfs({ directory: join(root, 'one') })
    expect((await stat(built.path)).mtimeMs).toBe(before.mtimeMs)
    expect(await readdir(join(root, 'one'))).toHaveLength(1)
  })

  test('holds Node, its libraries and the programs, and nothing else', async () => {
    const entries = []
    const reading = extract()
    createReadStream(built.path).pipe(reading as unknown as NodeJS.WritableStream)
    for await (const entry of reading) {
      entries.push(entry.header)
      entry.resume()
    }
    const files = [runtimePaths.node, ...Object.values(programFiles).map((file) => `${runtimePaths.programs}/${file}`)]
    const names = entries.map(({ name }) => `/${name}`)
    expect(names).toEqual([...names].sort())
    expect(names).toEqual(expect.arrayContaining([...files, '/tmp/']))
    const others = names.filter((name) => !name.endsWith('/') && !/^\/lib.*\.so[.\d]*$/.test(name))
    expect(others).toEqual([...files].sort())
    for (const { mtime, uid, gid, uname, gname } of entries)
      expect({ mtime: mtime.getTime(), uid, gid, uname, gname }).toEqual({
        mtime: 0,
        uid: 0,
        gid: 0,
        uname: '',
        gname: '',
      })
  })
})
