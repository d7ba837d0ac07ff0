import { mkdirSync } from 'node:fs'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { receiptFromJson, receiptToJson } from '@peerhost/protocol'
import type { PendingPayment } from '@peerhost/sdk'
import type { Hex } from 'viem'
import type { Answer, CallTarget, SentRequest, Verification } from '../peerHostPort.ts'

/** One call as it is kept: what was asked, and what came back once it did. */
export type StoredCall = {
  callId: string
  /** `project/function` and its provider, for the reader. */
  label: string
  provider: Hex
  atMs: number
  target: CallTarget
  /** The signed payment, while its answer is outstanding. */
  pending?: PendingPayment
  answer?: Answer
  verification?: Verification
}

export type ResultStore = {
  put: (call: StoredCall) => Promise<void>
  get: (callId: string) => Promise<StoredCall | undefined>
  /** Removes what is older; returns how many. */
  prune: (olderThanMs: number) => Promise<number>
}

/** Keeps calls as files of mode 600, one per call id: what was paid for is never lost to a dropped connection. */
export function createResultStore({ directory, nowMs }: { directory: string; nowMs: () => number }): ResultStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const pathOf = (callId: string) => {
    if (!/^[0-9a-f-]{36}$/.test(callId)) return undefined
    return join(directory, `${callId}.json`)
  }
  return {
    put: async (call) => {
      const path = pathOf(call.callId)
      if (!path) throw new TypeError(`${call.callId} is not a call id`)
      const draft = `${path}.${process.pid}.tmp`
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(JSON.stringify(toJson(call)))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    },
    get: async (callId) => {
      const path = pathOf(callId)
      if (!path) return undefined
      try {
        return fromJson(JSON.parse(await readFile(path, 'utf8')))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    prune: async (olderThanMs) => {
      let removed = 0
      for (const name of await readdir(directory)) {
        const path = join(directory, name)
        const age = await stat(path).then(
          ({ mtimeMs }) => nowMs() - mtimeMs,
          () => 0,
        )
        if (age < olderThanMs) continue
        await rm(path, { force: true })
        removed += 1
      }
      return removed
    },
  }
}

function toJson({ target, answer, ...rest }: StoredCall): unknown {
  return {
    ...rest,
    target: { ...target, body: target.body && encode(target.body) },
    answer: answer && {
      ...answer,
      body: encode(answer.body),
      receipt: answer.receipt && receiptToJson(answer.receipt),
      sent: { ...answer.sent, body: answer.sent.body && encode(answer.sent.body) },
    },
  }
}

type StoredBody<T> = Omit<T, 'body'> & { body?: string }
type StoredJson = Omit<StoredCall, 'target' | 'answer'> & {
  target: StoredBody<CallTarget>
  answer?: Omit<Answer, 'body' | 'receipt' | 'sent'> & {
    body: string
    receipt?: unknown
    sent: StoredBody<SentRequest>
  }
}

function fromJson({ target, answer, ...rest }: StoredJson): StoredCall {
  const { body, ...ask } = target
  const call: StoredCall = { ...rest, target: { ...ask, ...(body === undefined ? {} : { body: decode(body) }) } }
  if (!answer) return call
  const { receipt, sent, ...facts } = answer
  call.answer = {
    ...facts,
    body: decode(answer.body),
    ...(receipt === undefined ? {} : { receipt: receiptFromJson(receipt) }),
    sent: { ...sent, body: sent.body === undefined ? undefined : decode(sent.body) },
  }
  return call
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function decode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
