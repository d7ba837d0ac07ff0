import { functionId as idOf, zeroBytes32 } from '@peerhost/protocol'
import type { BlockSource } from '@peerhost/storage'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Chain, ChainEvent } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import type { FunctionRecord, TermsEvent } from './functionRecord.ts'
import { loadCursor, loadFunctions, saveCursor, saveFunction, saveMetadata, saveTerms } from './functionTable.ts'
import { fetchMetadata, type Metadata } from './metadata.ts'

/** The functions of the network: a cache of the chain, asked for what it does not hold yet. */
export type FunctionRegistry = {
  get: (functionId: Hex) => FunctionRecord | undefined
  /** Reads through to the chain when the function is not known: a deployment that was mined is live at once. */
  find: (creator: Address, project: string, name: string) => Promise<FunctionRecord | undefined>
  list: () => Iterable<FunctionRecord>
  /** First block whose events are not in the database. */
  cursor: () => Promise<bigint | undefined>
  apply: (events: readonly ChainEvent[], throughBlock: bigint) => Promise<void>
  /** Waits for metadata that is being fetched. */
  idle: () => Promise<void>
}

export type FunctionRegistryDeps = {
  database: Database
  chain: Pick<Chain, 'functionState' | 'deployment'>
  sources: readonly BlockSource[]
  log: Logger
  /** Which chain and registry the cursor is of: a database may serve one network only. */
  cursorName: string
  signal: AbortSignal
}

type Names = { creator: Address; project: string; name: string }

/** How long the chain's “no such function” is believed, so that guessing paths does not cost a call each. */
const missTtlMs = 300
const mostMisses = 10_000

export async function createFunctionRegistry(deps: FunctionRegistryDeps): Promise<FunctionRegistry> {
  const stored = await loadFunctions(deps.database)
  const records = new Map<Hex, FunctionRecord>(stored.map((record) => [record.functionId, record]))
  const misses = new Map<Hex, number>()
  const metadata = createMetadataFetcher(deps, (digest, document) => {
    for (const [id, record] of records)
      if (record.deployment.metadataDigest === digest) records.set(id, { ...record, metadata: document })
  })
  for (const record of stored) metadata.want(record)

  const refresh = async (id: Hex, names: Names): Promise<FunctionRecord | undefined> => {
    const state = await deps.chain.functionState(id)
    const deployment = state && (await deps.chain.deployment(id, state.currentVersion))
    if (!state || !deployment) return undefined
    const known = records.get(id)
    const record: FunctionRecord = {
      functionId: id,
      ...names,
      state,
      deployment,
      termsEvents: known?.termsEvents ?? [],
      metadata: known?.deployment.metadataDigest === deployment.metadataDigest ? known.metadata : undefined,
    }
    records.set(id, record)
    await saveFunction(deps.database, record)
    metadata.want(record)
    return record
  }

  const find = async (creator: Address, project: string, name: string): Promise<FunctionRecord | undefined> => {
    const id = idOf(creator, project, name)
    const known = records.get(id)
    if (known) return known
    if ((misses.get(id) ?? 0) > Date.now()) return undefined
    const found = await refresh(id, { creator, project, name })
    if (!found) {
      if (misses.size >= mostMisses) misses.clear()
      misses.set(id, Date.now() + missTtlMs)
    }
    return found
  }

  return {
    get: (id) => records.get(id),
    find,
    list: () => records.values(),
    cursor: () => loadCursor(deps.database, deps.cursorName),
    apply: async (events, throughBlock) => {
      const touched = touchedBy(events, records)
      for (const [id, names] of touched) await refresh(id, names)
      for (const event of events) if (event.type === 'price-changed') await addTerms(deps.database, records, event)
      await saveCursor(deps.database, deps.cursorName, throughBlock + 1n)
    },
    idle: metadata.idle,
  }
}

/** The functions that events are about, with their names: from the event that made them, or from what is known. */
function touchedBy(events: readonly ChainEvent[], records: ReadonlyMap<Hex, FunctionRecord>): Map<Hex, Names> {
  const touched = new Map<Hex, Names>()
  for (const event of events) {
    if (event.type === 'function-created') {
      const { creator, project, name } = event
      touched.set(event.functionId, { creator, project, name })
    } else if (event.type === 'function-changed' || event.type === 'price-changed') {
      const known = touched.get(event.functionId) ?? records.get(event.functionId)
      if (known) touched.set(event.functionId, { creator: known.creator, project: known.project, name: known.name })
    }
  }
  return touched
}

async function addTerms(
  database: Database,
  records: Map<Hex, FunctionRecord>,
  event: Extract<ChainEvent, { type: 'price-changed' }>,
): Promise<void> {
  const { functionId, blockNumber, logIndex, timestampSeconds: sinceSeconds, price, payee, paymentMode } = event
  const record = records.get(functionId)
  const terms: TermsEvent = { blockNumber, logIndex, sinceSeconds, price, payee, paymentMode }
  if (!record || record.termsEvents.some((one) => one.blockNumber === blockNumber && one.logIndex === logIndex)) return
  const termsEvents = [...record.termsEvents, terms].sort(
    (a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex,
  )
  records.set(functionId, { ...record, termsEvents })
  await saveTerms(database, functionId, terms)
}

/** Fetches metadata beside the path of requests: a function is served without it. */
function createMetadataFetcher(deps: FunctionRegistryDeps, onDocument: (digest: Hex, document: Metadata) => void) {
  const running = new Map<Hex, Promise<void>>()
  const retryMs = [0, 1_000, 5_000, 30_000]
  const fetchOne = async (digest: Hex): Promise<void> => {
    for (const delayMs of retryMs) {
      await pause(delayMs, deps.signal)
      if (deps.signal.aborted) return
      try {
        const document = await fetchMetadata(
          deps.sources,
          digest,
          AbortSignal.any([deps.signal, AbortSignal.timeout(10_000)]),
        )
        if (!document) return deps.log.warn({ digest }, 'a metadata block is not a metadata document')
        await saveMetadata(deps.database, digest, document)
        return onDocument(digest, document)
      } catch (error) {
        deps.log.debug({ err: error, digest }, 'metadata is not there yet')
      }
    }
  }
  return {
    want: (record: FunctionRecord) => {
      const digest = record.deployment.metadataDigest
      if (record.metadata !== undefined || digest === zeroBytes32 || running.has(digest)) return
      running.set(
        digest,
        fetchOne(digest).finally(() => running.delete(digest)),
      )
    },
    idle: async () => {
      await Promise.all(running.values())
    },
  }
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs === 0 || signal.aborted) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, delayMs)
    signal.addEventListener('abort', done, { once: true })
  })
}
