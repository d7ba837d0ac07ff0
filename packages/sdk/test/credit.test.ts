import { type Connection, connect, fundCredit, getCredit, requestCreditWithdrawal, withdrawCredit } from '@peerhost/sdk'
import { createTestClient, http } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestNetwork, type TestNetwork } from './testNetwork.ts'

let network: TestNetwork
let gateway: TestGateway
let connection: Connection

beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
  connection = await connect({ gatewayUrl: gateway.url, account: network.accounts.agent, pollingIntervalMs: 50 })
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})

describe('credit', () => {
  test('is deposited, granted and taken out again, each exactly', async () => {
    const { address } = network.accounts.agent
    const before = await network.balanceOf(address)
    const funded = await fundCredit(connection, { amount: '2.5', maxFee: '0.01' })
    expect(funded).toMatchObject({
      deposited: 2_500_000n,
      depositedText: '2.5',
      credit: { available: 2_500_000n, line: { capPerEpoch: 2_500_000n, maxFee: 10_000n, closesAtSeconds: 0 } },
    })
    expect(funded.transactions).toHaveLength(3)
    expect(await network.balanceOf(address)).toBe(before - 2_500_000n)
    const kept = await fundCredit(connection, { amount: '1' })
    expect(kept).toMatchObject({ deposited: 0n, transactions: [], credit: { line: { maxFee: 10_000n } } })
    const requested = await requestCreditWithdrawal(connection, { amount: '1' })
    expect(requested.amount).toBe(1_000_000n)
    await expect(withdrawCredit(connection)).rejects.toMatchObject({ code: 'conflict' })
    const test = createTestClient({ mode: 'anvil', transport: http(network.chain.rpcUrl) })
    await test.increaseTime({ seconds: 7_200 })
    await test.mine({ blocks: 1 })
    expect(await withdrawCredit(connection)).toMatchObject({ amount: 1_000_000n, to: address })
    expect(await network.balanceOf(address)).toBe(before - 1_500_000n)
    expect(await getCredit(connection)).toMatchObject({ available: 1_500_000n, withdrawing: 0n })
  })

  test('says what is wrong with an amount, before anything is sent', async () => {
    await expect(fundCredit(connection, { amount: '0.0000001' })).rejects.toMatchObject({ code: 'request_invalid' })
    await expect(fundCredit(connection, { amount: '-1' })).rejects.toMatchObject({ code: 'request_invalid' })
    await expect(fundCredit(connection, { amount: '1e3' })).rejects.toMatchObject({ code: 'request_invalid' })
    await expect(requestCreditWithdrawal(connection, { amount: '9999' })).rejects.toMatchObject({
      code: 'insufficient_funds',
    })
    await expect(fundCredit(connection, { amount: '5000000' })).rejects.toMatchObject({ code: 'insufficient_funds' })
  })
})
