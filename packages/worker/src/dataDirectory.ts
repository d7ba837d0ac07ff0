import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerHostError } from '@peerhost/protocol'
import { type Address, concatHex, type Hex, keccak256, numberToHex, type PublicClient } from 'viem'

/** Where one execution key keeps its files for one chain. Two chains, or a chain that began anew, never share them. */
export type DataDirectory = {
  path: string
  journal: string
  cursor: string
  courtCursor: string
  inputs: string
  release: () => Promise<void>
}

export type DataDirectoryOptions = {
  directory: string
  chainId: number
  coordinator: Address
  genesis: Hex
  executionKey: Address
}

/** The hash of the chain's first block: tells a chain from another one with the same id. */
export async function readGenesis(client: PublicClient): Promise<Hex> {
  const { hash } = await client.getBlock({ blockNumber: 0n, includeTransactions: false })
  return hash
}

/**
 * Opens the directory for this process alone: two workers with one key and two journals would sign two results of one
 * request. Throws `conflict` when another process has it.
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { directory, chainId, coordinator, genesis, executionKey } = options
  const network = keccak256(concatHex([numberToHex(chainId, { size: 32 }), coordinator, genesis])).slice(2, 14)
  const path = join(directory, `${chainId}-${network}`, executionKey.toLowerCase())
  await mkdir(path, { recursive: true, mode: 0o700 })
  const lock = join(path, 'worker.lock')
  await takeLock(lock)
  return {
    path,
    journal: join(path, 'journal.log'),
    cursor: join(path, 'cursor'),
    courtCursor: join(path, 'court-cursor'),
    inputs: join(path, 'inputs'),
    release: () => rm(lock, { force: true }),
  }
}

const settleMs = 50

async function takeLock(lock: string): Promise<void> {
  const mine = await identityOf(process.pid)
  for (;;) {
    try {
      await writeFile(lock, mine, { flag: 'wx' })
      // Another process may have taken the same stale lock away a moment later: the last one to write has it.
      await sleep(settleMs)
      if ((await readFile(lock, 'utf8').catch(() => '')) === mine) return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = await readFile(lock, 'utf8').catch(() => '')
    const pid = Number(holder.split(' ')[0])
    if (pid > 0 && pid !== process.pid && (await isRunning(pid, holder)))
      throw new PeerHostError('conflict', 'Another worker uses this execution key and data directory.', {
        details: [`Process: ${pid}`, `Lock: ${lock}`],
        hint: 'Stop it first, or give this worker its own key and directory.',
      })
    await rm(lock, { force: true })
  }
}

/** The process and when it began, because process ids are used again. */
async function identityOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name in parentheses may hold spaces; the start time is the 20th field after it.
  const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${pid} ${began}`
}

async function isRunning(pid: number, holder: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return (await identityOf(pid)) === holder
}
