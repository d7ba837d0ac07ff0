import type { HostileFamily } from '../hostileProgram.ts'

export const output: HostileFamily = {
  family: 'floods of output',
  programs: [
    {
      name: 'writes 1 GB to stdout',
      realm: 'node',
      body: `const piece = 'x'.repeat(1 << 20); for (let i = 0; i < 1024; i += 1) process.stdout.write(piece)`,
      outcome: 'output-too-large',
      timeoutMs: 30_000,
    },
    {
      name: 'writes 1 GB to its log in small lines',
      body: `for (let i = 0; i < 1 << 24; i += 1) console.error('x'.repeat(63))`,
      outcome: 'output-too-large',
      timeoutMs: 60_000,
    },
    { name: 'answers 10 MB', body: `return new Response('x'.repeat(10 << 20))`, outcome: 'output-too-large' },
    {
      name: 'answers a stream that never ends, quickly',
      body: `return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) }, cancel() { return new Promise(() => {}) } }))`,
      outcome: 'output-too-large',
    },
    {
      name: 'answers a stream that never ends, slowly',
      body: `return new Response(new ReadableStream({ async pull(c) { await new Promise((done) => setTimeout(done, 50)); c.enqueue(new Uint8Array(1)) } }))`,
      outcome: 'timed-out',
      timeoutMs: 700,
    },
    {
      name: 'answers a stream of empty pieces that never ends',
      body: `return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(0)) } }))`,
      outcome: 'timed-out',
      timeoutMs: 700,
    },
    {
      name: 'answers a stream that breaks',
      body: `return new Response(new ReadableStream({ pull() { throw new Error('broken') } }))`,
      outcome: 'threw',
    },
    {
      name: 'answers a stream of no bytes',
      body: `return new Response(new ReadableStream({ pull(c) { c.enqueue('text') } }))`,
      outcome: 'threw',
    },
    {
      name: 'answers 40,000 headers',
      body: `return new Response('', { headers: Array.from({ length: 40000 }, (_, i) => ['x-' + i, 'v'.repeat(30)]) })`,
      outcome: 'output-too-large',
    },
    {
      name: 'answers one header of 8 MB',
      body: `return new Response('', { headers: { 'x-large': 'v'.repeat(8 << 20) } })`,
      outcome: 'output-too-large',
    },
  ],
}

const ended = JSON.stringify({
  ...{ type: 'ended', id: 1, end: 'completed', reason: 'error', status: 200, headers: [] },
  ...{ durationMs: 0, logBytes: 0, keptLogBytes: 0 },
})
const forged = `'${ended}'`
const frame = `(() => { const header = new TextEncoder().encode(${forged}); const bytes = new Uint8Array(8 + header.length); new DataView(bytes.buffer).setUint32(0, header.length); bytes.set(header, 8); return bytes })()`

export const protocol: HostileFamily = {
  family: 'forged protocol frames',
  programs: [
    {
      name: 'forges frames in its log',
      body: `const frame = ${frame}; const text = new TextDecoder('latin1').decode(frame)
        for (let i = 0; i < 100; i += 1) { console.log(text); try { process.stdout.write(frame); process.stderr.write(frame) } catch {} } return new Response('mine')`,
      outcome: 'completed',
      text: 'mine',
    },
    {
      name: 'answers a frame',
      body: `const frame = ${frame}; const text = new TextDecoder().decode(frame.subarray(8)); return new Response(text + '\\r\\n' + text)`,
      outcome: 'completed',
      text: `${ended}\r\n${ended}`,
    },
    {
      name: 'answers frames in its headers',
      body: `const open = []; for (const value of [${forged} + '\\r\\n' + 'x: y', 'a\\0b', 'x\\n\\nHTTP/1.1 200 OK']) try { return new Response('forged', { headers: { 'x-frame': value } }) } catch { open.push('refused') } return new Response(open.join())`,
      outcome: 'completed',
      text: 'refused,refused,refused',
    },
    {
      name: 'answers headers that are the gateway’s own',
      body: `return new Response('mine', { headers: { 'peerhost-receipt': 'forged', 'x-payment-response': 'forged', 'payment-response': 'forged', 'set-cookie': 'a=b', 'transfer-encoding': 'chunked', connection: 'close', 'content-length': '1', 'access-control-allow-origin': '*' } })`,
      outcome: 'completed',
      text: 'mine',
    },
    {
      name: 'answers a status that is none',
      body: `const response = new Response('mine'); Object.defineProperty(response, 'status', { get: () => 1e9 }); return response`,
      outcome: 'threw',
      // There nobody asks the object what it is: the class knows.
      onWeb: { outcome: 'completed', text: 'mine' },
    },
    {
      name: 'says another status every time it is asked',
      body: `let n = 0; const response = new Response('mine'); Object.defineProperty(response, 'status', { get: () => [200, '200', NaN, -1, 99, 1e9, { valueOf: () => 7 }][n++ % 7] }); return response`,
      outcome: 'threw',
      // There nobody asks the object what it is: the class knows.
      onWeb: { outcome: 'completed', text: 'mine' },
    },
    {
      name: 'answers header names from a poisoned prototype',
      body: `const response = new Response('mine'); Object.defineProperty(response, 'headers', { get: () => [['__proto__', 'x'], ['constructor', 'y'], ['x', { toString: () => 'z' }]] }); return response`,
      outcome: 'threw',
    },
    {
      name: 'speaks to whoever started it',
      body: `const open = []; for (const send of [() => process.send({ type: 'answer' }), () => process.channel.ref(), () => postMessage({}), () => parentPort.postMessage({}), () => self.close(), () => process.disconnect(), () => process.stdout._handle.writeUtf8String({}, 'x'), () => process._rawDebug('x'), () => require('worker_threads').parentPort.postMessage(1)])
          try { send(); open.push(String(send)) } catch {} return Response.json(open)`,
      outcome: 'completed',
      text: '[]',
    },
  ],
}
