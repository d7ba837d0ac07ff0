import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { McpServerFactory } from '@modelcontextprotocol/server'
import { PeerHostError } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Wallet } from './calls/callFunction.ts'
import { createQuoteBook } from './calls/quoteBook.ts'
import { resolveExpiredHolds } from './calls/resolveCall.ts'
import { createResultStore } from './calls/resultStore.ts'
import { createCatalogue, type Expose } from './catalogue/catalogue.ts'
import { createServerFactory } from './createServerFactory.ts'
import type { Log } from './log.ts'
import type { PeerHostPort } from './peerHostPort.ts'
import { readPolicy } from './spending/policy.ts'
import { createSpendEngine } from './spending/spendEngine.ts'
import type { ToolDeps } from './tools/tool.ts'
import { testChainIds, type WalletKey } from './walletKey.ts'

export type McpServerOptions = {
  port: PeerHostPort
  /** Absent: read-only, free calls only. */
  key?: WalletKey
  /** Absent: the built-in limits. */
  policyPath?: string
  /** Ledger and results of one wallet; processes with the same wallet share it. */
  dataDirectory: string
  expose: Expose
  owners: readonly Address[]
  projects: readonly string[]
  timeoutMs: number
  nowMs: () => number
  log: Log
}

const drainMs = 20_000
const resultLifetimeMs = 30 * 24 * 3_600_000

/** Puts the parts together. `factory` makes the servers of both transports; `close` gives the wallet's locks back. */
export async function createMcpServer(
  options: McpServerOptions,
): Promise<{ factory: McpServerFactory; close: () => Promise<void> }> {
  const { key, policyPath, dataDirectory, nowMs, log, timeoutMs } = options
  const port = key?.source === 'environment' ? onTestChainsOnly(options.port) : options.port
  const engine = key && createSpendEngine({ directory: join(dataDirectory, 'spending'), policyPath, nowMs })
  const wallet: Wallet | undefined = key && engine && { account: key.account, engine }
  const policy = () => readPolicy(policyPath)
  const results = createResultStore({ directory: join(dataDirectory, 'calls'), nowMs })
  const running: ToolDeps['running'] = new Set()
  const deps: ToolDeps = {
    ...{ port, wallet, results, policy, nowMs, timeoutMs, log },
    running,
    quotes: createQuoteBook({ nowMs }),
    catalogue: createCatalogue({
      port,
      expose: options.expose,
      owners: options.owners,
      projects: options.projects,
      pinned: async () => {
        const reading = await policy()
        return reading.type === 'valid' ? reading.policy.pinned : []
      },
      nowMs,
    }),
  }
  await results.prune(resultLifetimeMs)
  if (wallet) {
    // The gateway may be away at the start; holds wait, and budgets stay safe.
    resolveExpiredHolds(deps, wallet, AbortSignal.timeout(30_000)).catch((error: unknown) =>
      log('holds not resolved', { error: String(error) }),
    )
  }
  return {
    factory: createServerFactory(deps),
    close: async () => {
      // What is signed already gets its answer written down, if it comes soon.
      await Promise.race([Promise.allSettled(running), sleep(drainMs, undefined, { ref: false })])
      engine?.close()
    },
  }
}

/** A key in an environment variable is seen by every child process and crash report: good enough for play money. */
function onTestChainsOnly(port: PeerHostPort): PeerHostPort {
  return {
    ...port,
    invoke: (target, options) => {
      const { authorize, signal } = options
      if (!authorize) return port.invoke(target, options)
      return port.invoke(target, {
        ...options,
        authorize: async (terms) => {
          const { chainId } = await port.network(signal)
          if (testChainIds.includes(chainId)) return authorize(terms)
          throw new PeerHostError('payment_rejected', `A key from the environment does not pay on chain ${chainId}.`, {
            hint: 'The human has to put the key into a file of mode 600 and set PEERHOST_MCP_KEY_FILE.',
          })
        },
      })
    },
  }
}
