/** Pieces of source that the programs share: each tries its doors and gives the names of those that were open. */

/** `powersOf(root)`: what a global object offers beyond computing. Nothing of it may be reached by a function. */
const powersOf = `
  function powersOf(root) {
    const open = []
    const attempt = (name, enter) => { try { const got = enter(); if (got !== undefined && got !== null && got !== false) open.push(name) } catch {} }
    for (const id of ['fs', 'child_process', 'net', 'dgram', 'dns', 'http', 'worker_threads', 'vm', 'module', 'inspector', 'cluster', 'os', 'v8', 'process']) {
      attempt('getBuiltinModule ' + id, () => root.process.getBuiltinModule(id))
      attempt('require ' + id, () => root.require(id))
      attempt('mainModule ' + id, () => root.process.mainModule.require(id))
    }
    for (const name of ['binding', '_linkedBinding', 'dlopen', 'kill', '_kill', 'execve', 'report', '_getActiveHandles', 'channel', 'send'])
      attempt('process.' + name, () => root.process[name])
    for (const name of ['WebSocket', 'EventSource', 'XMLHttpRequest', 'Worker', 'SharedWorker', 'Deno', 'Bun'])
      attempt(name, () => root[name])
    attempt('environment', () => Object.keys(root.process.env).length > 0)
    return open
  }`

/**
 * `climb(seeds)`: walks from each value to everything that hangs on it and gives what does not belong to this realm, and
 * what the foreign realm's `Function` then reaches.
 */
export const climb = `${powersOf}
  function climb(seeds) {
    const open = new Set(powersOf(globalThis).map((power) => 'here: ' + power))
    const seen = new Set()
    const queue = Object.entries(seeds).map(([label, value]) => ({ label, value, depth: 0 }))
    const isThing = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
    const attempt = (work) => { try { return work() } catch (error) { return error } }
    const isForeign = (value) => {
      if (typeof value === 'function' && value !== Function.prototype && !(value instanceof Function)) return true
      let top = value
      for (let up = value; up !== null; up = Object.getPrototypeOf(up)) top = up
      return top !== Object.prototype && Object.prototype.hasOwnProperty.call(top, 'hasOwnProperty')
    }
    while (queue.length > 0 && seen.size < 1500) {
      const { label, value, depth } = queue.shift()
      if (!isThing(value) || seen.has(value) || value === globalThis) continue
      seen.add(value)
      if (attempt(() => isForeign(value)) === true) {
        open.add(label + ': another realm')
        for (const root of [
          attempt(() => value.constructor.constructor('return globalThis')()),
          attempt(() => value.constructor('return globalThis')()),
          attempt(() => Object.getPrototypeOf(async () => {}).constructor.constructor('return globalThis')()),
        ]) for (const power of attempt(() => powersOf(root)) ?? []) open.add(label + ': ' + power)
      }
      if (/^(Socket|Pipe|TCP|TTY|Process|ChildProcess|FileHandle|Worker)$/.test(attempt(() => value.constructor.name))) open.add(label + ': a handle')
      if (depth === 4) continue
      const found = [attempt(() => Object.getPrototypeOf(value)), attempt(() => value.constructor)]
      for (const key of attempt(() => ArrayBuffer.isView(value) ? [] : Reflect.ownKeys(value).slice(0, 300)) ?? []) {
        const property = attempt(() => Object.getOwnPropertyDescriptor(value, key))
        found.push(property?.get, property?.set, property?.value ?? attempt(() => value[key]))
      }
      for (const one of found) queue.push({ label, value: one, depth: depth + 1 })
    }
    return [...open]
  }`

/** `frames()`: everything that V8 tells of the callers of this function. */
export const frames = `
  function frames() {
    const before = Error.prepareStackTrace
    const found = {}
    Error.stackTraceLimit = 100
    Error.prepareStackTrace = (error, sites) => {
      sites.forEach((site, n) => {
        found['this' + n] = site.getThis()
        found['function' + n] = site.getFunction()
        found['site' + n] = site
        const called = site.getFunction()
        try { found['arguments' + n] = called.arguments } catch {}
        try { found['caller' + n] = called.caller } catch {}
      })
      return ''
    }
    void new Error().stack
    Error.prepareStackTrace = before
    return found
  }`

/** `look(label, ...values)`: climbs these values and the callers, wherever the host calls; `open` is what was found. */
export const look = `${climb}
${frames}
  const open = new Set()
  let looking = false
  function look(label, ...values) {
    if (looking) return
    looking = true
    try { for (const door of climb({ ...values, ...frames() })) open.add(label + ' ' + door) } finally { looking = false }
  }`

/** `everyDoor(name)`: every way in this process to something that Node knows. */
export const everyDoor = `
  async function everyDoor(name) {
    const bindings = { fs: 'fs', net: 'tcp_wrap', child_process: 'spawn_sync', worker_threads: 'worker', dgram: 'udp_wrap', inspector: 'inspector', vm: 'contextify' }
    const doors = {
      require: () => require(name),
      nodeRequire: () => require('node:' + name),
      getBuiltinModule: () => process.getBuiltinModule(name),
      import: () => import('node:' + name),
      importBare: () => import(name),
      mainModule: () => process.mainModule.require(name),
      moduleConstructor: () => module.constructor._load(name),
      moduleRequire: () => module.require(name),
      requireCache: () => require.cache,
      requireMain: () => require.main.require(name),
      binding: () => process.binding(bindings[name] ?? name),
      linkedBinding: () => process._linkedBinding(bindings[name] ?? name),
      globalRequire: () => globalThis.require(name),
      functionRequire: () => new Function('return require')()(name),
      createRequire: () => require('module').createRequire('/')(name),
      realm: () => require('vm').runInThisContext('require')(name),
      errorFrames: () => { let got; const before = Error.prepareStackTrace; Error.prepareStackTrace = (e, sites) => { got = sites.map((site) => site.getFunction()).find((f) => f && f.name === 'require') }; void new Error().stack; Error.prepareStackTrace = before; return got && got(name) },
      execve: () => process.execve && process.execve('/bin/node', ['node', '-e', '1'], {}),
      dlopen: () => process.dlopen && process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6'),
    }
    const open = []
    for (const [door, enter] of Object.entries(doors)) {
      try { if ((await enter()) !== undefined) open.push(door) } catch {}
    }
    return open
  }`
