import type { Logger } from 'pino'
import type { Hex } from 'viem'
import type { Database } from '../database/database.ts'
import type { Recorded, RequestRecord } from './request.ts'
import { findRequest, saveExecuted } from './requestTable.ts'

/** Stores results of free calls in groups, beside the path of the answer. */
export type Recorder = {
  put: (job: Recorded) => void
  find: (requestId: Hex) => Promise<RequestRecord | undefined>
  /** Resolves when everything that was put is stored. */
  flush: () => Promise<void>
}

const retryMs = 200
const mostAttempts = 5

/**
 * A crash can lose the records of the last moment. That costs nobody: a free call has no payment to answer for, and its
 * worker holds ticket and attestation and can settle by itself.
 */
export function createRecorder(deps: { database: Database; log: Logger; onStored: () => void }): Recorder {
  let waiting: Recorded[] = []
  let storing: Recorded[] = []
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      storing = waiting
      waiting = []
      await storeAll(storing)
      storing = []
      deps.onStored()
    }
  }
  const storeAll = async (group: readonly Recorded[]): Promise<void> => {
    try {
      await saveExecuted(deps.database, ...group)
    } catch (error) {
      deps.log.error({ err: error, requests: group.length }, 'results could not be stored together')
      for (const job of group) await storeOne(job)
    }
  }
  /** One that cannot be stored must not keep the others out. */
  const storeOne = async (job: Recorded): Promise<void> => {
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      try {
        return await saveExecuted(deps.database, job)
      } catch (error) {
        deps.log.error({ err: error, requestId: job.requestId, attempt }, 'a result could not be stored')
        await new Promise((resolve) => setTimeout(resolve, retryMs * attempt))
      }
    }
  }
  const start = (): Promise<void> => {
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }
  return {
    put: (job) => {
      waiting.push(job)
      void start()
    },
    find: async (requestId) => {
      const job = [...storing, ...waiting].find((one) => one.requestId === requestId)
      return job ? asRecord(job) : findRequest(deps.database, requestId)
    },
    flush: async () => {
      while (running) await running
    },
  }
}

/** A job that was just recorded, as it will be read back. */
export function asRecord(job: Recorded): RequestRecord {
  return {
    ...job,
    commitSet: job.commitSet,
    status: 'executed',
    settlementAttempts: 0,
    settlementNextMs: job.settleAfterMs ?? 0,
    settled: job.settled,
  }
}
