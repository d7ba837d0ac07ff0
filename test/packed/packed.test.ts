import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SuiteNetwork, startSmallNetwork, startWholeNetwork } from '../../packages/sdk/test/suiteNetworks.ts'
import { install } from './install.ts'
import { openPage } from './openPage.ts'
import { type PackedPackage, packAll, publishedPackages, root, tool } from './pack.ts'

let folder: string
let newcomer: string
let packed: PackedPackage[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peerhost-packed-'))
  newcomer = join(folder, 'newcomer')
  await mkdir(newcomer)
  packed = await packAll(folder)
  await install(newcomer, packed)
}, 600_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const packageOf = (name: string) => {
  const found = packed.find((each) => each.name === name)
  if (!found) throw new Error(`${name} was not packed.`)
  return found
}

describe.each(publishedPackages)('@peerhost/%s', (name) => {
  test('has nothing for publint to say', async () => {
    const tarball = await readFile(packageOf(name).tarball)
    const bytes = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength)
    const { messages, pkg } = await publint({ pack: { tarball: bytes as ArrayBuffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('gives TypeScript the right types for every entry', async () => {
    await tool(folder, 'attw', packageOf(name).tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-color')
  })

  test('holds its build and its licence, and no test', () => {
    const { files } = packageOf(name)
    expect(files).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']))
    expect(files.filter((file) => /(^|\/)test\/|\.test\.|tsup\.config|\.log$/.test(file))).toEqual([])
  })

  test('names no place of the machine that built it', async () => {
    const at = join(newcomer, 'node_modules/@peerhost', name, 'dist')
    for (const file of packageOf(name).files.filter((each) => each.startsWith('dist/'))) {
      expect(await readFile(join(at, '..', file), 'utf8'), file).not.toContain(root)
    }
  })

  test('can be imported where it is installed', async () => {
    const script = `const all = await import('@peerhost/${name}'); console.log(Object.keys(all).length)`
    const { stdout } = await tool(newcomer, 'node', '--input-type=module', '--eval', script)
    expect(Number(stdout)).toBeGreaterThan(0)
  })
})

describe.each(['peerhost', 'peerhost-mcp'])('the command %s', (command) => {
  test('starts where it is installed', async () => {
    const { stdout, stderr } = await tool(newcomer, join(newcomer, 'node_modules/.bin', command), '--help')
    expect(stdout + stderr).toContain(`Usage: ${command}`)
  })
})

describe.each([
  ['a server of x402 primitives', startSmallNetwork],
  ['a gateway with a worker', startWholeNetwork],
])('@peerhost/sdk, installed, against %s', (_, start) => {
  let network: SuiteNetwork

  beforeAll(async () => {
    network = await start()
  })
  afterAll(() => network?.stop())

  test('calls, pays and verifies in Node', async () => {
    await copyFile(join(import.meta.dirname, 'nodeProgram.ts'), join(newcomer, 'nodeProgram.ts'))
    const { gatewayUrl, payer, free, priced } = network
    const args = [gatewayUrl, payer.privateKey, free.functionId, priced.functionId]
    const { stdout } = await tool(newcomer, 'node', 'nodeProgram.ts', ...args)
    expect(JSON.parse(stdout)).toEqual({
      free: 200,
      refused: 'payment_required',
      paid: 200,
      outcome: 'paid',
      amount: '0.001',
      verified: true,
    })
  })

  test('calls, pays and verifies in a browser, from another origin', async () => {
    await copyFile(join(import.meta.dirname, 'page.ts'), join(newcomer, 'page.ts'))
    const bundle = await build({
      entryPoints: [join(newcomer, 'page.ts')],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
    })
    const { page, problems, close } = await openPage(bundle.outputFiles[0]?.text ?? '')
    const { gatewayUrl, payer, free, priced } = network
    const before = await network.balanceOf(payer.address)
    try {
      const input = { gatewayUrl, privateKey: payer.privateKey, freeId: free.functionId, pricedId: priced.functionId }
      const seen = await page.evaluate(
        (given) => (globalThis as unknown as { run: (value: typeof given) => Promise<unknown> }).run(given),
        input,
      )
      expect(seen).toEqual({
        free: 200,
        echoed: true,
        freeReceipt: true,
        refused: 'payment_required',
        paid: 200,
        outcome: 'paid',
        amount: '0.001',
        operator: expect.stringMatching(/^0x[0-9a-fA-F]{40}$/),
        failed: [],
        verified: true,
      })
      expect(await network.balanceOf(payer.address)).toBe(before - 1_000n)
      // The browser itself reports every 402 as an error of the page.
      expect(problems.filter((problem) => !problem.includes('402'))).toEqual([])
    } catch (error) {
      await page.screenshot({ path: join(tmpdir(), 'peerhost-packed-failure.png') })
      throw error
    } finally {
      await close()
    }
  })
})
