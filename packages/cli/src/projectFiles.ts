/** What `peerhost init` writes: paths below the project's folder and their text. */
export function projectFiles(name: string): Record<string, string> {
  return {
    'peerhost.jsonc': `{\n  "name": "${name}"\n}\n`,
    'functions/hello.ts': hello,
    'functions/dice.ts': dice,
  }
}

const hello = `export const config = {
  description: 'Greets whoever is named in the query.',
}

export function GET(request: Request): Response {
  const name = new URL(request.url).searchParams.get('name') ?? 'world'
  return Response.json({ hello: name })
}
`

const dice = `export const config = {
  price: '0.001',
  description: 'Rolls dice.',
  input: {
    type: 'object',
    properties: { sides: { type: 'integer', minimum: 2, maximum: 100, default: 6 } },
  },
}

export async function POST(request: Request): Promise<Response> {
  const { sides = 6 } = (await request.json()) as { sides?: number }
  if (!Number.isInteger(sides) || sides < 2 || sides > 100)
    return Response.json({ error: 'sides is a whole number from 2 to 100' }, { status: 422 })
  return Response.json({ sides, rolled: 1 + Math.floor(Math.random() * sides) })
}
`
