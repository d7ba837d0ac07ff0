import { type Ticket, toBase64 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { AgreedEvent, SettledEvent } from '../chain/chain.ts'
import type { Job } from '../requests/request.ts'
import type { AttestedMessage, CommittedMessage, WorkerLink } from '../workers/workerLink.ts'

/** What happens to a posted ticket while somebody waits for it. */
export type PostedEvent =
  | { type: 'committed'; link: WorkerLink; message: CommittedMessage }
  | { type: 'attested'; link: WorkerLink; message: AttestedMessage }
  | { type: 'settled'; event: SettledEvent }
  | { type: 'agreed'; event: AgreedEvent }

/** Tickets of the confirmed lane that this process waits for. */
export type Posted = {
  /** Serves the job's input to workers and hands its events on, until `close`. */
  open: (job: Job, listener: (event: PostedEvent) => void) => { close: () => void }
  inputOf: (requestId: Hex) => { salt: Hex; input: string } | undefined
  ticketOf: (requestId: Hex) => Ticket | undefined
  emit: (requestId: Hex, event: PostedEvent) => void
}

export function createPosted(): Posted {
  const open = new Map<string, { job: Job; listener: (event: PostedEvent) => void }>()
  return {
    open: (job, listener) => {
      open.set(job.requestId.toLowerCase(), { job, listener })
      return { close: () => open.delete(job.requestId.toLowerCase()) }
    },
    inputOf: (requestId) => {
      const job = open.get(requestId.toLowerCase())?.job
      return job && { salt: job.salt, input: toBase64(job.input) }
    },
    ticketOf: (requestId) => open.get(requestId.toLowerCase())?.job.ticket,
    emit: (requestId, event) => open.get(requestId.toLowerCase())?.listener(event),
  }
}
