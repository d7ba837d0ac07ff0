import structuredClone from '@ungap/structured-clone'
import { AbortController, AbortSignal } from './abort.ts'
import { needArguments, requireArguments } from './arguments.ts'
import { createBlob } from './blob.ts'
import { createBody } from './body.ts'
import type { Bridge } from './bridge.ts'
import type { Clock } from './clock.ts'
import { createCompression, createTextStreams } from './compression.ts'
import { createConsole } from './console.ts'
import { createEncoding } from './encoding.ts'
import { CustomEvent, DOMException, Event, EventTarget } from './events.ts'
import { createFetch } from './fetch.ts'
import { createFormData } from './formData.ts'
import { Headers } from './headers.ts'
import { createOperations } from './operations.ts'
import { createRandomness } from './randomness.ts'
import { createRequest } from './request.ts'
import { createResponse } from './response.ts'
import { streamClasses, streams } from './streams.ts'
import { createSubtle } from './subtle.ts'
import { createUrl } from './url.ts'

export type Platform = ReturnType<typeof installPlatform>

/** Gives the realm the web platform's globals: those of the Minimum Common Web API that need no network and no disk. */
export function installPlatform(bridge: Bridge, clock: Clock) {
  const operations = createOperations(bridge)
  const randomness = createRandomness(bridge)
  const encoding = createEncoding(bridge)
  const { URL, URLSearchParams } = createUrl(bridge)
  const blobs = createBlob(encoding, () => clock.nowMs)
  const FormData = createFormData(blobs)
  const { randomUUID } = randomness
  const deps = { ...encoding, blobs, FormData, URL, URLSearchParams, randomUUID }
  const bodies = { ...deps, ...createBody(deps) }
  const Request = createRequest({ ...bodies, follow: (signals) => AbortSignal.any(signals) })
  const { Response, received, readAnswer } = createResponse(bodies)
  const { CryptoKey, SubtleCrypto, subtle } = createSubtle(bridge, operations)
  const { getRandomValues } = randomness
  const { TextEncoder, TextDecoder, atob, btoa } = encoding
  installClasses({
    ...{ AbortController, AbortSignal, CustomEvent, DOMException, Event, EventTarget, Headers, Request, Response },
    ...{ URL, URLSearchParams, FormData, Blob: blobs.Blob, File: blobs.File, TextEncoder, TextDecoder },
    ...{ CryptoKey, SubtleCrypto, ...createCompression(bridge) },
  })
  installLater(streamClasses, streams)
  installLater(['TextEncoderStream', 'TextDecoderStream'], () => createTextStreams(TextEncoder, TextDecoder))
  requireArguments(URLSearchParams.prototype, listMethods)
  requireArguments(FormData.prototype, listMethods)
  requireArguments(Headers.prototype, { append: 2, delete: 1, get: 1, has: 1, set: 2, forEach: 1 })
  requireArguments(EventTarget.prototype, { addEventListener: 2, removeEventListener: 2, dispatchEvent: 1 })
  const elapsedMs = () => clock.nowMs - clock.startMs
  Math.random = randomness.random
  const globals = {
    atob,
    btoa,
    console: createConsole(bridge.log),
    crypto: { subtle, getRandomValues, randomUUID },
    fetch: createFetch({ bridge, operations, Request, Response, received }),
    performance: { now: elapsedMs, timeOrigin: 0, toJSON: () => ({}) },
    queueMicrotask(callback: () => unknown) {
      if (typeof callback !== 'function') throw new TypeError('The callback of a microtask must be a function.')
      Promise.resolve().then(() => callback())
    },
    self: globalThis,
    structuredClone(...values: unknown[]) {
      needArguments('structuredClone', values.length, 1)
      return cloneOf(values[0])
    },
  }
  Object.defineProperty(globals.performance, 'timeOrigin', { get: () => clock.startMs })
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: true })
  return { Request, readAnswer, randomness, operations }
}

const listMethods = { append: 2, delete: 1, get: 1, getAll: 1, has: 1, set: 2, forEach: 1 }

function installClasses(classes: Record<string, { prototype: object }>): void {
  for (const [name, value] of Object.entries(classes)) {
    Object.defineProperty(value, 'name', { value: name, configurable: true })
    Object.defineProperty(value.prototype, Symbol.toStringTag, { value: name, configurable: true })
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
  }
}

/** Classes that are made when one of them is first looked at. What the function put in their place stays. */
function installLater<Name extends string>(
  names: readonly Name[],
  make: () => Record<Name, { prototype: object }>,
): void {
  const getters = new Map(names.map((name) => [name, () => install()[name]]))
  const install = () => {
    const made = make()
    const untouched = names.filter(
      (name) => Object.getOwnPropertyDescriptor(globalThis, name)?.get === getters.get(name),
    )
    installClasses(Object.fromEntries(untouched.map((name) => [name, made[name]])))
    return made
  }
  for (const [name, get] of getters) {
    const set = (value: unknown) =>
      void Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    Object.defineProperty(globalThis, name, { get, set, configurable: true, enumerable: false })
  }
}

function cloneOf(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    throw new DOMException('The value could not be cloned.', 'DataCloneError')
  }
}
