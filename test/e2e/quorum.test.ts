import { decodeReceiptHeader, settledRequests } from '@peerhost/protocol'
import { getTranscript, invoke, verifyReceipt } from '@peerhost/sdk'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { disputeTimes, eventually, startTestNetwork, type TestNetwork } from './network.ts'

// A quorum is settled after the ticket's deadline and the conflict window.
vi.setConfig({ testTimeout: 180_000 })

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork({ workers: 4, project: 'disputed', times: disputeTimes })
})
afterAll(() => network?.close())

test('three workers agree on the attested lane, share the fee, and the receipt proves it', async () => {
  const answer = await invoke(network.payer, { url: network.url('agreed') })
  expect(answer.status).toBe(200)
  expect(answer.json()).toEqual({ squares: [1, 4, 9] })
  const { receipt } = answer
  if (!receipt) throw new Error('The answer came without a receipt.')
  expect(new Set(receipt.attestations.map(({ operator }) => operator)).size).toBe(3)
  expect(new Set(receipt.attestations.map(({ attestation }) => attestation.resultSeal)).size).toBe(1)

  const transaction = await eventually(
    'the settlement',
    async () => {
      const response = await fetch(`${network.devnet.gatewayUrl}/v1/requests/${receipt.requestId}`)
      const body = (await response.json()) as { status: string; transaction?: `0x${string}` }
      return body.status === 'settled' ? body.transaction : undefined
    },
    120_000,
  )
  const { logs } = await network.chain.getTransactionReceipt({ hash: transaction })
  const settled = settledRequests(logs, network.devnet.addresses.coordinator)
  const rewards = settled.find(({ requestId }) => requestId === receipt.requestId)?.rewards ?? []
  expect(rewards.map(({ operator }) => operator).sort()).toEqual(
    receipt.attestations.map(({ operator }) => operator).sort(),
  )
  const shares = rewards.map(({ reward }) => reward).sort()
  expect((shares.at(-1) ?? 0n) - (shares[0] ?? 0n)).toBeLessThanOrEqual(2n)

  const transcript = await getTranscript(network.payer, receipt)
  const verification = await verifyReceipt(network.payer, { ...transcript, waitForSettlementMs: 5_000 })
  expect(verification.checks.filter((check) => !check.ok)).toEqual([])
  expect(verification).toMatchObject({ ok: true, settled: true, level: 'verified' })
})

test('three workers agree on the confirmed lane too', async () => {
  const answer = await invoke(network.payer, { url: network.url('agreed'), lane: 'confirmed' })
  expect(answer.status).toBe(200)
  expect(answer.json()).toEqual({ squares: [1, 4, 9] })
  const { receipt } = answer
  expect(receipt && new Set(receipt.attestations.map(({ operator }) => operator)).size).toBe(3)
})

test('one of the three dies: another one takes its place', async () => {
  network.devnet.workers()[0]?.kill('SIGKILL')
  const response = await fetch(network.url('agreed'))
  expect(response.status).toBe(200)
  const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
  const dead = network.devnet.accounts.operators[0]?.operator.address
  expect(receipt.attestations.map(({ operator }) => operator)).not.toContain(dead)
  await network.devnet.restartWorker(0)
})
