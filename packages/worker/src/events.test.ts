import { describe, expect, it } from 'vitest'
import { createWorkerEvents } from './events.ts'
import { createMetrics, serveMetrics } from './metrics.ts'

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
    const server = await serveMetrics(createMetrics(events), 0)
    try {
      const usage = { durationMs: 7, queueMs: 0, logBytes: 0 }
      const attested = { requestId: '0x', functionId: '0x', outcome: 1, status: 200, usage, tookMs: 9 } as const
      events.emit('job:attested', attested)
      events.emit('job:attested', attested)
      events.emit('job:declined', { requestId: '0x', reason: 'fee-too-low' })
      events.emit('job:settled', { requestIds: ['0x01', '0x02'], transaction: '0x' })
      const address = server.address()
      if (typeof address !== 'object' || !address) throw new Error('The server has no port.')
      expect(address.address).toBe('127.0.0.1')
      const url = `http://127.0.0.1:${address.port}`
      expect((await (await fetch(`${url}/metrics`)).text()).split('\n')).toEqual([
        'peerhost_worker_events_total{event="job:attested"} 2',
        'peerhost_worker_jobs_attested_total{outcome="completed"} 2',
        'peerhost_worker_execution_milliseconds_total 14',
        'peerhost_worker_job_milliseconds_total 18',
        'peerhost_worker_events_total{event="job:declined"} 1',
        'peerhost_worker_jobs_declined_total{reason="fee-too-low"} 1',
        'peerhost_worker_events_total{event="job:settled"} 1',
        'peerhost_worker_jobs_settled_total 2',
        '',
      ])
      expect((await fetch(`${url}/`)).status).toBe(404)
    } finally {
      server.close()
    }
  })
})
