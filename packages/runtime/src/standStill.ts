const nothing = new Int32Array(new SharedArrayBuffer(4))
// Taken before any user code runs.
const { wait } = Atomics

/** Blocks this thread for so many milliseconds. */
export function standStill(ms: number): void {
  wait(nothing, 0, 0, ms)
}
