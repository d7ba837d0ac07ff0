import { watch } from 'node:fs'
import { sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const settleMs = 150
const ignored = new Set(['node_modules', 'dist', 'coverage'])

/**
 * Calls `onChange` after files of the folder changed and then were quiet for a moment, one call at a time. Resolves
 * when the signal fires.
 */
export async function watchProject(
  directory: string,
  signal: AbortSignal,
  onChange: () => Promise<void>,
): Promise<void> {
  let changed: (() => void) | undefined
  let pending = false
  const watcher = watch(directory, { recursive: true, signal }, (_, file) => {
    if (file && isIgnored(file)) return
    pending = true
    changed?.()
  })
  watcher.on('error', () => {})
  while (!signal.aborted) {
    if (!pending)
      await new Promise<void>((resolve) => {
        changed = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    while (pending && !signal.aborted) {
      pending = false
      await sleep(settleMs, undefined, { signal }).catch(() => {})
    }
    if (!signal.aborted) await onChange()
  }
}

function isIgnored(file: string): boolean {
  return file.split(sep).some((part) => ignored.has(part) || part.startsWith('.'))
}
