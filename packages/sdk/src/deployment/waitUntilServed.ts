import { isPeerHostError, PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { getFunction } from '../actions/getFunction.ts'
import type { Connection } from '../connection.ts'
import type { FunctionCard } from '../functionCard.ts'
import { sleep } from '../sleep.ts'

const pollMs = 200

/** Waits until the gateway shows the version, or a later one. Throws `gateway_unavailable` after `timeoutMs`. */
export async function waitUntilServed(
  connection: Connection,
  expected: { name: string; functionId: Hex; version: number },
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<FunctionCard> {
  const deadline = performance.now() + timeoutMs
  let seen: string
  for (;;) {
    try {
      const card = await getFunction(connection, { functionId: expected.functionId, signal })
      if (card.version >= expected.version) return card
      seen = `The gateway shows version ${card.version}.`
    } catch (error) {
      if (!isPeerHostError(error)) throw error
      seen = error.message
    }
    if (performance.now() > deadline) {
      throw new PeerHostError('gateway_unavailable', `The gateway does not serve “${expected.name}” yet.`, {
        details: [`Waiting for version ${expected.version}.`, seen],
        hint: 'The function is registered. Deploy again to go on waiting: nothing is uploaded or published twice.',
      })
    }
    await sleep(pollMs, signal)
  }
}
