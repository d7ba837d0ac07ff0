import { readFileSync } from 'node:fs'

/** Memory that belongs to one process alone, in bytes; undefined where the system does not tell. */
export function privateMemoryBytes(pid: number): number | undefined {
  const status = read(`/proc/${pid}/status`)
  if (status === undefined) return undefined
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1_024
}

/** How often the kernel killed a process of this container for memory; undefined outside a container. */
export function oomKills(): number | undefined {
  const text = read('/sys/fs/cgroup/memory.events') ?? read('/sys/fs/cgroup/memory/memory.oom_control')
  const count = text === undefined ? undefined : /^oom_kill (\d+)$/m.exec(text)?.[1]
  return count === undefined ? undefined : Number(count)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
