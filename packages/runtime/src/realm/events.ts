const codes: Record<string, number> = {
  IndexSizeError: 1,
  NotFoundError: 8,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidAccessError: 15,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
}

/** The web platform's errors by name. */
export class DOMException extends Error {
  constructor(message = '', nameOrOptions: string | { name?: string; cause?: unknown } = 'Error') {
    const options = typeof nameOrOptions === 'string' ? { name: nameOrOptions } : nameOrOptions
    super(String(message), 'cause' in options ? { cause: options.cause } : undefined)
    Object.defineProperty(this, 'name', { value: options.name ?? 'Error', configurable: true, writable: true })
  }
  get code(): number {
    return codes[this.name] ?? 0
  }
}

for (const [name, value] of Object.entries(codes)) {
  const words = name.replace(/Error$/, '').replace(/(?!^)[A-Z]/g, '_$&')
  for (const target of [DOMException, DOMException.prototype])
    Object.defineProperty(target, `${words.toUpperCase()}_ERR`, { value, enumerable: true })
}

type Listener = ((event: Event) => unknown) | { handleEvent: (event: Event) => unknown }
type ListenerOptions = { once?: boolean; capture?: boolean; signal?: AbortSignal; passive?: boolean }
type Entry = { listener: Listener; once: boolean; capture: boolean }

type EventState = { target: EventTarget | null; isStopped: boolean; isPrevented: boolean; isDispatching: boolean }

const states = new WeakMap<Event, EventState>()

function stateOf(event: Event): EventState {
  const state = states.get(event)
  if (!state) throw new TypeError('This is not an Event.')
  return state
}

export class Event {
  readonly type: string
  readonly bubbles: boolean
  readonly cancelable: boolean
  readonly composed: boolean
  readonly timeStamp = 0
  readonly isTrusted = false
  constructor(type: string, init: { bubbles?: boolean; cancelable?: boolean; composed?: boolean } = {}) {
    if (type === undefined) throw new TypeError('Event: 1 argument required, but only 0 present.')
    this.type = String(type)
    this.bubbles = Boolean(init.bubbles)
    this.cancelable = Boolean(init.cancelable)
    this.composed = Boolean(init.composed)
    states.set(this, { target: null, isStopped: false, isPrevented: false, isDispatching: false })
  }
  get target(): EventTarget | null {
    return stateOf(this).target
  }
  get currentTarget(): EventTarget | null {
    return stateOf(this).isDispatching ? stateOf(this).target : null
  }
  get srcElement(): EventTarget | null {
    return this.target
  }
  get defaultPrevented(): boolean {
    return stateOf(this).isPrevented
  }
  get eventPhase(): number {
    return stateOf(this).isDispatching ? 2 : 0
  }
  composedPath(): EventTarget[] {
    const { target, isDispatching } = stateOf(this)
    return target && isDispatching ? [target] : []
  }
  preventDefault(): void {
    if (this.cancelable) stateOf(this).isPrevented = true
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    stateOf(this).isStopped = true
  }
}

export class CustomEvent extends Event {
  readonly detail: unknown
  constructor(type: string, init: { detail?: unknown } & ConstructorParameters<typeof Event>[1] = {}) {
    super(type, init)
    this.detail = init.detail ?? null
  }
}

export class EventTarget {
  #listeners = new Map<string, Entry[]>()

  addEventListener(type: string, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    if (listener === null || listener === undefined) return
    const { once = false, capture = false, signal } = typeof options === 'boolean' ? { capture: options } : options
    if (signal?.aborted) return
    const entries = this.#listeners.get(type) ?? []
    if (entries.some((entry) => entry.listener === listener && entry.capture === capture)) return
    this.#listeners.set(type, [...entries, { listener, once, capture }])
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener, { capture }))
  }

  removeEventListener(type: string, listener: Listener | null, options: ListenerOptions | boolean = {}): void {
    const capture = typeof options === 'boolean' ? options : Boolean(options.capture)
    const left = (this.#listeners.get(type) ?? []).filter(
      (entry) => entry.listener !== listener || entry.capture !== capture,
    )
    this.#listeners.set(type, left)
  }

  dispatchEvent(event: Event): boolean {
    const state = stateOf(event)
    if (state.isDispatching) throw new DOMException('The event is being dispatched.', 'InvalidStateError')
    state.target = this
    state.isDispatching = true
    for (const entry of this.#listeners.get(event.type) ?? []) {
      if (state.isStopped) break
      if (!this.#listeners.get(event.type)?.includes(entry)) continue
      if (entry.once) this.removeEventListener(event.type, entry.listener, { capture: entry.capture })
      call(this, entry.listener, event)
    }
    state.isDispatching = false
    return !state.isPrevented
  }
}

/** A listener's error is nobody's who dispatches; it ends the execution as an uncaught one. */
function call(target: EventTarget, listener: Listener, event: Event): void {
  try {
    if (typeof listener === 'function') listener.call(target, event)
    else listener.handleEvent(event)
  } catch (error) {
    Promise.reject(error)
  }
}
