/**
 * Takes away what follows the garbage collector or another thread: a registry that never calls (which the language
 * allows), references that hold, and no waiting that ends by itself.
 */
export function installInertWeakness(): void {
  class InertRegistry {
    register(): void {}
    unregister(): boolean {
      return false
    }
  }
  class HoldingRef {
    readonly #target: object
    constructor(target: object) {
      if (typeof target !== 'object' || target === null) throw new TypeError('WeakRef: target must be an object')
      this.#target = target
    }
    deref(): object {
      return this.#target
    }
  }
  for (const [name, value] of Object.entries({ FinalizationRegistry: InertRegistry, WeakRef: HoldingRef })) {
    Object.defineProperty(value, 'name', { value: name, configurable: true })
    Object.defineProperty(value.prototype, Symbol.toStringTag, { value: name, configurable: true })
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
  }
  Reflect.deleteProperty(Atomics, 'waitAsync')
}
