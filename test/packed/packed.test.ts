import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../packages/sdk/test/testGateway.ts'
import { startTestNetwork, type TestNetwork } from '../../packages/sdk/test/testNetwork.ts'
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
    expect(Number(await tool(newcomer, 'node', '--input-type=module', '--eval', script))).toBeGreaterThan(0)
  })
})

describe('@peerhost/sdk, installed', () => {
  let network: TestNetwork
  let gateway: TestGateway

  beforeAll(async () => {
    network = await startTestNetwork()
    gateway = await startTestGateway(network)
  })
  afterAll(async () => {
    await gateway?.stop()
    await network?.stop()
  })

  test('calls, pays and verifies in Node', async () => {
    await copyFile(join(import.meta.dirname, 'nodeProgram.ts'), join(newcomer, 'nodeProgram.ts'))
    const { payer } = network.accounts
    const { free, priced } = network.functions
    const output = await tool(newcomer, 'node', 'nodeProgram.ts', gateway.url, payer.privateKey, free, priced)
    expect(JSON.parse(output)).toEqual({
      free: 200,
      refused: 'payment_required',
      paid: 200,
      outcome: 'paid',
      amount: '0.001',
      verified: true,
    })
  })

  test('calls, pays and verifies in a browser', async () => {
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
    const { payer, worker } = network.accounts
    const before = await network.balanceOf(payer.address)
    try {
      const input = {
        gatewayUrl: gateway.url,
        privateKey: payer.privateKey,
        freeId: network.functions.free,
        pricedId: network.functions.priced,
      }
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
        operator: worker.operator.address,
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
