/** One outgoing call of a function, as its sandbox passes it on. `index` counts the calls of one execution from 0. */
export type EgressCall = {
  readonly index: number
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array
}

/**
 * What came back: a response, or the refusal that the function sees as a failed fetch (TypeError with this message, `code`
 * in its cause).
 */
export type EgressAnswer =
  | {
      readonly type: 'answered'
      readonly status: number
      readonly headers: readonly (readonly [string, string])[]
      readonly body: Uint8Array
      readonly url: string
      readonly redirected: boolean
    }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }

/** Makes an outgoing call for a function. Rejects when there can be no answer any more: the execution then has no result. */
export type Egress = (call: EgressCall, signal: AbortSignal) => Promise<EgressAnswer>
