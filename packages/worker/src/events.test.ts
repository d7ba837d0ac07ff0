import { describe, expect, it } from 'vitest'
import { createWorkerEvents } from './events.ts'
import { createMetrics, serveMetrics } from './metrics.ts'
import { createSnapshots, workerSnapshotSchema } from './status/workerSnapshot.ts'

describe('worker events', () => {
  it('reaches the listeners of its name until they leave', () => {
    const { emit, on } = createWorkerEvents()
    const seen: string[] = []
    const off = on('job:declined', ({ reason }) => seen.push(reason))
    emit('job:declined', { requestId: '0x', reason: 'draining' })
    emit('job:cancelled', { requestId: '0x' })
    off()
    emit('job:declined', { requestId: '0x', reason: 'at-capacity' })
    expect(seen).toEqual(['draining'])
  })

  it('survives a listener that throws, and says so', () => {
    const { emit, on } = createWorkerEvents()
    const seen: string[] = []
    on('job:cancelled', () => {
      throw new Error('mine')
    })
    on('job:cancelled', ({ requestId }) => seen.push(requestId))
    on('worker:error', ({ during }) => {
      seen.push(during)
      throw new Error('and mine')
    })
    emit('job:cancelled', { requestId: '0x01' })
    expect(seen).toEqual(['a listener of job:cancelled', '0x01'])
  })
})

describe('metrics', () => {
  it('counts events as Prometheus text, on the loopback interface', async () => {
    const events = createWorkerEvents()
    const readSnapshot = createSnapshots(events, () => 1_800_000_000_000)
    const worker = { state: () => 'running' as const, running: () => 1, owed: () => 2 }
    const [operator, executionKey] = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`] as const
    const gateways = ['ws://one/v1/worker', 'ws://two/v1/worker']
    const snapshot = () => readSnapshot({ worker, operator, executionKey, gateways, capacity: 4 })
    const metrics = createMetrics(events, snapshot)
    const server = await serveMetrics({ metrics, snapshot }, { host: '127.0.0.1', port: 0 })
    try {
      const usage = { durationMs: 7, queueMs: 0, logBytes: 0 }
      const attested = { requestId: '0x', functionId: '0x', outcome: 1, status: 200, usage, tookMs: 9 } as const
      events.emit('job:attested', attested)
      events.emit('job:attested', attested)
      events.emit('job:declined', { requestId: '0x', reason: 'fee-too-low' })
      events.emit('job:settled', { requestIds: ['0x01', '0x02'], transaction: '0x' })
      events.emit('session:open', { url: 'ws://one/v1/worker', gateway: operator })
      events.emit('session:closed', { url: 'ws://two/v1/worker', reason: 'It went.', retryInMs: 5 })
      const address = server.address()
      if (typeof address !== 'object' || !address) throw new Error('The server has no port.')
      expect(address.address).toBe('127.0.0.1')
      const url = `http://127.0.0.1:${address.port}`
      const text = await (await fetch(`${url}/metrics`)).text()
      const lines = [
        'peerhost_worker_events_total{event="job:attested"} 2',
        'peerhost_worker_jobs_attested_total{outcome="completed"} 2',
        'peerhost_worker_execution_seconds_sum 0.014',
        'peerhost_worker_job_seconds_count 2',
        'peerhost_worker_jobs_declined_total{reason="fee-too-low"} 1',
        'peerhost_worker_jobs_settled_total 2',
        'peerhost_worker_jobs_running 1',
        'peerhost_worker_jobs_owed 2',
        'peerhost_worker_capacity 4',
        'peerhost_worker_gateway_connected{gateway="ws://one/v1/worker"} 1',
        'peerhost_worker_gateway_connected{gateway="ws://two/v1/worker"} 0',
      ]
      for (const line of lines) expect(text.split('\n')).toContain(line)
      const status = workerSnapshotSchema.parse(await (await fetch(`${url}/status`)).json())
      expect(status).toMatchObject({
        state: 'running',
        owed: 2,
        attested: 2,
        settled: 2,
        gateways: [{ connected: true }, { connected: false, problem: 'It went.' }],
        declined: [{ reason: 'fee-too-low', count: 1, lastAt: 1_800_000_000 }],
      })
      expect((await fetch(`${url}/`)).status).toBe(404)
      const second = serveMetrics({ metrics, snapshot }, { host: '127.0.0.1', port: address.port })
      await expect(second).rejects.toMatchObject({ code: 'conflict' })
    } finally {
      server.close()
    }
  })
})
