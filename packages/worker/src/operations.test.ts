import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createWorkerEvents } from './events.ts'
import { createMetrics } from './metrics.ts'
import { createSnapshots } from './status/workerSnapshot.ts'

const folder = join(import.meta.dirname, '../operations')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')
const docs = readFileSync(join(import.meta.dirname, '../../../docs/operating-a-worker.md'), 'utf8')

async function exposedNames(): Promise<Set<string>> {
  const events = createWorkerEvents()
  const readSnapshot = createSnapshots(events, Date.now)
  const address = `0x${'a1'.repeat(20)}` as const
  const worker = { state: () => 'running' as const, running: () => 0, owed: () => 0 }
  const known = { worker, operator: address, executionKey: address, gateways: ['wss://one'], capacity: 1 }
  const text = await createMetrics(events, () => readSnapshot(known)).text()
  const named = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [name, `${name}_bucket`] : [name],
  )
  return new Set(named)
}

it('dashboard, alerts and documentation name metrics that exist', async () => {
  const exposed = await exposedNames()
  const texts = { dashboard: read('dashboard.json'), alerts: read('alerts.yml'), docs }
  for (const [place, text] of Object.entries(texts)) {
    const named = [...text.matchAll(/peerhost_worker_[a-z_0-9]+/g)].map(([name]) => name)
    expect(named.length, place).toBeGreaterThan(5)
    const unknown = named.filter((name) => !exposed.has(name) && !name.endsWith('_'))
    expect(unknown, place).toEqual([])
  }
})

it('the documentation lists every metric of the worker and every alert', async () => {
  const ours = [...(await exposedNames())].filter((name) => !/_(bucket|process|nodejs)/.test(name))
  for (const name of ours) expect(docs).toContain(`\`${name}`)
  const alerts = [...read('alerts.yml').matchAll(/alert: (\S+)/g)].map(([, name]) => name)
  const explained = [...docs.matchAll(/^\| `(PeerHost\w+)` \|/gm)].map(([, name]) => name)
  expect(explained.sort()).toEqual(alerts.sort())
})

it('the dashboard has panels that do not overlap', () => {
  const { panels } = JSON.parse(read('dashboard.json')) as {
    panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[]
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const taken = new Set<string>()
  for (const { gridPos } of panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(taken.has(`${x}:${y}`)).toBe(false)
        expect(x).toBeLessThan(24)
        taken.add(`${x}:${y}`)
      }
})

it('a service is given more time to stop than a drain may take', () => {
  const stop = Number(/TimeoutStopSec=(\d+)/.exec(read('peerhost-worker.service'))?.[1])
  const drain = Number(/`PEERHOST_DRAIN_SECONDS` \| (\d+)/.exec(docs)?.[1])
  expect(stop).toBeGreaterThan(drain)
})
