import { PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'

/** The paid requests that this process is serving now: each payment once, however often it is sent. */
export type Runs<T> = {
  /**
   * Runs `work`, or joins the run of the same payment for the same request. Throws `payment_conflict` when the payment is
   * being used for another request.
   */
  join: (paymentId: Hex, fingerprint: Hex, work: () => Promise<T>) => Promise<T>
  /** Resolves when nothing runs any more. */
  idle: () => Promise<void>
}

export function createRuns<T>(): Runs<T> {
  const running = new Map<Hex, { fingerprint: Hex; promise: Promise<T> }>()
  return {
    join: (paymentId, fingerprint, work) => {
      const run = running.get(paymentId)
      if (run?.fingerprint === fingerprint) return run.promise
      if (run) return Promise.reject(paymentConflict())
      const promise = work().finally(() => running.delete(paymentId))
      running.set(paymentId, { fingerprint, promise })
      return promise
    },
    idle: async () => {
      while (running.size > 0) await Promise.allSettled([...running.values()].map(({ promise }) => promise))
    },
  }
}

/** One payment is for one request. */
export function paymentConflict(): PeerHostError {
  return new PeerHostError('payment_conflict', 'This payment is bound to another request.', {
    hint: 'Sign a new payment, or repeat the request that it was signed for.',
  })
}
