import vm from 'node:vm'
import type { Frame } from '../frames.ts'
import type { Run } from '../messages.ts'
import type { Bridge, Realm } from '../realm/bridge.ts'
import { type Bindings, createBindings, type Settled } from './bindings.ts'
import { type CompiledBundle, importRefusals, refuseImport } from './compileBundle.ts'

export type ExecutorDeps = {
  readonly realmSource: string
  write: (header: object, body?: Uint8Array) => void
  /** Waits for the supervisor's next message. */
  read: () => Frame
}

/** What one bundle is run with. */
export type Assignment = {
  readonly compiled: CompiledBundle
  readonly responseBodyBytes: number
  readonly timeoutMs: number
  readonly logBytes: number
  readonly isShared: boolean
  /** Whether the module's scope runs before there is an execution. */
  readonly isEager: boolean
}

export type Executor = {
  /** Has a realm ready for the next execution, its module's scope included unless that must wait. */
  prepare: (assignment: Assignment) => Promise<void>
  /** Runs one execution and tells the supervisor how it ended. */
  execute: (run: Run, request: Uint8Array) => Promise<void>
}

/** One realm and what belongs to it alone. */
type Prepared = {
  readonly assignment: Assignment
  readonly context: vm.Context
  readonly realm: Realm
  readonly bindings: Bindings
  /** Operations under way, in the order in which they began. */
  readonly operations: { id: number; settled: Promise<Settled> | { call: number } }[]
  /** Outgoing calls that came back before it was their turn. */
  readonly early: Map<number, Settled>
  calls: number
  hasNetwork: boolean
  isLoaded: boolean
  hasEnded: boolean
  /** The last execution in it came to an answer: nothing that failed is shared. */
  hasAnswered: boolean
  isRunning: boolean
  resetLog: () => void
  /** What the module's scope rejected and nobody handled. */
  rejection: string | undefined
}

type Create = (bridge: Bridge, module: unknown) => Realm

// A no-op in a realm's context: afterwards the realm's own microtasks have run.
const drainScript = new vm.Script('0')
const decoder = new TextDecoder()

export function createExecutor(deps: ExecutorDeps): Executor {
  const realmScript = new vm.Script(deps.realmSource, { filename: 'realm.js', importModuleDynamically: refuseImport })
  let current: Prepared | undefined
  process.on('unhandledRejection', (reason) => {
    if (current && !current.hasEnded) current.rejection ??= describe(current.realm, reason)
  })
  process.on('uncaughtException', () => {
    if (current?.isRunning && !current.hasEnded) current.bindings.bridge.fail('threw', 'error')
  })
  return {
    async prepare(assignment) {
      // The realm that the host warmed up with has answered too, and is another bundle's.
      if (assignment.isShared && current?.assignment === assignment && current.hasAnswered) return
      current = createPrepared(deps, realmScript, assignment)
      if (assignment.isEager) await load(deps, current)
    },
    async execute(run, request) {
      const prepared = current
      if (!prepared) throw new Error('There is no realm to run in.')
      if (!prepared.isLoaded) await load(deps, prepared)
      await execute(deps, prepared, run, decoder.decode(request))
    },
  }
}

function createPrepared(deps: ExecutorDeps, realmScript: vm.Script, assignment: Assignment): Prepared {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
    microtaskMode: 'afterEvaluate',
    importModuleDynamically: refuseImport,
  })
  const operations: Prepared['operations'] = []
  const end = (header: object, body?: Uint8Array) => {
    if (!prepared.isRunning || prepared.hasEnded) return
    prepared.hasEnded = true
    prepared.hasAnswered = body !== undefined
    deps.write(header, body)
  }
  let loggedBytes = 0
  const bindings = createBindings({
    log(bytes) {
      // One byte over the limit says enough.
      const chunk = bytes.subarray(0, assignment.logBytes + 1 - loggedBytes)
      loggedBytes += chunk.length
      if (chunk.length > 0) deps.write({ type: 'log' }, chunk)
    },
    answer(head, body) {
      const { status, headers } = JSON.parse(head) as { status: unknown; headers: unknown }
      end({ type: 'answer', status, headers }, body)
    },
    fail: (verdict, reason) => end({ type: 'failed', end: verdict, reason }),
    started: (id, settled) => void operations.push({ id, settled }),
    fetch(id, head, body) {
      if (!prepared.isRunning || !prepared.hasNetwork) return false
      const call = prepared.calls
      prepared.calls += 1
      deps.write({ type: 'fetch', call, head }, body)
      operations.push({ id, settled: { call } })
      return true
    },
  })
  const create = realmScript.runInContext(context) as Create
  const { compiled } = assignment
  const module = 'script' in compiled ? (compiled.script.runInContext(context) as unknown) : undefined
  const realm = create(bindings.bridge, module)
  const prepared: Prepared = {
    ...{ assignment, context, realm, bindings, operations, early: new Map(), calls: 0, hasNetwork: false },
    ...{ isLoaded: false, hasEnded: false, hasAnswered: false, isRunning: false, rejection: undefined },
    resetLog: () => {
      loggedBytes = 0
    },
  }
  return prepared
}

