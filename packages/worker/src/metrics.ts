import { createServer, type Server } from 'node:http'
import { outcomeOf } from '@peerhost/protocol'
import type { WorkerEventHub } from './events.ts'

/** Counters over the event map, as Prometheus text. */
export type Metrics = { text: () => string }

export function createMetrics(events: WorkerEventHub): Metrics {
  const counters = new Map<string, number>()
  const count = (name: string, labels = '', by = 1) => {
    const key = `peerhost_worker_${name}${labels && `{${labels}}`}`
    counters.set(key, (counters.get(key) ?? 0) + by)
  }
  events.onAny((name) => count('events_total', `event="${name}"`))
  events.on('job:declined', ({ reason }) => count('jobs_declined_total', `reason="${reason}"`))
  events.on('job:attested', ({ outcome, usage, tookMs }) => {
    count('jobs_attested_total', `outcome="${outcomeOf(outcome)}"`)
    count('execution_milliseconds_total', '', usage.durationMs)
    count('job_milliseconds_total', '', tookMs)
  })
  events.on('job:settled', ({ requestIds }) => count('jobs_settled_total', '', requestIds.length))
  return { text: () => [...counters].map(([key, value]) => `${key} ${value}\n`).join('') }
}

/** Serves the text on the loopback interface. */
export function serveMetrics(metrics: Metrics, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics'
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' })
    response.end(found ? metrics.text() : '')
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
