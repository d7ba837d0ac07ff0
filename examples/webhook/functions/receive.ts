import { createHmac, timingSafeEqual } from 'node:crypto'

export const config = {
  description:
    'Takes a webhook: checks the HMAC-SHA256 signature over the exact bytes of the body, then says what it received. ' +
    'Signature as `x-hub-signature-256: sha256=<hex>` or as Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`).',
  methods: ['POST'],
  deterministic: true,
}

/** EXAMPLE ONLY: a bundle is public, so is this. A real secret never stands in source code. */
export const exampleSecret = 'example-secret-do-not-use'

/** A signed message counts for so long, in seconds. */
const toleranceSeconds = 300

export async function POST(request: Request): Promise<Response> {
  // The signature covers bytes: parsing and printing the JSON again would change them.
  const body = Buffer.from(await request.arrayBuffer())
  if (!isSigned(request.headers, body)) {
    return Response.json(
      { title: 'Unauthorized', status: 401, detail: 'The signature is missing or wrong.' },
      { status: 401 },
    )
  }
  return Response.json({ received: true, bytes: body.length, event: request.headers.get('x-github-event') })
}

function isSigned(headers: Headers, body: Buffer): boolean {
  const hub = headers.get('x-hub-signature-256')
  if (hub !== null) return sameText(hub, `sha256=${createHmac('sha256', exampleSecret).update(body).digest('hex')}`)
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((part) => headers.get(`webhook-${part}`))
  if (!id || !timestamp || !signatures || !isRecent(timestamp)) return false
  const signed = createHmac('sha256', exampleSecret).update(`${id}.${timestamp}.`).update(body).digest('base64')
  // Several signatures stand there while a sender changes its secret.
  return signatures.split(' ').some((signature) => sameText(signature, `v1,${signed}`))
}

function isRecent(timestamp: string): boolean {
  return Math.abs(Date.now() / 1_000 - Number(timestamp)) <= toleranceSeconds
}

/** Takes the same time whatever differs. */
function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
