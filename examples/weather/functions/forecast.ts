import * as z from 'zod/mini'
import { daysAfter, isDate, isoDate, weatherOn } from './_weather.ts'

export const config = {
  price: '0.001',
  description:
    'Forecast for one city over one to seven days: summary, temperatures, chance of rain and wind per day. ' +
    'Pass the city, the number of days and the first day, as JSON body or as query. The weather is made up, the same question always has the same answer.',
  input: {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 1, maxLength: 100, description: 'Name of the city, for example Lisbon.' },
      days: { type: 'integer', minimum: 1, maximum: 7, default: 3, description: 'How many days. Default: 3.' },
      from: { type: 'string', format: 'date', description: 'First day as YYYY-MM-DD (UTC). Default: today.' },
    },
    required: ['city'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
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
          required: ['date', 'summary', 'temperatureC', 'rainChancePercent', 'windKmh'],
        },
      },
    },
    required: ['city', 'days'],
  },
  deterministic: true,
}

const inputSchema = z.strictObject({
  city: z.string().check(z.trim(), z.minLength(1), z.maxLength(100)),
  days: z._default(z.int().check(z.gte(1), z.lte(7)), 3),
  from: z.optional(z.string().check(z.refine(isDate, 'must be a day as YYYY-MM-DD'))),
})

/** Takes its input from the query. */
export function GET(request: Request): Response {
  const { days, ...rest } = Object.fromEntries(new URL(request.url).searchParams)
  return forecast(days === undefined ? rest : { ...rest, days: Number(days) })
}

/** Takes its input from a JSON body. */
export async function POST(request: Request): Promise<Response> {
  try {
    return forecast(await request.json())
  } catch {
    return refuse(['The body is not JSON.'])
  }
}

function forecast(raw: unknown): Response {
  const { success, data, error } = inputSchema.safeParse(raw)
  if (!success) return refuse(error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`))
  // The clock of a function is the time its ticket was signed: every worker sees the same day.
  const first = data.from ?? isoDate(Date.now())
  const days = Array.from({ length: data.days }, (_, index) => {
    const { city: _city, ...day } = weatherOn(data.city, daysAfter(first, index))
    return day
  })
  return Response.json({ city: data.city, days })
}

function refuse(problems: string[]): Response {
  return Response.json({ title: 'Bad request', status: 400, problems }, { status: 400 })
}
