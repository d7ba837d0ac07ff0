import { operatorRegistryAbi, type Receipt, type ReceiptCheck, sameHex } from '@peerhost/protocol'
import { zeroAddress } from 'viem'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import type { Connection } from '../connection.ts'
import { check } from './check.ts'

/** Did each execution key belong to the operator that the receipt names, and was it valid when the ticket was issued? */
export async function checkOperators(connection: Connection, { ticket, attestations }: Receipt): Promise<ReceiptCheck> {
  const { publicClient } = connection
  const { operators } = await readSuite(connection)
  const owners = await readChain('read the operators', () =>
    Promise.all(
      attestations.map(({ executionKey }) =>
        publicClient.readContract({
          address: operators,
          abi: operatorRegistryAbi,
          functionName: 'operatorForKey',
          args: [executionKey, ticket.issuedAt],
        }),
      ),
    ),
  )
  const wrong = attestations.findIndex(({ operator }, index) => !sameHex(operator, owners[index] ?? zeroAddress))
  if (wrong === -1) return check('operator', undefined)
  const key = attestations[wrong]?.executionKey
  const owner = owners[wrong]
  return check(
    'operator',
    owner === zeroAddress
      ? `The key ${key} was no operator's when the ticket was issued.`
      : `The key ${key} is that of ${owner}, not of ${attestations[wrong]?.operator}.`,
  )
}
