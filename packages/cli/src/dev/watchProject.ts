import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'
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
  let isChanged = false
  let wake = () => {}
  const stop = watchFolders(directory, () => {
    isChanged = true
    wake()
  })
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    while (!signal.aborted) {
      if (!isChanged)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      while (isChanged && !signal.aborted) {
        isChanged = false
        await sleep(settleMs, undefined, { signal }).catch(() => {})
      }
      if (!signal.aborted) await onChange()
    }
  } finally {
    stop()
  }
}

/**
 * Watches each folder by itself: Node's recursive watcher loses a file on Linux once an editor has saved it by renaming
 * another one over it. Returns what stops it.
 */
function watchFolders(root: string, onEvent: () => void): () => void {
  const watchers = new Map<string, FSWatcher>()
  const look = () => {
    const folders = new Set(foldersBelow(root))
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    for (const folder of folders) {
      if (watchers.has(folder)) continue
      const watcher = watch(folder, (_, name) => {
        if (name && isIgnored(name)) return
        look()
        onEvent()
      })
      watcher.on('error', () => {})
      watchers.set(folder, watcher)
    }
  }
  look()
  return () => {
    for (const watcher of watchers.values()) watcher.close()
  }
}

function foldersBelow(folder: string): string[] {
  try {
    const inside = readdirSync(folder, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !isIgnored(entry.name),
    )
    return [folder, ...inside.flatMap(({ name }) => foldersBelow(join(folder, name)))]
  } catch {
    // It was removed while we looked.
    return []
  }
}

function isIgnored(name: string): boolean {
  return ignored.has(name) || name.startsWith('.')
}
