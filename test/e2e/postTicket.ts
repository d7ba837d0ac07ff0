import {
  canonicalRequest,
  confirmedLaneAbi,
  createDigestSigner,
  encodeRequest,
  epochAt,
  executionCoordinatorAbi,
  functionId,
  functionRegistryAbi,
  hashInput,
  LIMITS,
  laneNumber,
  PROTOCOL_VERSION,
  requestId,
  seal,
  type Ticket,
  testUsdcAbi,
  zeroBytes32,
} from '@peerhost/protocol'
import { bytesToHex, concatHex, createWalletClient, type Hex, http, zeroAddress } from 'viem'
import type { TestNetwork } from './network.ts'

/**
 * What a caller does who trusts no gateway: credits itself, signs its own ticket and posts it on chain with the input in
 * calldata. Gives the request id.
 */
export async function post(network: TestNetwork, functionName: string): Promise<Hex> {
  const { devnet, chain } = network
  const caller = devnet.accounts.payer
  const chainId = await chain.getChainId()
  const { coordinator, confirmedLane, registry, token } = devnet.addresses
  const wallet = createWalletClient({ account: caller, transport: http(devnet.chain.rpcUrl) })
  const send = async (call: {
    address: Hex
    abi: typeof executionCoordinatorAbi | typeof confirmedLaneAbi | typeof testUsdcAbi
    functionName: string
    args: unknown[]
  }) => {
    const hash = await wallet.writeContract({ ...call, chain: null } as never)
    const receipt = await chain.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`${call.functionName} was reverted.`)
  }
  await send({ address: token, abi: testUsdcAbi, functionName: 'approve', args: [coordinator, 1_000_000n] })
  await send({
    address: coordinator,
    abi: executionCoordinatorAbi,
    functionName: 'depositCredit',
    args: [caller.address, 1_000_000n],
  })

  const id = functionId(devnet.accounts.developer.address, 'e2e', functionName)
  const { currentVersion } = await chain.readContract({
    address: registry,
    abi: functionRegistryAbi,
    functionName: 'getFunction',
    args: [id],
  })
  const deployment = await chain.readContract({
    address: registry,
    abi: functionRegistryAbi,
    functionName: 'getDeployment',
    args: [id, currentVersion],
  })
  const { timestamp } = await chain.getBlock()
  const issuedAt = Number(timestamp)
  const input = encodeRequest(
    canonicalRequest({ method: 'GET', path: '/', query: 'from=chain', headers: [], body: new Uint8Array() }),
  )
  const salt = bytesToHex(crypto.getRandomValues(new Uint8Array(32)))
  const ticket: Ticket = {
    protocolVersion: PROTOCOL_VERSION,
    functionId: id,
    functionVersion: currentVersion,
    envVersion: 0,
    runtimeDigest: deployment.runtimeDigest,
    inputSeal: seal(hashInput(input), salt),
    requester: caller.address,
    epoch: epochAt(issuedAt, LIMITS.epochSeconds),
    sequence: 0n,
    quorum: 1,
    lane: laneNumber('confirmed'),
    fee: deployment.fee,
    issuedAt,
    deadline: issuedAt + 60,
    payer: zeroAddress,
    payee: zeroAddress,
    price: 0n,
    quoteId: zeroBytes32,
    funder: caller.address,
  }
  const ticketId = requestId({ chainId, coordinator }, ticket)
  const signature = await createDigestSigner(caller.privateKey).sign(ticketId)
  await send({
    address: confirmedLane,
    abi: confirmedLaneAbi,
    functionName: 'post',
    args: [ticket, signature, concatHex([salt, bytesToHex(input)])],
  })
  return ticketId
}
