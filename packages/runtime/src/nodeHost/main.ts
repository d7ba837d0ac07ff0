import { createHash } from 'node:crypto'
import { compileFunction } from 'node:vm'
import { encodeFrame, type Frame, framePrefixBytes } from '../frames.ts'
import { readCanonical } from '../handler/canonicalRequest.ts'
import { findHandler, type Handler } from '../handler/handler.ts'
import { closeLogs, readFrame, writeFrame } from '../hostPipe.ts'
import { answerHeaderBytes, downwardLimits, readRun, type ThrowReason } from '../messages.ts'
import { variationOf } from '../variations.ts'
import { requireBuiltin } from './builtins.ts'
import { installDeterminism, type Terms } from './determinism.ts'
import { webRequest } from './request.ts'
import { readResponse } from './response.ts'
import { createStall } from './stall.ts'
import { allowFetch, installSurroundings, logFailure } from './surroundings.ts'

type Module = (this: unknown, exports: unknown, require: typeof requireBuiltin, module: { exports: unknown }) => unknown
type Compiled = { run: Module } | { error: unknown }

// Taken before any user code runs: Node's own exit, which runs no listeners.
const { reallyExit } = process as unknown as { reallyExit: (code: number) => never }

const sampleBundle = Buffer.from('exports.POST = (request) => request.text().then((text) => new Response(text))')
const sampleRequest = JSON.stringify({
  ...{ method: 'POST', path: '/', query: [['a', 'b']], headers: [['a', 'b']], body: { utf8: 'x' } },
})

/** Walks one request of our own: Node loads its web classes, and V8 compiles this file, on first use. */
async function warmUp(): Promise<void> {
  const handler = load(compile(sampleBundle), 'POST')
  const response = await handler?.(webRequest(readCanonical(sampleRequest)), { env: {}, waitUntil() {} })
  const read = await readResponse(response, 'POST', sampleRequest.length)
  if (read.type !== 'answer') throw new Error('The host cannot answer its own request.')
  encodeFrame({ type: 'answer', ...read.answer }, read.body)
  await Promise.allSettled([])
}

function compile(bundle: Uint8Array): Compiled {
  try {
    const source = new TextDecoder('utf-8', { fatal: true }).decode(bundle)
    return { run: compileFunction(source, ['exports', 'require', 'module'], { filename: 'function.js' }) as Module }
  } catch (error) {
    return { error }
  }
}

/** Ends the execution: the log is complete, the answer is written, and the supervisor does the rest. */
function finish(header: object, body?: Uint8Array): void {
  closeLogs()
  writeFrame(header, body)
  reallyExit(0)
}

function fail(end: 'threw' | 'bad-module' | 'output-too-large', reason: ThrowReason = 'error'): void {
  finish({ type: 'failed', end, reason })
}

function load(compiled: Compiled, method: string): Handler | undefined {
  try {
    if ('error' in compiled) throw compiled.error
    const module = { exports: {} as unknown }
    compiled.run.call(module.exports, module.exports, requireBuiltin, module)
    const handler = findHandler(module.exports, method)
    if (!handler) throw new TypeError('The module exports no handler.')
    return handler
  } catch (error) {
    logFailure(error)
    return undefined
  }
}

async function answer(handler: Handler, request: Request, env: Env, responseBodyBytes: number): Promise<void> {
  const pending: unknown[] = []
  const context = { env, waitUntil: (promise: unknown) => void pending.push(promise) }
  const read = await readResponse(await handler(request, context), request.method, responseBodyBytes)
  for (const result of await Promise.allSettled(pending)) if (result.status === 'rejected') logFailure(result.reason)
  if (read.type === 'not-a-response') return fail('threw', 'no-response')
  if (read.type === 'too-large') return fail('output-too-large')
  const header = { type: 'answer', ...read.answer }
  if (encodeFrame(header).length - framePrefixBytes > answerHeaderBytes) return fail('output-too-large')
  finish(header, read.body)
}

type Env = Readonly<Record<string, string>>
type Loaded = { compiled: Compiled; scopeSeed: string; responseBodyBytes: number }

async function execute({ compiled, scopeSeed, responseBodyBytes }: Loaded, begin: (terms: Terms) => void, job: Frame) {
  const run = readRun(job.header.run)
  const canonical = readCanonical(new TextDecoder().decode(job.body))
  process.on('uncaughtException', (error) => {
    logFailure(error)
    fail('threw')
  })
  // Nothing is left that could settle the handler's promise.
  process.on('beforeExit', () => fail('threw', 'no-response'))
  // The module's scope belongs to the deployment, and knows nothing of a ticket.
  begin({ clockMs: 0, seed: scopeSeed })
  const handler = load(compiled, canonical.method)
  if (!handler) return fail('bad-module')
  begin({ ...run, stall: createStall(variationOf(run.variation ?? 0)) })
  if (run.hasNetwork) allowFetch()
  try {
    await answer(handler, webRequest(canonical), run.env ?? {}, responseBodyBytes)
  } catch (error) {
    logFailure(error)
    fail('threw')
  }
}

async function main(): Promise<void> {
  await warmUp()
  installSurroundings()
  const begin = installDeterminism()
  const { header, body } = readFrame(downwardLimits)
  const scopeSeed = `0x${createHash('sha256').update(body).digest('hex')}`
  const loaded = { compiled: compile(body), scopeSeed, responseBodyBytes: Number(header.responseBodyBytes) }
  writeFrame({ type: 'ready' })
  writeFrame({ type: 'prepared' })
  await execute(loaded, begin, readFrame(downwardLimits))
}

void main()
