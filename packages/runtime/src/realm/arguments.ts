/** Throws the `TypeError` of a call that leaves out what it must have. */
export function needArguments(name: string, given: number, needed: number): void {
  if (given < needed) throw new TypeError(`${name}: ${needed} arguments required, but only ${given} present.`)
}

/** Makes the methods of a class refuse calls with fewer arguments than named here. */
export function requireArguments(prototype: object, needed: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(needed)) {
    const { value: method } = Object.getOwnPropertyDescriptor(prototype, name) as { value: CallableFunction }
    const checked = {
      [name](this: unknown, ...values: unknown[]): unknown {
        needArguments(name, values.length, count)
        return Reflect.apply(method, this, values)
      },
    }
    Object.defineProperty(prototype, name, { value: checked[name], configurable: true, writable: true })
  }
}
