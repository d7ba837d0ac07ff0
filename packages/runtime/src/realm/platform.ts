import structuredClone from '@ungap/structured-clone'
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill'
import { AbortController, AbortSignal } from './abort.ts'
import { createBlob } from './blob.ts'
import { createBody, markDisturbed } from './body.ts'
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
  markDisturbed()
  const Request = createRequest({ ...bodies, neverAborted: () => new AbortController().signal })
  const { Response, received, readAnswer } = createResponse(bodies)
  const { CryptoKey, SubtleCrypto, subtle } = createSubtle(bridge, operations)
  const { getRandomValues } = randomness
  const { TextEncoder, TextDecoder, atob, btoa } = encoding
  installClasses({
    ...{ AbortController, AbortSignal, CustomEvent, DOMException, Event, EventTarget, Headers, Request, Response },
    ...{ URL, URLSearchParams, FormData, Blob: blobs.Blob, File: blobs.File, TextEncoder, TextDecoder },
    ...{ ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableByteStreamController, ReadableStream },
    ...{ ReadableStreamBYOBReader, ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream },
    ...{ WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter, CryptoKey, SubtleCrypto },
    ...createCompression(bridge),
    ...createTextStreams(TextEncoder, TextDecoder),
  })
  const elapsedMs = () => clock.nowMs - clock.startMs
  Math.random = randomness.random
  const globals = {
    atob,
    btoa,
    console: createConsole(bridge.log),
    crypto: { subtle, getRandomValues, randomUUID },
    fetch: createFetch({ bridge, operations, Request, Response, received }),
    performance: { now: elapsedMs, timeOrigin: 0, toJSON: () => ({}) },
    queueMicrotask: (callback: () => unknown) => void Promise.resolve().then(() => callback()),
    self: globalThis,
    structuredClone: (value: unknown) => cloneOf(value),
  }
  Object.defineProperty(globals.performance, 'timeOrigin', { get: () => clock.startMs })
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: true })
  return { Request, readAnswer, randomness, operations }
}

function installClasses(classes: Record<string, { prototype: object }>): void {
  for (const [name, value] of Object.entries(classes)) {
    Object.defineProperty(value, 'name', { value: name, configurable: true })
    Object.defineProperty(value.prototype, Symbol.toStringTag, { value: name, configurable: true })
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
  }
}

function cloneOf(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    throw new DOMException('The value could not be cloned.', 'DataCloneError')
  }
}
