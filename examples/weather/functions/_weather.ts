import { createHash } from 'node:crypto'

/** The weather of one city on one day. */
export type Weather = {
  city: string
  date: string
  summary: string
  temperatureC: { low: number; high: number }
  rainChancePercent: number
  windKmh: number
}

const skies = ['clear', 'mostly sunny', 'cloudy', 'overcast', 'light rain', 'showers', 'thunderstorm', 'fog']

/** Made up, but always the same for the same city and day, so that every worker gives the same answer. */
export function weatherOn(city: string, date: string): Weather {
  const name = city.trim().toLowerCase()
  const climate = createHash('sha256').update(name).digest()
  const day = createHash('sha256').update(`${name}|${date}`).digest()
  const season = Math.cos(((dayOfYear(date) - 200) / 365) * 2 * Math.PI)
  const mean = Math.round((climate.readUInt8(0) % 24) + 2 + season * 9)
  const sky = day.readUInt8(0) % skies.length
  const low = mean - 3 - (day.readUInt8(1) % 4)
  return {
    city: city.trim(),
    date,
    summary: skies[sky] ?? 'clear',
    temperatureC: { low, high: low + 5 + (day.readUInt8(2) % 8) },
    rainChancePercent: sky < 4 ? day.readUInt8(3) % 25 : 45 + (day.readUInt8(3) % 50),
    windKmh: day.readUInt8(4) % 45,
  }
}

/** Milliseconds since 1970 → YYYY-MM-DD in UTC. */
export function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}

/** True for a day that exists, written YYYY-MM-DD. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && isoDate(Date.parse(text)) === text
}

/** The day `count` days later. */
export function daysAfter(date: string, count: number): string {
  return isoDate(Date.parse(date) + count * 86_400_000)
}

function dayOfYear(date: string): number {
  return (Date.parse(date) - Date.parse(`${date.slice(0, 4)}-01-01`)) / 86_400_000
}
