import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition that has to come true; fails loudly when it does not. */
export async function until(condition: () => Promise<boolean> | boolean, timeoutMs = 15_000): Promise<void> {
  const endMs = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`Did not come true within ${timeoutMs} ms: ${condition}`)
    await sleep(25)
  }
}
