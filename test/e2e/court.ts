import { type Attestation, caseId, disputeCourtAbi, type Receipt, testUsdcAbi } from '@peerhost/protocol'
import { getTranscript } from '@peerhost/sdk'
import { type Address, concatHex, createWalletClient, getAddress, type Hex, http, toHex } from 'viem'
import { eventually, type TestNetwork } from './network.ts'

/** `IDisputeCourt.CaseStatus`, in its order. */
const caseStatuses = [
  'none',
  'first-jury',
  'second-jury',
  'convicted',
  'acquitted',
  'flagged',
  'unavailable',
  'hung',
  'undecided',
] as const
export type CaseStatus = (typeof caseStatuses)[number]

/** Sends a call from a devnet account and waits for it. Throws when it was reverted. */
export async function send(
  network: TestNetwork,
  account: TestNetwork['devnet']['accounts']['payer'],
  call: { address: Address; abi: readonly unknown[]; functionName: string; args: readonly unknown[] },
): Promise<void> {
  const wallet = createWalletClient({ account, transport: http(network.devnet.chain.rpcUrl) })
  const hash = await wallet.writeContract({ ...call, chain: null } as never)
  const receipt = await network.chain.waitForTransactionReceipt({ hash })
  if (receipt.status !== 'success') throw new Error(`${call.functionName} was reverted.`)
}

/** Puts up the owner's bond that makes a deterministic function judgeable. */
export async function bondFunction(network: TestNetwork, functionId: Hex, amount: bigint): Promise<void> {
  const { court, token } = network.devnet.addresses
  const owner = network.devnet.accounts.developer
  await send(network, owner, { address: token, abi: testUsdcAbi, functionName: 'approve', args: [court, amount] })
  await send(network, owner, {
    address: court,
    abi: disputeCourtAbi,
    functionName: 'bondFunction',
    args: [functionId, amount],
  })
}

/** Challenges the first attestation of a receipt, with the input in calldata. Gives the case's id. */
export async function challenge(network: TestNetwork, receipt: Receipt): Promise<Hex> {
  const { court, token } = network.devnet.addresses
  const challenger = network.devnet.accounts.agent
  const [attested] = receipt.attestations
  if (!attested) throw new Error('The receipt holds no attestation.')
  const { request } = await getTranscript(network.payer, receipt)
  const input = concatHex([receipt.salt, toHex(request)])
  await send(network, challenger, {
    address: token,
    abi: testUsdcAbi,
    functionName: 'approve',
    args: [court, 2n ** 128n],
  })
  await send(network, challenger, {
    address: court,
    abi: disputeCourtAbi,
    functionName: 'challenge',
    args: [receipt.ticket, receipt.ticketSignature, attested.attestation, attested.signature, input, ''],
  })
  return caseOf(attested.operator, attested.attestation)
}

/** The id of the case about one attestation. */
export function caseOf(operator: Address, { requestId, resultSeal, outcome, status }: Attestation): Hex {
  return caseId({ requestId, accused: getAddress(operator), resultSeal, outcome, status })
}

/** Waits until a case is closed and gives how. */
export function verdict(network: TestNetwork, id: Hex, timeoutMs: number): Promise<CaseStatus> {
  const { court } = network.devnet.addresses
  return eventually(
    `the verdict of ${id}`,
    async () => {
      const found = await network.chain.readContract({
        address: court,
        abi: disputeCourtAbi,
        functionName: 'getCase',
        args: [id],
      })
      const status = caseStatuses[found.status] ?? 'none'
      return status === 'none' || status === 'first-jury' || status === 'second-jury' ? undefined : status
    },
    timeoutMs,
  )
}