async function load(deps: ExecutorDeps, prepared: Prepared): Promise<void> {
  prepared.isLoaded = true
  const { compiled } = prepared.assignment
  if ('failure' in compiled) return
  prepared.bindings.seed(compiled.seed)
  prepared.realm.load(0)
  drainScript.runInContext(prepared.context)
  while (prepared.operations.length > 0) await settleFirst(deps, prepared)
  await turns(prepared)
}

async function execute(deps: ExecutorDeps, prepared: Prepared, run: Run, request: string): Promise<void> {
  const { realm, bindings, context } = prepared
  const { compiled, timeoutMs, responseBodyBytes, isShared } = prepared.assignment
  prepared.hasEnded = false
  prepared.isRunning = true
  prepared.hasNetwork = run.hasNetwork === true
  prepared.calls = 0
  bindings.seed(run.seed)
  if ('failure' in compiled) {
    bindings.bridge.log(2, compiled.failure)
    bindings.bridge.fail('bad-module', 'error')
  } else {
    realm.begin(request, JSON.stringify(run.env ?? {}), run.clockMs, timeoutMs, responseBodyBytes)
    drainScript.runInContext(context)
  }
  while (!prepared.hasEnded) {
    await turns(prepared)
    if (prepared.hasEnded) break
    if (prepared.rejection !== undefined) {
      bindings.bridge.log(2, `${prepared.rejection}\n`)
      bindings.bridge.fail('threw', 'error')
    } else if (prepared.operations.length > 0) {
      await settleFirst(deps, prepared)
    } else if (realm.fire()) {
      drainScript.runInContext(context)
    } else {
      // Nothing is left that could settle the handler's promise.
      bindings.bridge.fail('threw', 'no-response')
    }
  }
  prepared.isRunning = false
  prepared.rejection = undefined
  prepared.operations.length = 0
  prepared.early.clear()
  prepared.resetLog()
  realm.forget()
  if (!isShared) bindings.revoke()
}

/** Ends the operation that began first, whichever is done first: the order is the same on every machine. */
async function settleFirst(deps: ExecutorDeps, prepared: Prepared): Promise<void> {
  const { operations, realm, bindings, context } = prepared
  const operation = operations.shift()
  if (!operation) return
  const { settled } = operation
  const { text, bytes, error } = 'call' in settled ? fetched(deps, prepared.early, settled.call) : await settled
  bindings.offer(bytes)
  realm.settle(operation.id, text, bytes.length, error)
  drainScript.runInContext(context)
}

/** Waits for the answer of one outgoing call, and keeps those of later ones. */
function fetched(deps: ExecutorDeps, early: Map<number, Settled>, call: number): Settled {
  for (;;) {
    const settled = early.get(call)
    if (settled) return settled
    const { header, body } = deps.read()
    if (header.type !== 'fetched') throw new Error('The supervisor said something else than what came back.')
    early.set(Number(header.call), { text: String(header.text), bytes: body, error: String(header.error) })
  }
}

/** A thrown value as text. What the realm returns is looked at by its type alone. */
function describe(realm: Realm, reason: unknown): string {
  try {
    const text: unknown = realm.describe(reason)
    if (typeof text === 'string') return text
  } catch {}
  return 'A value that cannot be shown was rejected.'
}

/** How many turns the host takes at most to refuse an `import()`. */
const turnsOfHost = 3

/**
 * Lets the host's event loop turn: what was rejected and not handled is known after it, and what the host itself refused has
 * reached the realm. Always as often, so that it does not depend on the machine.
 */
async function turns({ context }: Prepared): Promise<void> {
  let refused = importRefusals()
  for (let left = turnsOfHost; left > 0; left -= 1) {
    await new Promise<void>((done) => setImmediate(done))
    drainScript.runInContext(context)
    if (importRefusals() === refused) continue
    refused = importRefusals()
    left = turnsOfHost + 1
  }
}
