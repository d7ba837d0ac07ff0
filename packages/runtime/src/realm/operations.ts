import type { Bridge } from './bridge.ts'
import { DOMException } from './events.ts'

type Settled = { text: string; bytes: Uint8Array<ArrayBuffer> }

export type Operations = {
  /** Starts what the host does aside, and waits for it. Rejects with the web's error of the name that the host gave. */
  start: (begin: (id: number) => void) => Promise<Settled>
  settle: (id: number, text: string, byteLength: number, error: string) => void
}

/** What is under way in the host. It ends in the order in which it began, so that no machine is different from another. */
export function createOperations(bridge: Pick<Bridge, 'take'>): Operations {
  const waiting = new Map<number, PromiseWithResolvers<Settled>>()
  let lastId = 0
  return {
    start(begin) {
      lastId += 1
      const settled = Promise.withResolvers<Settled>()
      waiting.set(lastId, settled)
      begin(lastId)
      return settled.promise
    },
    settle(id, text, byteLength, error) {
      const bytes = new Uint8Array(byteLength)
      if (byteLength > 0) bridge.take(bytes)
      const settled = waiting.get(id)
      waiting.delete(id)
      if (error === '') settled?.resolve({ text, bytes })
      else settled?.reject(errorOf(error, text))
    },
  }
}

function errorOf(name: string, message: string): Error {
  if (name === 'TypeError') return new TypeError(message)
  if (name === 'RangeError') return new RangeError(message)
  if (name === 'SyntaxError') return new SyntaxError(message)
  return name === 'Error' ? new Error(message) : new DOMException(message, name)
}
