import { decodeReceiptHeader, disputeCourtAbi, operatorRegistryAbi, type Receipt } from '@peerhost/protocol'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bondFunction, caseOf, challenge, verdict } from './court.ts'
import { lie, startLiar } from './liar.ts'
import { disputeTimes, everyoneJudges, startTestNetwork, type TestNetwork } from './network.ts'

// Two juries sit, each for two phases; ten workers start first.
vi.setConfig({ testTimeout: 360_000, hookTimeout: 300_000 })

const ownerBond = 50_000_000n
const verdictWithinMs = 320_000

let network: TestNetwork
let liar: Awaited<ReturnType<typeof startLiar>>

beforeAll(async () => {
  network = await startTestNetwork({
    workers: 9,
    project: 'disputed',
    times: disputeTimes,
    parameters: everyoneJudges,
  })
  liar = await startLiar(network)
  for (const name of ['adds', 'depth']) await bondFunction(network, network.functionIdOf(name), ownerBond)
  await network.untilCounted(10)
})
afterAll(async () => {
  await liar?.stop()
  await network?.close()
})

const operator = (address: `0x${string}`) =>
  network.chain.readContract({
    address: network.devnet.addresses.operators,
    abi: operatorRegistryAbi,
    functionName: 'getOperator',
    args: [address],
  })

const balanceInCourt = (address: `0x${string}`) =>
  network.chain.readContract({
    address: network.devnet.addresses.court,
    abi: disputeCourtAbi,
    functionName: 'balanceOf',
    args: [address],
  })

/** Asks all workers at once, so that each of them answers at least once. */
async function askEveryone(path: string): Promise<{ body: unknown; receipt: Receipt }[]> {
  const calls = Array.from({ length: 12 }, async (_, index) => {
    const response = await fetch(`${network.url(path)}?a=40&b=2&n=${index}`)
    expect(response.status).toBe(200)
    return {
      body: (await response.json()) as unknown,
      receipt: decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? ''),
    }
  })
  return Promise.all(calls)
}

test('a worker that lies is convicted by two juries, slashed and jailed; its challenger gains', async () => {
  const answers = await askEveryone('adds')
  const lied = answers.find(({ receipt }) => receipt.attestations[0]?.operator === liar.operator)
  expect(lied?.body).toEqual(lie)
  for (const { body, receipt } of answers)
    if (receipt.attestations[0]?.operator !== liar.operator) expect(body).toEqual({ sum: 42 })
  if (!lied) throw new Error('The liar was not asked.')
  const before = await operator(liar.operator)
  const id = await challenge(network, lied.receipt)
  expect(await verdict(network, id, verdictWithinMs)).toBe('convicted')
  const after = await operator(liar.operator)
  expect(after.stake).toBe(before.stake / 2n)
  expect(after.status).toBe(5)
  expect(await balanceInCourt(network.devnet.accounts.agent.address)).toBeGreaterThan(20_000_000n)
})

test('an honest worker is acquitted, and its challenger pays for it', async () => {
  const answers = await askEveryone('adds')
  const honest = answers.find(({ receipt }) => receipt.attestations[0]?.operator !== liar.operator)
  if (!honest) throw new Error('No honest worker was asked.')
  const accused = honest.receipt.attestations[0]?.operator ?? '0x'
  const before = {
    stake: (await operator(accused)).stake,
    challenger: await balanceInCourt(network.devnet.accounts.agent.address),
  }
  const id = await challenge(network, honest.receipt)
  expect(await verdict(network, id, verdictWithinMs)).toBe('acquitted')
  expect((await operator(accused)).stake).toBe(before.stake)
  expect(await balanceInCourt(network.devnet.accounts.agent.address)).toBe(before.challenger)
})

test('a function that is not deterministic convicts only itself: its owner’s bond goes to the accused', async () => {
  const response = await fetch(network.url('depth'))
  expect(response.status).toBe(200)
  const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
  const [attested] = receipt.attestations
  if (!attested) throw new Error('The receipt holds no attestation.')
  const before = { stake: (await operator(attested.operator)).stake, balance: await balanceInCourt(attested.operator) }
  const id = await challenge(network, receipt)
  expect(id).toBe(caseOf(attested.operator, attested.attestation))
  expect(await verdict(network, id, verdictWithinMs)).toBe('flagged')
  expect((await operator(attested.operator)).stake).toBe(before.stake)
  expect(await balanceInCourt(attested.operator)).toBeGreaterThan(before.balance)
  const bond = await network.chain.readContract({
    address: network.devnet.addresses.court,
    abi: disputeCourtAbi,
    functionName: 'getOwnerBond',
    args: [network.functionIdOf('depth')],
  })
  expect(bond).toMatchObject({ isFlagged: true, amount: 0n })
})
