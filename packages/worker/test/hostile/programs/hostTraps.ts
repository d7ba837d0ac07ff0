import { climb } from '../doors.ts'
import type { HostileFamily } from '../hostileProgram.ts'

/** The language under the host’s feet. */
export const hostTraps: HostileFamily = {
  family: 'prototype pollution of the host',
  programs: [
    {
      name: 'breaks the language under the host',
      body: `JSON.stringify = () => '{"type":"answer","status":200,"headers":[]}'; TextEncoder.prototype.encode = () => new Uint8Array(3)
        Uint8Array.prototype.set = () => {}; return new Response('x')`,
      outcome: 'threw',
      // There the language that it breaks is its own alone.
      onWeb: { outcome: 'completed' },
    },
    {
      name: 'gives every object the fields of an answer',
      body: `for (const [name, value] of Object.entries({ status: 299, outcome: 'completed', body: 'forged', end: 'completed', type: 'answer', reason: 'error', id: 1, done: false, toJSON: undefined, env: { A: 'b' }, shell: '/bin/sh', input: 'x', encoding: 'x' }))
          Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: true })
        return new Response('own', { status: 200 })`,
      outcome: 'completed',
      text: 'own',
      left: `'forged' === ({}).body`,
    },
    {
      name: 'puts setters on every object that catch what the host writes',
      body: `${climb}
        const open = new Set(); let caught = []
        for (const name of ['type', 'body', 'headers', 'status', 'end', 'id', 'run', 'request', 'settings', 'fd', 'path', 'handle', 'stdio', 'exports', 'require'])
          Object.defineProperty(Object.prototype, name, { configurable: true, set(value) { caught.push(this, value); Object.defineProperty(this, name, { value, configurable: true, writable: true, enumerable: true }) }, get() { return undefined } })
        await new Promise((done) => setTimeout(done, 5)); await fetch('http://x').catch(() => {}); console.log({ a: 1 }); try { require('fs') } catch {}
        for (const name of ['type', 'body', 'headers', 'status', 'end', 'id', 'run', 'request', 'settings', 'fd', 'path', 'handle', 'stdio', 'exports', 'require']) delete Object.prototype[name]
        return Response.json(climb(caught))`,
      outcome: 'completed',
      text: '[]',
    },
    {
      name: 'makes every object a thenable',
      body: `Object.prototype.then = function (resolve) { resolve('stolen') }; return new Response('own')`,
      outcome: 'threw',
      left: `typeof ({}).then !== 'undefined'`,
    },
    {
      name: 'replaces what the host calls on arrays, maps and strings',
      body: `${climb}
        const caught = []; const push = Array.prototype.push
        for (const [proto, name] of [[Array.prototype, 'push'], [Array.prototype, 'map'], [Array.prototype, Symbol.iterator], [Map.prototype, 'get'], [Map.prototype, 'set'], [Set.prototype, 'add'], [String.prototype, 'toLowerCase'], [Function.prototype, 'call'], [Function.prototype, 'apply'], [Function.prototype, 'bind']]) {
          const original = proto[name]; const { apply } = Reflect
          Object.defineProperty(proto, name, { configurable: true, writable: true, value: function (...values) { caught[caught.length] = this; caught[caught.length] = values; return apply(original, this, values) } }) }
        await new Response('x').text(); console.log('x', { a: 1 }); await fetch('http://x').catch(() => {}); setTimeout(() => {}, 1); try { require('net') } catch {}
        return new Response(JSON.stringify(climb(caught.slice(0, 300))))`,
      outcome: 'completed',
      text: '[]',
      timeoutMs: 10_000,
    },
    {
      name: 'replaces the web classes that the host reads its answer with',
      body: `const Own = Response; globalThis.Response = class { static [Symbol.hasInstance]() { return true } }; Headers.prototype[Symbol.iterator] = function* () { yield ['x-forged', 'yes'] }
        Object.defineProperty(Own, Symbol.hasInstance, { value: () => true }); ReadableStream.prototype.getReader = () => ({ read: async () => ({ done: true }) })
        return { status: 200, headers: [], body: null }`,
      outcome: 'completed',
      text: '',
      // There a response is what the class made, and not what says that it is one.
      onWeb: { outcome: 'threw' },
      left: `Response.name !== 'Response'`,
    },
    {
      name: 'answers with species, subclasses and buffers that change',
      body: `class Bytes extends Uint8Array { static get [Symbol.species]() { return Array } slice() { return 'forged' } get length() { return 3 } }
        return new Response(new ReadableStream({ start(c) { c.enqueue(new Bytes([1, 2, 3, 4])); c.close() } }))`,
      outcome: 'completed',
      text: '\u0001\u0002\u0003\u0004',
    },
    {
      name: 'changes its bytes while the host reads them',
      body: `const bytes = new TextEncoder().encode('first'); setTimeout(() => bytes.fill(120), 1)
        return new Response(new ReadableStream({ async pull(c) { if (this.sent) { await new Promise((done) => setTimeout(done, 20)); return c.close() } this.sent = true; c.enqueue(bytes) } }))`,
      outcome: 'completed',
      text: 'first',
    },
    {
      name: 'freezes and seals everything that the host may want to change',
      body: `for (const one of [globalThis, Object.prototype, Array.prototype, Promise.prototype, Function.prototype, Response.prototype, Headers.prototype, Date, Math, console]) try { Object.freeze(one) } catch {}
        return new Response('frozen')`,
      outcome: 'completed',
      text: 'frozen',
      left: `Object.isFrozen(Array.prototype) || Object.isFrozen(Math)`,
    },
  ],
}
