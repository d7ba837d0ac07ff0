// Calls the handlers directly: what they answer must not depend on where they run.
import assert from 'node:assert/strict'
import type { Weather } from './functions/_weather.ts'
import { GET, POST } from './functions/forecast.ts'
import today from './functions/today.ts'

type Forecast = { city: string; days: Omit<Weather, 'city'>[] }

const base = 'https://example.test'
const ask = (path: string) => today.fetch(new Request(base + path))
const post = (body: string) => POST(new Request(`${base}/forecast`, { method: 'POST', body }))
const weather = async (path: string) => (await ask(path).json()) as Weather

const lisbon = await weather('/today?city=Lisbon&date=2026-03-01')
assert.equal(lisbon.city, 'Lisbon')
assert.equal(lisbon.date, '2026-03-01')
assert.ok(lisbon.temperatureC.low < lisbon.temperatureC.high)
assert.deepEqual(await weather('/today?city=%20lisbon&date=2026-03-01'), { ...lisbon, city: 'lisbon' })
assert.notDeepEqual(await weather('/today?city=Oslo&date=2026-03-01'), { ...lisbon, city: 'Oslo' })
assert.match((await weather('/today?city=Oslo')).date, /^\d{4}-\d{2}-\d{2}$/)
assert.equal(ask('/today').status, 400)
assert.equal(ask('/today?city=Oslo&date=2026-02-30').status, 400)

const week = (await (await post('{"city":"Lisbon","days":7,"from":"2026-02-26"}')).json()) as Forecast
assert.equal(week.days.length, 7)
assert.deepEqual(week.days.map(({ date }) => date).slice(0, 4), [
  '2026-02-26',
  '2026-02-27',
  '2026-02-28',
  '2026-03-01',
])
const { city: _city, ...firstOfMarch } = lisbon
assert.deepEqual(week.days[3], firstOfMarch)
const byQuery = GET(new Request(`${base}/forecast?city=Lisbon&days=7&from=2026-02-26`))
assert.deepEqual(await byQuery.json(), week)
const short = (await (await post('{"city":"Oslo"}')).json()) as Forecast
assert.equal(short.days.length, 3)
for (const wrong of ['', '[]', '{}', '{"city":"Oslo","days":8}', '{"city":"Oslo","days":1.5}', '{"city":"x","y":1}']) {
  assert.equal((await post(wrong)).status, 400, `a body of ${wrong}`)
}

process.stdout.write('weather: the handlers answer as they should\n')
