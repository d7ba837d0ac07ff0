import { EventEmitter } from 'eventemitter3'
import { LRUCache } from 'lru-cache'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  lru: () => {
    const cache = new LRUCache<string, number>({ max: 2 })
    for (const key of ['a', 'b', 'a', 'c']) cache.set(key, key.charCodeAt(0))
    return [...cache.entries()]
  },
  'lru-time': async () => {
    const cache = new LRUCache<string, number>({ max: 9, ttl: 20 })
    cache.set('a', 1)
    await new Promise((done) => setTimeout(done, 30))
    return cache.get('a') ?? 'gone'
  },
  events: () => {
    const seen: unknown[] = []
    const emitter = new EventEmitter<{ x: [number] }>()
    emitter.once('x', (value) => seen.push(value)).on('x', (value) => seen.push(-value))
    return [emitter.emit('x', 1), emitter.emit('x', 2), seen]
  },
}
export default answerCase(cases)
