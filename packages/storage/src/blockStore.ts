/** Somewhere blocks can be read from. Nothing it returns is trusted: see `fetchBlock`. */
export type BlockSource = {
  /** How reports and logs name it; never holds a secret. */
  name: string
  /**
   * The bytes behind `cid`, checked against it, or `undefined` when the source does not have them.
   * Throws `request_invalid` for a CID that is not a CIDv1 of a raw sha2-256 block, `bundle_mismatch` when the source
   * sent other bytes, `bundle_too_large` when it sent more than it may, `bundle_unavailable` when it could not answer.
   */
  get: (cid: string, signal?: AbortSignal) => Promise<Uint8Array | undefined>
}

/** A source that also keeps blocks. */
export type BlockStore = BlockSource & {
  /**
   * Keeps `bytes` as one raw block and returns its CID. Putting the same bytes again changes nothing.
   * Throws `bundle_too_large`, `bundle_mismatch` (the service filed the bytes under another CID), `upload_unauthorized`
   * or `bundle_unavailable`.
   */
  put: (bytes: Uint8Array, signal?: AbortSignal) => Promise<string>
}
