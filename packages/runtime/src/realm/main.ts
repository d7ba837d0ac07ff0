import { readCanonical, requestUrl } from '../handler/canonicalRequest.ts'
import { findHandler, type Handler, isForbiddenMethod } from '../handler/handler.ts'
import { answerHeaderBytes } from '../messages.ts'
import { type Bridge, guard, type Realm } from './bridge.ts'
import { type Clock, installDate } from './clock.ts'
import { describe } from './console.ts'
import { fromBase64 } from './encoding.ts'
import { installInertWeakness } from './inertWeakness.ts'
import { installPlatform, type Platform } from './platform.ts'
import { installTimers } from './timers.ts'
import { installWebAssembly } from './webAssembly.ts'

type Module = (
  this: unknown,
  exports: unknown,
  require: (id: unknown) => never,
  module: { exports: unknown },
) => unknown

/**
 * Makes this V8 context a realm: web platform, clock, timers and chance, for one bundle. What this file's script evaluates
 * to; runs before any line of the function.
 */
export function createRealm(hostBridge: Bridge, module: Module): Realm {
  const bridge = guard(hostBridge)
  const clock: Clock = { nowMs: 0, startMs: 0 }
  installDate(clock)
  installWebAssembly()
  installInertWeakness()
  const timers = installTimers(clock)
  const platform = installPlatform(bridge, clock)
  const state: State = { bridge, platform, exports: undefined, failure: undefined }
  let timeoutMs = Number.POSITIVE_INFINITY
  return {
    load(clockMs) {
      clock.nowMs = clockMs
      clock.startMs = clockMs
      loadModule(state, module)
    },
    begin(head, env, clockMs, withinMs, responseBodyBytes) {
      clock.nowMs = clockMs
      clock.startMs = clockMs
      timeoutMs = withinMs
      platform.randomness.reset()
      execute(state, head, env, responseBodyBytes).catch((error: unknown) => {
        bridge.log(2, `${describe(error)}\n`)
        bridge.fail('threw', 'error')
      })
    },
    fire() {
      const nextMs = timers.nextMs()
      // Nobody waits for a timer, so one that comes too late is known at once.
      if (nextMs !== undefined && nextMs - clock.startMs > timeoutMs) bridge.fail('timed-out', 'error')
      else
        try {
          return timers.fire()
        } catch (error) {
          bridge.log(2, `${describe(error)}\n`)
          bridge.fail('threw', 'error')
        }
      return true
    },
    settle: platform.operations.settle,
    describe,
    forget: timers.clear,
  }
}

type State = {
  readonly bridge: Bridge
  readonly platform: Platform
  exports: unknown
  failure: { error: unknown } | undefined
}

function loadModule(state: State, module: Module): void {
  try {
    const holder = { exports: {} as unknown }
    module.call(holder.exports, holder.exports, requireNothing, holder)
    state.exports = holder.exports
  } catch (error) {
    state.failure = { error }
  }
}

function requireNothing(id: unknown): never {
  throw Object.assign(new Error(`The module '${String(id)}' is not available to functions.`), {
    code: 'MODULE_NOT_FOUND',
  })
}

async function execute(state: State, head: string, env: string, responseBodyBytes: number): Promise<void> {
  const { bridge } = state
  const canonical = readCanonical(head)
  const handler = findHandlerOf(state, canonical.method)
  if (!handler) return bridge.fail('bad-module', 'error')
  const pending: unknown[] = []
  const context = {
    env: JSON.parse(env) as Record<string, string>,
    waitUntil: (promise: unknown) => void pending.push(promise),
  }
  const request = requestOf(state, canonical)
  const read = await state.platform.readAnswer(await handler(request, context), canonical.method, responseBodyBytes)
  for (const result of await Promise.allSettled(pending))
    if (result.status === 'rejected') bridge.log(2, `${describe(result.reason)}\n`)
  if (read.type === 'not-a-response') return bridge.fail('threw', 'no-response')
  if (read.type === 'too-large') return bridge.fail('output-too-large', 'error')
  const text = JSON.stringify({ status: read.status, headers: read.headers })
  if (text.length * 3 > answerHeaderBytes && bridge.utf8Length(text) > answerHeaderBytes)
    return bridge.fail('output-too-large', 'error')
  bridge.answer(text, read.body)
}

function findHandlerOf({ bridge, exports, failure }: State, method: string): Handler | undefined {
  try {
    if (failure) throw failure.error
    const handler = findHandler(exports, method)
    if (!handler) throw new TypeError('The module exports no handler.')
    return handler
  } catch (error) {
    bridge.log(2, `${describe(error)}\n`)
    return undefined
  }
}

function requestOf({ platform }: State, canonical: ReturnType<typeof readCanonical>): never {
  const { method, headers, body } = canonical
  const url = requestUrl(canonical)
  // For these the web has no Request; the handler answers them without one.
  if (isForbiddenMethod(method)) return new platform.Request(url) as never
  const bytes = 'utf8' in body ? body.utf8 : fromBase64(body.base64)
  const bodiless = method === 'GET' || method === 'HEAD' || bytes.length === 0
  const init = { method, headers, ...(bodiless ? {} : { body: bytes }) }
  const request = new platform.Request(url, init)
  // A text as body would bring its own type.
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) request.headers.delete('content-type')
  return request as never
}
