/** Seconds that a deployment of the contracts fixes for ever. Twin: `IProtocolParameters.Times`. */
export type ProtocolTimes = {
  epochSeconds: number
  maximumTicketLifetime: number
  settlementGrace: number
  conflictWindow: number
  challengeWindow: number
  juryPhase: number
  unbondingPeriod: number
  parameterDelay: number
}

/** Amounts (atomic units) and shares (basis points) that may change with a delay. Twin: `IProtocolParameters.Parameters`. */
export type ProtocolParameters = {
  protocolFeeBps: number
  committeeSize: number
  jurySize: number
  minimumVotes: number
  auditRateBps: number
  slashBps: number
  challengerShareBps: number
  sponsorShareBps: number
  wideningBlocks: number
  minimumStake: bigint
  requesterBond: bigint
  challengeBond: bigint
  jurorFee: bigint
  ownerBond: bigint
}

const token = 1_000_000n

/** What a new deployment begins with. `docs/economics.md` says how each follows from the simulation. */
export const DEFAULT_TIMES: ProtocolTimes = {
  epochSeconds: 3_600,
  maximumTicketLifetime: 300,
  settlementGrace: 3_600,
  conflictWindow: 60,
  challengeWindow: 86_400,
  juryPhase: 3_600,
  unbondingPeriod: 259_200,
  parameterDelay: 172_800,
}

export const DEFAULT_PARAMETERS: ProtocolParameters = {
  protocolFeeBps: 500,
  committeeSize: 8,
  jurySize: 8,
  minimumVotes: 6,
  auditRateBps: 200,
  slashBps: 5_000,
  challengerShareBps: 50,
  sponsorShareBps: 5_000,
  wideningBlocks: 10,
  minimumStake: 100n * token,
  requesterBond: 100n * token,
  challengeBond: 20n * token,
  jurorFee: token / 2n,
  ownerBond: 50n * token,
}
