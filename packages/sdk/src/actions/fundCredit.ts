import { executionCoordinatorAbi } from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, parseEventLogs } from 'viem'
import { formatAmount, parseAmount } from '../amount.ts'
import { readChain } from '../chain/readChain.ts'
import { eventMissing, sendTransaction } from '../chain/sendTransaction.ts'
import { tokenAbi } from '../chain/tokenAbi.ts'
import { type Connection, requireAccount } from '../connection.ts'
import { getCredit } from './getCredit.ts'

/**
 * Brings the account's credit up to `amount` and grants the gateway a line: approves only what is missing, deposits only
 * what is missing, grants only when the line differs. Running it again with the same parameters sends nothing.
 * Throws `insufficient_funds` and what a transaction throws.
 */
export async function fundCredit(
  connection: Connection,
  parameters: fundCredit.Parameters,
): Promise<fundCredit.ReturnType> {
  const { network } = connection
  const funder = requireAccount(connection, 'Funding credit').account.address
  const requester = parameters.requester ?? network.requester
  const target = parseAmount(parameters.amount, network.token.decimals)
  const before = await getCredit(connection, { funder, requester })
  const transactions: Hex[] = []
  const missing = target > before.available ? target - before.available : 0n
  if (missing > 0n) {
    transactions.push(...(await approveMissing(connection, funder, missing, parameters.signal)))
    transactions.push(await depositCredit(connection, funder, missing, parameters.signal))
  }
  const capPerEpoch = amountOr(connection, parameters.capPerEpoch, before.line.capPerEpoch || target)
  const maxFee = amountOr(connection, parameters.maxFee, before.line.maxFee || capPerEpoch)
  const open = before.line.closesAtSeconds === 0
  if (!open || before.line.capPerEpoch !== capPerEpoch || before.line.maxFee !== maxFee) {
    transactions.push(await grantLine(connection, { funder, requester, capPerEpoch, maxFee }, parameters.signal))
  }
  const after = await getCredit(connection, { funder, requester })
  return {
    deposited: missing,
    depositedText: formatAmount(missing, network.token.decimals),
    credit: after,
    transactions,
  }
}

export declare namespace fundCredit {
  type Parameters = {
    /** Decimal tokens that should be available afterwards. */
    amount: string
    /** Decimal tokens the requester may spend per epoch; unchanged when absent, `amount` for a new line. */
    capPerEpoch?: string | undefined
    /** Decimal tokens the requester may spend on one request; unchanged when absent, the cap for a new line. */
    maxFee?: string | undefined
    /** Who may spend it; the gateway's signing address when absent. */
    requester?: Address | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = {
    /** What was deposited now, in atomic units. */
    deposited: bigint
    depositedText: string
    credit: getCredit.ReturnType
    /** In the order they were mined; empty when nothing was missing. */
    transactions: Hex[]
  }
}

async function approveMissing(connection: Connection, owner: Address, amount: bigint, signal?: AbortSignal) {
  const { network, publicClient } = connection
  const allowance = await readChain('read the allowance', () =>
    publicClient.readContract({
      address: network.token.address,
      abi: tokenAbi,
      functionName: 'allowance',
      args: [owner, network.coordinator],
    }),
  )
  if (allowance >= amount) return []
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'approve the deposit',
      address: network.token.address,
      abi: tokenAbi,
      functionName: 'approve',
      args: [network.coordinator, amount],
    },
    signal,
  )
  return [receipt.transactionHash]
}

async function depositCredit(connection: Connection, funder: Address, amount: bigint, signal?: AbortSignal) {
  const { coordinator } = connection.network
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'deposit credit',
      address: coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'depositCredit',
      args: [funder, amount],
    },
    signal,
  )
  const deposited = parseEventLogs({
    abi: executionCoordinatorAbi,
    eventName: 'CreditDeposited',
    logs: receipt.logs,
  }).some((log) => isAddressEqual(log.address, coordinator) && log.args.amount === amount)
  if (!deposited) throw eventMissing('CreditDeposited', receipt.transactionHash)
  return receipt.transactionHash
}

async function grantLine(
  connection: Connection,
  line: { funder: Address; requester: Address; capPerEpoch: bigint; maxFee: bigint },
  signal?: AbortSignal,
) {
  const { coordinator } = connection.network
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'grant the credit line',
      address: coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'grantCreditLine',
      args: [line.requester, line.capPerEpoch, line.maxFee],
    },
    signal,
  )
  const granted = parseEventLogs({
    abi: executionCoordinatorAbi,
    eventName: 'CreditLineGranted',
    logs: receipt.logs,
  }).some((log) => isAddressEqual(log.address, coordinator) && isAddressEqual(log.args.requester, line.requester))
  if (!granted) throw eventMissing('CreditLineGranted', receipt.transactionHash)
  return receipt.transactionHash
}

function amountOr(connection: Connection, text: string | undefined, otherwise: bigint): bigint {
  return text === undefined ? otherwise : parseAmount(text, connection.network.token.decimals)
}
