import vm from 'node:vm'
import type { FetchedFrames } from '../fetchedFrames.ts'
import type { Run } from '../messages.ts'
import type { Bridge, Realm } from '../realm/bridge.ts'
import { type Bindings, createBindings, type Settled } from './bindings.ts'
import { type CompiledBundle, importRefusals, refuseImport } from './compileBundle.ts'

export type ExecutorDeps = {
  readonly realmSource: string
  write: (header: object, body?: Uint8Array) => void
  /** What comes back for the outgoing calls. */
  fetched: FetchedFrames
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
  calls: number
  hasNetwork: boolean
  isLoaded: boolean
  /** How it ended is decided: nothing that it does from here on counts. */
  hasEnded: boolean
  /** What the supervisor will hear of it. */
  ending: { header: object; body: Uint8Array | undefined } | undefined
  /** The last execution in it came to an answer: nothing that failed is shared. */
  hasAnswered: boolean
  isRunning: boolean
  loggedBytes: number
  /** What the module's scope wrote ahead of the execution, which it is part of. Undefined: an execution has begun. */
  scopeLog: Uint8Array[] | undefined
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
      // What the last execution has rejected and nobody handles is reported while its realm is the current one, or the next would be blamed for it.
      if (current) await turns(undefined)
      current = createPrepared(deps, realmScript, assignment)
      if (assignment.isEager) await load(deps, current)
    },
    async execute(run, request) {
      const prepared = current
      if (!prepared) throw new Error('There is no realm to run in.')
      for (const chunk of prepared.scopeLog ?? []) deps.write({ type: 'log' }, chunk)
      prepared.scopeLog = undefined
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
    prepared.ending = { header, body }
  }
  const bindings = createBindings({
    log(bytes) {
      if (prepared.hasEnded) return
      // One byte over the limit says enough.
      const chunk = bytes.subarray(0, assignment.logBytes + 1 - prepared.loggedBytes)
      prepared.loggedBytes += chunk.length
      if (chunk.length === 0) return
      if (prepared.scopeLog) prepared.scopeLog.push(chunk)
      else deps.write({ type: 'log' }, chunk)
    },
    answer(head, body) {
      const { status, headers } = JSON.parse(head) as { status: unknown; headers: unknown }
      end({ type: 'answer', status, headers }, body)
    },
    fail: (verdict, reason) => end({ type: 'failed', end: verdict, reason }),
    started: (id, settled) => void operations.push({ id, settled }),
    fetch(id, head, body) {
      if (!prepared.isRunning || prepared.hasEnded || !prepared.hasNetwork) return false
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
    ...{ assignment, context, realm, bindings, operations, calls: 0, hasNetwork: false, loggedBytes: 0, scopeLog: [] },
    ...{ isLoaded: false, hasEnded: false, hasAnswered: false, isRunning: false },
    ...{ ending: undefined, rejection: undefined },
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
  // Heard of only now that its realm stands still: what it does after its answer takes its own time and not the next one's.
  const goesOn = isShared && (await turns(prepared, mostTurns))
  if (prepared.ending) deps.write(prepared.ending.header, prepared.ending.body)
  if (!goesOn) {
    bindings.revoke()
    prepared.hasAnswered = false
  }
  prepared.isRunning = false
  prepared.ending = undefined
  prepared.rejection = undefined
  prepared.operations.length = 0
  prepared.loggedBytes = 0
  deps.fetched.clear()
  realm.forget()
}

/** Ends the operation that began first, whichever is done first: the order is the same on every machine. */
async function settleFirst(deps: ExecutorDeps, prepared: Prepared): Promise<void> {
  const { operations, realm, bindings, context } = prepared
  const operation = operations.shift()
  if (!operation) return
  const { settled } = operation
  const { text, bytes, error } = 'call' in settled ? fetched(deps, settled.call) : await settled
  bindings.offer(bytes)
  realm.settle(operation.id, text, bytes.length, error)
  drainScript.runInContext(context)
}

function fetched(deps: ExecutorDeps, call: number): Settled {
  const { text, error, body } = deps.fetched.next(call)
  return { text, error, bytes: body }
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
/** How many a realm has that others run in after it: one that asks again and again is not waited for, and not shared. */
const mostTurns = 100

/**
 * Lets the host's event loop turn: what was rejected and not handled is known after it, and what the host itself refused has
 * reached the realm, which goes on meanwhile unless there is none any more. Always as often, so that it does not depend on the machine.
 * Gives whether it has come to rest before `most` of them.
 */
async function turns(goesOn: Pick<Prepared, 'context'> | undefined, most = Number.POSITIVE_INFINITY): Promise<boolean> {
  let refused = importRefusals()
  let taken = 0
  for (let left = turnsOfHost; left > 0; left -= 1) {
    if (taken === most) return false
    taken += 1
    await new Promise<void>((done) => setImmediate(done))
    if (goesOn) drainScript.runInContext(goesOn.context)
    if (importRefusals() === refused) continue
    refused = importRefusals()
    left = turnsOfHost + 1
  }
  return true
}
