import {
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  depositAddress,
  disputeCourtAbi,
  type EscrowTerms,
  eip712Domain,
  functionId,
  functionRegistryAbi,
  hashEscrowTerms,
  paymentEscrowAbi,
  paymentModeNumber,
  seal,
  type Ticket,
  testUsdcAbi,
  zeroBytes32,
} from '@peerhost/protocol'
import { authorizationTypes } from '@x402/evm'
import { type Account, concatHex, encodeFunctionData, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import { createExecutions, randomHex } from './gasExecutions.ts'
import { fillPurse, type GasNetwork } from './gasNetwork.ts'

const price = 5_000n
const project = 'bench'
const name = 'judged'

/** What a payment through the escrow costs: opening it, and its way out (the result's evidence, then the release). */
export async function measureEscrow(network: GasNetwork): Promise<{ escrowOpen: number; escrowRelease: number }> {
  await payThrough(network)
  return payThrough(network)
}

async function payThrough(network: GasNetwork) {
  const { addresses, anyone, domain, owners, send } = network
  const [owner] = owners
  if (!owner) throw new Error('nobody to pay')
  const terms: EscrowTerms = {
    requester: network.requester.address,
    functionId: keccak256(stringToHex('function 0')),
    functionVersion: 1,
    inputSeal: randomHex(32),
    payee: owner.address,
    price,
    deadline: (await network.nowSeconds()) + DEFAULT_TIMES.maximumTicketLifetime,
    nonce: randomHex(32),
  }
  const quoteId = hashEscrowTerms(domain, terms)
  const payment = await authorize(network, depositAddress(addresses.escrow, quoteId))
  const act = async (functionName: 'open' | 'settle' | 'release', args: readonly unknown[]) => {
    const data = encodeFunctionData({ abi: paymentEscrowAbi, functionName, args } as never)
    return (await send(anyone, addresses.escrow, data)).gas
  }
  const escrowOpen = await act('open', [terms, payment])
  const { functionVersion, inputSeal, payee } = terms
  const ticketTerms = { functionId: terms.functionId, functionVersion, inputSeal, payee, price, quoteId }
  const { ticket, ticketSignature, attested } = await executeOne(network, { ...ticketTerms, payer: payment.from })
  const settled = await act('settle', [terms, ticket, ticketSignature, attested.attestation, [attested.signature]])
  await network.pass(ticket.deadline - ticket.issuedAt + DEFAULT_TIMES.challengeWindow + 1)
  return { escrowOpen, escrowRelease: settled + (await act('release', [terms])) }
}

/** An EIP-3009 authorization of a new payer, who has paid before. */
async function authorize(network: GasNetwork, to: Hex) {
  const { addresses, client, domain } = network
  const payer = await network.newAccount()
  await fillPurse(network, payer, addresses.escrow, 2n * price)
  const [tokenName, version] = await Promise.all(
    (['name', 'version'] as const).map((functionName) =>
      client.readContract({ address: addresses.token, abi: testUsdcAbi, functionName }),
    ),
  )
  const validBefore = BigInt((await network.nowSeconds()) + DEFAULT_TIMES.maximumTicketLifetime)
  const message = { from: payer.address, to, value: price, validAfter: 0n, validBefore, nonce: randomHex(32) }
  const signature = await payer.signTypedData({
    domain: {
      ...eip712Domain(domain),
      name: String(tokenName),
      version: String(version),
      verifyingContract: addresses.token,
    },
    types: authorizationTypes,
    primaryType: 'TransferWithAuthorization',
    message,
  })
  return { ...message, signature }
}

/** Opens a case about a result, with its input in calldata: what a challenger pays in gas. `input` is the canonical request. */
export async function measureChallenge(network: GasNetwork, input: string): Promise<number> {
  const [owner] = network.owners
  if (!owner) throw new Error('nobody to publish')
  const { court } = network.addresses
  await publishJudged(network, owner)
  const challenger = await network.newAccount()
  await fillPurse(network, challenger, court, 2n * DEFAULT_PARAMETERS.challengeBond)
  const challengeOnce = async () => {
    const salt = randomHex(32)
    const inputSeal = seal(keccak256(stringToHex(input)), salt)
    const unpriced = { payer: zeroAddress, payee: zeroAddress, price: 0n, quoteId: zeroBytes32 }
    const judged = { functionId: functionId(owner.address, project, name), functionVersion: 1, inputSeal, ...unpriced }
    const { ticket, ticketSignature, attested } = await executeOne(network, judged)
    const bytes = concatHex([salt, stringToHex(input)])
    const args = [ticket, ticketSignature, attested.attestation, attested.signature, bytes, ''] as const
    const data = encodeFunctionData({ abi: disputeCourtAbi, functionName: 'challenge', args })
    return (await network.send(challenger, court, data)).gas
  }
  await challengeOnce()
  return challengeOnce()
}

/** A deterministic function with its owner's bond: the court judges nothing else. */
async function publishJudged({ addresses, send, ...network }: GasNetwork, owner: Account): Promise<void> {
  const spec = {
    name,
    bundleDigest: keccak256(stringToHex('bundle')),
    metadataDigest: zeroBytes32,
    runtimeDigest: keccak256(stringToHex('runtime')),
    limitsClass: 1,
    flags: 1,
    quorum: 1,
    lane: 1,
    fee: 100n,
    price: 0n,
    payee: zeroAddress,
    paymentMode: paymentModeNumber('after'),
  }
  const publish = encodeFunctionData({ abi: functionRegistryAbi, functionName: 'publish', args: [project, [spec]] })
  await send(owner, addresses.registry, publish)
  const { ownerBond } = DEFAULT_PARAMETERS
  await fillPurse({ addresses, send }, owner, addresses.court, ownerBond)
  const args = [functionId(owner.address, project, name), ownerBond] as const
  const bond = encodeFunctionData({ abi: disputeCourtAbi, functionName: 'bondFunction', args })
  await send(owner, addresses.court, bond)
  await network.pass(1)
}

/** A signed ticket of the first owner's funds, and one worker's signed answer to it. */
async function executeOne(network: GasNetwork, terms: Partial<Ticket>) {
  const next = createExecutions(network, BigInt(await network.nowSeconds()))
  const [request] = await next(1, { workers: network.workers, owners: network.owners.slice(0, 1), terms })
  const [attested] = request?.attestations ?? []
  if (!request || !attested) throw new Error('nothing was executed')
  return { ...request, attested }
}
