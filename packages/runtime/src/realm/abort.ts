import { DOMException, Event, EventTarget } from './events.ts'

const making = Symbol('making')

type OnAbort = (event: Event) => unknown

export class AbortSignal extends EventTarget {
  #reason: unknown
  #isAborted = false
  #followers: AbortSignal[] = []
  #onabort: OnAbort | null | undefined

  constructor(key?: symbol) {
    if (key !== making) throw new TypeError('Illegal constructor')
    super()
  }
  get onabort(): OnAbort | null {
    return this.#onabort ?? null
  }
  /** Has its turn among the listeners from when it is first set. */
  set onabort(value: unknown) {
    if (this.#onabort === undefined && typeof value === 'function')
      this.addEventListener('abort', (event) => this.#onabort?.call(this, event))
    if (typeof value === 'function') this.#onabort = value as OnAbort
    else if (this.#onabort) this.#onabort = null
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
    if (milliseconds === undefined) throw new TypeError('AbortSignal.timeout needs the milliseconds.')
    if (!(milliseconds >= 0 && milliseconds <= Number.MAX_SAFE_INTEGER))
      throw new RangeError('The milliseconds of AbortSignal.timeout are out of range.')
    const signal = new AbortSignal(making)
    const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError')
    setTimeout(() => AbortSignal.#abort(signal, reason()), milliseconds)
    return signal
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(making)
    const all = [...signals]
    const first = all.find((signal) => signal.aborted)
    if (all.some((signal) => !(signal instanceof AbortSignal))) throw new TypeError('This is not an AbortSignal.')
    if (first) AbortSignal.#abort(result, first.reason)
    else for (const signal of all) signal.#followers.push(result)
    return result
  }

  static #abort(signal: AbortSignal, reason: unknown): void {
    // All are aborted before the first listener hears of it.
    for (const marked of AbortSignal.#mark(signal, reason)) marked.dispatchEvent(new Event('abort'))
  }
  static #mark(signal: AbortSignal, reason: unknown): AbortSignal[] {
    if (signal.#isAborted) return []
    signal.#isAborted = true
    signal.#reason = reason
    return [signal, ...signal.#followers.flatMap((follower) => AbortSignal.#mark(follower, reason))]
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
