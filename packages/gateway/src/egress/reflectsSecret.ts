import type { HeaderPair } from '@peerhost/protocol'

/**
 * True when an answer holds one of the secrets: as it is, percent-encoded, escaped as JSON, in hex, or in base64 of either
 * alphabet at any offset. What a host makes of a secret beyond that is not seen.
 */
export function reflectsSecret(
  secrets: readonly string[],
  { headers, body, url }: { headers: readonly HeaderPair[]; body: Uint8Array; url: string },
): boolean {
  if (secrets.length === 0) return false
  const texts = [url, ...headers.flat()]
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const lowerCase = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1')
  return secrets.flatMap(formsOf).some(({ text, anyCase }) => {
    if (anyCase) return lowerCase.includes(text) || texts.some((one) => one.toLowerCase().includes(text))
    return bytes.includes(text) || texts.some((one) => one.includes(text))
  })
}

type Form = { text: string; anyCase: boolean }

function formsOf(secret: string): Form[] {
  const bytes = Buffer.from(secret)
  const exact = [secret, JSON.stringify(secret).slice(1, -1), ...[0, 1, 2].flatMap((offset) => base64Of(bytes, offset))]
  const anyCase = [bytes.toString('hex'), encodeURIComponent(secret).toLowerCase()]
  return [...exact.map((text) => ({ text, anyCase: false })), ...anyCase.map((text) => ({ text, anyCase: true }))]
}

/** The characters of a base64 text that are the secret's alone, when `offset` other bytes stand before it. */
function base64Of(secret: Buffer, offset: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), secret])
  const own = whole.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((whole.length * 8) / 6))
  return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
}
