import {
  confirmedLaneAbi,
  disputeCourtAbi,
  executionCoordinatorAbi,
  functionRegistryAbi,
  operatorRegistryAbi,
  paymentEscrowAbi,
} from '@peerhost/protocol'
import type { Abi } from 'viem'

/** The contracts that take relayed actions. */
export const suiteAbis = {
  functions: functionRegistryAbi,
  operators: operatorRegistryAbi,
  coordinator: executionCoordinatorAbi,
  confirmedLane: confirmedLaneAbi,
  escrow: paymentEscrowAbi,
  court: disputeCourtAbi,
} as const satisfies Record<string, Abi>
