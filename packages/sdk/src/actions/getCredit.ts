import { executionCoordinatorAbi, protocolParametersAbi } from '@peerhost/protocol'
import type { Address } from 'viem'
import { formatAmount } from '../amount.ts'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import { type Connection, requireAccount } from '../connection.ts'

/** A funder's credit and its line to one requester (the gateway, unless another is named). Throws `chain_unavailable`. */
export async function getCredit(
  connection: Connection,
  parameters: getCredit.Parameters = {},
): Promise<getCredit.ReturnType> {
  const { network, publicClient } = connection
  const funder = parameters.funder ?? requireAccount(connection, 'Reading your own credit').account.address
  const requester = parameters.requester ?? network.requester
  const contract = { address: network.coordinator, abi: executionCoordinatorAbi } as const
  const suite = await readSuite(connection)
  const [credit, line, spendable, { epochSeconds }] = await readChain('read the credit', () =>
    Promise.all([
      publicClient.readContract({ ...contract, functionName: 'creditOf', args: [funder] }),
      publicClient.readContract({ ...contract, functionName: 'getCreditLine', args: [funder, requester] }),
      publicClient.readContract({ ...contract, functionName: 'availableCredit', args: [funder, requester] }),
      publicClient.readContract({ address: suite.parameters, abi: protocolParametersAbi, functionName: 'times' }),
    ]),
  )
  const [available, withdrawing, withdrawableAt] = credit
  return {
    funder,
    requester,
    available,
    availableText: formatAmount(available, network.token.decimals),
    withdrawing,
    withdrawableAtSeconds: withdrawableAt,
    line: {
      capPerEpoch: line.capPerEpoch,
      maxFee: line.maxFee,
      spendable: spendable[0],
      closesAtSeconds: line.closesAt,
      epochSeconds,
    },
  }
}

export declare namespace getCredit {
  type Parameters = { funder?: Address | undefined; requester?: Address | undefined }
  /** Money in atomic units of the settlement token. */
  type ReturnType = {
    funder: Address
    requester: Address
    available: bigint
    /** `available` as decimal tokens. */
    availableText: string
    withdrawing: bigint
    /** When `withdrawing` may be taken out, in seconds since 1970. */
    withdrawableAtSeconds: number
    line: {
      capPerEpoch: bigint
      maxFee: bigint
      /** What the requester may still spend in this epoch. */
      spendable: bigint
      /** Zero while the line is open. */
      closesAtSeconds: number
      epochSeconds: number
    }
  }
}
