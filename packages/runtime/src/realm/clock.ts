/** A clock that stands while code runs. */
export type Clock = { nowMs: number; startMs: number }

/** Replaces every way to learn the time but timers: `Date`, `Intl.DateTimeFormat`. Made of this realm's own classes. */
export function installDate(clock: Clock): void {
  const RealDate = Date
  RealDate.now = () => clock.nowMs
  const FunctionDate = new Proxy(RealDate, {
    construct: (target, values, newTarget) =>
      Reflect.construct(target, values.length === 0 ? [clock.nowMs] : values, newTarget),
    apply: () => new RealDate(clock.nowMs).toString(),
  })
  put(RealDate.prototype, 'constructor', FunctionDate)
  put(globalThis, 'Date', FunctionDate)
  installFormats(clock)
}

/** A date format without a date means now. */
function installFormats(clock: Clock): void {
  const formats = Intl.DateTimeFormat.prototype
  const { formatToParts } = formats
  const format = Object.getOwnPropertyDescriptor(formats, 'format')?.get
  put(formats, 'formatToParts', function (this: Intl.DateTimeFormat, date?: Date | number) {
    return formatToParts.call(this, date ?? clock.nowMs)
  })
  Object.defineProperty(formats, 'format', {
    get(this: Intl.DateTimeFormat) {
      const bound = format?.call(this) as (date: Date | number) => string
      return (date?: Date | number) => bound(date ?? clock.nowMs)
    },
    configurable: true,
  })
}

function put(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false })
}
