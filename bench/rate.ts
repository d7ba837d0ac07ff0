const seconds = 4

/** Calls per second with `parallel` callers, each of which begins the next call when its last one has ended. */
export async function ratePerSecond(call: () => Promise<unknown>, parallel: number): Promise<number> {
  const startedAt = performance.now()
  const until = startedAt + seconds * 1_000
  let done = 0
  const caller = async () => {
    while (performance.now() < until) {
      await call()
      done += 1
    }
  }
  await Promise.all(Array.from({ length: parallel }, caller))
  return done / ((performance.now() - startedAt) / 1_000)
}

/** How long one call takes, in milliseconds. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await call()
  return performance.now() - startedAt
}
