import {
  confirmedLaneAbi,
  disputeCourtAbi,
  executionCoordinatorAbi,
  isPeerHostError,
  operatorRegistryAbi,
} from '@peerhost/protocol'
import type { Abi } from 'viem'

type AbiError = Extract<Abi[number], { type: 'error' }>

const all = [...executionCoordinatorAbi, ...operatorRegistryAbi, ...confirmedLaneAbi, ...disputeCourtAbi]

/** Every error of the suite: one contract's call may end with another one's words. */
export const suiteErrors: readonly AbiError[] = [
  ...new Map(
    (all as readonly { type: string; name?: string }[])
      .filter((item): item is AbiError => item.type === 'error')
      .map((error) => [JSON.stringify([error.name, error.inputs.map(({ type }) => type)]), error]),
  ).values(),
]

/** The name of the contract's error with which a `Sender` failed. */
export function refusalOf(error: unknown): string | undefined {
  return isPeerHostError(error) && error.code === 'transaction_failed' ? error.details[0] : undefined
}
