/** Writes one event as a JSON line. */
export type Log = (event: string, facts?: Record<string, unknown>) => void

/**
 * A log of JSON lines, for stderr: stdout belongs to the protocol. What is in `secrets` is cut out of every line; so are
 * base64 payment headers, by their name.
 */
export function createLog(write: (line: string) => void, secrets: readonly string[] = []): Log {
  const hidden = secrets.map((text) => new RegExp(escapeRegExp(text.replace(/^0x/i, '')), 'gi'))
  return (event, facts = {}) => {
    const line = JSON.stringify({ time: new Date().toISOString(), event, ...facts }, (key, value) =>
      /signature|authorization|private|bearer/i.test(key)
        ? '(hidden)'
        : typeof value === 'bigint'
          ? value.toString()
          : value,
    )
    write(`${hidden.reduce((text, one) => text.replace(one, '(hidden)'), line)}\n`)
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
