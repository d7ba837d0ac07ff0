import { inspect } from './inspect.ts'

const printf = /%[sdifjoOc%]/g

/** `console`: lines of text to the function's log. Never throws, whatever it is given. */
export function createConsole(write: (descriptor: 1 | 2, text: string) => void) {
  const counts = new Map<string, number>()
  let indent = ''
  const print =
    (descriptor: 1 | 2) =>
    (...values: unknown[]) => {
      let text: string
      try {
        text = format(values)
      } catch {
        text = '[a value that cannot be shown]'
      }
      write(descriptor, `${indent}${text.replaceAll('\n', `\n${indent}`)}\n`)
    }
  const out = print(1)
  const err = print(2)
  return {
    log: out,
    info: out,
    debug: out,
    dir: (value: unknown) => out(value),
    dirxml: out,
    table: out,
    error: err,
    warn: err,
    trace: (...values: unknown[]) => err('Trace:', ...values),
    assert: (condition: unknown, ...values: unknown[]) => void (condition || err('Assertion failed', ...values)),
    count(label: unknown = 'default') {
      const count = (counts.get(String(label)) ?? 0) + 1
      counts.set(String(label), count)
      out(`${String(label)}: ${count}`)
    },
    countReset: (label: unknown = 'default') => void counts.delete(String(label)),
    group(...values: unknown[]) {
      if (values.length > 0) out(...values)
      indent += '  '
    },
    groupEnd() {
      indent = indent.slice(2)
    },
    time() {},
    timeEnd: (label: unknown = 'default') => out(`${String(label)}: 0ms`),
    timeLog: (label: unknown = 'default', ...values: unknown[]) => out(`${String(label)}: 0ms`, ...values),
  }
}

function format(values: readonly unknown[]): string {
  const [first, ...rest] = values
  if (typeof first !== 'string') return values.map((value) => inspect(value)).join(' ')
  const text = first.replace(printf, (mark) => {
    if (mark === '%%') return '%'
    if (rest.length === 0) return mark
    const value = rest.shift()
    if (mark === '%d') return String(Number(value))
    if (mark === '%i') return String(Math.trunc(Number(value)))
    if (mark === '%f') return String(Number.parseFloat(String(value)))
    if (mark === '%j') return JSON.stringify(value) ?? 'undefined'
    if (mark === '%c') return ''
    return mark === '%s' ? String(value) : inspect(value)
  })
  return [text, ...rest.map((value) => inspect(value))].join(' ')
}

/** What was thrown, for the log. Never throws: user code may have made the value. */
export function describe(value: unknown): string {
  try {
    return value instanceof Error ? inspect(value) : `Thrown: ${inspect(value)}`
  } catch {
    return 'A value that cannot be shown was thrown.'
  }
}
