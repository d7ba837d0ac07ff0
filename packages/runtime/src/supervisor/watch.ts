import { decide, type State } from './seat.ts'

const memoryCheckMs = 25

/** Ends executions that use more memory than theirs, until the function that it gives is called. */
export function watchMemory(state: State): () => void {
  const timer = setInterval(() => checkMemory(state), memoryCheckMs)
  timer.unref()
  return () => clearInterval(timer)
}

function checkMemory({ deps, seats, settings }: State): void {
  if (!settings) return
  for (const seat of seats) {
    if (seat.state !== 'running' || seat.host.pid === undefined) continue
    const bytes = deps.privateMemoryBytes(seat.host.pid)
    if (bytes !== undefined && bytes > settings.memoryBytes) decide(seat, { end: 'out-of-memory' })
  }
}

/** After every execution nothing may be left. What forked is thrown away with its container: PID 1 cannot reap it. */
export function sweep(state: State): void {
  if (!state.deps.killStrays || state.stopped) return
  const known = new Set([process.pid])
  for (const { host } of state.seats) if (host.pid !== undefined) known.add(host.pid)
  if (state.deps.killStrays(known) === 0 || state.worn) return
  state.worn = true
  state.deps.send({ type: 'worn' })
}
