import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuiltProject, buildProject } from '@peerhost/bundler'
import { startLocalServer } from '@peerhost/devnet'
import { isPeerHostError } from '@peerhost/protocol'
import { createProcessSandbox } from '@peerhost/worker'
import { formatUnits } from 'viem'
import { type CommandContext, UsageError } from '../command.ts'
import { formatFailure, toFailure } from '../failure.ts'
import { formatTable } from '../table.ts'
import { isProject } from './project.ts'
import { watchProject } from './watchProject.ts'

/** Serves the project in a plain process until the signal fires: no chain, no payment, no isolation. */
export async function runLocal(
  context: CommandContext,
  options: { directory: string; port: number | undefined; why: readonly string[] },
): Promise<void> {
  if (!isProject(options.directory))
    throw new UsageError(
      `There are no functions in ${options.directory}.`,
      'Make some with `peerhost init my-api`, or run the whole network with Docker.',
    )
  const { note, colors, signal } = context
  const project = await buildProject({ directory: options.directory })
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-dev-'))
  const sandbox = await createProcessSandbox({ directory })
  const server = await startLocalServer(
    { sandbox },
    {
      port: options.port,
      project,
      onRequest: ({ method, path, status, durationMs, log }) => {
        note(`${method} ${path} ${colors.dim(`${status} · ${durationMs} ms`)}`)
        if (log) note(colors.dim(log.trimEnd()))
      },
    },
  )
  note(banner(context, options.why))
  emitServed(context, server.url, project, server.urlOf)
  await watchProject(options.directory, signal, async () => {
    try {
      server.update(await buildProject({ directory: options.directory }))
      note(colors.dim('rebuilt'))
    } catch (error) {
      if (!isPeerHostError(error)) throw error
      note(formatFailure(toFailure(error, signal), colors))
    }
  })
  note('Stopping')
  await server.stop()
  await Promise.race([sandbox.close(), sleep(10_000)])
  rmSync(directory, { recursive: true, force: true })
}

function banner({ colors }: CommandContext, why: readonly string[]): string {
  return [
    '',
    colors.bold(colors.yellow('  NOTHING IS ISOLATED.')),
    '  Your functions run in a plain process of this machine: they can read your files and use your network.',
    '  Nobody verifies the answers, nobody pays, and no worker may join a network in this mode.',
    ...why.map((line) => colors.dim(`  ${line}`)),
    '',
  ].join('\n')
}

function emitServed(
  context: CommandContext,
  url: string,
  project: BuiltProject,
  urlOf: (name: string) => string,
): void {
  const functions = project.functions.map(({ name, price }) => ({
    name,
    url: urlOf(name),
    price: formatUnits(price, 6),
  }))
  const rows = functions.map(({ name, url: at, price }) => [
    name,
    price === '0' ? 'free' : `${price} USDC (not charged here)`,
    at,
  ])
  const first = functions[0] ? `\n\n  curl ${functions[0].url}` : ''
  context.emit(
    { mode: 'process', isolated: false, url, project: project.project, functions },
    `${formatTable(rows)}${first}\n\nCtrl-C stops it.`,
  )
}
