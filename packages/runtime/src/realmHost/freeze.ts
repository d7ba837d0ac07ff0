/**
 * Freezes the language of the host. Should a realm ever get hold of one of its objects, nothing can be left there for the
 * next execution. Code from strings is off in the host as well, by the flag that the supervisor starts it with.
 */
export function freezeLanguage(): void {
  const names = Object.getOwnPropertyNames(globalThis)
  const values = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)?.value as unknown)
  const hidden = [
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf([][Symbol.iterator]()),
    Object.getPrototypeOf(function* () {}),
    Object.getPrototypeOf(async () => {}),
    Object.getPrototypeOf(async function* () {}),
    globalThis.URL,
    globalThis.URLSearchParams,
    globalThis.TextDecoder,
    globalThis.TextEncoder,
  ]
  for (const value of [...values, ...hidden]) {
    if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) continue
    if (value === globalThis || value === process || value === Buffer) continue
    freeze(value)
    freeze((value as { prototype?: unknown }).prototype)
  }
}

function freeze(value: unknown): void {
  if ((typeof value === 'object' || typeof value === 'function') && value !== null) Object.freeze(value)
}
