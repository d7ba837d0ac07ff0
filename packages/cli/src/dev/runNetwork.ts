import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Devnet, type DevnetEvent, startDevnet } from '@peerhost/devnet'
import { isPeerHostError } from '@peerhost/protocol'
import { type Connection, connect, type FunctionCard, getFunction } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { formatUnits } from 'viem'
import type { CommandContext } from '../command.ts'
import { formatPrice, formatProgress } from '../deployment.ts'
import { formatFailure, toFailure } from '../failure.ts'
import { defaultPort } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'
import { isProject } from './project.ts'
import { watchProject } from './watchProject.ts'

export type NetworkOptions = {
  directory: string
  workers: number
  port: number | undefined
  data: string | undefined
  dockerSocket: string
}

/** What the owner of a devnet's functions keeps as credit, in test tokens. */
const credit = { amount: '1000', capPerEpoch: '1000' }

/** Runs a whole network until the signal fires, with the folder's project on it. */
export async function runNetwork(context: CommandContext, options: NetworkOptions): Promise<void> {
  const { note, signal } = context
  const directory = options.data ?? mkdtempSync(join(tmpdir(), 'peerhost-devnet-'))
  try {
    const devnet = await startDevnet({
      directory,
      workers: options.workers,
      port: options.port ?? ((await isFree(defaultPort)) ? defaultPort : undefined),
      dockerSocket: options.dockerSocket,
      persist: options.data !== undefined,
      onEvent: (event) => note(formatEvent(context, event)),
      signal,
    })
    try {
      await serve(context, devnet, options.directory)
    } finally {
      await devnet.stop()
    }
  } finally {
    if (options.data === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

async function serve(context: CommandContext, devnet: Devnet, directory: string): Promise<void> {
  const { note, colors, signal } = context
  const connection = await connect({
    gatewayUrl: devnet.gatewayUrl,
    rpcUrl: devnet.chain.rpcUrl,
    account: devnet.accounts.developer,
    pollingIntervalMs: 50,
    signal,
  })
  const onProgress = (progress: deploy.Progress) => note(colors.dim(formatProgress(progress)))
  const publish = () => deploy(connection, { directory, credit, onProgress, signal })
  const hasProject = isProject(directory)
  const deployed = hasProject ? await publish() : undefined
  await emitNetwork(context, { devnet, connection }, deployed)
  if (!hasProject) note('There are no functions in this folder: peerhost init my-api makes some.')
  await watchProject(directory, signal, async () => {
    if (!isProject(directory)) return
    try {
      const { functions } = await publish()
      const changed = functions.filter((each) => each.changed)
      if (changed.length > 0) note(colors.green(`deployed ${changed.map(({ name }) => name).join(', ')}`))
    } catch (error) {
      if (!isPeerHostError(error)) throw error
      note(formatFailure(toFailure(error, signal), colors))
    }
  })
}

type Published = { devnet: Devnet; connection: Connection }

async function emitNetwork(
  { colors, emit }: CommandContext,
  { devnet, connection }: Published,
  deployed: deploy.ReturnType | undefined,
): Promise<void> {
  const { gatewayUrl, chain, directory, accounts, addresses } = devnet
  const functions = deployed?.functions ?? []
  const cards = await Promise.all(functions.map(({ functionId }) => getFunction(connection, { functionId })))
  const workers = devnet.workers().map(({ ready }) => ready.operator)
  const facts = Object.entries({
    gateway: gatewayUrl,
    chain: `${chain.rpcUrl} (${chain.id})`,
    workers: workers.join(', '),
    payer: `${accounts.payer.address} (play money)`,
    logs: directory,
  }).map(([name, value]) => [colors.dim(name), value])
  const rows = cards.map(({ name, price, methods, url }) => [name, formatPrice(price), methods.join(','), url])
  const tries = [cards.find(({ price }) => price === 0n), cards.find(({ price }) => price > 0n)].flatMap((card) =>
    card ? [formatCall(card, gatewayUrl)] : [],
  )
  emit(
    {
      mode: 'docker',
      isolated: true,
      gatewayUrl,
      rpcUrl: chain.rpcUrl,
      chainId: chain.id,
      addresses,
      workers,
      directory,
      project: deployed?.project,
      functions,
    },
    [
      formatTable(facts),
      ...(rows.length > 0 ? ['', formatTable(rows)] : []),
      ...(tries.length > 0 ? ['', ...tries.map((line) => `  ${line}`)] : []),
      '',
      'Ctrl-C stops it all.',
    ].join('\n'),
  )
}

/** A line to paste: curl for a free function, our own command for one that has to be paid. */
function formatCall({ url, price, methods }: FunctionCard, gatewayUrl: string): string {
  const needsBody = !methods.includes('GET')
  const json = `-H 'content-type: application/json' -d '{}'`
  if (price === 0n) return `curl ${needsBody ? `${json} ` : ''}${url}`
  const gateway = gatewayUrl.endsWith(`:${defaultPort}`) ? '' : ` --gateway ${gatewayUrl}`
  return `peerhost call ${url}${gateway}${needsBody ? ` ${json}` : ''} --max-price ${formatUnits(price, 6)}`
}

function formatEvent({ colors }: CommandContext, event: DevnetEvent): string {
  if (event.type === 'step') return colors.dim(event.text)
  const how = event.exit.signal ?? `exit ${event.exit.code}`
  return `${colors.red('error')} ${event.name} ended (${how}); its log is ${event.logFile}`
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
