import {
  type AssuranceLevel,
  functionRegistryAbi,
  isPeerHostError,
  type Receipt,
  type ReceiptCheck,
  type Ticket,
} from '@peerhost/protocol'
import { type Address, isAddressEqual, zeroAddress } from 'viem'
import { type FunctionState, readDeployment, readFunction } from '../chain/readFunction.ts'
import type { Connection } from '../connection.ts'
import { check } from './check.ts'

/** Flags of a deployment that keep it out of the open network's judgement: uses the network, takes secrets. */
const operatorSignedFlags = 0b110
/** A ticket may carry a price that was quoted this long before it was issued. */
const quoteWindowSeconds = 600
/** The gateway's clock and the chain's may differ by this much. */
const skewSeconds = 60

type Terms = { price: bigint; payee: Address }

/** Do the ticket's terms agree with the registry: runtime, quorum, price and payee, when the ticket was issued? */
export async function checkPrice(
  connection: Connection,
  { ticket }: Receipt,
): Promise<{ check: ReceiptCheck; level: AssuranceLevel }> {
  let level: AssuranceLevel = 'operator-signed'
  try {
    const deployment = await readDeployment(connection, ticket.functionId, ticket.functionVersion)
    if ((deployment.flags & operatorSignedFlags) === 0) level = 'verified'
    if (deployment.runtimeDigest.toLowerCase() !== ticket.runtimeDigest.toLowerCase()) {
      return { level, check: check('price', 'The ticket names another runtime than the published version.') }
    }
    if (ticket.quorum < deployment.quorum) {
      return { level, check: check('price', `The ticket asks for ${ticket.quorum} workers of ${deployment.quorum}.`) }
    }
    return { level, check: check('price', await termsProblem(connection, ticket)) }
  } catch (error) {
    if (isPeerHostError(error) && error.code === 'function_not_found') {
      return { level, check: check('price', 'The registry has no such function or version.') }
    }
    throw error
  }
}

async function termsProblem(connection: Connection, ticket: Ticket): Promise<string | undefined> {
  const state = await readFunction(connection, ticket.functionId)
  if (agrees(ticket, state)) return undefined
  let history: (Terms & { fromSeconds: number })[]
  try {
    history = await readTerms(connection, ticket, state)
  } catch {
    return 'The price differs from today’s, and this RPC does not give the registry’s history to compare with.'
  }
  const earliest = ticket.issuedAt - quoteWindowSeconds
  const latest = ticket.issuedAt + skewSeconds
  const inForce = history.filter(({ fromSeconds }, index) => {
    const next = history[index + 1]
    return fromSeconds <= latest && (next === undefined || next.fromSeconds >= earliest)
  })
  if (inForce.some((terms) => agrees(ticket, terms))) return undefined
  return `The registry did not name the price ${ticket.price} and payee ${ticket.payee} when the ticket was issued.`
}

/** A free ticket names no payee, whoever the registry's is. */
function agrees(ticket: Ticket, terms: Terms): boolean {
  if (ticket.price !== terms.price) return false
  return ticket.price === 0n ? isAddressEqual(ticket.payee, zeroAddress) : isAddressEqual(ticket.payee, terms.payee)
}

/** Every price and payee the function had, oldest first. A payee of zero is the owner of that time. */
async function readTerms({ network, publicClient }: Connection, ticket: Ticket, state: FunctionState) {
  const filter = { address: network.registry, abi: functionRegistryAbi, fromBlock: 0n, toBlock: 'latest' } as const
  const args = { functionId: ticket.functionId }
  const [prices, transfers] = await Promise.all([
    publicClient.getContractEvents({ ...filter, eventName: 'PriceChanged', args }),
    publicClient.getContractEvents({ ...filter, eventName: 'OwnershipTransferred', args }),
  ])
  const firstOwner = transfers[0]?.args.previousOwner ?? state.owner
  const changes = [...prices, ...transfers].sort(
    (a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex,
  )
  const terms: (Terms & { fromSeconds: number })[] = []
  let owner = firstOwner
  let price = 0n
  let payee: Address = zeroAddress
  for (const change of changes) {
    if (change.eventName === 'OwnershipTransferred') owner = change.args.owner ?? owner
    else {
      price = change.args.price ?? price
      payee = change.args.payee ?? payee
    }
    const block = await publicClient.getBlock({ blockNumber: change.blockNumber })
    terms.push({
      price,
      payee: isAddressEqual(payee, zeroAddress) ? owner : payee,
      fromSeconds: Number(block.timestamp),
    })
  }
  return terms
}
