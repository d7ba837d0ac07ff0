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
