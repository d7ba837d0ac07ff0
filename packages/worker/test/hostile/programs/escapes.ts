import { climb, everyDoor, frames, look } from '../doors.ts'
import type { HostileFamily } from '../hostileProgram.ts'

const nothing = { outcome: 'completed', text: '[]' } as const

/** Out of the realm, along what the host hands in and what it takes out. */
export const escapes: HostileFamily = {
  family: 'escape of the context',
  programs: [
    {
      name: 'climbs the constructors of request, headers, context and body',
      body: `${climb}\nreturn Response.json(climb({ request, context, headers: request.headers, signal: request.signal, clone: request.clone(),
        body: request.body, iterator: request.headers[Symbol.iterator](), waitUntil: context.waitUntil, url: new URL(request.url), module, exports, require, self: this }))`,
      ...nothing,
    },
    {
      name: 'climbs the constructors of errors that the host throws',
      body: `${climb}
        const works = [() => null.x, () => new URL('::'), () => decodeURIComponent('%'), () => JSON.parse('{'), () => structuredClone(() => {}), () => atob('*'),
          () => new Response('', { status: 1 }), () => new Headers([['a b', 'c']]), () => new Request('::'), () => setTimeout('x'), () => new TextDecoder('none'),
          () => queueMicrotask(1), () => new WebAssembly.Module(new Uint8Array(3)), () => crypto.getRandomValues(new Uint8Array(1e6)), () => request.headers.set('x', '\\n'),
          () => context.waitUntil(), () => new ReadableStream({ type: 'none' }), () => require('fs'), () => new Intl.DateTimeFormat('x-none-1'), () => Symbol() + '']
        const seeds = {}; works.forEach((work, n) => { try { seeds[n] = work() } catch (error) { seeds['error' + n] = error } })
        return Response.json(climb(seeds))`,
      ...nothing,
    },
    {
      name: 'climbs the constructors of promises that the host rejects',
      body: `${climb}
        const seeds = {}; const works = [() => import('node:fs'), () => import('fs'), () => import('data:text/javascript,export default 1'), () => fetch('http://127.0.0.1'),
          () => new Response('{').json(), () => WebAssembly.compile(new Uint8Array(3)), () => WebAssembly.instantiate(new Uint8Array(3), {}), () => request.formData(), () => request.blob(),
          () => new ReadableStream({ start(c) { c.error(new Error('x')) } }).getReader().read(), () => crypto.subtle.digest('none', new Uint8Array(1)), () => new Response(new ReadableStream({ pull() { throw 1 } })).text()]
        await Promise.all(works.map(async (work, n) => { let pending; try { pending = work(); seeds['promise' + n] = pending; seeds['value' + n] = await pending } catch (error) { seeds['error' + n] = error } }))
        return Response.json(climb(seeds))`,
      ...nothing,
    },
    {
      name: 'climbs from what console, timers and clocks return',
      body: `${climb}
        const timeout = setTimeout(() => {}, 1); const interval = setInterval(() => {}, 1); clearInterval(interval)
        return Response.json(climb({ log: console.log('x'), console, timeout, interval, micro: queueMicrotask(() => {}), performance, mark: performance.mark?.('x'), date: new Date(),
          crypto, subtle: crypto.subtle, random: crypto.getRandomValues(new Uint8Array(1)), intl: Intl, navigator: globalThis.navigator, encoder: new TextEncoder().encode('x') }))`,
      ...nothing,
    },
    {
      name: 'catches the errors of calls into the host at the end of the stack',
      body: `${climb}
        const caught = {}; let count = 0
        const calls = [() => new URL('https://x/'), () => structuredClone({ a: [1] }), () => request.headers.get('x'), () => console.log('x'), () => clearTimeout(setTimeout(() => {}, 1)),
          () => new Response('x'), () => fetch('x').catch(() => {}), () => crypto.randomUUID(), () => new TextDecoder().decode(new Uint8Array(3)), () => require('util'), () => context.waitUntil(1), () => Date.now()]
        for (const call of calls) { const dive = () => { try { dive() } catch {} ; if (count % 7 === 0) try { call() } catch (error) { caught[calls.indexOf(call) + error.name + Object.keys(caught).length % 50] = error } ; count += 1 }
          let depth = 0; const bounded = () => { depth += 1; if (depth < 12000) try { bounded() } catch (error) { caught['edge' + calls.indexOf(call)] = error; try { call() } catch (inner) { caught['inner' + calls.indexOf(call)] = inner } } }
          bounded() }
        return Response.json(climb(caught))`,
      timeoutMs: 10_000,
      ...nothing,
    },
    {
      name: 'reads its callers from the call sites of an error',
      body: `${climb}\n${frames}\nreturn Response.json(climb(frames()))`,
      ...nothing,
    },
    {
      name: 'is called as a thenable and climbs what it is called with',
      body: `${climb}\n${frames}
        return { then(resolve, reject) { resolve(Response.json(climb({ resolve, reject, self: this, ...frames() }))) } }`,
      ...nothing,
    },
    {
      name: 'gives a response whose every property is a getter that looks around',
      body: `${look}
        const response = new Response('own', { status: 201 })
        for (const name of ['status', 'headers', 'ok', 'type', 'then', 'constructor'])
          Object.defineProperty(response, name, { get() { look(name, this); return name === 'then' ? undefined : Reflect.get(Response.prototype, name, response) } })
        Object.defineProperty(response, 'body', { get() { look('body', this); return new Response(JSON.stringify([...open])).body } })
        return response`,
      ...nothing,
      // There nobody looks at its properties.
      onWeb: { outcome: 'completed', text: 'own' },
    },
    {
      name: 'answers with headers and chunks that call it back',
      body: `${look}
        const name = { toString() { look('name', this); return 'x-name' }, [Symbol.toPrimitive](hint) { look('primitive', hint); return 'x-name' } }
        const status = { valueOf() { look('status', this); return 200 } }
        const init = new Proxy({ status, headers: [[name, name]] }, { get(target, key, receiver) { look('init', receiver); return target[key] } })
        const response = new Response(new ReadableStream({ pull(c) { look('pull', c, this); const bytes = new TextEncoder().encode(JSON.stringify([...open])); c.enqueue(bytes); c.close() }, cancel(reason) { look('cancel', reason) } }), init)
        console.log({ [Symbol.for('nodejs.util.inspect.custom')](...values) { look('inspect', ...values); return 'x' }, toString() { look('log'); return 'x' }, get stack() { look('stack'); return 'x' } })
        return response`,
      ...nothing,
    },
    {
      name: 'is a proxy as its module’s exports, as handler and as response',
      before: `${look}
        const traps = (label) => new Proxy({}, { get: (_, trap) => (target, ...rest) => { look(label + ' ' + String(trap), ...rest); return Reflect[trap](target, ...rest) } })
        const handler = new Proxy(async (request) => request.url.endsWith('/next') ? next(false) : Response.json([...open]), traps('handler'))
        module.exports = new Proxy({ get default() { look('getter', this); return handler } }, traps('exports'))`,
      ...nothing,
    },
    {
      name: 'answers a proxy of a response',
      body: `return new Proxy(new Response('mine'), {})`,
      outcome: 'threw',
    },
    {
      name: 'takes the promises that the host waits for',
      body: `${climb}\n${frames}
        const open = new Set(); const { then } = Promise.prototype
        Promise.prototype.then = function (...callbacks) { for (const door of climb({ self: this, ...callbacks, ...frames() })) open.add(door); return then.apply(this, callbacks) }
        await null; await new Promise((done) => setTimeout(done, 5)); context.waitUntil({ then: (...callbacks) => { for (const door of climb(callbacks)) open.add(door); callbacks[0]() } })
        await fetch('http://x').catch(() => {}); await new Response('x').text()
        return Response.json([...open])`,
      ...nothing,
    },
    {
      name: 'watches resources and finalizers',
      body: `${climb}
        const open = new Set(); const look = (...values) => { for (const door of climb(values)) open.add(door) }
        const registry = new FinalizationRegistry((held) => look(held)); const gone = []; for (let n = 0; n < 2e5; n += 1) { const value = { n }; registry.register(value, 'x'); gone.push(new WeakRef(value)) }
        let hooks; try { hooks = require('async_hooks') } catch {}
        if (hooks) { hooks.createHook({ init(id, type, trigger, resource) { if (open.size < 50) look(resource) } }).enable(); look(hooks.executionAsyncResource(), new hooks.AsyncLocalStorage(), new hooks.AsyncResource('x')) }
        await new Promise((done) => setTimeout(done, 20)); look(gone.slice(0, 5)); return Response.json([...open])`,
      timeoutMs: 10_000,
      ...nothing,
    },
    {
      name: 'reaches through imports, exports and tables of WebAssembly',
      body: `${climb}
        // (import "m" "f" (func)) (export "run" (func calling it)) (table 2 funcref) (export "t")
        const bytes = new Uint8Array([0,97,115,109,1,0,0,0, 1,4,1,96,0,0, 2,7,1,1,109,1,102,0,0, 3,2,1,0, 4,4,1,112,0,2, 7,11,2,3,114,117,110,0,1,1,116,1,0, 10,6,1,4,0,16,0,11])
        const open = new Set(); const look = (...values) => { for (const door of climb(values)) open.add(door) }
        for (const call of [console.log, () => {}, context.waitUntil, URL.canParse, Date.now, performance.now.bind(performance)]) {
          const { instance, module: compiled } = await WebAssembly.instantiate(bytes, { m: { f: call } }); look(instance, compiled, instance.exports, instance.exports.t)
          instance.exports.t.set(0, instance.exports.run); look(instance.exports.t.get(0)); try { look(instance.exports.run()) } catch (error) { look(error) } }
        return Response.json([...open])`,
      ...nothing,
    },
    {
      name: 'makes code of strings in every way',
      body: `${climb}
        const roots = {}; const attempt = async (label, work) => { try { roots[label] = await work() } catch {} }
        const code = 'globalThis'; const AsyncFunction = (async () => {}).constructor; const Generator = (function* () {}).constructor
        await attempt('eval', () => eval(code)); await attempt('indirect', () => (0, eval)(code)); await attempt('Function', () => new Function('return this')())
        await attempt('async', () => new AsyncFunction('return globalThis')()); await attempt('generator', () => [...new Generator('yield globalThis')()]); await attempt('timer', () => setTimeout('globalThis.fromString = 1'))
        await attempt('process', () => Function('return process')().getBuiltinModule('fs')); await attempt('require', () => Function('return require')()); await attempt('this', () => (function () { return this })())
        await attempt('import', () => Function('return import("node:fs")')()); await attempt('evalImport', () => (0, eval)('import("node:fs")')); await attempt('asyncImport', () => new AsyncFunction('return import("node:child_process")')())
        const own = Object.entries(roots).filter(([label, root]) => ['process', 'require', 'import', 'evalImport', 'asyncImport'].includes(label) && root !== undefined).map(([label]) => label)
        return Response.json([...own, ...climb(Object.fromEntries(Object.entries(roots).filter(([, root]) => root !== globalThis)))])`,
      ...nothing,
    },
    {
      name: 'imports modules by every kind of name',
      body: `const open = []; for (const name of ['node:fs', 'fs', 'node:child_process', 'file:///etc/passwd', 'file:///proc/self/environ', '/runtime/host.cjs', '../runtime/host.cjs', './function.js',
          'data:text/javascript,export default process.getBuiltinModule', 'data:application/json,{}', 'data:application/wasm;base64,AGFzbQEAAAA=', 'https://example.com/x.js', 'blob:nodedata:x', '#internal', 'peerhost'])
          for (const attributes of [undefined, { with: { type: 'json' } }]) try { await import(name, attributes); open.push(name) } catch {}
        return Response.json(open)`,
      ...nothing,
    },
    {
      name: 'looks for Node’s own modules behind every door',
      body: `${everyDoor}; const open = {}; for (const name of ['vm', 'module', 'inspector', 'v8', 'os', 'process', 'repl', 'wasi', 'sqlite', 'test', 'sea', 'trace_events', 'diagnostics_channel', 'perf_hooks', 'domain', 'constants', 'sys', 'tty'])
          { const doors = await everyDoor(name); if (doors.length > 0) open[name] = doors } return Response.json(Object.keys(open))`,
      ...nothing,
    },
  ],
}
