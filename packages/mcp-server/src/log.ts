/** Writes one event as a JSON line. */
export type Log = (event: string, facts?: Record<string, unknown>) => void

const secret = /0x[0-9a-f]{64}(?![0-9a-f])/gi

/**
 * A log of JSON lines, for stderr: stdout belongs to the protocol. What is in `secrets` is cut out of every line; so are
 * base64 payment headers, by their name.
 */
export function createLog(write: (line: string) => void, secrets: readonly string[] = []): Log {
  const hidden = secrets.flatMap((text) => [text.toLowerCase(), text.toLowerCase().replace(/^0x/, '')]).filter(Boolean)
  return (event, facts = {}) => {
    const line = JSON.stringify({ time: new Date().toISOString(), event, ...facts }, (key, value) =>
      /signature|authorization|private|bearer/i.test(key)
        ? '(hidden)'
        : typeof value === 'bigint'
          ? value.toString()
          : value,
    )
    write(`${hide(line, hidden)}\n`)
  }
}

function hide(line: string, hidden: readonly string[]): string {
  if (hidden.length === 0) return line
  const withoutKeys = line.replace(secret, (text) => (hidden.includes(text.toLowerCase()) ? '(hidden)' : text))
  return hidden.reduce((text, one) => {
    const at = text.toLowerCase().indexOf(one)
    return at === -1 ? text : text.replaceAll(text.slice(at, at + one.length), '(hidden)')
  }, withoutKeys)
}
