/** `SkipReason` of the contract, in its order. */
const skipReasons = [
  'None',
  'SequenceConsumed',
  'Expired',
  'NotYetValid',
  'EpochMismatch',
  'RequesterSignature',
  'WorkerSignature',
  'WorkerNotActive',
  'CreditExhausted',
  'QuorumNotMet',
  'ResourceOutcome',
  'LaneMismatch',
  'TermsInvalid',
  'NotSeated',
  'RequesterNotBonded',
  'SequenceAhead',
  'CommitSetInvalid',
  'ConflictWindowOpen',
  'InDispute',
] as const

export type SkipReason = (typeof skipReasons)[number] | 'Unknown'

/**
 * `look-up`: somebody settled it. `retry`: another batch or single signatures may help. `wait`: time will, however long it
 * takes. `give-up`: nothing will.
 */
export type AfterSkip = 'look-up' | 'retry' | 'wait' | 'give-up'

const afterSkip: Record<SkipReason, AfterSkip> = {
  None: 'retry',
  SequenceConsumed: 'look-up',
  Expired: 'give-up',
  NotYetValid: 'retry',
  EpochMismatch: 'give-up',
  RequesterSignature: 'retry',
  WorkerSignature: 'retry',
  WorkerNotActive: 'retry',
  CreditExhausted: 'retry',
  QuorumNotMet: 'give-up',
  ResourceOutcome: 'give-up',
  LaneMismatch: 'give-up',
  TermsInvalid: 'give-up',
  NotSeated: 'give-up',
  RequesterNotBonded: 'wait',
  SequenceAhead: 'wait',
  CommitSetInvalid: 'give-up',
  ConflictWindowOpen: 'wait',
  InDispute: 'wait',
  Unknown: 'retry',
}

/** What the number of a `SkipReason` is called, and what follows from it. */
export function onSkip(reason: number): { name: SkipReason; next: AfterSkip } {
  const name = skipReasons[reason] ?? 'Unknown'
  return { name, next: afterSkip[name] }
}
