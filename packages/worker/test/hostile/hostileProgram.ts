import type { IsolationLevel, Outcome } from '@peerhost/protocol'
import { hasNode } from './levels.ts'

/** How a program must end. */
export type Expectation = {
  readonly outcome: Outcome
  /** What the answer must say, for attacks that end in an answer. `[]`: it opened nothing. */
  readonly text?: string
}

/** A function that means harm, and the one way in which it must end. */
export type HostileProgram = Expectation & {
  /** Reads on from “a function that”. */
  readonly name: string
  /** What the handler does; `request` and `context` are its arguments. */
  readonly body?: string
  /** What the module does before, or instead, when `body` is left out. It then has to answer `/next` with `next()`. */
  readonly before?: string
  /** An expression that the next execution evaluates: anything but false is state that was carried over. */
  readonly left?: string
  /** Another request of the same function, with something secret, runs beside it. */
  readonly beside?: true
  /** The module never loads, so no request of it can be answered. */
  readonly neverLoads?: true
  /** It uses what only Node has, so it has no meaning where there is none. */
  readonly realm?: 'node'
  readonly timeoutMs?: number
  /** How it must end on the web platform, where that is another way than on Node. */
  readonly onWeb?: Expectation
}

export type HostileFamily = { readonly family: string; readonly programs: readonly HostileProgram[] }

/** What no other request may ever read. */
export const othersSecret = 'a-secret-of-somebody-else'

export const runsAt = ({ realm }: HostileProgram, level: IsolationLevel) => realm === undefined || hasNode(level)

export function expectationAt(program: HostileProgram, level: IsolationLevel): Expectation {
  const { outcome, text } = hasNode(level) ? program : (program.onWeb ?? program)
  return { outcome, ...(text === undefined ? {} : { text }) }
}

/** Answers what the execution finds in its realm before it did anything: the same in a clean one, every time. */
const probe = `
  const next = (() => {
    const names = []
    for (const key of Reflect.ownKeys(globalThis)) {
      const { value } = Object.getOwnPropertyDescriptor(globalThis, key)
      names.push(String(key), typeof value)
      if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) continue
      names.push(...Reflect.ownKeys(value).map(String))
      if (typeof value === 'function' && value.prototype) names.push(...Reflect.ownKeys(value.prototype).map(String))
    }
    names.push(...Reflect.ownKeys(Object.getPrototypeOf(async () => {})).map(String))
    const seen = names.join()
    return (left) => new Response(left ? 'left: ' + String(left) : 'fine ' + seen)
  })()`

/** The program as a bundle. Under `/next` it says what it finds, so that the same sandbox can be asked how it is. */
export function sourceOf({ before = '', body, left = 'false' }: HostileProgram): string {
  const isNext = `request.url.endsWith('/next')`
  const module = `${probe}\n${before}`
  if (body === undefined) return module
  return `${module}\nexports.default = async (request, context) => {\nif (${isNext}) return next(await (${left}))\n${body}\n}`
}
