import { createServer, type Server } from 'node:http'
import { outcomeOf, PeerHostError } from '@peerhost/protocol'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { WorkerEventHub } from './events.ts'
import type { WorkerSnapshot } from './status/workerSnapshot.ts'

/** A worker’s metrics as Prometheus text. */
export type Metrics = { text: () => Promise<string> }

const prefix = 'peerhost_worker_'
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60]

/** Counts what the events say, and shows what a snapshot says when it is asked. */
export function createMetrics(events: WorkerEventHub, snapshot: () => WorkerSnapshot): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix })
  countEvents(registry, events)
  showSnapshot(registry, snapshot)
  return { text: () => registry.metrics() }
}

function countEvents(registry: Registry, events: WorkerEventHub): void {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `${prefix}${name}`, help, labelNames, registers })
  const seconds = (name: string, help: string) =>
    new Histogram({ name: `${prefix}${name}`, help, buckets: secondsBuckets, registers })
  const all = counter('events_total', 'Events of the worker, by name.', ['event'])
  const declined = counter('jobs_declined_total', 'Jobs that were not taken, by reason code.', ['reason'])
  const attested = counter('jobs_attested_total', 'Jobs whose result was signed, by outcome.', ['outcome'])
  const settled = counter('jobs_settled_total', 'Jobs that were settled on chain.', [])
  const unpaid = counter('jobs_unpaid_total', 'Jobs that were run and will not be paid.', [])
  const away = counter('rpc_endpoint_away_total', 'Times that an RPC endpoint did not answer.', ['endpoint'])
  const execution = seconds('execution_seconds', 'How long functions ran.')
  const job = seconds('job_seconds', 'From taking a job to its signed result.')
  events.onAny((name) => all.inc({ event: name }))
  events.on('job:declined', ({ reason }) => declined.inc({ reason }))
  events.on('job:attested', ({ outcome, usage, tookMs }) => {
    attested.inc({ outcome: outcomeOf(outcome) ?? 'unknown' })
    execution.observe(usage.durationMs / 1_000)
    job.observe(tookMs / 1_000)
  })
  events.on('job:settled', ({ requestIds }) => settled.inc(requestIds.length))
  events.on('job:unpaid', () => unpaid.inc())
  events.on('chain:endpoint-away', ({ endpoint }) => away.inc({ endpoint }))
}

function showSnapshot(registry: Registry, snapshot: () => WorkerSnapshot): void {
  const gauge = (name: string, help: string, read: (now: WorkerSnapshot) => number) =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read(snapshot()))
      },
    })
  gauge('jobs_running', 'Jobs that run now.', ({ running }) => running)
  gauge('capacity', 'Jobs that may run at once.', ({ capacity }) => capacity)
  gauge('jobs_owed', 'Jobs that were run and are not settled yet.', ({ owed }) => owed)
  gauge('operator_active', '1 while the chain lets the execution key sign.', (now) => Number(now.operatorActive))
  gauge('draining', '1 while the worker drains.', ({ state }) => Number(state === 'draining'))
  new Gauge({
    name: `${prefix}gateway_connected`,
    help: '1 while the session with the gateway is open.',
    labelNames: ['gateway'],
    registers: [registry],
    collect() {
      for (const { url, connected } of snapshot().gateways) this.set({ gateway: url }, Number(connected))
    },
  })
}

/** Serves `/metrics` and `/status`; on the loopback interface unless another host is named. Throws `conflict`. */
export function serveMetrics(
  { metrics, snapshot }: { metrics: Metrics; snapshot: () => WorkerSnapshot },
  { host, port }: { host: string; port: number },
): Promise<Server> {
  const pages: Record<string, { type: string; text: () => string | Promise<string> } | undefined> = {
    '/metrics': { type: 'text/plain; version=0.0.4; charset=utf-8', text: metrics.text },
    '/status': { type: 'application/json', text: () => JSON.stringify(snapshot()) },
  }
  const server = createServer(async (request, response) => {
    const page = request.method === 'GET' ? pages[request.url ?? ''] : undefined
    if (!page) return void response.writeHead(404).end()
    const text = await page.text()
    response.writeHead(200, { 'content-type': page.type, 'cache-control': 'no-store' }).end(text)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new PeerHostError('conflict', `Metrics cannot be served on ${host}:${port}.`, {
          details: [cause.message],
          hint: 'Another worker may have the port: set PEERHOST_METRICS_PORT to a free one.',
          cause,
        }),
      ),
    )
    server.listen(port, host, () => resolve(server))
  })
}
