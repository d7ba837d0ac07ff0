import { isDate, isoDate, weatherOn } from './_weather.ts'

export const config = {
  description:
    'The weather in one city on one day: summary, temperatures, chance of rain and wind. Free. ' +
    'Pass the city and, for another day than today, the date. The weather is made up, the same question always has the same answer.',
  methods: ['GET'],
  input: {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 1, maxLength: 100, description: 'Name of the city, for example Lisbon.' },
      date: { type: 'string', format: 'date', description: 'Day as YYYY-MM-DD (UTC). Default: today.' },
    },
    required: ['city'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      city: { type: 'string' },
      date: { type: 'string' },
      summary: { type: 'string', description: 'In words, for example “light rain”.' },
      temperatureC: {
        type: 'object',
        properties: { low: { type: 'integer' }, high: { type: 'integer' } },
        required: ['low', 'high'],
      },
      rainChancePercent: { type: 'integer', minimum: 0, maximum: 100 },
      windKmh: { type: 'integer', minimum: 0 },
    },
    required: ['city', 'date', 'summary', 'temperatureC', 'rainChancePercent', 'windKmh'],
  },
  deterministic: true,
}

export default {
  fetch(request: Request): Response {
    const query = new URL(request.url).searchParams
    const city = query.get('city')?.trim() ?? ''
    // The clock of a function is the time its ticket was signed: every worker sees the same day.
    const date = query.get('date') ?? isoDate(Date.now())
    if (city === '' || city.length > 100) return refuse('Pass a city: ?city=Lisbon')
    if (!isDate(date)) return refuse('The date must be a day as YYYY-MM-DD: ?date=2026-03-01')
    return Response.json(weatherOn(city, date))
  },
}

function refuse(detail: string): Response {
  return Response.json({ title: 'Bad request', status: 400, detail }, { status: 400 })
}
