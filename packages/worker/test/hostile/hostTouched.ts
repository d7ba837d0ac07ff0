import { readdir, readFile } from 'node:fs/promises'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import { containersWith, engineJson, runInside } from '../sandbox/dockerEngine.ts'

/** What can be seen of a deployment’s containers from outside. */
export type Surroundings = { readonly containers: readonly string[]; readonly processes: number }

/** Containers of a deployment, and how many processes run in them. */
export async function surroundingsOf(deployment: string): Promise<Surroundings> {
  const containers = await containersWith(`${sandboxLabels.deployment}=${deployment}`)
  const processes = await Promise.all(containers.map(processesOf))
  return { containers, processes: processes.reduce((sum, count) => sum + count, 0) }
}

async function processesOf(container: string): Promise<number> {
  const { Processes } = await engineJson<{ Processes?: unknown[] }>('GET', `/containers/${container}/top`)
  return Processes?.length ?? 0
}

/** What lies in the temporary folder of a container, and which program its first process runs. */
export async function insideOf(container: string): Promise<{ files: string[]; program: string | undefined }> {
  const { State } = await engineJson<{ State: { Pid: number } }>('GET', `/containers/${container}/json`)
  try {
    const program = programIn(await readFile(`/proc/${State.Pid}/cmdline`, 'utf8'))
    return { files: await readdir(`/proc/${State.Pid}/root/tmp`), program }
  } catch {
    // Not our kernel’s processes, or not ours to look into.
    const [files = '[]', commandLine = '""'] = (await runInside(container, lookAround)).split('\n')
    return { files: JSON.parse(files) as string[], program: programIn(JSON.parse(commandLine) as string) }
  }
}

const lookAround = `const fs = require('fs')
  console.log(JSON.stringify(fs.readdirSync('/tmp'))); console.log(JSON.stringify(fs.readFileSync('/proc/1/cmdline', 'utf8')))`

const programIn = (commandLine: string) => commandLine.split('\0').at(-2)
