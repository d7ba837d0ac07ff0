import { DOMException, Event, EventTarget } from './events.ts'

const making = Symbol('making')

export class AbortSignal extends EventTarget {
  #reason: unknown
  #isAborted = false
  #followers: AbortSignal[] = []
  onabort: ((event: Event) => unknown) | null = null

  constructor(key?: symbol) {
    if (key !== making) throw new TypeError('Illegal constructor')
    super()
  }
  get aborted(): boolean {
    return this.#isAborted
  }
  get reason(): unknown {
    return this.#reason
  }
  throwIfAborted(): void {
    if (this.#isAborted) throw this.#reason
  }

  static abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): AbortSignal {
    const signal = new AbortSignal(making)
    AbortSignal.#abort(signal, reason)
    return signal
  }
  static timeout(milliseconds: number): AbortSignal {
    const signal = new AbortSignal(making)
    const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError')
    setTimeout(() => AbortSignal.#abort(signal, reason()), milliseconds)
    return signal
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(making)
    const all = [...signals]
    const first = all.find((signal) => signal.aborted)
    if (first) AbortSignal.#abort(result, first.reason)
    else for (const signal of all) signal.#followers.push(result)
    return result
  }

  static #abort(signal: AbortSignal, reason: unknown): void {
    if (signal.#isAborted) return
    signal.#isAborted = true
    signal.#reason = reason
    const event = new Event('abort')
    signal.onabort?.call(signal, event)
    signal.dispatchEvent(event)
    for (const follower of signal.#followers) AbortSignal.#abort(follower, reason)
  }
  /** For `AbortController` alone: taken off the class before any function sees it. */
  static makeForController(): { signal: AbortSignal; abort: (reason: unknown) => void } {
    const signal = new AbortSignal(making)
    return { signal, abort: (reason) => AbortSignal.#abort(signal, reason) }
  }
}

const { makeForController } = AbortSignal
Reflect.deleteProperty(AbortSignal, 'makeForController')

export class AbortController {
  #made = makeForController()
  get signal(): AbortSignal {
    return this.#made.signal
  }
  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    this.#made.abort(reason)
  }
}
