import { readdirSync } from 'node:fs'

const rounds = 20

/**
 * Kills every process of this container that is not in `known`. Only for PID 1: elsewhere the other processes are not ours.
 * Returns how many there were: more than none means that something got out of its process group.
 */
export function killStrays(known: ReadonlySet<number>): number {
  const found = new Set<number>()
  for (let round = 0; round < rounds; round += 1) {
    const strays = processes().filter((pid) => !known.has(pid))
    for (const pid of strays) {
      found.add(pid)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {}
    }
    if (strays.length === 0) break
  }
  return found.size
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}
