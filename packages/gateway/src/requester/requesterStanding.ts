import { setTimeout as sleep } from 'node:timers/promises'
import { PeerHostError, type Ticket } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { RequesterBond } from '../chain/requesterChain.ts'
import type { Seating } from '../seats/seating.ts'
import { onSkip } from '../settlement/skips.ts'

type Asked = Pick<Ticket, 'requester' | 'sequence' | 'epoch' | 'issuedAt' | 'quorum' | 'lane'>

/** Whether the chain will take what we ask for: a bond for quorums and drawn seats, numbers inside the window. */
export type RequesterStanding = {
  /** Throws `no_worker` or `runtime_unavailable` with what is missing. Waits a while for the window to move on. */
  assertMayAsk: (ticket: Asked) => Promise<void>
  /** The chain says that our bond changed. */
  changed: (requester: Address) => void
}

const bondTtlMs = 10_000
const pollMs = 200
const attestedLane = 1

export function createRequesterStanding(deps: {
  chain: Pick<Chain, 'requesterBond' | 'drawReason' | 'parametersAt'>
  seating: Pick<Seating, 'modeOf'>
  requester: Address
  /** Longest wait for earlier requests to be settled. */
  windowMs: number
  onUnseeded: (epoch: number) => void
}): RequesterStanding {
  let bond: { value: RequesterBond; needed: bigint; readAtMs: number } | undefined
  const readBond = async (issuedAt: number) => {
    if (bond && Date.now() - bond.readAtMs < bondTtlMs) return bond
    const [value, { requesterBond: needed }] = await Promise.all([
      deps.chain.requesterBond(deps.requester),
      deps.chain.parametersAt(issuedAt),
    ])
    bond = { value, needed, readAtMs: Date.now() }
    return bond
  }
  const assertBonded = async ({ issuedAt }: Asked): Promise<void> => {
    const { value, needed } = await readBond(issuedAt)
    if (value.amount >= needed && value.withdrawableAt === 0) return
    bond = undefined
    throw new PeerHostError('runtime_unavailable', 'This gateway has no bond, so it cannot ask for a quorum.', {
      details: [`Bond: ${value.amount}, needed: ${needed}.`],
      hint: 'Its operator bonds it: PEERHOST_REQUESTER_BOND.',
    })
  }
  const assertDrawn = async (ticket: Asked): Promise<void> => {
    const untilMs = Date.now() + deps.windowMs
    for (;;) {
      const reason = onSkip(await deps.chain.drawReason(ticket)).name
      if (reason === 'None') return
      if (reason !== 'SequenceAhead' || Date.now() > untilMs) throw notDrawn(reason)
      await sleep(pollMs)
    }
  }
  return {
    changed: (requester) => {
      if (requester === deps.requester) bond = undefined
    },
    assertMayAsk: async (ticket) => {
      if (ticket.lane !== attestedLane) return
      if (ticket.quorum > 1) await assertBonded(ticket)
      const mode = await deps.seating.modeOf(ticket)
      if (mode === 'all-seated') return
      if (mode === 'unseeded') {
        deps.onUnseeded(ticket.epoch)
        throw notDrawn('unseeded')
      }
      await assertDrawn(ticket)
    },
  }
}

function notDrawn(reason: string): PeerHostError {
  const details: Record<string, string> = {
    unseeded: 'The seats of this epoch are not drawn yet.',
    SequenceAhead: 'Earlier requests of this gateway are not settled yet.',
    RequesterNotBonded: 'This gateway’s bond does not count yet.',
  }
  return new PeerHostError('no_worker', 'No worker has a seat for this request now.', {
    details: [details[reason] ?? reason],
    hint: 'Repeat the request later. Nothing was charged.',
  })
}
