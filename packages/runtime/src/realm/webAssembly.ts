type Constructors = {
  Module: new (bytes: unknown) => object
  Instance: new (module: object, imports: unknown) => object
}

/**
 * Compiles when it is asked to: V8 would do it on other threads and come back when it likes, which is another moment on
 * every machine. Web streams of modules need a network and are gone.
 */
export function installWebAssembly(): void {
  const { Module, Instance } = WebAssembly as unknown as Constructors
  const instantiate = async (source: unknown, imports?: unknown) => {
    if (source instanceof Module) return new Instance(source, imports)
    const module = new Module(source)
    return { module, instance: new Instance(module, imports) }
  }
  const compile = async (source: unknown) => new Module(source)
  for (const [name, value] of Object.entries({ instantiate, compile }))
    Object.defineProperty(WebAssembly, name, { value, configurable: true, writable: true })
  for (const name of ['compileStreaming', 'instantiateStreaming']) Reflect.deleteProperty(WebAssembly, name)
}

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
